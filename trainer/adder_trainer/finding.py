"""Teaches the finder, the part of the normaliser with weights, where the ink of a digit lies in a picture.

It sees MNIST's strokes as `photo` renders them, each picture twice, as the normaliser will: whole, and close, in a
square about the digit. It is told which cells hold ink of the digit, so whatever else is there is to be left out.
"""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform
from adder_trainer.data import Digits
from adder_trainer.device import keep_memory
from adder_trainer.kinds import FAR, IN_FRAME, KINDS, NEAR, ON_TABLE
from adder_trainer.normalize.finder import COARSER, Finder, rounded
from adder_trainer.normalize.normalizer import CLOSE_GRID
from adder_trainer.normalize.picture import GRID, Picture
from adder_trainer.photo import GOLDEN, scene
from adder_trainer.plane import ink_box, some, to_pixels
from adder_trainer.strokes import tile
from adder_trainer.training import update_average
from adder_trainer.unknown import cut_apart, noise, scribble, side_by_side


@dataclass(frozen=True)
class FinderRecipe:
    """All that decides a run beside its seed and data."""

    pictures: int = 100_000
    epochs: int = 22
    batch_size: int = 64
    learning_rate: float = 4e-3
    """Highest of AdamW; up over WARM_UP of the steps, then down to 0 along a cosine."""
    weight_decay: float = 0.01
    averaging: float = 0.998
    """Decay per step of the moving average of the weights, which is what is kept."""


WARM_UP = 0.1

BATCH = 10
"""Pictures rendered at once; they share their size and their lens."""

EMPTY_EACH = 7
"""One batch in so many shows no digit."""

EMPTY_LINES = 2
"""Times as often as beside a digit that printed lines are on those."""

NOISE_EACH = 4
"""One in so many of those is noise."""

OTHER_EACH, OTHERS = 16, (side_by_side, scribble, cut_apart)
"""One batch in so many shows what is no digit but looks as if it were written, all of which is to be found: the
approaches' networks know it for no digit, if they see all of it."""

BARS = 0.14
"""Share of the digits that are made a mere upright bar."""

UNBENT = 0.15
"""Share of the digits that are not bent: distortions leave next to nothing straight, and some of what is, is ink."""

PATTERN = 0.35
"""Probability of each of two patterns of light or stains on what is photographed."""

HOLDS_INK, HOLDS_INK_SMALL = 0.1, 0.4
"""Share of a cell of the light that the digit's ink covers from which on the cell holds some: of one that is as wide as
a pixel or wider, and of a small one, between pixels, which has its ink from their blurred edges."""

CLOSENESS = 1.08, 2.8
"""Side of the close square as a share of the digit's box."""

OFF_CENTRE = 0.1
"""Largest distance of its middle from that of the box, as a share of the box."""

DIMMEST = 0.4
"""Least light in which a picture is shown, as a share of its own."""

OVERLAP = 0.3
"""Weight of the overlap of what is found with what is there, beside the cross-entropy of each cell: the latter alone
cares little about a small digit."""

_KIND = {kind.name: kind for kind in KINDS}

SCENES = (
    (0.09, replace(_KIND["photo"], gradient=0.75, shadow=0.55, pattern=PATTERN, clutter=0.08)),
    (
        0.14,
        replace(
            FAR,
            name="photo, far away",
            sides=(200, 420),
            size=(0.04, 0.3),
            gradient=0.75,
            pattern=PATTERN,
            specks=0.25,
            clutter=0.08,
        ),
    ),
    (0.07, replace(FAR, name="photo, farther away", sides=(240, 480), size=(0.04, 0.12), pattern=0.2, clutter=0.1)),
    (0.07, replace(NEAR, name="photo, nearer", gradient=0.75, shadow=0.55, pattern=PATTERN, clutter=0.15)),
    (0.03, replace(ON_TABLE, pattern=PATTERN / 2, clutter=0.06)),
    (
        0.07,
        replace(
            ON_TABLE, name="a note on a table", sides=(60, 140), room=(0.15, 1.2), pattern=PATTERN / 2, clutter=0.04
        ),
    ),
    (0.03, replace(_KIND["drawn"], name="drawn, on a table", size=(0.3, 0.9), table=True)),
    (0.04, replace(NEAR, name="photo, beside a pen", pattern=PATTERN / 2, clutter=0.1, pen=True)),
    (0.05, replace(_KIND["small photo"], hardest=0.003, pattern=PATTERN, clutter=0.06)),
    (0.02, replace(_KIND["scan"], clutter=0.03)),
    (0.05, replace(_KIND["pencil"], pattern=PATTERN / 2, clutter=0.04)),
    (0.07, _KIND["cell"]),
    (0.03, IN_FRAME),
    (0.10, replace(IN_FRAME, name="in a narrow frame", sides=(22, 48), size=(0.85, 1.0), stretch=1.5)),
    (0.03, replace(_KIND["drawn"], clutter=0.05)),
    (0.03, replace(_KIND["drawn"], name="drawn, smaller", sides=(60, 300), size=(0.07, 0.5), clutter=0.04)),
    (0.04, _KIND["cut out"]),
    (0.03, replace(_KIND["cut out"], name="cut out, larger", sides=(48, 200))),
    (0.01, _KIND["tiny"]),
)
"""What it is shown, and how often."""


