"""What a network says to pictures that show no digit: blank ones are to be refused, others to be less sure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor

from adder_runtime.contract import UNREAD
from adder_runtime.metrics import auroc
from adder_trainer.approaches import Network
from adder_trainer.asked import Asked, ask_pictures
from adder_trainer.data import NO_DIGIT, Digits
from adder_trainer.evaluation import Evaluation
from adder_trainer.kinds import IN_FRAME, KINDS, ON_TABLE, RULED, Kind
from adder_trainer.letters import FONTS, LETTERS, draw_letters
from adder_trainer.photo import render
from adder_trainer.rendered import take
from adder_trainer.sheet import Caption, Row, draw_sheet
from adder_trainer.strokes import TILE, tile
from adder_trainer.unknown import black, noise, scribble, side_by_side

GROUNDS = ("photo", "small photo", "pencil", "cell")
"""Kinds of pictures whose paper is shown without a digit: with light, grain, lines and specks."""

DRAWN = "drawn"
"""Kind of pictures in which scribbles and pairs are shown: what is unusual is to be their shape alone."""

BLANKS = 200
"""Pictures of each of GROUNDS, and half as many of noise and of black: 1,000 in all; and of each of EMPTY."""

STROKES = 200
"""Scribbles, and pairs of digits."""

BATCH = 5
"""Pictures that share their size. Few: with ten sizes, 65 % or 86 % of noise was refused, by the seed."""

SEED = 52_361

BLANK = "blank: "
"""Begins the names of the groups that show nothing."""

KNOWN, TEST, ALL, NOISE, BLACK = (
    "MNIST's digits",
    "MNIST's test digits",
    f"{BLANK}all",
    f"{BLANK}noise",
    f"{BLANK}black",
)
LETTER, SCRIBBLE, PAIR = "letters", "scribbles", "two digits"
"""Names of the other groups."""

EMPTY = {
    "an empty frame": IN_FRAME,
    "an empty sheet on a table": replace(ON_TABLE, clutter=0.0),
    "ruled paper": replace(RULED, lines=1.0),
}
"""Groups of pictures in which something is to be seen, but no digit, and their kinds."""

ORDER = (KNOWN, TEST, ALL, *(BLANK + kind for kind in GROUNDS), NOISE, BLACK, LETTER, SCRIBBLE, PAIR, *EMPTY)
"""Of the table's rows: a checkpoint's header sorts the names."""


def ask_unknown(
    network: Network, digits: Digits, temperature: float, on_progress: Callable[[int], None] = lambda _: None
) -> tuple[Asked, ...]:
    """What a network answers to pictures without a digit: blank ones, what else is drawn, and what holds nothing.

    Args:
        network: on any device; the pictures are drawn on the CPU, so that they are the same everywhere.
        digits: the split from which pairs are made.
        temperature: of the confidence.
        on_progress: told how many more pictures are done.
    """
    generator = torch.Generator().manual_seed(SEED)
    groups = {BLANK + kind: blank(kind, BLANKS, generator) for kind in GROUNDS} | {
        NOISE: (noise(size, generator) for size in sizes(BLANKS // 2)),
        BLACK: (black(size, generator) for size in sizes(BLANKS // 2)),
        LETTER: iter(draw_letters(LETTERS).split(BATCH)),
        SCRIBBLE: scribbles(STROKES, generator),
        PAIR: pairs(take(digits, STROKES), generator),
        **{name: empty(kind, BLANKS, generator) for name, kind in EMPTY.items()},
    }
    return tuple(
        ask_pictures(
            name,
            ((pixels, torch.full((len(pixels),), NO_DIGIT)) for pixels in pictures),
            network,
            temperature,
            on_progress,
        )
        for name, pictures in groups.items()
    )


def count_pictures(digits: Digits) -> int:
    """How many pictures `ask_unknown` makes."""
    blanks = (len(GROUNDS) + len(EMPTY)) * BLANKS + BLANKS // 2 * 2
    return blanks + len(LETTERS) * len(FONTS) + STROKES + min(STROKES, len(digits))


def sizes(count: int) -> Iterator[int]:
    """How many pictures each batch holds."""
    return (min(BATCH, count - start) for start in range(0, count, BATCH))


def blank(kind: str, count: int, generator: Generator) -> Iterator[Tensor]:
    """Pictures of a kind's paper, batches of (batch, height, width, 1) uint8."""
    (found,) = (each for each in KINDS if each.name == kind)
    return empty(replace(found, frame=0.0, clutter=0.0), count, generator)  # a straight line alone may be a one


