"""Letters: which, in which fonts, and where in the picture."""

from __future__ import annotations

import torch

from adder_trainer import letters


def test_letters_are_drawn_in_all_fonts_and_none_looks_like_a_digit() -> None:
    pictures = letters.draw_letters("aX")
    assert (pictures.shape, pictures.dtype) == ((12, 64, 64, 1), torch.uint8)
    assert len({tuple(picture.flatten().tolist()) for picture in pictures}) == 12
    assert len(letters.LETTERS) == 40
    assert set(letters.LETTERS).isdisjoint("OoIlZzSsBbgq")
    assert torch.equal(pictures, letters.draw_letters("aX"))


def test_letter_is_black_on_white_in_the_middle_and_of_its_size() -> None:
    for family, weight in letters.FONTS:
        dark = letters.draw_letter("H", family, weight)[:, :, 0] < 128
        rows, columns = (dark.any(axis).nonzero()[:, 0] for axis in (1, 0))
        assert 43 <= max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 <= 46  # 0.7 * 64 = 44.8
        for line in (rows, columns):
            assert abs(int(line[0] + line[-1]) - 63) <= 1
        assert not dark[0].any()
