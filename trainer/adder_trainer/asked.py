"""Raw pictures that were made for a measurement, sent through the shipping normaliser and asked of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adder_runtime.contract import NUMBERS, UNREAD
from adder_trainer.answer import Answers
from adder_trainer.approaches import Network
from adder_trainer.evaluation import ask
from adder_trainer.normalize import Normalizer

EXAMPLES = 10
"""Pictures of a group that are kept to be looked at."""


@dataclass(frozen=True)
class Example:
    """One picture of a group."""

    place: int
    """Which of the group's pictures."""
    pixels: NDArray[np.uint8]
    """(height, width)."""
    ink: NDArray[np.float32]
    """(28, 28) what the network sees of it, 0 = paper, 1 = full stroke."""


@dataclass(frozen=True)
class Asked:
    """Pictures of one kind and what a network answered to them."""

    name: str
    digit: Tensor
    """(n) int64, what each picture shows, or NO_DIGIT."""
    answers: Answers
    """Of all pictures, each with the numbers 0 to 9, on the CPU."""
    examples: tuple[Example, ...]
    """Up to EXAMPLES, spread over all pictures."""

    def __len__(self) -> int:
        return len(self.digit)

    @property
    def unread(self) -> float:
        """Share of the pictures that are answered with digit -1, 0 to 1."""
        return (self.answers.digit == UNREAD).double().mean().item()

    @property
    def digit_right(self) -> Tensor:
        """(n, 10) bool; unread is wrong."""
        return self.answers.digit == self.digit[:, None]

    @property
    def sum_right(self) -> Tensor:
        """(n, 10) bool; unread is wrong."""
        return self.answers.sum == self.digit[:, None] + torch.arange(len(NUMBERS))


@torch.no_grad()
def ask_pictures(
    name: str,
    batches: Iterable[tuple[Tensor, Tensor]],
    network: Network,
    temperature: float,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Asked:
    """What a network answers to raw pictures, each with all ten numbers.

    Args:
        name: of the group.
        batches: on the CPU, each of pixels (batch, height, width, 1) uint8 and of what they show, (batch) int64.
        network: on any device.
        temperature: of the confidence.
        on_progress: told how many more are normalised.
    """
    normalizer = Normalizer()
    pictures, inks, readables, digits = [], [], [], []
    for pixels, digit in batches:
        ink, readable, *_ = normalizer(pixels)
        pictures += [picture[:, :, 0] for picture in pixels]
        inks.append(ink)
        readables.append(readable)
        digits.append(digit)
        on_progress(len(digit))
    ink = torch.cat(inks)
    device = next(network.parameters()).device
    answers = ask(network, ink.to(device), torch.cat(readables).to(device), temperature)
    places = torch.linspace(0, len(ink) - 1, min(EXAMPLES, len(ink))).round().long().tolist()
    examples = tuple(Example(place, pictures[place].numpy(), ink[place, 0].numpy()) for place in places)
    return Asked(name, torch.cat(digits), Answers(*(part.cpu() for part in answers)), examples)
