"""How the finder is taught: what it is shown, what it is told, and that it learns from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from adder_trainer import finding
from adder_trainer.data import Digits
from adder_trainer.finding import BATCH, EMPTY_EACH, NOISE_EACH, SCENES, FinderRecipe, Views
from adder_trainer.normalize.finder import COARSER, Finder
from adder_trainer.normalize.normalizer import CLOSE_GRID
from adder_trainer.normalize.picture import GRID
from adder_trainer.photo import scene
from adder_trainer.strokes import tile

FEW = FinderRecipe(pictures=120, epochs=4, batch_size=20)


def seeded(seed: int = 1) -> Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def views(drawn: Digits) -> tuple[Views, Views]:
    parts = [finding.show(drawn, number, 1) for number in range(1, 13)]
    whole, close = (
        Views(torch.cat([view.light for view in each]), torch.cat([view.ink for view in each]))
        for each in zip(*parts, strict=True)
    )
    return whole, close


def test_shares_of_the_scenes_add_up_to_all() -> None:
    assert sum(share for share, _ in SCENES) == pytest.approx(1)


def test_views_have_their_grids_and_are_alike_again(drawn: Digits) -> None:
    first, again = (finding.show(drawn, 5, 3) for _ in range(2))
    for view, other, grid in zip(first, again, (GRID, CLOSE_GRID), strict=True):
        assert (view.light.shape, view.light.dtype) == ((BATCH, 1, grid, grid), torch.float16)
        assert (view.ink.shape, view.ink.dtype) == ((BATCH, 1, grid // COARSER, grid // COARSER), torch.uint8)
        assert torch.equal(view.light, other.light)
        assert torch.equal(view.ink, other.ink)
    assert not torch.equal(first[0].light, finding.show(drawn, 5, 4)[0].light)


def test_several_processes_show_what_one_does(drawn: Digits) -> None:
    told: list[int] = []
    whole, close = finding.show_all(drawn, range(3, 7), 1, told.append)
    alone = [finding.show(drawn, number, 1) for number in range(3, 7)]
    assert torch.equal(whole.light, torch.cat([each[0].light for each in alone]))
    assert torch.equal(close.ink, torch.cat([each[1].ink for each in alone]))
    assert sum(told) == len(whole) == 4 * BATCH


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


def test_finder_learns_and_learns_alike_again(views: tuple[Views, Views]) -> None:
    def fit() -> tuple[Finder, list[float]]:
        losses: list[float] = []
        made = finding.fit_finder(FEW, views, 1, torch.device("cpu"), lambda done, steps, loss: losses.append(loss))
        return made, losses

    (first, losses), (again, _) = fit(), fit()
    assert len(losses) == 4 * 6
    assert sum(losses[-6:]) < 0.8 * sum(losses[:6])
    assert not first.training
    states: list[dict[str, Tensor]] = [each.state_dict() for each in (first, again)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
