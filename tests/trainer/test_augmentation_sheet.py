"""The sheet of augmentations has a row for each part, always the same, and each part did something."""

from __future__ import annotations

import torch

from adder_trainer.augmentation_sheet import augmentations, draw_augmentations, sevens_and_ones
from adder_trainer.data import Digits


def test_augmentations_have_a_row_of_eight_for_each_part(drawn: Digits) -> None:
    rows = dict(augmentations(drawn))
    assert list(rows) == [
        "plain MNIST", "augment.warp", "augment.thicken", "strokes.tile", "strokes.more_strokes, of 7 and 1",
        "photo.lamp", "photo.ruling", "photo.mottle, and grain", "photo.texture", "photo.frame_pieces", "photo.specks",
        "photo.intruding", "photo.blur", "photo.jpeg", "photo.two_tones",
    ]  # fmt: skip
    assert all(len(pictures) == 8 for pictures in rows.values())
    assert rows["photo.two_tones"].unique().tolist() == [0, 1]
    plain = rows["plain MNIST"]
    assert not torch.equal(rows["augment.warp"], plain)
    again = dict(augmentations(drawn))
    assert all(torch.equal(pictures, again[name]) for name, pictures in rows.items())
    figure = draw_augmentations(drawn)
    assert [text.get_text() for text in figure.axes[0].texts] == list(rows)
    assert len(figure.axes[0].images) == 8 * len(rows)


def test_sevens_and_ones_that_are_shown_have_a_stroke_more(drawn: Digits) -> None:
    shown = sevens_and_ones(drawn, torch.Generator().manual_seed(3))
    of = drawn.ink[(drawn.digit == 7) | (drawn.digit == 1)]
    fine = torch.nn.functional.interpolate(of, scale_factor=2, mode="bilinear", align_corners=False)[:, 0]
    for picture in shown:
        more = (picture - fine).flatten(1).clamp(min=0).sum(1)
        less = (fine - picture).flatten(1).clamp(min=0).amax(1)
        assert more[less == 0].min() > 5  # cells
