"""The sheet of augmentations has a row for each part, always the same, and each part did something."""

from __future__ import annotations

import torch
from torch import Tensor

from adder_trainer.augmentation_sheet import augmentations, bent, draw_augmentations, with_strokes
from adder_trainer.data import Digits
from adder_trainer.hands import ADDED, BENT


def test_augmentations_have_a_row_of_eight_for_each_part(drawn: Digits) -> None:
    rows = dict(augmentations(drawn))
    assert list(rows) == [
        "plain MNIST", "augment.warp", "augment.thicken", "strokes.tile",
        *(f"hands.more_strokes, of {label}" for label in (1, 5, 7, 9)), *(f"hands.bow, of {label}" for label in (7, 9)),
        "ground.lamp", "ground.ruling", "ground.mottle, and grain", "marks.texture", "marks.frame_pieces",
        "marks.specks", "marks.intruding", "camera.blur", "camera.jpeg", "camera.two_tones",
    ]  # fmt: skip
    assert all(len(pictures) == 8 for pictures in rows.values())
    assert rows["camera.two_tones"].unique().tolist() == [0, 1]
    plain = rows["plain MNIST"]
    assert not torch.equal(rows["augment.warp"], plain)
    again = dict(augmentations(drawn))
    assert all(torch.equal(pictures, again[name]) for name, pictures in rows.items())
    figure = draw_augmentations(drawn)
    assert [text.get_text() for text in figure.axes[0].texts] == list(rows)
    assert len(figure.axes[0].images) == 8 * len(rows)


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
