"""The figure that shows why the plain regress fails is measured, not drawn by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from adder_runtime.contract import Approach
from adder_trainer import stacking
from adder_trainer.approaches import Regress, build
from adder_trainer.checkpoint import Checkpoint
from adder_trainer.data import Digits

SMALL_LEAK = 1e-6
"""What softmax(16 x logits) leaves to a digit that is 1 below the best: e^-16, with float32's rounding."""


def test_stack_is_the_networks_own(tmp_path: Path) -> None:
    logits = torch.tensor([[0.0, 1.0, *[-2.0] * 8]])
    assert torch.equal(stacking.stack(logits, 0), logits)
    assert torch.equal(stacking.stack(logits, 1), logits.softmax(1))
    assert stacking.stack(logits, 16)[0, 1].item() == pytest.approx(1, abs=SMALL_LEAK)


def test_sum_layers_learn_what_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    digit = torch.arange(500) % 10
    one_hot = torch.eye(10)[digit]
    monkeypatch.setattr(stacking, "BATCH", 100)
    head = stacking.fit_head(one_hot, digit, lambda _: None)
    off = stacking.measure_head(head, one_hot, digit)
    assert off.shape == (500, 10)
    assert off.abs().max().item() < 0.5


def test_every_way_is_fitted_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "EPOCHS", 1)
    torch.manual_seed(0)
    network = build(Approach.REGRESS)
    assert isinstance(network, Regress)
    digits = Digits(torch.rand(60, 1, 28, 28), torch.arange(60) % 10)
    found = stacking.explain_stacking(Checkpoint(Approach.REGRESS, network, {}, ""), digits, digits, tmp_path)
    assert json.loads((tmp_path / "stacking.json").read_text()) == found
    assert [kind["sharpness"] for kind in found["kinds"]] == list(stacking.SHARPNESSES)
    assert found["kinds"][0]["stack"] == "raw logits"
    assert found["kinds"][5]["stack"] == "softmax(16 x logits)"
    assert found["pairs"] == 600
    assert all(0 <= kind["sum_accuracy"] <= 1 for kind in found["kinds"])
    assert (tmp_path / "stacking.png").stat().st_size > 5000
