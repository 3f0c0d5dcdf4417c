"""What a recipe decides of each step: the learning rate, the order, the numbers and the average."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from adder_runtime.contract import NUMBERS, Approach
from adder_trainer.approaches import build
from adder_trainer.options import SEEDS, RecipeName
from adder_trainer.training import RECIPES, WARM_UP, batches, draw_numbers, learning_rate, update_average


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing() -> None:
    recipe = RECIPES[RecipeName.OURS, Approach.CLASSIFY]
    steps = 100
    rates = [learning_rate(recipe, step, steps) / recipe.learning_rate for step in range(steps)]
    peak = int(WARM_UP * steps)
    assert rates[0] == pytest.approx(1 / (peak + 1))
    assert rates[peak - 1] == pytest.approx(peak / (peak + 1))
    assert rates[peak] == 1
    assert rates[60] == pytest.approx(0.5)
    assert 0 < rates[-1] < 0.001
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_learning_rate_of_the_source_is_constant() -> None:
    recipe = RECIPES[RecipeName.SOURCE, Approach.REGRESS]
    assert {learning_rate(recipe, step, 50) for step in range(50)} == {recipe.learning_rate}


def test_batches_are_whole_and_hold_no_image_twice() -> None:
    index = list(batches(103, 20, torch.Generator().manual_seed(1), 5))
    assert [len(batch) for batch in index] == [20] * 5
    assert len(torch.cat(index).unique()) == 100
    assert torch.cat(index).tolist() != sorted(torch.cat(index).tolist())


def test_no_picture_comes_again_before_all_others_came() -> None:
    index = torch.cat(list(batches(7, 4, torch.Generator().manual_seed(1), 5)))
    assert len(index) == 20
    assert sorted(index[:7].tolist()) == sorted(index[7:14].tolist()) == list(range(7))


def test_numbers_are_drawn_once_from_the_seed() -> None:
    first, again, other = (draw_numbers(1000, seed, torch.device("cpu")) for seed in (1, 1, 2))
    assert first.shape == (1000, 1)
    assert set(first.flatten().tolist()) == set(NUMBERS)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("decay", "step", "share"), [(0.0, 0, 1.0), (0.999, 0, 0.9), (0.999, 90, 0.09), (0.9, 90, 0.1), (0.9, 5000, 0.1)]
)
def test_average_moves_by_its_share(decay: float, step: int, share: float) -> None:
    average, network = (build(Approach.REGRESS) for _ in range(2))
    for model, value in ((average, 1.0), (network, 2.0)):
        for parameter in model.parameters():
            torch.nn.init.constant_(parameter, value)
    update_average(average, network, decay, step)
    for parameter in average.parameters():
        assert parameter.flatten()[0].item() == pytest.approx(1 + share)
        assert (parameter == parameter.flatten()[0]).all()


def test_recipes_of_the_source_leave_ours_out() -> None:
    for approach in Approach:
        recipe = RECIPES[RecipeName.SOURCE, approach]
        assert (recipe.epochs, recipe.augment, recipe.all_numbers, recipe.averaging) == (20, False, False, 0.0)
    assert dict(RECIPES[RecipeName.SOURCE, Approach.CLASSIFY].options) == {"dropout": 0.0}
    assert dict(RECIPES[RecipeName.SOURCE, Approach.REGRESS].options) == {"sharpness": 0.0, "dropout": 0.0}


@pytest.mark.parametrize("approach", Approach)
def test_what_ships_was_trained_as_the_defaults_say(approach: Approach) -> None:
    facts = json.loads((Path(__file__).parents[2] / "artifacts" / "reports" / approach / "facts.json").read_text())
    recipe = RECIPES[RecipeName.OURS, approach]
    assert facts["settings"] == asdict(recipe) | {"options": dict(recipe.options)}
    assert facts["seed"] == SEEDS[approach]


def test_readme_says_what_the_recipes_do() -> None:
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text().split())
    classify, regress = (RECIPES[RecipeName.OURS, approach] for approach in Approach)
    assert classify.photo_share == regress.photo_share
    assert f"In *ours*, {classify.photo_share:.0%} of each batch have been".replace("%", " %") in readme
    assert (classify.self_distillation, regress.self_distillation) == (0.25, 0.25)
    assert "from nothing up to a quarter" in readme
    assert (classify.photo_epochs, regress.photo_epochs) == (10, 13)
    assert "Fresh ones are rendered every ten epochs, of *regress* every thirteen." in readme
