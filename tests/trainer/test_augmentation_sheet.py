"""The sheet of augmentations has a row for each part, always the same, and each part did something."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Tensor

from adder_trainer.augmentation_scenes import blocks
from adder_trainer.augmentation_sheet import augmentations, bent, draw_augmentations, with_strokes
from adder_trainer.camera import QUALITY, jpeg
from adder_trainer.data import Digits
from adder_trainer.hands import ADDED, BENT
from adder_trainer.kinds import FARTHER, KINDS, RULED


@pytest.fixture(scope="module")
def rows(drawn: Digits) -> dict[str, list[Tensor]]:
    return {name: list(pictures) for name, pictures in augmentations(drawn)}


def test_augmentations_have_a_row_of_eight_for_each_part(drawn: Digits, rows: dict[str, list[Tensor]]) -> None:
    assert list(rows) == [
        "plain MNIST", "augment.warp", "augment.thicken", "strokes.tile",
        *(f"hands.more_strokes, of {label}" for label in (1, 5, 7, 9)), *(f"hands.bow, of {label}" for label in (7, 9)),
        "strokes.with_bars (finder)", "unknown.scribble", "unknown.side_by_side", "unknown.cut_apart",
        "marks.place, 5 to 16 pixels", "marks.place, stretched by up to 1.5",
        "ground.on_paper, light 0.3 to 1", "ground.on_paper, contrast 0.15 to 1",
        "ground.mottle", "ground.ruling", "ground.on_table (finder)", "ground.lamp", "pattern.pattern",
        "marks.texture", "marks.frame_pieces", "marks.framed (finder)", "marks.specks", "marks.intruding",
        "marks.with_pen (finder)", "clutter.with_clutter",
        "camera.blur, 0 to 1.5 pixels", "camera.grain", "camera.two_tones", "camera.inverted",
        "camera.jpeg, quality 20 to 90, 24 pixels of 96", "unknown.nothing, photographed", "unknown.noise (finder)",
    ]  # fmt: skip
    assert all(len(pictures) == 8 for pictures in rows.values())
    again = dict(augmentations(drawn))
    for name, pictures in rows.items():
        assert all(torch.equal(one, other) for one, other in zip(pictures, again[name], strict=True))
    figure = draw_augmentations(drawn)
    assert [text.get_text() for text in figure.axes[0].texts] == list(rows)
    assert len(figure.axes[0].images) == 8 * len(rows)


def test_each_part_does_something_else(rows: dict[str, list[Tensor]]) -> None:
    for first, second in combinations(rows, 2):
        alike = [torch.equal(one, other) for one, other in zip(rows[first], rows[second], strict=True)]
        assert sum(alike) <= 1, (first, second)  # a ruling or a lens may be too faint in one


def test_what_is_for_the_finder_alone_is_in_no_kind_that_the_networks_are_shown() -> None:
    assert not any(kind.framed or kind.pen or kind.table for kind in (*KINDS, RULED, FARTHER))
    assert all(kind.stretch == 1 or kind.name == "cut out" for kind in KINDS)


def test_few_pixels_are_as_few_as_training_shows(rows: dict[str, list[Tensor]]) -> None:
    sides = [picture.shape for picture in rows["marks.place, 5 to 16 pixels"]]
    assert (sides[0], sides[-1]) == ((5, 5), (16, 16))
    assert sides == sorted(sides)


def test_parts_of_jpeg_are_whole_blocks_the_worse_the_lower_the_quality() -> None:
    light = (torch.rand(8, 96, 96, generator=torch.Generator().manual_seed(3)) > 0.5).float()[:1].expand(8, -1, -1)
    rounded = jpeg(light, torch.linspace(*QUALITY, 8))
    error = (rounded - light).abs().mean((1, 2))
    assert (error.diff() < 0).all()
    shown = blocks(rounded)
    assert shown.shape == (8, 24, 24)
    for picture, part in zip(rounded, shown, strict=True):
        places = [picture[y : y + 24, x : x + 24] for y in range(0, 73, 8) for x in range(0, 73, 8)]
        assert any(torch.equal(part, place) for place in places)


def test_light_contrast_and_polarity_are_those_of_the_names(rows: dict[str, list[Tensor]]) -> None:
    papers, contrasts = rows["ground.on_paper, light 0.3 to 1"], rows["ground.on_paper, contrast 0.15 to 1"]
    assert [papers[0].max().item(), papers[-1].max().item()] == pytest.approx([0.3, 1])
    assert [1 - one.min().item() / one.max().item() for one in (contrasts[0], contrasts[-1])] == pytest.approx(
        [0.15, 1]
    )
    assert all(picture.median() < 0.2 for picture in rows["camera.inverted"])
    assert torch.stack(rows["camera.two_tones"]).unique().tolist() == [0, 1]


def test_digits_that_are_shown_with_a_stroke_have_one_more(drawn: Digits) -> None:
    for label in ADDED:
        shown = with_strokes(drawn, label, torch.Generator().manual_seed(3))
        assert len(shown) == 8
        fine = of_label(drawn, label)
        for picture in shown:
            more = (picture - fine).flatten(1).clamp(min=0).sum(1)
            less = (fine - picture).flatten(1).clamp(min=0).amax(1)
            assert more[less == 0].min() > 5  # cells


def test_digits_that_are_shown_bent_are(drawn: Digits) -> None:
    for label in BENT:
        shown = bent(drawn, label, torch.Generator().manual_seed(3))
        assert len(shown) == 8
        fine = of_label(drawn, label)
        assert all((picture != fine).flatten(1).any(1).all() for picture in shown)


def of_label(digits: Digits, label: int) -> Tensor:
    """Tiles of all digits with a label, (n, TILE, TILE)."""
    of = digits.ink[digits.digit == label]
    return torch.nn.functional.interpolate(of, scale_factor=2, mode="bilinear", align_corners=False)[:, 0]
