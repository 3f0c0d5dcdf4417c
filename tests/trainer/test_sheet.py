"""Contact sheets: what is drawn where."""

from __future__ import annotations

import pytest
import torch

from adder_trainer.sheet import CAPTION, CELL, GAP, MARGIN, Caption, Row, draw_sheet


def test_contact_sheet_has_a_place_for_each_picture() -> None:
    tall, wide = torch.zeros(84, 42, dtype=torch.uint8).numpy(), torch.zeros(10, 20).numpy()
    figure = draw_sheet(
        [Row("one", [tall, wide], [Caption("a"), Caption("b", wrong=True)]), Row("two", [wide])], name_width=100
    )
    assert (figure.get_figwidth() * 100, figure.get_figheight() * 100) == pytest.approx(
        (2 * MARGIN + 100 + 2 * (CELL + GAP), 2 * MARGIN + 2 * (CELL + GAP) + CAPTION)
    )
    (axes,) = figure.axes
    boxes = [image.get_extent() for image in axes.images]
    left, top = MARGIN + 100, MARGIN + CAPTION
    assert boxes == [
        pytest.approx((left + 21, left + 63, top + 84, top)),
        pytest.approx((left + 94, left + 178, top + 63, top + 21)),
        pytest.approx((left, left + 84, top + 94 + 63, top + 94 + 21)),
    ]
    assert [text.get_text() for text in axes.texts] == ["one", "a", "b", "two"]
