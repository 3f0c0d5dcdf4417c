"""Two things that are timed in turn, and the pictures that they are asked about.

One of each runs after the other, so that whatever else the machine does hits both: believe the ratios, not the
milliseconds.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adder_runtime.image_file import Pixels
from adder_runtime.pictures import draw_digit, paint

SMALL, MIDDLE, LARGE = (28, 28, 1), (480, 640, 1), (3000, 4000, 3)
"""Height, width and channels: MNIST's picture, a camera's grey one, a phone's photo of 12 megapixels."""

NUMBER = 7

MANY = {"name": "many files of mixed size into a table / reading them alone", "wanted": 0.8, "at_most": False}
"""What a run over many files is called, and wanted to come to."""

GRAIN = 6
"""Levels of noise on the pictures, so that a JPEG of them is no smaller than one of a camera."""


@dataclass(frozen=True)
class Contest:
    """Two things that are timed in turn."""

    name: str
    """What is divided by what."""
    first: Callable[[], object]
    second: Callable[[], object]
    wanted: float | None = None
    """The ratio that is wanted; None where it is only told."""
    at_most: bool = True
    """No larger; else no smaller."""
    least: int = 7
    """Runs of each, at least."""


@dataclass(frozen=True)
class Found:
    """What a contest came to."""

    name: str
    ratio: float
    """Median over the runs."""
    low: float
    """First and third quartile of the ratio."""
    high: float
    runs: int
    first_ms: float
    """Medians in milliseconds."""
    second_ms: float
    wanted: float | None
    at_most: bool


def compare(contest: Contest, seconds: float) -> Found:
    """Time two things in turn, for some seconds but no fewer than `least` times."""
    first, second = in_turn(contest.first, contest.second, seconds, contest.least).T
    low, ratio, high = quartiles(first / second)
    first_ms, second_ms = (1e3 * float(np.median(each)) for each in (first, second))
    return Found(contest.name, ratio, low, high, len(first), first_ms, second_ms, contest.wanted, contest.at_most)


def in_turn(
    first: Callable[[], object], second: Callable[[], object], seconds: float, least: int
) -> NDArray[np.float64]:
    """Seconds of two calls that run in turn, (runs, 2), after one of each that fills caches.

    Each goes first every other time, because what runs second finds the caches as the other left them: the time to
    load a file, divided by itself, came to 0.6 to 1.0.

    Args:
        first: what is timed.
        second: what is timed beside it.
        seconds: for both, about.
        least: runs of each, however long they take.
    """
    calls = first, second
    turns: list[list[float]] = []
    end = 0.0
    while len(turns) <= least or time.perf_counter() < end:
        took = [0.0, 0.0]
        for place in (1, 0) if len(turns) % 2 else (0, 1):
            began = time.perf_counter()
            calls[place]()
            took[place] = time.perf_counter() - began
        turns.append(took)
        if len(turns) == 1:
            end = time.perf_counter() + seconds
    return np.array(turns[1:])


def quartiles(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, float, float]:
    """First quartile, median and third quartile."""
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return low, median, high


def decode(source: Path | bytes) -> object:
    """What Pillow alone makes of a picture's file or bytes: its pixels, none of them copied again."""
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        return np.asarray(image)


def timed(call: Callable[[], object], seconds: float, least: int = 20) -> list[float]:
    """Seconds of each run, after one that fills caches."""
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


def worse(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """The ratios that became worse than an earlier report's by more than the noise: their quartiles do not overlap."""
    earlier = {each["name"]: each for each in timed_ratios(before)}
    told = []
    for each in timed_ratios(now):
        old = earlier.get(each["name"])
        if old is None:
            continue
        if each["low"] > old["high"] if each["at_most"] else each["high"] < old["low"]:
            told.append(f"{each['name']}: {each['ratio']:.2f}, was {old['ratio']:.2f}")
    return told


def timed_ratios(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What was timed in turn, also over many files where the report has that."""
    many = report.get("many")
    return [*report["ratios"], *([MANY | many] if many else [])]


def verdict(ratio: dict[str, Any]) -> str:
    """`met`, `missed`, or `unclear` where what is wanted lies between the quartiles; `-` where nothing is."""
    if ratio["wanted"] is None:
        return "-"
    sign = 1 if ratio["at_most"] else -1
    kept = [sign * ratio[quartile] <= sign * ratio["wanted"] for quartile in ("low", "high")]
    return "met" if all(kept) else "unclear" if any(kept) else "missed"


def picture(height: int, width: int, channels: int, *, blank: bool = False) -> Pixels:
    """A drawn seven on paper with some grain, or that paper alone."""
    random = np.random.default_rng(1)
    grain = random.integers(-GRAIN, GRAIN + 1, (height, width, channels))
    ink = np.zeros((height, width)) if blank else draw_digit(7, height, width)
    drawn: Pixels = np.clip(paint(ink, channels) + grain, 0, 255).astype(np.uint8)
    return drawn
