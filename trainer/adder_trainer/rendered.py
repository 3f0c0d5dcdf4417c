"""How a network reads the validation digits as pictures that people take and draw: a measurement for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor

from adder_runtime.contract import UNREAD
from adder_runtime.metrics import expected_calibration_error
from adder_trainer.approaches import Network
from adder_trainer.asked import Asked, ask_pictures
from adder_trainer.confidence import in_share
from adder_trainer.data import Digits
from adder_trainer.kinds import MEASURED, Kind
from adder_trainer.photo import scene
from adder_trainer.plane import to_pixels
from adder_trainer.sheet import Caption, Row, draw_sheet
from adder_trainer.strokes import tile

PICTURES = 400
"""Of each kind, all of the same digits. An accuracy of 0.95 has a standard error of 0.011 then."""

BATCH = 10
"""Pictures that share their size and their lens."""

SEED = 31_607
"""Of the digits that are taken and of all that is drawn; apart from those of training, which are multiples."""

ALL = "all"
"""Name of all kinds together."""


@dataclass(frozen=True)
class Rendered:
    """Pictures of one kind, and what would be read of them if nothing but the digit were in them."""

    pictures: Asked
    ink_alone: Asked
    """The same strokes, of as many pixels, white on black: without paper, light, grain and other things. What is wrong
    here too is the digit's form, or that it has so few pixels."""


def ask_rendered(
    network: Network, digits: Digits, temperature: float, on_progress: Callable[[int], None] = lambda _: None
) -> tuple[Rendered, ...]:
    """What a network answers to rendered pictures of some digits, a group for each of MEASURED.

    Args:
        network: on any device; the pictures are drawn on the CPU, so that they are the same everywhere.
        digits: the split to take PICTURES from, or as many as there are.
        temperature: of the confidence.
        on_progress: told how many more pictures are done.
    """
    some = take(digits, PICTURES)
    generator = torch.Generator().manual_seed(SEED)
    found = []
    for kind in MEASURED:
        pixels, inks = zip(*rendered(some, kind, generator), strict=True)
        shown = some.digit.split(BATCH)
        pictures = ask_pictures(kind.name, zip(pixels, shown, strict=True), network, temperature, on_progress)
        ink_alone = ask_pictures(kind.name, zip(inks, shown, strict=True), network, temperature, on_progress)
        found.append(Rendered(pictures, ink_alone))
    return tuple(found)


def count_pictures(digits: Digits) -> int:
    """How many pictures `ask_rendered` makes of a split."""
    return min(PICTURES, len(digits)) * len(MEASURED) * 2


def take(digits: Digits, count: int) -> Digits:
    """That many of the digits, or all, on the CPU; always the same."""
    index = torch.randperm(len(digits), generator=torch.Generator().manual_seed(SEED))[:count]
    return Digits(digits.ink.cpu()[index], digits.digit.cpu()[index])


def rendered(digits: Digits, kind: Kind, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of raw pictures, and of their ink alone, (batch, height, width, 1) uint8 each; every digit once."""
    for ink, digit in zip(digits.ink.split(BATCH), digits.digit.split(BATCH), strict=True):
        pixels, strokes = scene(tile(ink, digit, generator), kind, generator)
        yield pixels, to_pixels(strokes)


def rendered_figures(groups: Sequence[Rendered]) -> dict[str, dict[str, float | int]]:
    """What facts keep, by kind and for all together; shares from 0 to 1, unread counts as wrong."""
    found: dict[str, dict[str, float | int]] = {group.pictures.name: _figures([group]) for group in groups}
    confidence = torch.cat([group.pictures.answers.confidence.flatten() for group in groups]).numpy()
    right = torch.cat([group.pictures.sum_right.flatten() for group in groups]).numpy()
    error = expected_calibration_error(confidence, right)
    return found | {ALL: _figures(groups) | {"calibration_error": error}}


def _figures(groups: Sequence[Rendered]) -> dict[str, float | int]:
    def share(parts: list[Tensor]) -> float:
        return torch.cat(parts).double().mean().item()

    pictures = [group.pictures for group in groups]
    return {
        "pictures": sum(len(asked) for asked in pictures),
        "digit_accuracy": share([asked.digit_right for asked in pictures]),
        "sum_accuracy": share([asked.sum_right for asked in pictures]),
        "unread": share([asked.answers.digit == UNREAD for asked in pictures]),
        "ink_alone": share([group.ink_alone.digit_right for group in groups]),
    }


def rendered_table(facts: dict[str, Any]) -> str:
    """Of the page: a row for each kind, and one for all."""
    measured = facts["rendered"]
    # in this order, since a checkpoint's header sorts the names
    names = [name for name in (*(kind.name for kind in MEASURED), ALL) if name in measured]
    rows = [
        f"| {name} | {figures['pictures']:,} | {figures['digit_accuracy']:.2%} | {figures['ink_alone']:.2%} | "
        f"{figures['sum_accuracy']:.2%} | {figures['unread']:.2%} | {in_share(figures.get('calibration_error'))} |"
        for name, figures in ((name, measured[name]) for name in names)
    ]
    head = (
        "| kind | pictures | digit right | of its ink alone | sum right | nothing read | expected calibration error |"
    )
    return "\n".join([f"{head}\n| --- | --- | --- | --- | --- | --- | --- |", *rows])


def draw_rendered(groups: Sequence[Rendered]) -> Figure:
    """Of each kind some pictures, and below each what the network sees of it."""
    rows = []
    for group in (each.pictures for each in groups):
        read = [(int(group.digit[each.place]), int(group.answers.digit[each.place, 0])) for each in group.examples]
        captions = [Caption(f"{shown} → {'none' if said == UNREAD else said}", said != shown) for shown, said in read]
        rows.append(Row(group.name, [each.pixels for each in group.examples], captions))
        rows.append(Row("as the network sees it", [1 - each.ink for each in group.examples]))
    return draw_sheet(rows)
