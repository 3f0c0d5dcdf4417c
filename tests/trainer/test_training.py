"""Training: repeatable to the last bit, interrupted or not; and it learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from adder_runtime.contract import Approach
from adder_runtime.errors import CheckpointError, OutputError, UsageError
from adder_trainer import training
from adder_trainer.approaches import Network
from adder_trainer.data import Digits
from adder_trainer.normalize import NORMALIZER_VERSION
from adder_trainer.training import Epoch, Progress, Recipe, Run, Speed, fit

OURS = Recipe(
    epochs=3,
    batch_size=32,
    learning_rate=3e-3,
    weight_decay=0.02,
    one_cycle=True,
    augment=True,
    all_numbers=True,
    averaging=0.9,
    self_distillation=0.5,
)
SOURCE = replace(OURS, one_cycle=False, augment=False, all_numbers=False, averaging=0.0, self_distillation=0.0)

SETTINGS: dict[str, tuple[Approach, Recipe, Speed]] = {
    "classify": (Approach.CLASSIFY, OURS, Speed()),
    "classify, source": (Approach.CLASSIFY, SOURCE, Speed()),
    "regress": (Approach.REGRESS, OURS, Speed()),
    "regress, contiguous": (Approach.REGRESS, OURS, Speed(channels_last=False)),
    "regress, bfloat16": (Approach.REGRESS, OURS, Speed(autocast=True)),
    "regress, source": (Approach.REGRESS, replace(SOURCE, options=(("sharpness", 0.0),)), Speed()),
}

Fit = Callable[..., Run]


@pytest.fixture
def fit_regress(train: Digits, validation: Digits, tmp_path: Path) -> Fit:
    """Fits regress on drawn digits; keywords replace what `fit` is given, and the recipe's fields."""

    def call(**changes: Any) -> Run:
        given: dict[str, Any] = {"seed": 1, "speed": Speed(), "state": tmp_path / "state.safetensors"}
        recipe = replace(OURS, **{name: changes.pop(name) for name in list(changes) if hasattr(OURS, name)})
        approach = changes.pop("approach", Approach.REGRESS)
        return fit(approach, recipe, train, validation, **given | changes)

    return call


def same_weights(one: Network, other: Network) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


def without_time(run: Run) -> list[Epoch]:
    return [replace(epoch, seconds=0.0) for epoch in run.history]


def interrupt_epoch(number: int) -> Callable[[Epoch], None]:
    """Ctrl-C once this epoch (from 1) is on disk."""

    def on_epoch(epoch: Epoch) -> None:
        if epoch.epoch == number:
            raise KeyboardInterrupt

    return on_epoch


def interrupt_step(epoch: int, step: int) -> Callable[[Progress], None]:
    """Ctrl-C within an epoch (from 0)."""

    def on_step(progress: Progress) -> None:
        if (progress.epoch, progress.step) == (epoch, step):
            raise KeyboardInterrupt

    return on_step


@pytest.mark.parametrize("name", SETTINGS)
def test_interrupted_and_resumed_run_is_the_unbroken_one_bit_by_bit(
    name: str, fit_regress: Fit, tmp_path: Path
) -> None:
    approach, recipe, speed = SETTINGS[name]
    given = {"approach": approach, "speed": speed} | asdict(recipe)
    unbroken = fit_regress(**given)
    broken = tmp_path / "broken.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit_regress(**given, state=broken, on_epoch=interrupt_epoch(1))
    with pytest.raises(KeyboardInterrupt):
        fit_regress(**given, state=broken, resume=True, on_step=interrupt_step(2, 3))
    resumed = fit_regress(**given, state=broken, resume=True)
    assert same_weights(resumed.network, unbroken.network)
    assert without_time(resumed) == without_time(unbroken)


def test_run_that_was_interrupted_at_its_very_end_is_resumed(fit_regress: Fit) -> None:
    unbroken = fit_regress()
    with pytest.raises(KeyboardInterrupt):
        fit_regress(on_epoch=interrupt_epoch(3))
    steps: list[Progress] = []
    resumed = fit_regress(resume=True, on_step=steps.append)
    assert steps == []
    assert same_weights(resumed.network, unbroken.network)


def test_same_seed_gives_the_same_weights_and_another_seed_others(fit_regress: Fit) -> None:
    first, again, other = (fit_regress(seed=seed, epochs=2) for seed in (5, 5, 6))
    assert same_weights(first.network, again.network)
    assert without_time(first) == without_time(again)
    assert not same_weights(first.network, other.network)


