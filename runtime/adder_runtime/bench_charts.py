"""The benchmark's figures as pictures: lines over logarithmic axes, and models by latency and accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from adder_runtime.bench_text import name_of
from adder_runtime.drawing import LINE, MAIN, OTHER, TEXT, WRONG, Canvas, Frame, new_drawing, write

MARGIN, TITLE_SIZE, TEXT_SIZE, SMALL = 40, 30, 18, 15

COLOURS = (MAIN, WRONG, TEXT, OTHER, "#2e8b57", "#b8860b")

HEIGHT = 790

FRAME = Frame(130, 130, 880, 620)

TICKS = 5
"""Parts of an axis, about."""

AROUND = 0.1
"""Points of accuracy that are shown above the best model and below the worst."""

Points = Sequence[tuple[float, float]]


def draw_sizes(facts: dict[str, Any]) -> Image.Image:
    """Latency over the side of a square picture, beside what decoding it costs."""
    rows = facts["sizes"]
    lines = {
        "predict, from an array": [(row["side"], row["predict_ms"]) for row in rows],
        "decoding the same as a JPEG": [(row["side"], row["decode_ms"]) for row in rows],
    }
    return draw_lines("latency over the size of the picture", "pixels on a side, RGB", "ms", lines)


def draw_throughput(facts: dict[str, Any]) -> Image.Image:
    """Pictures a second over how many go through in one run."""
    lines = {
        name_of(model): [(float(batch), each) for batch, each in model["pictures_per_second"].items()]
        for model in facts["models"]
    }
    return draw_lines("throughput at 28x28 over the batch, one thread", "pictures in a run", "pictures a second", lines)


def draw_lines(title: str, across: str, up: str, lines: Mapping[str, Points]) -> Image.Image:
    """Some lines over two logarithmic axes, each with its name."""
    image, canvas = new_drawing(920, HEIGHT)
    write(canvas, (MARGIN, 28), title, TITLE_SIZE)
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points]
    marks = log_ticks(min(ys), max(ys))
    low, high = marks[0], marks[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        along = math.log(x / min(xs)) / math.log(max(xs) / min(xs))
        return FRAME.left + along * FRAME.width, FRAME.bottom - math.log(y / low) / math.log(high / low) * FRAME.height

    for mark in marks:
        _, y = place(xs[0], mark)
        canvas.line((FRAME.left, y, FRAME.right, y), LINE)
        write(canvas, (FRAME.left - 12, y), f"{mark:g}", SMALL, anchor="rm")
    for x in sorted(set(xs)):
        at, _ = place(x, low)
        canvas.line((at, FRAME.bottom, at, FRAME.bottom + 6), TEXT)
        write(canvas, (at, FRAME.bottom + 12), f"{x:g}", SMALL, anchor="ma")
    canvas.line((FRAME.left, FRAME.top, FRAME.left, FRAME.bottom, FRAME.right, FRAME.bottom), TEXT)
    write(canvas, ((FRAME.left + FRAME.right) / 2, FRAME.bottom + 44), across, TEXT_SIZE, anchor="ma")
    write(canvas, (MARGIN, FRAME.top - 16), up, TEXT_SIZE, anchor="ls")
    for count, (name, points) in enumerate(lines.items()):
        colour = COLOURS[count % len(COLOURS)]
        canvas.line([place(*point) for point in points], colour, 3)
        key(canvas, count, colour, name)
    return image


def key(canvas: Canvas, count: int, colour: str, name: str) -> None:
    """What a colour means, in a row of its own below the axes."""
    y = FRAME.bottom + 84 + 24 * (count // 2)
    x = FRAME.left + (count % 2) * 380
    canvas.rectangle((x, y - 5, x + 24, y + 5), colour)
    write(canvas, (x + 34, y), name, TEXT_SIZE, anchor="lm")


def draw_models(facts: dict[str, Any]) -> Image.Image:
    """Accuracy over latency of each model, the area of its disc as the size of its file."""
    image, canvas = new_drawing(920, HEIGHT)
    write(canvas, (MARGIN, 28), "accuracy over latency at 28x28, one thread; area: size of the file", TITLE_SIZE - 4)
    models = facts["models"]
    rights = [100 * model["accuracy"]["sum_accuracy"] for model in models]
    across = ticks(0, 1.1 * max(model["p50_ms"] for model in models))
    up = ticks(min(rights) - AROUND, max(rights) + AROUND)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            FRAME.left + (x - across[0]) / (across[-1] - across[0]) * FRAME.width,
            FRAME.bottom - (y - up[0]) / (up[-1] - up[0]) * FRAME.height,
        )

    for tick in across:
        write(canvas, (place(tick, up[0])[0], FRAME.bottom + 12), f"{tick:g}", SMALL, anchor="ma")
    for tick in up:
        _, y = place(across[0], tick)
        canvas.line((FRAME.left, y, FRAME.right, y), LINE)
        write(canvas, (FRAME.left - 12, y), f"{tick:.2f}%", SMALL, anchor="rm")
    canvas.line((FRAME.left, FRAME.top, FRAME.left, FRAME.bottom, FRAME.right, FRAME.bottom), TEXT)
    write(canvas, ((FRAME.left + FRAME.right) / 2, FRAME.bottom + 44), "median latency in ms", TEXT_SIZE, anchor="ma")
    write(canvas, (MARGIN, FRAME.top - 16), "sum right", TEXT_SIZE, anchor="ls")
    for count, (model, right) in enumerate(zip(models, rights, strict=True)):
        x, y = place(model["p50_ms"], right)
        radius = 1.2 * math.sqrt(model["bytes"] / 1000)
        colour = COLOURS[count % len(COLOURS)]
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=4)
        key(canvas, count, colour, f"{name_of(model)}, {model['bytes'] / 1000:.0f} KB")
    return image


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, from one that is no more than `low` to a larger that is no less than `high`."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_ones = [float(f"{times}e{power}") for power in powers for times in (1, 2, 5)]
    first = max(mark for mark in round_ones if mark <= low)
    last = min(mark for mark in round_ones if mark >= high and mark > first)
    return [mark for mark in round_ones if first <= mark <= last]


def ticks(low: float, high: float) -> list[float]:
    """Round numbers at a round distance, from one that is no more than `low` to one that is no less than `high`."""
    least = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= least)
    return [round(number * step, 9) for number in range(math.floor(low / step), math.ceil(high / step) + 1)]
