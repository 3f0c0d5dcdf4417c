"""Digits rendered as the pictures that people take and draw: pen on paper under a lamp, scans, cells, drawings.

A rendered picture is raw pixels, as an app would hand them over; training sends them through the normaliser that ships.
Everything works on whole batches on their device, and every random number comes from the generator that is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_trainer.augment import between, uniform, warp
from adder_trainer.clutter import with_clutter
from adder_trainer.data import NO_DIGIT, Digits
from adder_trainer.normalize import Normalizer
from adder_trainer.normalize.picture import covered
from adder_trainer.pattern import pattern, rough
from adder_trainer.plane import chance, column, from_middle, ink_box, some, to_pixels
from adder_trainer.strokes import TILE, tile, with_bars
from adder_trainer.unknown import UNKNOWN, nothing

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """A kind of picture: what is drawn evenly between two values, and how often it has what."""

    name: str
    share: float
    """Of all rendered pictures."""
    sides: tuple[int, int]
    """Height in pixels; the width is 0.7 to 1.4 times that."""
    size: Range
    """The digit's box, as a share of the frame that just holds it; over 1 the frame cuts its ends off."""
    paper: Range
    """Light of the paper, 0 = black, 1 = white."""
    contrast: Range
    """Share of the paper's light that a full stroke takes away."""
    stretch: float = 1.0
    """How many times wider or higher than it was a digit may become to fill the frame both ways."""
    framed: float = 0.0
    """Probability of a frame drawn all around, with a margin outside or without."""
    table: bool = False
    """The paper ends inside of the frame, at one side or at several, and lies on something darker."""
    room: Range = (0.15, 0.3)
    """How wide that is to be seen on a side, as a share of the paper's longer one."""
    clutter: float = 0.0
    """Probability of each of the things that `clutter` knows to lie beside a digit."""
    straight: bool = True
    """What is straight may be among them."""
    hardest: float = 0.01
    """Least width of the edge of a shadow, as a share of the frame's longer side."""
    pen: bool = False
    """A pen lies beside the digit, all of it in the frame or not."""
    gradient: float = 0.0
    """Largest fall of the light across the frame, as a share."""
    shadow: float = 0.0
    """Probability of a shadow."""
    pattern: float = 0.0
    """Probability of each of two of the patterns of light and stains that `pattern` knows."""
    lines: float = 0.0
    """Probability of ruled or squared paper."""
    frame: float = 0.0
    """Probability, for each side, of a piece of a frame's line along it."""
    neighbour: float = 0.0
    """Probability of a part of another digit at the edge."""
    specks: float = 0.0
    """Probability of each of three specks."""
    grain: float = 0.0
    """Largest standard deviation of the light from pixel to pixel."""
    mottle: float = 0.0
    """Largest standard deviation of the paper's light over some pixels."""
    texture: float = 0.0
    """Largest share of a stroke that the paper's grain leaves white, as under a pencil."""
    blur: Range = (0.0, 0.0)
    """Standard deviation of the lens in pixels."""
    jpeg: float = 0.0
    """Probability of JPEG, of a quality between 20 and 90."""
    inverted: float = 0.0
    """Probability of light on dark."""
    hard: float = 0.0
    """Probability of two tones only."""


