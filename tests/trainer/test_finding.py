"""How the finder is taught: what it is shown, what it is told, and that it learns from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from adder_runtime.errors import CheckpointError
from adder_trainer import finding
from adder_trainer.data import Digits
from adder_trainer.finding import BATCH, EMPTY_EACH, NOISE_EACH, SCENES, FinderRecipe, Views
from adder_trainer.normalize.finder import COARSER, COARSEST, Finder
from adder_trainer.normalize.normalizer import CLOSE_GRID
from adder_trainer.normalize.picture import LEAST_GRID, grid_of
from adder_trainer.photo import scene
from adder_trainer.strokes import tile

FEW = FinderRecipe(pictures=160, epochs=4, batch_size=10)


def seeded(seed: int = 1) -> Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def groups(drawn: Digits) -> list[tuple[Views, Views]]:
    return finding.show_all(drawn, range(1, 17), 1)


def test_shares_of_the_scenes_add_up_to_all() -> None:
    assert sum(share for share, _ in SCENES) == pytest.approx(1)


def test_views_have_their_grids_and_are_alike_again(drawn: Digits) -> None:
    first, again = (finding.show(drawn, 5, 3) for _ in range(2))
    for view, other in zip(first, again, strict=True):
        grid = view.light.shape[3]
        assert (view.light.shape, view.light.dtype) == ((BATCH, 1, grid, grid), torch.float16)
        assert (view.ink.shape, view.ink.dtype) == ((BATCH, 1, grid // COARSER, grid // COARSER), torch.uint8)
        assert torch.equal(view.light, other.light)
        assert torch.equal(view.ink, other.ink)
    assert first[1].light.shape[3] == CLOSE_GRID
    assert not torch.equal(first[1].light, finding.show(drawn, 5, 4)[1].light)


@pytest.mark.parametrize("side", [28, 100, 400])
def test_whole_pictures_are_shown_in_as_many_cells_as_always_and_in_fewer(side: int, drawn: Digits) -> None:
    generator, most = seeded(), grid_of(side, side)
    pixels, ink = torch.full((1, side, side, 1), 200, dtype=torch.uint8), torch.zeros(1, side, side)
    grids = {finding.seen(pixels, ink, generator)[0].light.shape[3] for _ in range(60)}
    assert grids == {*range(max(LEAST_GRID, math.ceil(most * 2 / 3 / COARSEST) * COARSEST), most + 1, COARSEST)}


def test_several_processes_show_what_one_does_in_groups_of_as_many_cells(drawn: Digits) -> None:
    told: list[int] = []
    groups = finding.show_all(drawn, range(3, 13), 1, told.append)
    alone = [finding.show(drawn, number, 1) for number in range(3, 13)]
    grids = [whole.light.shape[3] for whole, _ in groups]
    assert grids == sorted({whole.light.shape[3] for whole, _ in alone})
    assert len(grids) > 1
    for grid, (whole, close) in zip(grids, groups, strict=True):
        same = [each for each in alone if each[0].light.shape[3] == grid]
        assert torch.equal(whole.light, torch.cat([each[0].light for each in same]))
        assert torch.equal(close.ink, torch.cat([each[1].ink for each in same]))
    assert sum(told) == sum(len(whole) for whole, _ in groups) == 10 * BATCH


@pytest.mark.parametrize("number", [0, EMPTY_EACH, NOISE_EACH * EMPTY_EACH])
def test_where_no_digit_is_shown_there_is_no_ink(number: int, drawn: Digits) -> None:
    for view in finding.show(drawn, number, 1):
        assert view.ink.max() == 0


def test_ink_is_the_digits_alone_and_the_close_view_holds_all_of_it(drawn: Digits) -> None:
    names = {kind.name: kind for _, kind in SCENES}
    generator = seeded()
    tiles = tile(drawn.ink[:20], drawn.digit[:20], generator)
    pixels, ink = scene(tiles, replace(names["photo, beside a pen"], clutter=0.0, size=(0.4, 0.6)), generator)
    whole, close = finding.seen(pixels, ink, generator)
    # the pen, along a whole side, would be much more
    assert whole.ink.float().mean((1, 2, 3)).max() < 0.3
    edges = close.ink[:, 0, 0], close.ink[:, 0, -1], close.ink[:, 0, :, 0], close.ink[:, 0, :, -1]
    assert torch.stack([edge.float().mean() for edge in edges]).max() < 0.1
    high = close.ink.amax(3).sum(2) / close.ink.shape[2]
    assert (torch.maximum(high, close.ink.amax(2).sum(2) / close.ink.shape[3]) > 1 / 3).all()


def test_close_square_is_anywhere_where_there_is_no_ink() -> None:
    middle, cell = finding.close_square(torch.zeros(40, 50, 80), seeded())
    assert (middle.shape, cell.shape) == ((40, 2, 1, 1), (40, 1, 1, 1))
    assert middle[:, 0].std() > 5
    assert middle[:, 1].std() > 10
    assert (cell * CLOSE_GRID).min() > 0.1 * 80


def test_loss_wants_ink_where_it_is() -> None:
    ink = torch.zeros(1, 1, 8, 8)
    ink[:, :, 2:4] = 1
    right, wrong, unsure = (finding.loss_of(logits, ink) for logits in (20 * ink - 10, 10 - 20 * ink, 0 * ink))
    assert right < 0.01
    assert right < unsure < wrong


def test_what_is_altered_stays_with_its_ink() -> None:
    torch.manual_seed(3)
    ink = (torch.rand(6, 1, 8, 8) < 0.3).float()
    for _ in range(20):
        light, truth = finding.alter(0.2 + 0.6 * ink, ink)
        for each, mask in zip(light, truth, strict=True):
            on, off = each[mask == 1], each[mask == 0]
            assert on.std() < 1e-6
            assert off.std() < 1e-6
            assert abs(float(on.mean() - off.mean())) > 0.2


def test_learning_rate_rises_and_falls() -> None:
    rates = [finding.one_cycle(part / 100) for part in range(101)]
    assert rates[0] == 0
    assert max(rates) == rates[10] == 1
    assert rates[-1] == pytest.approx(0)


Fit = Callable[..., Finder]


@pytest.fixture
def fit(groups: list[tuple[Views, Views]]) -> Fit:
    def fit_few(state: Path, **changes: Any) -> Finder:
        return finding.fit_finder(FEW, groups, state, **{"seed": 1, "device": torch.device("cpu")} | changes)[0]

    return fit_few


def test_finder_learns_from_each_picture_once_an_epoch(
    fit: Fit, groups: list[tuple[Views, Views]], tmp_path: Path
) -> None:
    losses: list[float] = []
    finder = fit(tmp_path / "state", on_step=lambda more, loss: losses.extend([loss] * more))
    each = sum(len(whole) // FEW.batch_size for whole, _ in groups)
    assert len(losses) == FEW.epochs * each
    assert sum(losses[-each:]) < 0.8 * sum(losses[:each])
    assert not finder.training


def test_finder_that_was_interrupted_is_the_unbroken_one(fit: Fit, tmp_path: Path) -> None:
    unbroken, broken = fit(tmp_path / "unbroken"), tmp_path / "broken"
    done: list[float] = []

    def interrupt(more: int, loss: float) -> None:
        done.append(loss)
        if len(done) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(broken, on_step=interrupt)
    told: list[int] = []
    resumed = fit(broken, resume=True, on_step=lambda more, _: told.append(more))
    assert 0 < told[0] < 20
    states: list[dict[str, Tensor]] = [each.state_dict() for each in (unbroken, resumed)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    with pytest.raises(CheckpointError, match="belongs to another run"):
        fit(broken, resume=True, seed=2)


def test_batches_of_an_epoch_hold_pictures_of_one_group_each_once() -> None:
    counts = 45, 7, 61
    batches = list(finding.in_batches(counts, FEW))
    assert len(batches) == finding.steps_of(counts, FEW) == 4 + 0 + 6
    for group, count in enumerate(counts):
        index = [int(place) for of, places in batches if of == group for place in places]
        assert len({*index}) == len(index) == count // FEW.batch_size * FEW.batch_size
        assert not index or max(index) < count
