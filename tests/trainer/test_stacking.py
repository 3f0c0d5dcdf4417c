"""The figure that shows why the plain regress fails is measured, not drawn by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from adder_runtime.contract import Approach
from adder_runtime.errors import CheckpointError
from adder_trainer import stacking
from adder_trainer.approaches import Regress, build
from adder_trainer.checkpoint import Checkpoint
from adder_trainer.data import Digits

SMALL_LEAK = 1e-6
"""What softmax(16 x logits) leaves to a digit that is 1 below the best: e^-16, with float32's rounding."""

LEARNT = 0.98
"""Of all pairs of digit and number at least this share; of four seeds one left 0.99, the others 1."""


class Told(nn.Module):
    """A head that answers with the sums it was told."""

    def __init__(self, sums: Tensor) -> None:
        super().__init__()
        self.sums = sums

    def forward(self, both: Tensor) -> Tensor:
        assert both.shape == (*self.sums.shape, 11)
        return self.sums[:, :, None]


@pytest.fixture(scope="module")
def doubtful() -> tuple[Tensor, Tensor]:
    """Logits (2000, 10) as of a trained digit network, and their digits: an eighth hesitates between two."""
    generator = torch.Generator().manual_seed(0)
    digit = torch.arange(2000) % 10
    logits = 2 * torch.randn(2000, 10, generator=generator)
    logits[torch.arange(2000), digit] += 14
    hesitant = torch.arange(0, 2000, 8)
    top = logits[hesitant, digit[hesitant]]
    logits[hesitant, (digit[hesitant] + 5) % 10] = top - 0.5
    return logits, digit


def test_stack_is_the_networks_own() -> None:
    logits = torch.tensor([[0.0, 1.0, *[-2.0] * 8]])
    assert torch.equal(stacking.stack(logits, 0), logits)
    assert torch.equal(stacking.stack(logits, 1), logits.softmax(1))
    assert stacking.stack(logits, 16)[0, 1].item() == pytest.approx(1, abs=SMALL_LEAK)


def test_sum_layers_learn_what_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "BATCH", 100)
    digit = torch.arange(2000) % 10
    epochs: list[int] = []
    head = stacking.fit_head(torch.eye(10)[digit], digit, seed=1, advance=epochs.append)
    measured = stacking.measure_head(head, 100 * torch.eye(10)[digit], digit, sharpness=16)
    assert measured.off.shape == (2000, 10)
    assert measured.sum_accuracy >= LEARNT
    assert epochs == [1] * stacking.EPOCHS


def test_sums_are_clamped_for_the_accuracy_and_not_for_the_error() -> None:
    digit = torch.tensor([0, 9])
    truth = digit[:, None] + torch.arange(10.0)
    off = torch.zeros(2, 10)
    off[0, 0], off[1, 0] = -3.0, 3.0  # clamped to the truth
    off[0, 1], off[1, 1] = 0.75, -0.75  # rounded to another sum that the number allows
    off[0, 2] = 0.25
    measured = stacking.measure_head(Told(truth + off), 10 * torch.eye(10)[digit], digit, sharpness=16)
    assert measured.sum_accuracy == 18 / 20
    assert measured.unclamped_accuracy == 16 / 20
    assert torch.equal(measured.off, off)


def test_figures_are_means_over_seeds_beside_each_seeds_own() -> None:
    fits = [
        stacking.Measured(1.0, 0.5, torch.tensor([[0.0, 2.0]])),
        stacking.Measured(0.5, 0.0, torch.tensor([[-60.0, 0.0]])),
    ]
    kind = stacking.figures(16, [stacking.Measured(0.75, 0.75, torch.zeros(1, 2))], fits)
    histogram = kind.pop("histogram")
    assert kind == {
        "stack": "softmax(16 x logits)",
        "sharpness": 16,
        "sum_accuracy": 0.75,
        "sum_accuracy_by_seed": [1.0, 0.5],
        "unclamped_accuracy": 0.25,
        "train_sum_accuracy": 0.75,
        "mean_squared_error": 901.0,
    }
    middle = stacking.BINS // 2
    assert {place: count for place, count in enumerate(histogram) if count} == {0: 1, middle: 2, middle + 20: 1}


def test_raw_logits_are_the_worst_to_stack(doubtful: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "BATCH", 100)
    logits, digit = doubtful
    accuracy = {}
    for sharpness in (0, 1, 16):
        head = stacking.fit_head(stacking.stack(logits, sharpness), digit, seed=1, advance=lambda _: None)
        accuracy[sharpness] = stacking.measure_head(head, logits, digit, sharpness=sharpness).sum_accuracy
    assert (logits.argmax(1) == digit).all()
    assert accuracy[0] < accuracy[1] < LEARNT <= accuracy[16]


def test_every_way_is_fitted_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "EPOCHS", 1)
    torch.manual_seed(0)
    network = build(Approach.REGRESS)
    assert isinstance(network, Regress)
    digits = Digits(torch.rand(60, 1, 28, 28), torch.arange(60) % 10)
    checkpoint = Checkpoint(Approach.REGRESS, network, {}, "abc")
    found = stacking.explain_stacking(checkpoint, digits, digits, tmp_path)
    assert json.loads((tmp_path / "stacking.json").read_text()) == found
    kinds: list[dict[str, Any]] = found["kinds"]
    assert [kind["sharpness"] for kind in kinds] == [0, 1, 2, 4, 8, 16, 32]
    assert [kind["stack"] for kind in kinds][:3] == ["raw logits", "softmax(logits)", "softmax(2 x logits)"]
    assert (found["checkpoint"], found["images"], found["pairs"], found["seeds"]) == ("abc", 60, 600, [1, 2, 3])
    right = (stacking.digit_logits(network, digits, lambda _: None).argmax(1) == digits.digit).double().mean()
    assert found["digit_accuracy"] == right.item()
    for kind in kinds:
        # the network is untrained: where no digit is likely, the answer is that there is nothing to read
        assert 0 <= kind["unclamped_accuracy"] <= 1
        assert 0 <= kind["sum_accuracy"] <= 1
        assert min(kind["sum_accuracy_by_seed"]) <= kind["sum_accuracy"] <= max(kind["sum_accuracy_by_seed"])
        assert kind["mean_squared_error"] > 0
    counts = {kind["sharpness"]: sum(kind["histogram"]) for kind in kinds if "histogram" in kind}
    assert counts == {0: 1800, 1: 1800, 16: 1800}
    again = stacking.explain_stacking(checkpoint, digits, digits, tmp_path)
    assert again == found
    with Image.open(tmp_path / "stacking.png") as image:
        assert image.size == (1000, 400)


def test_checkpoint_of_classify_is_refused(tmp_path: Path, train: Digits) -> None:
    checkpoint = Checkpoint(Approach.CLASSIFY, build(Approach.CLASSIFY), {}, "abc")
    with pytest.raises(CheckpointError, match="is of classify, must be of regress"):
        stacking.explain_stacking(checkpoint, train, train, tmp_path)
    assert not list(tmp_path.iterdir())
