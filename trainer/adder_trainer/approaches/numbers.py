"""One image, asked with several numbers."""

from __future__ import annotations

from torch import Tensor


def for_each(seen: Tensor, number: Tensor) -> Tensor:
    """What was seen of each image, beside each of its numbers.

    Args:
        seen: (batch, m).
        number: (batch, n), or (batch): with one for each, a file that ships needs no axis of them.

    Returns:
        (batch, n, m), or (batch, m).
    """
    return seen if number.dim() == 1 else seen[:, None].expand(-1, number.shape[1], -1)
