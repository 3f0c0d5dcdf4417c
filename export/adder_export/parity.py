"""The proof that a model file answers as PyTorch does: every output of every picture, compared and written down.

A *kind* of pictures stresses one thing. For each picture and number the labels must be equal, the scores must differ by
no more than a stated tolerance, and the difference must be smaller than what it would take to change a label.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adder_export.graph import Pipeline
from adder_export.parity_cases import MNIST_TEST, Case, TestImages, cases
from adder_runtime.contract import (
    BOX,
    CONFIDENCE,
    CONSISTENT,
    DIGIT,
    DIGIT_PROBABILITIES,
    DIGITS,
    INK,
    SUM,
    UNREAD,
    Approach,
    Precision,
    outputs,
    sum_scores,
)
from adder_runtime.labels import Labelled
from adder_runtime.model import Adder
from adder_trainer.answer import LEAST_PROBABILITY

LABELS = (DIGIT.name, SUM.name, CONSISTENT.name)
"""Outputs that must be equal."""

PROBABILITY_TOLERANCE = 1e-4
"""Largest difference of a probability. Sums of floats in another order move a logit by some 1e-5; the largest that was
seen, 2e-5, is on noise, where the ground and the box of the ink hang by a thread."""

VALUE_TOLERANCE = 2e-3
"""Largest difference of the unrounded sum, a value of 0 to 18 whose steps are 1. Before the sum the logits are
multiplied by 16, and their differences with them; the largest that was seen is 3e-4."""

LOGIT_TOLERANCE = 5e-3
"""Largest difference of the logarithm of a probability, which is a logit up to a constant. Probabilities near 0 and 1
hide a changed weight, their logarithms show it: the largest difference that was seen is 2e-4, and 0.07 where one weight
was 0.1 off."""

BOX_TOLERANCE = 1e-4
"""Largest difference of an edge of the box, as a share of the picture's longer side: in a larger picture more pixels
are summed, and an edge is a larger number. A tenth of a pixel of 1,000; the largest that was seen is 4e-7."""

INK_TOLERANCE = 1e-3
"""Largest difference of the ink, a value of 0 to 1: a quarter of one of the 255 levels that a picture can hold. The
largest that was seen, 2e-5, is on noise."""

UNREAD_SLACK = 10
"""Times as much that all this may differ in a picture of nothing, and in one in which both read nothing. What was found
there is a shadow or a piece of grain, whose edges hang by a thread: 3.6e-3 of ink was seen, and 3e-4 of a probability.
Labels must be equal there too, and none within reach of another."""

SEEN = ((BOX, BOX_TOLERANCE), (INK, INK_TOLERANCE))
"""Outputs that do not hang on the network, and are the same in each precision."""

MNIST_LOSS, OTHER_LOSS = 0.001, 0.005
"""Share of the sums that fewer bits may cost, on MNIST's test images and on each other kind of picture."""

SMALLEST = 1e-20
"""Probabilities below count as this: the logarithm of what float32 can hardly hold says nothing."""

DIGIT_LOGITS, SUM_LOGITS = "digit_logits", "sum_logits"

CPU_FLAGS = re.compile(r"sse4_2|avx\w*|fma|amx\w*|f16c|asimd\w*|sve\w*|neon")
"""The flags of a processor that decide which kernels run."""

Outputs = dict[str, NDArray[Any]]
"""The contract's outputs by name, each (pictures, numbers, ...)."""


@dataclass
class Tally:
    """What was found over all cases of one kind."""

    kind: str = ""
    pictures: int = 0
    pairs: int = 0
    flips: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABELS, 0))
    """Labels that differ, by output."""
    differences: dict[str, float] = field(default_factory=dict)
    """Largest absolute difference, by output, of pairs in which there is something to read."""
    differences_unread: dict[str, float] = field(default_factory=dict)
    """The same of the other pairs: both read nothing, or the picture is known to show nothing."""
    smallest_margin: float = np.inf
    """Least change of a logit or of the unrounded sum that would change a label of PyTorch's."""
    worst_ratio: float = 0.0
    """Largest share of a pair's margin that its difference uses up; under 1, no label can have changed."""
    worst: dict[str, Any] = field(default_factory=dict)
    """The pair of the worst ratio: its image, number and both answers."""
    right: int = 0
    """Pairs whose sum is what the picture shows plus the number."""
    right_in_pytorch: int = 0
    """The same of PyTorch's answers."""
    right_digits: int = 0
    known: int = 0
    """Pairs for which that is known."""


def tolerances(approach: Approach) -> dict[str, float]:
    """Largest difference allowed, by output and of the logits; of the box as a share of the picture's longer side."""
    limits = {
        CONFIDENCE.name: PROBABILITY_TOLERANCE,
        DIGIT_PROBABILITIES.name: PROBABILITY_TOLERANCE,
        DIGIT_LOGITS: LOGIT_TOLERANCE,
        BOX.name: BOX_TOLERANCE,
        INK.name: INK_TOLERANCE,
    }
    if approach is Approach.CLASSIFY:
        return limits | {sum_scores(approach).name: PROBABILITY_TOLERANCE, SUM_LOGITS: LOGIT_TOLERANCE}
    return limits | {sum_scores(approach).name: VALUE_TOLERANCE}


