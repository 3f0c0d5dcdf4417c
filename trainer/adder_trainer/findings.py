"""All that is measured of a trained network for its facts and its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adder_runtime.contract import UNREAD
from adder_runtime.progress import bar
from adder_trainer import abstention, rendered, unchanged
from adder_trainer.approaches import Network
from adder_trainer.asked import Asked
from adder_trainer.confidence import confidence_figures
from adder_trainer.data import Digits
from adder_trainer.evaluation import Evaluation, evaluate
from adder_trainer.rendered import Rendered


@dataclass(frozen=True)
class Findings:
    """What a network answers to MNIST's images, and to pictures that were made from the validation split."""

    validation: Evaluation
    test: Evaluation | None
    """None where the test images were not asked for."""
    unchanged: dict[str, dict[str, float | int]]
    """How far the validation split changes in the normaliser, figures by frame."""
    rendered: tuple[Rendered, ...]
    """A group for each kind of picture."""
    unknown: tuple[Asked, ...]
    """A group for each kind of what is no digit."""

    def to_facts(self) -> dict[str, Any]:
        """The figures, ready for JSON."""
        return {
            "validation": figures(self.validation),
            **({} if self.test is None else {"test": figures(self.test)}),
            "unchanged": self.unchanged,
            "rendered": rendered.rendered_figures(self.rendered),
            "unknown": abstention.unknown_figures(self.unknown, self.validation),
        }


def find(network: Network, digits: Digits, temperature: float, *, test: Digits | None = None) -> Findings:
    """Measure a network on the validation split, and on rendered and unknown pictures, with a bar.

    Args:
        network: on the device of the digits.
        digits: the validation split.
        temperature: of the confidence.
        test: the test images, to measure them too.

    Raises:
        UsageError: the network answers no numbers.
    """
    measured = evaluate(network, digits, temperature)
    published = None if test is None else evaluate(network, test, temperature)
    total = sum(part.count_pictures(digits) for part in (unchanged, rendered, abstention))
    with bar("rendering", total) as advance:
        return Findings(
            measured,
            published,
            unchanged.unchanged_figures(network, digits, measured, temperature, advance),
            rendered.ask_rendered(network, digits, temperature, advance),
            abstention.ask_unknown(network, digits, temperature, advance),
        )


def figures(measured: Evaluation) -> dict[str, float | int | None]:
    """The numbers of an evaluation that facts keep; shares from 0 to 1, None of no answers."""
    return {
        "images": measured.images,
        "pairs": measured.pairs,
        "loss": measured.loss,
        "digit_accuracy": measured.digit_accuracy,
        "sum_accuracy": measured.sum_accuracy,
        "unread": (measured.answers.digit == UNREAD).double().mean().item(),
        **confidence_figures(measured),
    }