def test_what_was_drawn_before_does_not_change_a_run(fit_regress: Fit) -> None:
    first = fit_regress(epochs=1)
    torch.rand(17)
    assert same_weights(first.network, fit_regress(epochs=1).network)


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"learning_rate": 1e-3}, {"approach": Approach.CLASSIFY}, {"speed": Speed(autocast=True)}]
)
def test_resuming_with_other_settings_is_refused(fit_regress: Fit, change: dict[str, Any]) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit_regress(on_epoch=interrupt_epoch(1))
    with pytest.raises(CheckpointError, match=r"belongs to another run .* resume with the options") as met:
        fit_regress(resume=True, **change)
    assert "\n" not in str(met.value)


def test_resuming_behind_another_normaliser_is_refused(fit_regress: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit_regress(on_epoch=interrupt_epoch(1))
    monkeypatch.setattr(training, "NORMALIZER_VERSION", "next")
    with pytest.raises(CheckpointError, match=rf"belongs to another run \(normalizer {NORMALIZER_VERSION}\)"):
        fit_regress(resume=True)


def test_resuming_with_no_state_is_refused(fit_regress: Fit) -> None:
    with pytest.raises(CheckpointError, match=r"state\.safetensors not found"):
        fit_regress(resume=True)


def test_first_epoch_learns_the_labels_and_later_ones_also_what_was_said(fit_regress: Fit) -> None:
    plain, softened = (fit_regress(self_distillation=share).history for share in (0.0, 0.5))
    assert plain[0].train_loss == softened[0].train_loss
    assert plain[1].train_loss != softened[1].train_loss


def test_state_is_there_after_each_epoch(fit_regress: Fit, tmp_path: Path) -> None:
    there: list[bool] = []
    fit_regress(on_epoch=lambda _: there.append((tmp_path / "state.safetensors").is_file()))
    assert there == [True] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


def test_state_that_cannot_be_written_is_an_output_error(fit_regress: Fit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot be written: .* give another folder with --out"):
        fit_regress(epochs=1, state=tmp_path / "file" / "state.safetensors")


@pytest.mark.parametrize("approach", Approach)
@pytest.mark.parametrize("rate", [1e3, 1e6, 1e20])
def test_learning_rate_that_is_too_high_is_told(fit_regress: Fit, approach: Approach, rate: float) -> None:
    with pytest.raises(UsageError, match=r"^the training has run away, .*; train with a lower --lr$"):
        fit_regress(approach=approach, learning_rate=rate)


def test_steps_and_epochs_are_told_in_order(fit_regress: Fit) -> None:
    steps: list[Progress] = []
    run = fit_regress(on_step=steps.append)
    assert [(step.epoch, step.step, step.steps) for step in steps] == [
        (e, s + 1, 6) for e in range(3) for s in range(6)
    ]
    assert [epoch.epoch for epoch in run.history] == [1, 2, 3]
    last = [step for step in steps if step.step == 6]
    assert [step.loss for step in last] == [epoch.train_loss for epoch in run.history]
    assert [step.digit_accuracy for step in last] == [epoch.train_digit_accuracy for epoch in run.history]


def test_batch_larger_than_the_data_is_all_of_it(fit_regress: Fit) -> None:
    steps: list[Progress] = []
    fit_regress(epochs=1, batch_size=10_000, on_step=steps.append)
    assert [step.steps for step in steps] == [1]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_batch_without_a_place_for_a_plain_image_is_refused(size: int, fit_regress: Fit, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"^batches of {size} with a share of 0\.9 .* larger --batch-size or a lower"):
        fit_regress(batch_size=size, photo_share=0.9, photos=10)
    assert list(tmp_path.iterdir()) == []


def test_regress_learns_drawn_digits(fit_regress: Fit) -> None:
    history = fit_regress(epochs=15, learning_rate=0.02, augment=False).history
    assert history[-1].train_loss < history[0].train_loss / 20
    assert history[-1].validation_digit_accuracy > 0.9
    assert history[-1].validation_sum_accuracy > 0.3  # chance is 0.1


def test_classify_learns_drawn_digits(fit_regress: Fit) -> None:
    history = fit_regress(approach=Approach.CLASSIFY, epochs=16, learning_rate=0.02, augment=False).history
    assert history[-1].train_loss < history[0].train_loss / 2
    assert history[-1].validation_digit_accuracy > 0.9
    assert history[-1].validation_sum_accuracy > 0.3  # chance is 0.1


def test_network_that_is_kept_is_contiguous_and_evaluates(fit_regress: Fit) -> None:
    network = fit_regress(epochs=1).network
    assert not network.training
    assert all(tensor.is_contiguous() for tensor in network.state_dict().values())
