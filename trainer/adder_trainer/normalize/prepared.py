"""A picture that has MNIST's form already, as many programs prepare it: it goes to the network as it is.

All that is asked is exact in floating point, sums of whole numbers under 2**24, so that no runtime answers otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from adder_runtime.contract import SIDE
from adder_trainer.normalize.ink import GRIDS, masses
from adder_trainer.normalize.picture import WHITE, sides

INK_SIDE = 20
"""Longer side of the ink's box in pixels, as in MNIST."""

CENTRE = SIDE / 2 + 0.5
"""Where the centre of mass lies, in pixels from the edge: where MNIST's own pictures have it on average."""

SHORTEST = 19
"""Longer side of the box from which on it is taken for INK_SIDE: 13 of MNIST's 60,000 have this one."""

OFF_CENTRE = 0.6
"""Largest distance of the centre of mass from CENTRE along an axis, in pixels: MNIST's are moved by whole pixels."""

FULL = 254
"""Least difference of the full stroke from the paper, of WHITE: that of MNIST."""


class Prepared(NamedTuple):
    """What a picture shows if it has MNIST's form."""

    ink: Tensor
    """(batch, 1, 28, 28) float32, 0 = paper, 1 = full stroke."""
    box: Tensor
    """(batch, 4, 1, 1) float32: top, left, bottom, right of all that is not paper, in pixels."""
    is_so: Tensor
    """(batch, 1, 1, 1) bool: it has that form."""


def look_for_prepared(image: Tensor) -> Prepared:
    """What is seen of pictures if they have MNIST's form, dark on light too, and whether they do.

    That is: 28x28, grey and opaque, plain paper around a stroke of full contrast, a box of INK_SIDE, its centre of
    mass in the middle.

    Args:
        image: (batch, height, width, channels) uint8.

    Source: MNIST, LeCun et al. 1998, "size-normalized and centered".
    """
    height, width, channels = image.shape[1:]
    pixel = torch.arange(SIDE, device=image.device)
    # of a picture of another size some pixels, which count for nothing
    rows, columns = (torch.minimum(pixel, torch.full_like(pixel, side - 1)) for side in (height, width))
    square = image.index_select(1, rows).index_select(2, columns).float()
    grey = square.narrow(3, 0, 1)
    # in tensors: PyTorch 2.14 exports whether a number of channels is even as it was in the example
    count = torch.full((1,), channels, device=image.device)
    is_opacity = (torch.arange(channels, device=image.device) + 1 == count) & (count % 2 == 0)
    # a product of matrices: ONNX Runtime takes ten times as long to choose for each channel
    opaque = torch.addmm(WHITE * is_opacity, grey.reshape(-1, 1), (~is_opacity)[None].to(grey))
    coloured = (square - opaque.reshape(square.shape)).abs().amax(GRIDS, keepdim=True)
    difference = (grey - grey[:, :1, :1]).abs().reshape(-1, 1, SIDE, SIDE)
    profile = masses(difference)
    inked = profile > 0
    begin = torch.where(inked, pixel, SIDE).amin(3, keepdim=True)  # (batch, 2, 1, 1)
    end = torch.where(inked, pixel + 1, 0).amax(3, keepdim=True)
    longer = (end - begin).amax(1, keepdim=True)
    moment = (profile * (pixel + (0.5 - CENTRE))).sum(3, keepdim=True).abs().amax(1, keepdim=True)
    is_so = (
        (sides(height, width, square) == SIDE).all()
        & (coloured == 0)
        & (difference.amax(GRIDS, keepdim=True) >= FULL)
        & (longer >= SHORTEST)
        & (longer <= INK_SIDE)
        & (moment <= OFF_CENTRE * difference.sum(GRIDS, keepdim=True))
    )
    return Prepared(difference / WHITE, torch.cat([begin, end], 1).float(), is_so)