def with_logits(approach: Approach, found: Outputs) -> Outputs:
    """The outputs, and beside them the logits that the probabilities were made of."""
    more = {DIGIT_LOGITS: _logits(found[DIGIT_PROBABILITIES.name])}
    if approach is Approach.CLASSIFY:
        more[SUM_LOGITS] = _logits(found[sum_scores(approach).name])
    return found | more


def _logits(probabilities: NDArray[Any]) -> NDArray[Any]:
    # NaN stays NaN
    return np.asarray(np.log(np.maximum(probabilities, SMALLEST, dtype=np.float64)))


@torch.no_grad()
def reference(pipeline: Pipeline, case: Case) -> Outputs:
    """What PyTorch answers."""
    pairs = len(case.image), len(case.number)
    answers, seen = pipeline.answer_all(torch.from_numpy(case.image), torch.from_numpy(case.number).expand(pairs))
    # the same whatever the number
    found = *answers, *(each[:, None].expand(*pairs, *each.shape[1:]) for each in (seen.box, seen.ink[:, 0]))
    approach = Approach.CLASSIFY if answers.sum_scores.shape[2] > 1 else Approach.REGRESS
    return {spec.name: value.numpy() for spec, value in zip(outputs(approach), found, strict=True)}


def ask(adder: Adder, case: Case) -> Outputs:
    """What the model file answers, asked with one number for each picture at a time, as an app asks it."""
    runs = [adder.run(case.image, np.full(len(case.image), number, np.int32)) for number in case.number]
    return {name: np.stack([run[name] for run in runs], 1) for name in runs[0]}


