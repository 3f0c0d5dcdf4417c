"""Contact sheets: what is drawn where."""

from __future__ import annotations

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from adder_trainer.sheet import CAPTION, CELL, GAP, MARGIN, Caption, Row, draw_sheet, width_of


def test_contact_sheet_has_a_place_for_each_picture() -> None:
    tall, wide = torch.zeros(84, 42, dtype=torch.uint8).numpy(), torch.zeros(10, 20).numpy()
    figure = draw_sheet([Row("one", [tall, wide], [Caption("a"), Caption("b", wrong=True)]), Row("two", [wide])])
    left, top = 2 * MARGIN + round(max(width_of("one"), width_of("two"))), MARGIN + CAPTION
    assert (figure.get_figwidth() * 100, figure.get_figheight() * 100) == pytest.approx(
        (left + 2 * (CELL + GAP) - GAP + MARGIN, 2 * MARGIN + 2 * (CELL + GAP) + CAPTION)
    )
    (axes,) = figure.axes
    boxes = [image.get_extent() for image in axes.images]
    assert boxes == [
        pytest.approx((left + 21, left + 63, top + 84, top)),
        pytest.approx((left + 94, left + 178, top + 63, top + 21)),
        pytest.approx((left, left + 84, top + 94 + 63, top + 94 + 21)),
    ]
    assert [text.get_text() for text in axes.texts] == ["one", "a", "b", "two"]


def test_longest_name_ends_before_its_pictures() -> None:
    square = torch.zeros(10, 10).numpy()
    figure = draw_sheet([Row("a name that is as long as no other one is, by far", [square]), Row("short", [square])])
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    ends = max(text.get_window_extent().x1 for text in axes.texts)
    assert 0 < axes.images[0].get_window_extent().x0 - ends < 2 * MARGIN
