"""How far MNIST's own digits change in the normaliser: as they are, and in a frame, where it has to look for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the field's name for it

from adder_runtime.contract import UNREAD
from adder_trainer.approaches import Network
from adder_trainer.data import NORMALIZE_BATCH, Digits
from adder_trainer.evaluation import Evaluation, ask
from adder_trainer.normalize import Normalizer
from adder_trainer.plane import to_pixels

FRAMES = {"as they are": 0, "in a frame one pixel wider": 1}
"""Pixels of black that are put around the digits; with any, they are no longer in the form that passes as it is."""


@dataclass(frozen=True)
class Passed:
    """What the normaliser made of digits, and how far that is from what they were."""

    ink: Tensor
    """(n, 1, 28, 28)."""
    readable: Tensor
    """(n) bool."""
    mean_difference: float
    """Mean over all pixels of how far their ink is from what it was, of a full stroke's 1."""


@torch.no_grad()
def pass_through(ink: Tensor, frame: int, on_progress: Callable[[int], None] = lambda _: None) -> Passed:
    """Send digits as raw pixels through the normaliser that ships.

    Args:
        ink: (n, 1, 28, 28) of MNIST's images, 0 = paper, 1 = full stroke.
        frame: pixels of paper that are put on each side.
        on_progress: told how many more are done.
    """
    normalizer = Normalizer().to(ink.device)
    found = []
    for pixels in F.pad(to_pixels(ink[:, 0]), (0, 0, *(frame,) * 4)).split(NORMALIZE_BATCH):
        found.append(normalizer(pixels))
        on_progress(len(pixels))
    seen = torch.cat([each.ink for each in found])
    return Passed(seen, torch.cat([each.readable for each in found]), (seen - ink).abs().mean().item())


def unchanged_figures(
    network: Network,
    digits: Digits,
    measured: Evaluation,
    temperature: float,
    on_progress: Callable[[int], None] = lambda _: None,
) -> dict[str, dict[str, float | int]]:
    """What facts keep, by frame: how far the ink moved, and of all pairs what is read of it; shares from 0 to 1.

    Args:
        network: on the device of the digits.
        digits: MNIST's, of some split.
        measured: of those, by the same network.
        temperature: of the confidence.
        on_progress: told how many more digits are done.
    """
    found: dict[str, dict[str, float | int]] = {}
    for name, frame in FRAMES.items():
        passed = pass_through(digits.ink, frame, on_progress)
        digit = ask(network, passed.ink, passed.readable, temperature).digit  # (n, 10)
        shares = {
            "same_digit": digit == measured.answers.digit,
            "digit_accuracy": digit == digits.digit[:, None],
            "unread": digit == UNREAD,
        }
        found[name] = {
            "pictures": len(digits),
            "mean_difference": passed.mean_difference,
            **{key: share.double().mean().item() for key, share in shares.items()},
        }
    return found


def count_pictures(digits: Digits) -> int:
    """How many pictures `unchanged_figures` sends through the normaliser."""
    return len(FRAMES) * len(digits)


def unchanged_table(facts: dict[str, Any]) -> str:
    """Of the page: a row for each frame."""
    rows = []
    for name in (name for name in FRAMES if name in facts["unchanged"]):
        figures = facts["unchanged"][name]
        shares = (f"{figures[key]:.2%}" for key in ("same_digit", "digit_accuracy", "unread"))
        rows.append(f"| {name} | {figures['pictures']:,} | {figures['mean_difference']:.4f} | {' | '.join(shares)} |")
    head = "| MNIST's images | pictures | mean difference of the ink | same digit read | digit right | nothing read |"
    return "\n".join([f"{head}\n| --- | --- | --- | --- | --- | --- |", *rows])
