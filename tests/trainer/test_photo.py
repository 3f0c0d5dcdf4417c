"""Rendered pictures, of `photo` and what it takes: each part does what it says, and comes out alike by its seed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from adder_trainer import camera, ground, marks, photo
from adder_trainer.data import NO_DIGIT, Digits
from adder_trainer.kinds import KINDS, MEASURED, Kind
from adder_trainer.normalize import Normalized, Normalizer
from adder_trainer.plane import INKED, ink_box
from adder_trainer.strokes import TILE, tile

ROUNDING = 1e-5
"""Sums of some thousand float32."""

SIZE = 8, 40, 60

PLAIN = Kind("plain", share=1.0, sides=(40, 60), size=(0.8, 0.8), paper=(0.8, 0.8), contrast=(0.9, 0.9))
"""Nothing but ink on even paper."""


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def tiles(drawn: Digits) -> Tensor:
    return tile(drawn.ink[:12], drawn.digit[:12], seeded())


@pytest.fixture(scope="module")
def light() -> Tensor:
    """Soft pictures (8, 40, 60), 0.2 to 0.8."""
    return 0.2 + 0.6 * camera.blur(torch.rand(SIZE, generator=seeded()), 2.0)


def test_kinds_share_all_pictures() -> None:
    assert sum(kind.share for kind in KINDS) == pytest.approx(1)
    assert len({kind.name for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_picture_has_a_size_of_its_kind_and_comes_out_alike_again(kind: Kind, tiles: Tensor) -> None:
    first, again, other = (photo.render(tiles, kind, seeded(seed)) for seed in (1, 1, 2))
    batch, height, width, channels = first.shape
    assert (batch, channels, first.dtype) == (12, 1, torch.uint8)
    assert kind.sides[0] <= height <= kind.sides[1]
    assert width == 5 or 0.65 * height <= width <= 1.45 * height
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_plain_picture_is_dark_on_its_paper(tiles: Tensor) -> None:
    pictures = photo.render(tiles, PLAIN, seeded())
    assert pictures.flatten(1).max(1).values.tolist() == [204] * 12  # 0.8 * 255
    # a full stroke leaves a tenth of that, 20.4; a thin one is not quite full
    assert set(pictures.flatten(1).min(1).values.tolist()) <= set(range(20, 27))
    inverted = photo.render(tiles, replace(PLAIN, inverted=1.0), seeded())
    assert inverted.flatten(1).min(1).values.tolist() == [51] * 12


def test_picture_of_nothing_is_even_paper() -> None:
    nothing = photo.render(torch.zeros(3, 1, TILE, TILE), PLAIN, seeded())
    assert nothing.unique().tolist() == [204]


def test_ink_fills_its_share_of_the_frame(tiles: Tensor) -> None:
    for share in (0.3, 0.6, 0.9):
        ink = marks.place(tiles, 60, 60, torch.full((12,), share), seeded())
        assert ink.shape == (12, 60, 60)
        seen = ink > 0.4
        high, wide = (seen.any(axis).sum(1) for axis in (2, 1))
        assert (torch.maximum(high, wide) - 60 * share).abs().max() <= 3  # pixels; the box is one of whole cells


def test_ink_is_stretched_to_fill_the_frame_both_ways_and_no_further(tiles: Tensor) -> None:
    for stretch in (1.0, 1.5, 10.0):
        seen = marks.place(tiles, 60, 60, torch.full((12,), 0.9), seeded(), stretch) > 0.4
        high, wide = (seen.any(axis).sum(1) for axis in (2, 1))
        top, bottom, left, right = marks.box(tiles)
        before = (bottom - top) / (right - left)
        longer, shorter = torch.maximum(high, wide), torch.minimum(high, wide)
        assert (longer - 54).abs().max() <= 3
        wanted = (54 * torch.minimum(before, 1 / before) * stretch).clamp(max=54)
        assert (shorter - wanted).abs().max() <= 4


def test_frame_is_a_line_all_around_and_leaves_a_gap(tiles: Tensor) -> None:
    ink = marks.place(tiles, 60, 60, torch.full((12,), 0.7), seeded())
    margins = set()
    for seed in range(8):
        framed, digit = marks.framed(ink, ink, seeded(seed))
        torch.testing.assert_close(digit.sum(), ink.sum())
        assert (framed >= digit).all()
        line = framed.amin(0) > 0.5
        rows, columns = line.any(1).nonzero()[:, 0], line.any(0).nonzero()[:, 0]
        top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
        assert line[top, left : right + 1].all()
        assert line[bottom, left : right + 1].all()
        assert line[top : bottom + 1, left].all()
        assert line[top : bottom + 1, right].all()
        margins.add(int(top))
        assert framed[:, top + 5, left + 5].max() < 0.1  # paper between the line and the digit
    assert 0 in margins
    assert len(margins) > 1


def test_paper_ends_on_a_table_and_no_ink_does(tiles: Tensor) -> None:
    ink = marks.place(tiles, 60, 50, torch.full((12,), 1.0), seeded())
    sides = set()
    for seed in range(12):
        larger, digit, table = ground.on_table(ink, ink / 2, (0.15, 0.3), seeded(seed))
        torch.testing.assert_close(digit, larger / 2)
        torch.testing.assert_close(larger.sum(), ink.sum())
        assert (table[larger > 0] == 0).all()
        edges = table[:, 0], table[:, -1], table[:, :, 0], table[:, :, -1]
        ends = tuple(bool((edge > 0.5).float().mean() > 0.9) for edge in edges)
        assert (table.mean((1, 2)) > 0.02).all()
        sides.add(ends)
        assert (table.mean((1, 2)) < 0.75).all()
    assert len(sides) > 3


@pytest.mark.parametrize(("high", "wide"), [(60, 50), (50, 60)])
def test_pen_lies_beside_the_ink_along_the_longer_side(high: int, wide: int, tiles: Tensor) -> None:
    ink = marks.place(tiles, high, wide, torch.full((12,), 0.9), seeded())
    for seed in range(8):
        with_pen, digit = marks.with_pen(ink, ink, seeded(seed))
        assert digit.shape == with_pen.shape
        torch.testing.assert_close(digit.sum(), ink.sum())
        assert (with_pen >= digit).all()
        grown = with_pen.shape[1] - high, with_pen.shape[2] - wide
        assert min(grown) == 0
        assert (grown[0] > 0) == (wide > high)
        along = with_pen.transpose(1, 2) if wide > high else with_pen
        room = max(grown)
        first, last = along[:, :, :room], along[:, :, -room:]
        ink_last = torch.isclose(along[:, :, room:].sum(), ink.sum())
        assert ink_last != torch.isclose(along[:, :, :-room].sum(), ink.sum())
        pen = first if ink_last else last
        assert (pen.amax(2) > 0.2).float().mean() > 0.7  # from one end of the frame to about the other


def test_ink_larger_than_the_frame_is_cut_off(tiles: Tensor) -> None:
    ink = marks.place(tiles, 60, 60, torch.full((12,), 1.2), seeded())
    edges = torch.stack([ink[:, 0].amax(1), ink[:, -1].amax(1), ink[:, :, 0].amax(1), ink[:, :, -1].amax(1)], 1)
    assert (edges.amax(1) > 0.5).all()


def test_box_is_that_of_the_ink_and_the_whole_tile_without_any() -> None:
    ink = torch.zeros(2, 1, TILE, TILE)
    ink[0, 0, 5:20, 30:41] = 1
    assert torch.stack(marks.box(ink), 1).tolist() == [[5, 20, 30, 41], [0, TILE, 0, TILE]]


def test_neighbour_shows_no_more_than_a_strip_at_one_side(tiles: Tensor) -> None:
    ink = marks.intruding(tiles, 60, 60, replace(PLAIN, neighbour=1.0), seeded())
    assert (ink.flatten(1).amax(1) > 0.3).sum() >= 8
    # a strip is at most 0.08 of the frame, 5 pixels; the pen's faint edge reaches a little further
    assert ink[:, 8:-8, 8:-8].max() < 0.01
    assert marks.intruding(tiles, 60, 60, PLAIN, seeded()).max() == 0


def test_texture_leaves_up_to_its_share_white() -> None:
    white = marks.texture(*SIZE, 0.6, seeded())
    assert white.shape == SIZE
    assert 0 <= white.min() < white.max() <= 0.6
    assert white.max() > 0.4


def test_mottle_is_uneven_over_some_pixels_and_about_0() -> None:
    uneven = ground.mottle(64, 40, 60, 0.05, seeded())
    assert uneven.shape == (64, 40, 60)
    assert abs(uneven.mean().item()) < 0.005
    assert uneven.flatten(1).std(1).max() < 0.05
    steps = (uneven[:, :, 1:] - uneven[:, :, :-1]).std()
    assert steps < 0.5 * uneven.std()  # grain of single pixels would have 1.4


def test_pieces_of_a_frame_lie_at_its_edge() -> None:
    ink = marks.frame_pieces(30, 60, 60, 1.0, seeded())
    assert ink.shape == (30, 60, 60)
    assert ink[:, 6:-6, 6:-6].max() == 0  # 0.05 away and 0.04 thick: under 0.09 of 60 pixels
    assert ink.flatten(1).amax(1).min() >= 0.4
    assert ink.max() <= 1
    assert marks.frame_pieces(30, 60, 60, 0.0, seeded()).max() == 0


def test_specks_are_few_and_small() -> None:
    ink = marks.specks(30, 100, 100, 1.0, seeded())
    assert (ink.flatten(1).amax(1) > 0).all()
    assert ink.max() <= 1
    # three of a radius of up to 1.2 pixels, with a soft edge of half a pixel
    assert (ink > 0).flatten(1).sum(1).max() <= 3 * 12
    assert marks.specks(30, 100, 100, 0.0, seeded()).max() == 0


def test_ruling_is_fainter_than_the_strokes_and_crosses_the_frame() -> None:
    contrast = torch.full((30, 1, 1), 0.5)
    lines = ground.ruling(contrast, 60, 60, 1.0, seeded())
    assert lines.shape == (30, 60, 60)
    assert 0 < lines.max() <= 0.55 * 0.5
    assert (lines[:, :, 5].amax(1) > 0).all()
    assert (lines[:, :, -5].amax(1) > 0).all()
    assert ground.ruling(contrast, 60, 60, 0.0, seeded()).max() == 0


def test_lamp_takes_light_away_and_adds_none() -> None:
    full = ground.lamp(*SIZE, PLAIN, seeded())
    assert torch.equal(full, torch.ones(SIZE))
    lit = ground.lamp(*SIZE, replace(PLAIN, gradient=0.6, shadow=1.0), seeded())
    assert lit.max() <= 1
    assert lit.min() >= (1 - 0.6) * (1 - 0.5)
    assert (lit.flatten(1).amin(1) < 0.95).all()
    # softly: from pixel to pixel no more than a shadow half as deep as the light over a few pixels
    assert (lit[:, :, 1:] - lit[:, :, :-1]).abs().max() < 0.25


@pytest.mark.parametrize("sigma", [0.5, 1.5, 3.0])
def test_blur_keeps_the_mean_and_takes_the_grain(sigma: float) -> None:
    grain = 0.5 + 0.1 * torch.randn(4, 200, 200, generator=seeded())
    blurred = camera.blur(grain, sigma)
    assert blurred.shape == grain.shape
    assert blurred.mean().item() == pytest.approx(grain.mean().item(), abs=1e-3)  # the edges count twice
    assert blurred.std() < 0.7 * grain.std()
    even = torch.full((1, 20, 30), 0.3)
    torch.testing.assert_close(camera.blur(even, sigma), even, atol=ROUNDING, rtol=0)


def test_blur_of_a_small_picture_and_of_no_strength(light: Tensor) -> None:
    assert camera.blur(torch.rand(2, 5, 7, generator=seeded()), 1.5).shape == (2, 5, 7)
    assert torch.equal(camera.blur(light, 0.1), light)


def test_two_tones_are_two(light: Tensor) -> None:
    paper, contrast = torch.full((8, 1, 1), 0.6), torch.full((8, 1, 1), 0.5)
    hard = camera.two_tones(light, paper, contrast)
    assert hard.unique().tolist() == [0, 1]
    assert torch.equal(hard.bool(), light > 0.45)


def test_grain_is_white_and_each_picture_has_its_own() -> None:
    noise = camera.grain(torch.full((50, 60, 60), 0.5), 0.05, seeded()) - 0.5
    spread = noise.std((1, 2))
    assert spread.min() < 0.01 < 0.04 < spread.max() < 0.053
    assert noise.mean((1, 2)).abs().max() < 0.005
    neighbours = (noise[:, :, 1:] * noise[:, :, :-1]).mean((1, 2)) / spread.square()
    assert neighbours.abs().max() < 0.1


def test_negatives_are_as_many_as_is_asked(light: Tensor) -> None:
    assert torch.equal(camera.inverted(light, 0.0, seeded()), light)
    assert torch.equal(camera.inverted(light, 1.0, seeded()), 1 - light)
    many = camera.inverted(torch.full((300, 1, 1), 0.8), 0.3, seeded())
    assert (many < 0.5).float().mean().item() == pytest.approx(0.3, abs=0.08)


def test_ink_takes_its_share_of_the_papers_light() -> None:
    ink = torch.tensor([[[0.0, 0.5, 1.0]]])
    assert ground.on_paper(ink, 0.8, 0.5).flatten().tolist() == pytest.approx([0.8, 0.6, 0.4])


def test_jpeg_of_high_quality_changes_little_and_of_low_quality_more(light: Tensor) -> None:
    changed = {}
    for quality in (20.0, 50.0, 90.0):
        after = camera.jpeg(light, torch.full((8,), quality))
        assert after.shape == light.shape
        changed[quality] = (after - light).abs().mean().item()
    assert changed[90.0] < 0.01
    assert changed[90.0] < changed[50.0] < changed[20.0] < 0.1


def test_jpeg_keeps_even_grey_and_its_range() -> None:
    quality = torch.tensor([20.0, 50.0, 90.0])
    even = torch.full((3, 20, 27), 0.5)
    torch.testing.assert_close(camera.jpeg(even, quality), even, atol=ROUNDING, rtol=0)
    extreme = camera.jpeg((torch.rand(3, 20, 27, generator=seeded()) > 0.5).float(), quality)
    assert extreme.min() >= 0
    assert extreme.max() <= 1


FEW = 40
"""Pictures rendered at once, in place of 100: blank paper is rendered several times."""


def test_photographs_are_what_the_normaliser_gives(drawn: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures: list[tuple[Tensor, Tensor]] = []

    def keep(*asked: Any) -> tuple[Tensor, Tensor]:
        pictures.append(scene(*asked))
        return pictures[-1]

    scene = photo.scene
    monkeypatch.setattr(photo, "scene", keep)
    monkeypatch.setattr(photo, "BATCH", FEW)
    told: list[int] = []
    shot = photo.photograph(drawn, 3 * FEW + 10, seeded(5), told.append)
    assert told == [FEW, FEW, FEW, 10]
    empty = 2 * photo.PAPERS + 1  # the first are blank paper: of their own kind, ruled, and once farther
    assert [len(batch) for batch, _ in pictures] == [FEW] * (empty + 2) + [10]
    seen = [Normalizer()(batch) for batch, _ in pictures]
    kept = [
        each.readable & ((photo.overlap(each.box, ink_box(ink)) > photo.FOUND_RIGHTLY) | (ink.amax((1, 2)) == 0))
        for each, (_, ink) in zip(seen, pictures, strict=True)
    ]
    assert torch.equal(shot.ink, torch.cat([each.ink[some] for each, some in zip(seen, kept, strict=True)]))
    assert torch.cat(kept[empty:]).float().mean() > 0.9
    of_nothing = sum(int(some.sum()) for some in kept[:empty])
    assert (shot.digit[:of_nothing] == NO_DIGIT).all()
    assert set(shot.digit[of_nothing:].tolist()) == set(range(10))


def test_photographs_come_out_alike_again(drawn: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "BATCH", FEW)
    first, again = (photo.photograph(drawn, FEW + 10, seeded(5)) for _ in range(2))
    assert torch.equal(first.ink, again.ink)
    assert torch.equal(first.digit, again.digit)


@pytest.mark.parametrize("kind", MEASURED, ids=lambda kind: kind.name)
def test_scene_tells_where_the_ink_of_the_digit_lies(kind: Kind, tiles: Tensor) -> None:
    pixels, digit = photo.scene(tiles, kind, seeded(4))
    assert digit.shape == pixels.shape[:3]
    assert 0 <= digit.min() <= digit.max() <= 1
    assert (digit.flatten(1).amax(1) > 0.3).all()
    torch.testing.assert_close(photo.render(tiles, kind, seeded(4)), pixels)


def test_digits_are_bent_but_for_a_share(tiles: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo, "warp", lambda strokes, _: torch.zeros_like(strokes))
    none, some, every = (
        int((photo.scene(tiles, PLAIN, seeded(), unbent=share)[1].amax((1, 2)) > 0).sum()) for share in (0.0, 0.5, 1.0)
    )
    assert (none, every) == (0, 12)
    assert 3 <= some <= 9


def test_hard_shadows_are_as_hard_as_is_asked() -> None:
    kind = replace(PLAIN, shadow=1.0, hardest=0.002)
    steps = (ground.lamp(400, 100, 100, kind, seeded()).diff(dim=2).abs().amax((1, 2))).sort().values
    assert steps[-40:].min() > 0.1
    assert steps[:40].max() < 0.03


def test_ink_box_holds_the_ink_and_nothing_where_there_is_none() -> None:
    ink = torch.zeros(2, 20, 30)
    ink[0, 3:7, 10:25] = 0.9
    ink[0, 12, 2] = INKED / 2
    assert ink_box(ink).tolist() == [[3, 10, 7, 25], [0, 0, 0, 0]]


def test_overlap_is_what_two_boxes_have_in_common() -> None:
    one = torch.tensor([[0, 0, 10, 10]] * 4).float()
    other = torch.tensor([[0, 0, 10, 10], [0, 5, 10, 15], [20, 20, 30, 30], [0, 0, 0, 0]]).float()
    assert photo.overlap(one, other).tolist() == pytest.approx([1, 1 / 3, 0, 0])


def test_pictures_in_which_something_else_is_found_are_left_out(drawn: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        """Finds ink in a corner, whatever is shown."""

        def to(self, device: torch.device) -> Elsewhere:
            return self

        def __call__(self, image: Tensor) -> Normalized:
            batch = len(image)
            box = torch.tensor([0.0, 0.0, 2.0, 2.0]).expand(batch, 4)
            return Normalized(torch.ones(batch, 1, 28, 28), torch.ones(batch, dtype=torch.bool), box)

    monkeypatch.setattr(photo, "Normalizer", Elsewhere)
    found = photo.photograph(drawn, 100, seeded())
    # only of what shows nothing at all no box could be missed
    assert (found.digit == NO_DIGIT).all()
