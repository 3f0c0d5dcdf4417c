"""Kinds of pictures that people take and draw: how large the digit is, on what paper, in what light, by what camera."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