KINDS = (
    Kind(
        "photo", 0.36, (96, 176), (0.1, 0.9), (0.4, 1.0), (0.35, 0.95),
        gradient=0.6, shadow=0.5, hardest=0.002, pattern=0.04, lines=0.4, frame=0.01, neighbour=0.04,
        specks=0.12, clutter=0.04, grain=0.03, mottle=0.02, texture=0.4, blur=(0.0, 1.5), jpeg=0.6, inverted=0.05,
    ),
    Kind(
        "small photo", 0.11, (26, 48), (0.55, 0.95), (0.3, 1.0), (0.15, 0.9),
        gradient=0.4, shadow=0.3, lines=0.1, frame=0.03, specks=0.1, grain=0.025, mottle=0.015,
        blur=(0.0, 0.9), jpeg=0.4, inverted=0.2,
    ),
    Kind(
        "scan", 0.08, (24, 80), (0.95, 1.02), (0.8, 1.0), (0.6, 1.0),
        specks=0.15, grain=0.02, blur=(0.0, 0.6), hard=0.4,
    ),
    Kind(
        "pencil", 0.1, (28, 64), (0.6, 1.0), (0.6, 1.0), (0.2, 0.65),
        gradient=0.15, specks=0.1, grain=0.05, mottle=0.03, texture=0.8, blur=(0.0, 0.6), jpeg=0.2, inverted=0.1,
    ),
    Kind(
        "cell", 0.13, (26, 64), (0.8, 1.04), (0.6, 1.0), (0.6, 1.0),
        gradient=0.15, frame=0.2, neighbour=0.15, specks=0.2, grain=0.03, blur=(0.0, 0.6), hard=0.6,
    ),
    Kind("drawn", 0.12, (28, 160), (0.2, 0.98), (0.85, 1.0), (0.3, 1.0), blur=(0.0, 0.4), inverted=0.5, hard=0.3),
    Kind(
        "cut out", 0.06, (8, 48), (0.96, 1.02), (0.7, 1.0), (0.6, 1.0),
        stretch=1.5, blur=(0.0, 0.5), inverted=0.5, hard=0.3,
    ),
    Kind("tiny", 0.04, (5, 16), (0.85, 1.02), (0.8, 1.0), (0.6, 1.0), inverted=0.5),
)  # fmt: skip
"""What people hand over, and how often each kind is shown in training."""

CELL = next(kind for kind in KINDS if kind.name == "cell")

FAR = replace(KINDS[0], sides=(300, 600), frame=0.0, neighbour=0.0)
"""A photo of more pixels in which the digit is far away: what else lies in it is as large as the digit or larger."""

NEAR = replace(KINDS[0], sides=(120, 240), size=(0.3, 0.9), frame=0.0, neighbour=0.0)
"""A photo of the digit and of what lies around it."""

IN_FRAME = replace(CELL, name="in a frame", size=(0.5, 0.9), framed=1.0, frame=0.0, neighbour=0.0, inverted=0.5)
"""A cell with its frame all around."""

RULED = replace(KINDS[0], lines=0.7, frame=0.0, neighbour=0.0, clutter=0.0)
"""A photo of paper, most of it ruled or squared, with nothing on it but specks."""

FARTHER = replace(RULED, sides=(200, 400))
"""The same of more pixels, in which a speck has some."""

ON_TABLE = replace(NEAR, name="photo, on a table", table=True)
"""A photo of a sheet that does not fill it."""

MEASURED = (
    *KINDS,
    IN_FRAME,
    replace(FAR, name="photo, digit 10 to 20 %", size=(0.1, 0.2)),
    replace(FAR, name="photo, digit 5 to 10 %", size=(0.05, 0.1)),
    ON_TABLE,
    replace(NEAR, name="photo, beside a pen", pen=True),
    replace(NEAR, name="photo, beside other things", clutter=0.18),
    replace(NEAR, name="photo, in shadow", shadow=1.0),
    replace(NEAR, name="photo, in patterned light", pattern=0.7),
)
"""What is measured and proven: all that training renders, photos of digits that fill little of the frame, and photos
that show more than the paper and the digit."""

TABLE, TEXTURE = (0.1, 0.7), 0.15
"""Light of a table as a share of the paper's, and its largest unevenness."""

TORN = 0.02
"""Largest unevenness of a paper's edge, as a share of its longer side."""

GOLDEN = 0.6180339887
"""Steps of this share visit each part of a whole evenly."""

BATCH = 100
"""Pictures rendered at once; they share their size and their lens."""

NO_DIGITS = 0.1
"""Share of rendered pictures that show no digit."""

PAPERS = 6
"""Times that blank paper is rendered for each that is asked for, as often RULED, and once FARTHER: the normaliser finds
nothing in most of it, and what it does find, rests of lines, shadows and specks, is what a network is to know. Not a
table: what is left of one at one side is a straight line, and such a line may be a one."""

FOUND_RIGHTLY = 0.6
"""Share of both boxes together that the box of the ink that was found and that of what was written have in common."""

SPECKS = 3

PATTERNS = 2

# ITU-T T.81, table K.1: steps of the luminance's 64 frequencies at quality 50
_JPEG_STEPS = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