def margins(approach: Approach, wanted: Outputs, number: NDArray[np.int32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """How far each pair's scores are from another digit and from another sum, (pictures, numbers) each.

    For logits half of the distance between the two largest, or what lies between the largest and the answer that there
    is nothing to read; for the unrounded sum the distance to the next boundary of rounding inside the range that the
    number allows.
    """
    logits = wanted[DIGIT_LOGITS]
    digit = np.minimum(_half_gap(logits), np.abs(logits.max(2) - np.log(LEAST_PROBABILITY)))
    if approach is Approach.CLASSIFY:
        return digit, _half_gap(wanted[SUM_LOGITS])
    scores = wanted[sum_scores(approach).name]
    boundaries = number[:, None] + np.arange(len(DIGITS) - 1) + 0.5  # (numbers, 9)
    return digit, np.abs(scores - boundaries).min(2)


def _half_gap(logits: NDArray[Any]) -> NDArray[Any]:
    second, first = np.moveaxis(np.sort(logits, axis=2)[..., -2:], 2, 0)
    return np.asarray((first - second) / 2)


def compare(approach: Approach, case: Case, wanted: Outputs, got: Outputs, tally: Tally) -> None:
    """Add one case to the tally of its kind.

    Args:
        approach: of the model.
        case: what was asked.
        wanted: PyTorch's outputs.
        got: the model file's.
        tally: changed in place.
    """
    pairs = wanted[SUM.name].shape
    tally.pictures += pairs[0]
    tally.pairs += pairs[0] * pairs[1]
    flipped = np.zeros(pairs, bool)
    for name in LABELS:
        differs = wanted[name] != got[name]
        tally.flips[name] += int(differs.sum())
        flipped |= differs
    ratios = np.zeros(pairs)
    limits = tolerances(approach)
    wanted, got = with_logits(approach, wanted), with_logits(approach, got)
    difference = {name: np.abs(wanted[name] - got[name]).reshape(*pairs, -1).max(2) for name in limits}
    difference[BOX.name] /= max(case.image.shape[1:3])
    unread = (wanted[DIGIT.name] == UNREAD) & (got[DIGIT.name] == UNREAD)
    nothing_there = unread if case.digit is None else unread | (case.digit == UNREAD)[:, None]
    for name, limit in limits.items():
        # NaN compares as false with everything: made infinite, it fails every check
        difference[name] = np.nan_to_num(difference[name], nan=np.inf, posinf=np.inf)
        for which, largest in ((~nothing_there, tally.differences), (nothing_there, tally.differences_unread)):
            largest[name] = max(largest.get(name, 0.0), float(difference[name].max(where=which, initial=0)))
        ratios = np.maximum(
            ratios, np.where(difference[name] > np.where(nothing_there, UNREAD_SLACK * limit, limit), np.inf, 0)
        )
    # only where there is a label to change: a blank picture has no digit and no sum, an odd number no sum
    labelled = (wanted[DIGIT.name] != UNREAD, wanted[SUM.name] != UNREAD)
    names = (DIGIT_LOGITS, SUM_LOGITS if approach is Approach.CLASSIFY else sum_scores(approach).name)
    for name, margin, has_label in zip(names, margins(approach, wanted, case.number), labelled, strict=True):
        if has_label.any():
            tally.smallest_margin = min(tally.smallest_margin, float(margin[has_label].min()))
        used = np.divide(difference[name], margin, out=np.full(pairs, np.inf), where=margin > 0)
        ratios = np.maximum(ratios, np.where(has_label, used, 0))
    missing = LEAST_PROBABILITY - wanted[DIGIT_PROBABILITIES.name].max(2)
    almost_read = np.divide(
        difference[DIGIT_PROBABILITIES.name], missing, out=np.zeros(pairs), where=unread & (missing > 0)
    )
    ratios = np.maximum(ratios, almost_read)
    ratios[flipped] = np.inf
    picture, column = np.unravel_index(int(ratios.argmax()), pairs)
    if not tally.worst or ratios[picture, column] > tally.worst_ratio:
        tally.worst = {
            "image": case.image[picture],
            "number": int(case.number[column]),
            "pytorch": {name: value[picture, column].tolist() for name, value in wanted.items()},
            "file": {name: value[picture, column].tolist() for name, value in got.items()},
        }
    tally.worst_ratio = max(tally.worst_ratio, float(ratios.max()))
    if case.digit is not None:
        known = case.digit[:, None]
        truth = np.where(known == UNREAD, UNREAD, known + case.number)
        tally.known += truth.size
        tally.right += int((got[SUM.name] == truth).sum())
        tally.right_in_pytorch += int((wanted[SUM.name] == truth).sum())
        tally.right_digits += int((got[DIGIT.name] == known).sum())


def passed(tally: Tally, precision: Precision = Precision.FP32) -> bool:
    """Whether a model file answers well enough on one kind of picture.

    In float32: no label changed, no difference is above its tolerance, and no label could have changed. In fewer bits:
    it sees the same ink in the same box, and of the pairs whose sum is known it has nearly as many right as PyTorch.
    """
    if precision is Precision.FP32:
        return tally.worst_ratio < 1
    seen = all(
        tally.differences[spec.name] <= limit and tally.differences_unread[spec.name] <= UNREAD_SLACK * limit
        for spec, limit in SEEN
    )
    return seen and tally.right >= tally.right_in_pytorch - loss_allowed(tally.kind) * tally.known


def loss_allowed(kind: str) -> float:
    """Share of the sums that a file of fewer bits may have wrong where PyTorch has them right."""
    return MNIST_LOSS if kind == MNIST_TEST else OTHER_LOSS


def prove(
    pipeline: Pipeline,
    adders: Sequence[Adder],
    mnist: TestImages | None,
    labelled: Sequence[Labelled] = (),
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Tally]]:
    """Ask PyTorch and model files everything; for each file the tally of each kind of picture.

    Args:
        pipeline: PyTorch's side, in evaluation mode.
        adders: model files in ONNX Runtime, of whatever precision.
        mnist: the test images and digits, as for `cases`.
        labelled: the user's own pictures, as for `cases`.
        on_progress: told the number of pairs that PyTorch and all files have answered.
    """
    tallies: list[dict[str, Tally]] = [{} for _ in adders]

    def all_of(case: Case) -> tuple[Case, Outputs, list[Outputs]]:
        return case, reference(pipeline, case), [ask(adder, case) for adder in adders]

    # each run keeps to one thread, as apps run it; several runs go side by side
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, wanted, answers in pool.map(all_of, cases(mnist, labelled)):
            for adder, got, found in zip(adders, answers, tallies, strict=True):
                compare(adder.approach, case, wanted, got, found.setdefault(case.kind, Tally(case.kind)))
            on_progress(case.pairs)
    return tallies


def describe(tally: Tally, precision: Precision = Precision.FP32) -> dict[str, Any]:
    """A tally as the certificate keeps it."""
    told: dict[str, Any] = {
        "passed": passed(tally, precision),
        "pictures": tally.pictures,
        "pairs": tally.pairs,
        "label_flips": tally.flips,
        "largest_difference": tally.differences,
        "largest_difference_unread": tally.differences_unread,
        "smallest_margin": tally.smallest_margin if np.isfinite(tally.smallest_margin) else None,
        "largest_difference_by_margin": tally.worst_ratio if np.isfinite(tally.worst_ratio) else None,
    }
    if tally.known:
        told |= {
            "digit_accuracy": tally.right_digits / tally.known,
            "sum_accuracy": tally.right / tally.known,
            "sum_accuracy_of_pytorch": tally.right_in_pytorch / tally.known,
        }
    return told


def machine() -> dict[str, Any]:
    """What the check ran on: system, architecture, cores and the processor's flags that choose kernels."""
    try:
        words = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        words = []
    flags = sorted({word for word in words if CPU_FLAGS.fullmatch(word)})
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "cpu_flags": flags,
    }