@dataclass(frozen=True)
class Views:
    """Pictures as the finder sees them, and what it is to find."""

    light: Tensor
    """(n, 1, GRID or CLOSE_GRID, the same) float16."""
    ink: Tensor
    """(n, 1, half of that, the same) uint8, 1 where a cell holds ink of the digit."""

    def __len__(self) -> int:
        return len(self.light)

    @classmethod
    def empty(cls, count: int, grid: int) -> Views:
        """Room for so many of a grid of so many cells."""
        shape, found = (count, 1, grid, grid), (count, 1, grid // COARSER, grid // COARSER)
        return cls(torch.empty(shape, dtype=torch.float16), torch.empty(found, dtype=torch.uint8))


def show(digits: Digits, number: int, seed: int) -> tuple[Views, Views]:
    """The batch of that number, whole and close; the same whatever else is rendered.

    Args:
        digits: on the CPU.
        number: from 0.
        seed: of the run.
    """
    generator = Generator().manual_seed(seed * 1_000_003 + number)
    shares = torch.tensor([share for share, _ in SCENES]).cumsum(0)
    # evenly spread, not drawn: a few batches hold each kind already
    _, kind = SCENES[int((shares < (number * GOLDEN) % 1).sum())]
    index = torch.randint(len(digits), (BATCH,), generator=generator)
    tiles = tile(digits.ink[index], digits.digit[index], generator)
    is_other = number % OTHER_EACH == 1
    if is_other:
        tiles = OTHERS[number // OTHER_EACH % len(OTHERS)](tiles, generator)
    if number % EMPTY_EACH:
        return seen(*scene(tiles, kind, generator, bars=0.0 if is_other else BARS, unbent=UNBENT), generator)
    # what is straight, with no digit beside it, may be a one; printed lines are to be known where nothing else is
    alone = replace(kind, straight=False, frame=0.0, pen=False, lines=min(EMPTY_LINES * kind.lines, 1.0))
    pixels, _ = scene(torch.zeros_like(tiles), alone, generator)
    if number % (NOISE_EACH * EMPTY_EACH) == 0:
        pixels = noise(BATCH, generator)
    return seen(pixels, torch.zeros(pixels.shape[:3]), generator)


def seen(pixels: Tensor, ink: Tensor, generator: Generator) -> tuple[Views, Views]:
    """Pictures and the ink of their digits, as `photo.scene` makes them, whole and close.

    Whole in GRID cells, however few pixels there are: in fewer cells a picture looks as another one does close.

    Args:
        pixels: (batch, height, width, 1) uint8.
        ink: (batch, height, width), 0 to 1.
        generator: draws how close.
    """
    picture, drawing = Picture.of(pixels), Picture.of(to_pixels(ink))
    cell = picture.size.amax(1, keepdim=True) / GRID
    _, weights, rest = picture.first_look()
    views = []
    for middle, fine, cells in ((picture.size / 2, cell, GRID), (*close_square(ink, generator), CLOSE_GRID)):
        light, _ = picture.look(middle, fine, cells, weights, rest, repeat=True)
        covered, _ = drawing.look(middle, fine, cells, weights, rest)
        least = HOLDS_INK + (HOLDS_INK_SMALL - HOLDS_INK) * (1 - fine).clamp(min=0)
        holds_ink = F.max_pool2d((covered > least).float(), COARSER)
        views.append(Views(light.half(), holds_ink.to(torch.uint8)))
    return views[0], views[1]


def close_square(ink: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """A square about each digit, not quite about its middle; anywhere, where there is none.

    Args:
        ink: (batch, height, width).
        generator: draws how far it reaches and how far off it is.

    Returns:
        middle (batch, 2, 1, 1) and width of the cells (batch, 1, 1, 1), in pixels.
    """
    batch, *size = ink.shape
    top, left, bottom, right = ink_box(ink).unbind(1)
    anywhere = [between(batch, 0, side, generator) for side in size]
    is_there = bottom > top
    middles = [
        torch.where(is_there, (first + last) / 2, place)
        for first, last, place in zip((top, left), (bottom, right), anywhere, strict=True)
    ]
    length = torch.maximum(bottom - top, right - left)
    length = torch.where(length > 0, length, some(batch, 0.1, 1, generator) * max(size))
    middle = torch.stack([each + uniform(batch, OFF_CENTRE, generator) * length for each in middles], 1)
    close = some(batch, *CLOSENESS, generator)
    return middle[:, :, None, None], (length * close / CLOSE_GRID)[:, None, None, None]


_digits: list[Digits] = []
"""In a process that renders: what it renders."""


def _begin(digits: Digits) -> None:
    torch.set_num_threads(1)
    keep_memory()
    _digits[:] = [digits]


def _show(number: int, seed: int) -> list[NDArray[Any]]:
    # as arrays: each tensor that goes to another process keeps a file open there
    return [each.numpy() for view in show(_digits[0], number, seed) for each in (view.light, view.ink)]


def show_all(
    digits: Digits, numbers: range, seed: int, on_progress: Callable[[int], None] = lambda _: None
) -> tuple[Views, Views]:
    """The batches of some numbers, rendered by as many processes as there are cores."""
    # room for all from the start: joined in the end, they would take twice as much for a while
    whole, close = (Views.empty(len(numbers) * BATCH, grid) for grid in (GRID, CLOSE_GRID))
    # copied by NumPy: PyTorch's threads would wait for more, busily, while the processes render
    kept = [part.numpy() for view in (whole, close) for part in (view.light, view.ink)]
    # a process that was forked from one with threads of PyTorch's may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, _begin, (digits,)) as pool:
        for place, batch in enumerate(pool.map(_show, numbers, [seed] * len(numbers), chunksize=10)):
            for all_of_it, made in zip(kept, batch, strict=True):
                all_of_it[place * BATCH : (place + 1) * BATCH] = made
            on_progress(BATCH)
    return whole, close


def loss_of(logits: Tensor, ink: Tensor) -> Tensor:
    """What is to become small, of logits and truth (batch, 1, n, n) each."""
    axes = (1, 2, 3)
    found = logits.sigmoid()
    overlap = (2 * (found * ink).sum(axes) + 4) / (found.sum(axes) + ink.sum(axes) + 4)
    cells = F.binary_cross_entropy_with_logits(logits, ink)
    return cells + OVERLAP * (1 - overlap).mean()


def fit_finder(
    recipe: FinderRecipe,
    views: tuple[Views, Views],
    seed: int,
    device: torch.device,
    on_step: Callable[[int, int, float], None] = lambda *_: None,
) -> Finder:
    """The finder that has learned from some pictures, in evaluation mode, on the device.

    Its weights are rounded to what few bits hold, so that a file may hold them in those and find the same.

    Args:
        recipe: how.
        views: whole and close, of the same pictures.
        seed: of weights and order.
        device: where to train.
        on_step: told the steps done, all steps, and the loss.
    """
    torch.manual_seed(seed)
    finder = Finder().to(device).to(memory_format=torch.channels_last)
    average = deepcopy(finder)
    optimizer = torch.optim.AdamW(finder.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    size = min(recipe.batch_size, len(views[0]))
    steps = recipe.epochs * (len(views[0]) // size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: one_cycle(step / steps))
    torch.set_flush_denormal(
        True
    )  # the first guesses are far off: gradients are so small that steps take 18 times as long
    for step, index in enumerate(in_batches(len(views[0]), size, recipe.epochs), 1):
        optimizer.zero_grad()
        total = 0.0
        for view in views:
            light, ink = alter(view.light[index].to(device).float(), view.ink[index].to(device).float())
            loss = loss_of(finder(light), ink)
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(finder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        update_average(average, finder, recipe.averaging, step - 1)
        on_step(step, steps, total)
    torch.set_flush_denormal(False)
    return rounded(average).eval()


def in_batches(count: int, size: int, epochs: int) -> Iterator[Tensor]:
    """Indices of all batches of all epochs, each in its own order."""
    for _ in range(epochs):
        yield from torch.randperm(count)[: count // size * size].split(size)


def one_cycle(part: float) -> float:
    """Learning rate as a share of the highest, when a part of the steps is done."""
    if part < WARM_UP:
        return part / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (part - WARM_UP) / (1 - WARM_UP)))


def alter(light: Tensor, ink: Tensor) -> tuple[Tensor, Tensor]:
    """Views that come again, otherwise: light for dark, dimmer, turned and mirrored."""
    batch = (len(light), 1, 1, 1)
    light = torch.where(torch.rand(batch, device=light.device) < 0.5, 1 - light, light)
    light = light * (1 - (1 - DIMMEST) * torch.rand(batch, device=light.device))
    mirrored, flipped, turned = (torch.rand(3) < 0.5).tolist()
    across = [3] * mirrored + [2] * flipped
    light, ink = light.flip(across), ink.flip(across)
    return (light.transpose(2, 3), ink.transpose(2, 3)) if turned else (light, ink)