@torch.no_grad()
def photograph(
    digits: Digits, count: int, generator: Generator, on_progress: Callable[[int], None] = lambda _: None
) -> Digits:
    """Some digits as the normaliser sees them after they were written, photographed, scanned or drawn.

    Args:
        digits: to take them from.
        count: pictures to render, blank paper several times; those in which the normaliser finds nothing, or not what
            was written, are left out.
        generator: on the device of the digits.
        on_progress: told how many more are done.

    Returns:
        About `count`, of which about NO_DIGITS show none and have the label NO_DIGIT.
    """
    normalizer = Normalizer().to(digits.ink.device)
    shares = torch.tensor([kind.share for kind in KINDS]).cumsum(0)
    order = torch.randint(len(digits), (count,), generator=generator, device=generator.device)
    inks, labels = [], []
    for number, index in enumerate(order.split(BATCH)):
        # evenly spread, not drawn: a few batches hold each kind already
        kind = KINDS[int((shares < (number * GOLDEN) % 1).sum())]
        digit = digits.digit[index]
        tiles = tile(digits.ink[index], digit, generator)
        rolls = [kind]
        if (number * NO_DIGITS) % 1 < NO_DIGITS:
            shown = UNKNOWN[int(number * NO_DIGITS) % len(UNKNOWN)]
            tiles = shown(tiles, generator)
            digit = torch.full_like(digit, NO_DIGIT)
            rolls = [replace(kind, frame=0.0, neighbour=0.0, clutter=0.0)]  # a straight line alone may be a one
            if shown is nothing:
                rolls = [*rolls * PAPERS, *[RULED] * PAPERS, FARTHER]
        for each in rolls:
            pixels, written = scene(tiles, each, generator)
            seen = normalizer(pixels)
            # where only a part of it was found, or something else, the label would be wrong
            is_right = seen.readable & (overlap(seen.box, ink_box(written)) > FOUND_RIGHTLY) | (
                seen.readable & (written.amax((1, 2)) == 0)
            )
            inks.append(seen.ink[is_right])
            labels.append(digit[is_right])
        on_progress(len(index))
    return Digits(torch.cat(inks), torch.cat(labels))


def overlap(one: Tensor, other: Tensor) -> Tensor:
    """Area that two boxes, (batch, 4) each, have in common, as a share of what either covers; (batch) 0 to 1."""
    begin, end = torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:])
    common = (end - begin).clamp(min=0).prod(1)
    first, second = ((each[:, 2:] - each[:, :2]).prod(1) for each in (one, other))
    return common / (first + second - common).clamp(min=1)


def render(tiles: Tensor, kind: Kind, generator: Generator) -> Tensor:
    """The pixels of a scene, (batch, height, width, 1) uint8."""
    return scene(tiles, kind, generator)[0]