def empty(kind: Kind, count: int, generator: Generator) -> Iterator[Tensor]:
    """Pictures of a kind that show no digit, batches of (batch, height, width, 1) uint8."""
    return (render(torch.zeros(size, 1, TILE, TILE), kind, generator) for size in sizes(count))


def scribbles(count: int, generator: Generator) -> Iterator[Tensor]:
    """Drawn scribbles, batches of (batch, height, width, 1) uint8."""
    (kind,) = (each for each in KINDS if each.name == DRAWN)
    for size in sizes(count):
        yield render(scribble(torch.zeros(size, 1, TILE, TILE), generator), kind, generator)


def pairs(digits: Digits, generator: Generator) -> Iterator[Tensor]:
    """Each digit beside another one, drawn, batches of (batch, height, width, 1) uint8."""
    (kind,) = (each for each in KINDS if each.name == DRAWN)
    for ink, digit in zip(digits.ink.split(BATCH), digits.digit.split(BATCH), strict=True):
        yield render(side_by_side(tile(ink, digit, generator), generator), kind, generator)


def unknown_figures(groups: Sequence[Asked], measured: Evaluation) -> dict[str, dict[str, float | int]]:
    """What facts keep, by group: pictures, the share that is refused with digit -1, and the AUROC.

    The AUROC is the probability that a digit's answer is surer than that of the group; unread has a confidence of 0.

    Args:
        groups: of `ask_unknown`.
        measured: of the split's digits, by the same network with the same temperature.
    """
    known = measured.answers.confidence.flatten().cpu().numpy()
    refused = (measured.answers.digit == UNREAD).double().mean().item()
    found: dict[str, dict[str, float | int]] = {KNOWN: {"pictures": measured.images, "unread": refused}}
    together = [group for group in groups if group.name.startswith(BLANK)]
    for name, some in {ALL: together, **{group.name: [group] for group in groups}}.items():
        confidence = torch.cat([group.answers.confidence.flatten() for group in some])
        found[name] = {
            "pictures": sum(len(group) for group in some),
            "unread": torch.cat([group.answers.digit == UNREAD for group in some]).double().mean().item(),
            "auroc": auroc(known, confidence.numpy()),
        }
    return found


def unknown_table(facts: dict[str, Any]) -> str:
    """Of the page: a row for each group, and for the test images if they were asked whether they show anything."""
    rows = []
    groups, test = dict(facts["unknown"]), facts.get("test", {})
    if "unread" in test:
        groups[TEST] = {"pictures": test["images"], "unread": test["unread"]}
    for name in (name for name in ORDER if name in groups):
        figures = groups[name]
        ranked = f"{figures['auroc']:.4f}" if "auroc" in figures else "-"
        rows.append(f"| {name} | {figures['pictures']:,} | {figures['unread']:.2%} | {ranked} |")
    return "\n".join(["| pictures of | pictures | nothing read | AUROC |\n| --- | --- | --- | --- |", *rows])


def draw_unknown(groups: Sequence[Asked]) -> Figure:
    """Of each group some pictures, and above each the digit that is answered and how sure the answer is."""
    rows = []
    for group in groups:
        captions = []
        for each in group.examples:
            digit, confidence = (part[each.place, 0].item() for part in (group.answers.digit, group.answers.confidence))
            said = "none" if digit == UNREAD else f"{digit}, {confidence:.0%}"
            captions.append(Caption(said, wrong=digit != UNREAD and group.name.startswith(BLANK)))
        rows.append(Row(group.name, [each.pixels for each in group.examples], captions))
    return draw_sheet(rows)