def scene(
    tiles: Tensor, kind: Kind, generator: Generator, *, bars: float = 0.0, unbent: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Pictures of one kind, all of one size that is drawn, and where the digit's ink lies in them.

    Args:
        tiles: (batch, 1, TILE, TILE) ink of `strokes.tile`; all 0 for a picture of nothing.
        kind: one of KINDS.
        generator: on the device of the tiles.
        bars: share of the digits that become a mere bar.
        unbent: share of the digits that keep their form.

    Returns:
        pixels: (batch, height, width, 1) uint8.
        digit: (batch, height, width) 0 to 1.
    """
    batch = len(tiles)
    height = int(between(1, kind.sides[0], kind.sides[1] + 1, generator))
    width = max(round(height * float(between(1, 0.7, 1.4, generator))), 5)
    strokes = warp(tiles, generator)
    if unbent:
        strokes = torch.where(column(between(batch, 0, 1, generator) < unbent)[:, None], tiles, strokes)
    if bars:
        strokes = with_bars(strokes, bars, generator)
    ink = place(strokes, height, width, between(batch, *kind.size, generator), generator, kind.stretch)
    digit = ink
    if kind.neighbour:
        ink = torch.maximum(ink, intruding(strokes.roll(1, 0), height, width, kind, generator))
    if kind.texture:
        ink = ink * (1 - texture(batch, height, width, kind.texture, generator))
    if kind.frame:
        ink = torch.maximum(ink, frame_pieces(batch, height, width, kind.frame, generator))
    if kind.framed and float(between(1, 0, 1, generator)) < kind.framed:
        ink, digit = framed(ink, digit, generator)
        height, width = ink.shape[1:]
    if kind.specks:
        ink = torch.maximum(ink, specks(batch, height, width, kind.specks, generator))
    if kind.pen:
        ink, digit = with_pen(ink, digit, generator)
        height, width = ink.shape[1:]
    table: Tensor | None = None
    if kind.table:
        ink, digit, table = on_table(ink, digit, kind.room, generator)
        height, width = ink.shape[1:]
    paper = column(between(batch, *kind.paper, generator))
    beneath = column(between(batch, *TABLE, generator)) * paper if kind.table else paper
    contrast = column(between(batch, *kind.contrast, generator))
    if kind.mottle:
        paper = paper * (1 + mottle(batch, height, width, kind.mottle, generator))
    if kind.lines:
        paper = paper * (1 - ruling(contrast, height, width, kind.lines, generator))
    light = paper * (1 - contrast * ink)
    if table is not None:
        uneven = 1 + column(between(batch, 0, TEXTURE, generator)) * rough(batch, height, width, generator)
        light = light.lerp(beneath * uneven, table)
    if kind.clutter:
        light = with_clutter(light, digit, paper, kind.clutter, generator, straight=kind.straight)
    if kind.gradient or kind.shadow:
        light = light * lamp(batch, height, width, kind, generator)
    if kind.pattern:
        for _ in range(PATTERNS):
            shade = pattern(batch, height, width, generator)
            light = light * torch.where(chance(batch, kind.pattern, generator), shade, 1.0)
    light = blur(light.clamp(0, 1), float(between(1, *kind.blur, generator)))
    if kind.grain:
        spread = column(between(batch, 0, kind.grain, generator))
        light = light + torch.randn(light.shape, generator=generator, device=light.device) * spread
    if kind.hard:
        light = torch.where(chance(batch, kind.hard, generator), two_tones(light, paper, contrast), light)
    light = torch.where(chance(batch, kind.inverted, generator), 1 - light, light).clamp(0, 1)
    if kind.jpeg:
        light = torch.where(chance(batch, kind.jpeg, generator), jpeg(light, generator), light)
    return to_pixels(light), digit


def box(strokes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top, bottom, left and right of the ink on tiles, (batch) each, in cells; the whole tile where there is none."""
    inked = strokes[:, 0] > 0.4
    cells = torch.arange(TILE, device=strokes.device)
    ends = []
    for axis in (2, 1):
        line = inked.any(axis)
        none = ~line.any(1)
        ends.append(torch.where(none, 0, torch.where(line, cells, TILE).amin(1)))
        ends.append(torch.where(none, TILE, torch.where(line, cells + 1, 0).amax(1)))
    top, bottom, left, right = (end.float() for end in ends)
    return top, bottom, left, right


def place(strokes: Tensor, height: int, width: int, size: Tensor, generator: Generator, stretch: float = 1.0) -> Tensor:
    """Ink somewhere in a frame, (batch, height, width), 0 to 1.

    Args:
        strokes: (batch, 1, TILE, TILE).
        height: of the frame in pixels.
        width: of the frame in pixels.
        size: (batch) of the ink's box, as a share of the largest that the frame holds.
        generator: draws the place.
        stretch: how many times longer than the other way the ink may become to fill the frame both ways.
    """
    batch = len(strokes)
    top, bottom, left, right = box(strokes)
    # tile cells a pixel, down and across
    fit_y, fit_x = (bottom - top) / height / size, (right - left) / width / size
    cell = torch.maximum(fit_y, fit_x)
    cell_y, cell_x = torch.maximum(fit_y, cell / stretch), torch.maximum(fit_x, cell / stretch)
    room_y, room_x = height - (bottom - top) / cell_y, width - (right - left) / cell_x
    middle_y = (top + bottom) / 2 + uniform(batch, 0.5, generator) * room_y * cell_y
    middle_x = (left + right) / 2 + uniform(batch, 0.5, generator) * room_x * cell_x
    sharp = column((between(batch, 0.5, 1.2, generator) / cell).clamp(min=1))
    ink = _lay(strokes, middle_y, middle_x, cell_y, cell_x, height, width)
    return ((ink - 0.5) * sharp + 0.5).clamp(0, 1) * (ink > 0)


def _lay(
    strokes: Tensor, middle_y: Tensor, middle_x: Tensor, cell_y: Tensor, cell_x: Tensor, height: int, width: int
) -> Tensor:
    middle_y, middle_x, cell_y, cell_x = (each[:, None, None, None] for each in (middle_y, middle_x, cell_y, cell_x))
    rows, high = covered(middle_y, cell_y, height, TILE)
    columns, wide = covered(middle_x, cell_x, width, TILE)
    return (rows / high @ strokes @ (columns / wide).transpose(2, 3))[:, 0]


def intruding(strokes: Tensor, height: int, width: int, kind: Kind, generator: Generator) -> Tensor:
    """A digit of which the frame shows no more than a strip at one side, (batch, height, width); often none."""
    batch = len(strokes)
    top, bottom, left, right = box(strokes)
    cell = torch.maximum((bottom - top) / height, (right - left) / width) / between(batch, 0.3, 0.9, generator)
    strip = between(batch, 0.02, 0.08, generator) * max(height, width)
    upright = between(batch, 0, 1, generator) < 0.5
    forward = between(batch, 0, 1, generator) < 0.5

    def beside(low: Tensor, high: Tensor, size: int, out: Tensor) -> Tensor:
        # where on the tile the frame's middle lies: the ink ends a strip inside of the frame's edge
        before = high + (size / 2 - strip) * cell
        after = low - (size / 2 - strip) * cell
        inside = (low + high) / 2 + uniform(batch, 0.4, generator) * size * cell
        return torch.where(out, torch.where(forward, before, after), inside)

    middle_y = beside(top, bottom, height, upright)
    middle_x = beside(left, right, width, ~upright)
    ink = _lay(strokes, middle_y, middle_x, cell, cell, height, width)
    return ink * chance(batch, kind.neighbour, generator)


def texture(batch: int, height: int, width: int, most: float, generator: Generator) -> Tensor:
    """How much of the stroke the paper's grain leaves white, (batch, height, width), 0 to `most`."""
    grain = torch.rand(batch, height, width, generator=generator, device=generator.device)
    return grain * column(between(batch, 0, most, generator))


def mottle(batch: int, height: int, width: int, most: float, generator: Generator) -> Tensor:
    """The paper's unevenness as a share of its light, (batch, height, width)."""
    coarse = torch.randn(
        batch, 1, max(height // 5, 2), max(width // 5, 2), generator=generator, device=generator.device
    )
    smooth = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)[:, 0]
    return smooth * column(between(batch, 0, most, generator))


def frame_pieces(batch: int, height: int, width: int, probability: float, generator: Generator) -> Tensor:
    """Pieces of straight lines along the frame's sides, as ink, (batch, height, width)."""
    y, x = from_middle(height, width, generator.device)
    tall, wide = height / max(height, width) / 2, width / max(height, width) / 2
    ink = torch.zeros(batch, height, width, device=generator.device)
    for across, along, reach in ((y + tall, x, wide), (tall - y, x, wide), (x + wide, y, tall), (wide - x, y, tall)):
        offset, thick = (column(between(batch, *limits, generator)) for limits in ((0.0, 0.05), (0.01, 0.04)))
        begin, length = (column(between(batch, *limits, generator)) for limits in ((-1.0, 0.4), (0.3, 2.0)))
        lies = (
            (across >= offset)
            & (across < offset + thick)
            & (along > begin * reach)
            & (along < (begin + length) * reach)
        )
        strength = column(between(batch, 0.4, 1.0, generator)) * chance(batch, probability, generator)
        ink = torch.maximum(ink, lies * strength)
    return ink


def framed(ink: Tensor, digit: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """A line all around the picture, and often a margin around that, (batch, higher, wider)."""
    line, margin = (float(between(1, *limits, generator)) for limits in ((0.01, 0.06), (-0.1, 0.1)))
    longer = max(ink.shape[1:])
    inner, width, outer = (max(round(0.03 * longer), 1), max(round(line * longer), 1), max(round(margin * longer), 0))
    ink = F.pad(F.pad(F.pad(ink, (inner,) * 4), (width,) * 4, value=1.0), (outer,) * 4)
    return ink, F.pad(digit, (inner + width + outer,) * 4)


def on_table(ink: Tensor, digit: Tensor, room: Range, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Paper that ends, a little askew, cut or torn, at one side or at several, with room for a table beside it.

    Args:
        ink: (batch, height, width), all of it on the paper.
        digit: (batch, height, width) the digit's part of it.
        room: as a share of the longer side.
        generator: draws it.

    Returns:
        The ink in the larger frame, and 1 where the table is, 0 on paper, both (batch, higher, wider).
    """
    batch, high, wide = ink.shape
    longer = max(high, wide)
    wide_as = (some(4, *room, generator) * longer).round().int()
    has_end = between(4, 0, 1, generator) < 0.5
    has_end[int(between(1, 0, 4, generator))] = True
    before, after, left, right = torch.where(has_end, wide_as, 0).tolist()
    ink, digit = (F.pad(each, (left, right, before, after)) for each in (ink, digit))
    y, x = (torch.arange(side, device=ink.device) + 0.5 for side in ink.shape[1:])
    down, across = y[:, None] - before - high / 2, x - left - wide / 2  # from the paper's middle
    table = torch.zeros_like(ink)
    # its edge stands as far off as it leans over, so that no ink is cut
    for end, away, along, reach, length in (
        (before, -down, across, high, wide), (after, down, across, high, wide),
        (left, -across, down, wide, high), (right, across, down, wide, high),
    ):  # fmt: skip
        slope = column(uniform(batch, 0.12, generator))
        torn = column(some(batch, TORN / 100, TORN, generator)) * longer
        waves = (
            rough(batch, 2, max(along.shape), generator)[:, :1]
            .clamp(-1, 1)
            .reshape(batch, *torch.atleast_2d(along).shape)
        )
        beyond = away - reach / 2 - slope.abs() * length / 2 - slope * along - torn * (1 + waves)
        table = torch.maximum(table, (beyond + 0.5).clamp(0, 1) * (end > 0))
    return ink, digit, table


def with_pen(ink: Tensor, digit: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """A pen that lies beside all other ink, as dark as that, along the longer side of a frame that is wider by it.

    Args:
        ink: (batch, height, width).
        generator: draws it.

    Returns:
        (batch, height, wider), or (batch, higher, width) where that was the shorter side.
    """
    batch, high, wide = ink.shape
    if wide > high:
        turned = with_pen(ink.transpose(1, 2), digit.transpose(1, 2), generator)
        return turned[0].transpose(1, 2), turned[1].transpose(1, 2)
    room = round(wide * float(between(1, 0.3, 0.6, generator)))
    on_left = float(between(1, 0, 1, generator)) < 0.5
    ink, digit = (F.pad(each, (room, 0) if on_left else (0, room)) for each in (ink, digit))
    y = (torch.arange(high, device=ink.device) + 0.5)[:, None]
    x = torch.arange(room + wide, device=ink.device) + 0.5 - (0 if on_left else wide)
    thick = column(between(batch, 0.004, 0.015, generator)) * high
    begin, end = (column(between(batch, *part, generator)) * high for part in ((0.0, 0.2), (0.8, 1.2)))
    at_begin, at_end = (thick + column(between(batch, 0, 1, generator)) * (room - 2 * thick) for _ in range(2))
    long_y, long_x = end - begin, at_end - at_begin
    along = ((y - begin) * long_y + (x - at_begin) * long_x) / (long_y.square() + long_x.square())
    along = along.clamp(0, 1)
    distance = torch.hypot(y - begin - along * long_y, x - at_begin - along * long_x)
    return torch.maximum(ink, (thick - distance + 0.5).clamp(0, 1)), digit


def specks(batch: int, height: int, width: int, probability: float, generator: Generator) -> Tensor:
    """Up to three small round specks as ink, (batch, height, width)."""
    y, x = from_middle(height, width, generator.device)
    ink = torch.zeros(batch, height, width, device=generator.device)
    for _ in range(SPECKS):
        at_y, at_x = (column(uniform(batch, 0.5, generator)) for _ in range(2))
        radius = column(between(batch, 0.003, 0.012, generator))
        edge = (radius - torch.hypot(y - at_y, x - at_x)) * max(height, width) + 0.5
        strength = column(between(batch, 0.3, 1.0, generator)) * chance(batch, probability, generator)
        ink = torch.maximum(ink, edge.clamp(0, 1) * strength)
    return ink


def ruling(contrast: Tensor, height: int, width: int, probability: float, generator: Generator) -> Tensor:
    """Share of the light that printed lines take away, ruled or squared, (batch, height, width).

    Args:
        contrast: (batch, 1, 1) of the strokes; lines are fainter.
        height: of the frame in pixels.
        width: of the frame in pixels.
        probability: of lines.
        generator: draws them.
    """
    batch = len(contrast)
    y, x = from_middle(height, width, generator.device)
    longer = max(height, width)
    angle = column(uniform(batch, math.radians(5), generator))
    spacing = column(between(batch, 0.05, 0.35, generator))
    thick = column(between(batch, 0.2, 0.6 + longer / 250, generator)) / longer
    dark = column(between(batch, 0.05, 0.55, generator)) * contrast
    total = torch.zeros(batch, height, width, device=generator.device)
    squared = chance(batch, 0.5, generator)
    for across, shown in ((y * angle.cos() + x * angle.sin(), True), (x * angle.cos() - y * angle.sin(), squared)):
        phase = across / spacing + column(between(batch, 0, 1, generator))
        distance = (phase - phase.round()).abs() * spacing
        total = torch.maximum(total, ((thick - distance) * longer + 0.5).clamp(0, 1) * shown)
    return total * dark * chance(batch, probability, generator)


def lamp(batch: int, height: int, width: int, kind: Kind, generator: Generator) -> Tensor:
    """Light that falls on each pixel as a share of full light, (batch, height, width)."""
    y, x = from_middle(height, width, generator.device)
    towards = column(uniform(batch, math.pi, generator))
    bend = column(uniform(batch, 0.6, generator))
    along = x * towards.cos() + y * towards.sin()
    fall = column(between(batch, 0, kind.gradient, generator))
    light = 1 - fall * (along + bend * (x.square() + y.square()) + 0.5).clamp(0, 1)
    across = column(uniform(batch, math.pi, generator))
    edge = (
        x * across.cos()
        + y * across.sin()
        + column(uniform(batch, 1.5, generator)) * (y * across.cos() - x * across.sin()).square()
    )
    soft = column(some(batch, kind.hardest, 0.2, generator))
    dark = ((edge - column(uniform(batch, 0.4, generator))) / soft).sigmoid()
    depth = column(between(batch, 0.1, 0.5, generator)) * chance(batch, kind.shadow, generator)
    return light * (1 - depth * dark)


def blur(light: Tensor, sigma: float) -> Tensor:
    """The picture through a lens, (batch, height, width); `sigma` in pixels, the same for the batch."""
    if sigma < 0.2:
        return light
    reach = math.ceil(2.5 * sigma)
    reach = min(reach, min(light.shape[1:]) - 1)
    offsets = torch.arange(-reach, reach + 1, device=light.device)
    weights = torch.exp(-0.5 * (offsets / sigma).square())
    weights = weights / weights.sum()
    padded = F.pad(light[:, None], (reach,) * 4, mode="reflect")
    rows = F.conv2d(padded, weights[None, None, :, None])
    return F.conv2d(rows, weights[None, None, None, :])[:, 0]


def two_tones(light: Tensor, paper: Tensor, contrast: Tensor) -> Tensor:
    """Each pixel black or white by a fixed threshold, as cheap scanners write, (batch, height, width)."""
    return (light > paper * (1 - 0.5 * contrast)).to(light.dtype)


def jpeg(light: Tensor, generator: Generator) -> Tensor:
    """The picture after JPEG's rounding of its frequencies, (batch, height, width).

    Source: ITU-T T.81; the quality scales the steps as libjpeg does.
    """
    batch, height, width = light.shape
    quality = between(batch, 20, 90, generator)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
    steps = (_JPEG_STEPS.to(light) * scale[:, None, None] / 255).clamp(min=1 / 255)[:, None, :, None, :]
    place = torch.arange(8, device=light.device)
    waves = torch.cos((place + 0.5) * place[:, None] * math.pi / 8) / 2
    waves[0] /= math.sqrt(2)
    more_y, more_x = -height % 8, -width % 8
    padded = F.pad(light[:, None], (0, more_x, 0, more_y), mode="replicate")[:, 0]
    blocks = padded.reshape(batch, padded.shape[1] // 8, 8, padded.shape[2] // 8, 8) - 0.5
    frequencies = torch.einsum("ij,bhjwk,lk->bhiwl", waves, blocks, waves)
    rounded = (frequencies / steps).round() * steps
    back = torch.einsum("ij,bhiwl,lk->bhjwk", waves, rounded, waves) + 0.5
    return back.reshape(padded.shape)[:, :height, :width].clamp(0, 1)
