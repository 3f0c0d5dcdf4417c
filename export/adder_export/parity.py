"""The proof that a model file answers as PyTorch does: every output of every picture, compared and written down.

A *kind* of pictures stresses one thing. For each picture and number the labels must be equal, the scores must differ by
no more than a stated tolerance, and the difference must be smaller than what it would take to change a label.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adder_export.graph import Pipeline
from adder_runtime.contract import (
    BOX,
    CHANNELS,
    CONFIDENCE,
    CONSISTENT,
    DIGIT,
    DIGIT_PROBABILITIES,
    DIGITS,
    INK,
    NUMBERS,
    SIDE,
    SUM,
    UNREAD,
    Approach,
    Precision,
    outputs,
    sum_scores,
)
from adder_runtime.image_file import read_enough
from adder_runtime.labels import Labelled
from adder_runtime.model import Adder
from adder_runtime.pictures import draw_digit, draw_far, generate, paint
from adder_trainer.answer import LEAST_PROBABILITY
from adder_trainer.kinds import MEASURED
from adder_trainer.photo import render
from adder_trainer.strokes import tile
from adder_trainer.unknown import nothing

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

MNIST_TEST = "mnist_test"

FOLDER = "folder: "
"""Leads the name of a kind that is a folder of the user's own pictures."""

SMALLEST = 1e-20
"""Probabilities below count as this: the logarithm of what float32 can hardly hold says nothing."""

DIGIT_LOGITS, SUM_LOGITS = "digit_logits", "sum_logits"

GENERATED = 300
"""Generated pictures that stand in for MNIST's test images where those are not at hand."""

SEED = 7
"""Of the generated pictures."""

BATCH = 100
"""Images in a run over MNIST."""

RENDERED = 40
"""Pictures of each rendered kind."""

EVERY_NUMBER = np.arange(len(NUMBERS), dtype=np.int32)

ODD_NUMBERS = np.array([-1, 10, 18, -(2**31), 2**31 - 1], np.int32)
"""Numbers that the contract answers with a sum of -1."""

CPU_FLAGS = re.compile(r"sse4_2|avx\w*|fma|amx\w*|f16c|asimd\w*|sve\w*|neon")
"""The flags of a processor that decide which kernels run."""

TestImages = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""MNIST's test images (n, 28, 28, 1) and their digits (n)."""

Outputs = dict[str, NDArray[Any]]
"""The contract's outputs by name, each (pictures, numbers, ...)."""


@dataclass(frozen=True)
class Case:
    """Pictures of one shape, each asked with some numbers."""

    kind: str
    image: NDArray[np.uint8]
    """(pictures, height, width, channels)."""
    number: NDArray[np.int32]
    """(numbers), the same for each picture."""
    digit: NDArray[np.int64] | None = None
    """(pictures) what they show, -1 for nothing, where that is known."""


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


def cases(mnist: TestImages | None, labelled: Sequence[Labelled] = ()) -> Iterator[Case]:
    """Everything that a model file is asked.

    Args:
        mnist: generated pictures take their place when None.
        labelled: the user's own pictures; the kind of each is its folder.

    Raises:
        ImageError: one of them cannot be read.
    """
    if mnist is None:
        for picture in generate(GENERATED, SEED):
            yield Case("generated", picture.pixels[None], EVERY_NUMBER, np.array([picture.digit]))
    else:
        for start in range(0, len(mnist[1]), BATCH):
            part = slice(start, start + BATCH)
            yield Case(MNIST_TEST, mnist[0][part], EVERY_NUMBER, mnist[1][part])
    yield from drawn_cases()
    yield from rendered_cases(mnist)
    for each in labelled:
        image = read_enough(each.path).pixels[None].copy()  # PyTorch warns of arrays that cannot be written
        yield Case(f"{FOLDER}{each.group}", image, EVERY_NUMBER, np.array([each.digit]))


def drawn_cases() -> Iterator[Case]:
    """The kinds that are drawn: sizes, polarities, channels, batches, noise, blank pictures, odd numbers."""
    for height, width in ((9, 9), (17, 40), (28, 28), (64, 64), (200, 31), (31, 200), (333, 500)):
        image = np.stack([paint(draw_digit(digit, height, width), 1) for digit in (3, 8)])
        yield Case("sizes", image, EVERY_NUMBER)
    large = paint(draw_digit(7, 270, 480), 1)[None].repeat(4, 1).repeat(4, 2)
    yield Case("sizes", large, EVERY_NUMBER[::9], np.array([7]))
    # beside one that the first look sees, those that it overlooks
    far = [draw_far(5, squared=False), *(draw_far(digit) for digit in DIGITS)]
    yield Case("far", np.stack(far), EVERY_NUMBER, np.array([5, *DIGITS]))
    for dark, light in ((0, 1), (1, 0), (0.4, 0.6), (0.6, 0.4), (0.45, 0.55), (0, 0.1), (1, 0.9)):
        image = np.stack([paint(draw_digit(digit, 60, 50), 1, dark=dark, light=light) for digit in DIGITS])
        yield Case("polarities", image, EVERY_NUMBER, np.array(DIGITS))
    for channels in CHANNELS:
        image = np.stack([paint(draw_digit(digit, 48, 64), channels) for digit in DIGITS])
        yield Case("channels", image, EVERY_NUMBER, np.array(DIGITS))
        if channels % 2 == 0:
            image = image.copy()
            image[..., -1] = 255 - image[..., 0]  # opaque where the ink is
            yield Case("transparent", image, EVERY_NUMBER, np.array(DIGITS))
    for size in (1, 2, 3, 17, 64, 256):
        image = np.stack([paint(draw_digit(index % len(DIGITS), 32, 32), 1) for index in range(size)])
        yield Case("batches", image, EVERY_NUMBER, np.arange(size) % len(DIGITS))
    random = np.random.default_rng(SEED)
    for height, width, channels in ((28, 28, 1), (90, 70, 3), (5, 200, 2), (64, 64, 4), (2, 2, 1)):
        yield Case("noise", random.integers(0, 256, (8, height, width, channels), np.uint8), EVERY_NUMBER)
    nothing = np.array([UNREAD])
    for shape in ((1, 1, 1), (1, 1, 4), (28, 28, 1), (300, 200, 3), (1, 50, 2)):
        for value in (0, 127, 255):
            yield Case("blank", np.full((1, *shape), value, np.uint8), EVERY_NUMBER, nothing)
    yield Case("odd_numbers", paint(draw_digit(5, 40, 40), 1)[None], ODD_NUMBERS)


@torch.no_grad()
def rendered_cases(mnist: TestImages | None) -> Iterator[Case]:
    """Pictures as people take and draw them, a batch of digits and one of blank paper for each of the kinds
    that the trainer measures.

    Nothing lies on the blank paper, as none does where it is trained as no digit. What lies there may look like half a
    digit: of 1,200 such pictures one was answered with a 0, 76 % sure by PyTorch and 0.1 points less by the file.

    Args:
        mnist: its first images are written and photographed; drawn digits take their place when None.
    """
    if mnist is None:
        digit = np.arange(RENDERED, dtype=np.int64) % len(DIGITS)
        ink = np.stack([draw_digit(each, SIDE, SIDE) for each in digit.tolist()])
    else:
        digit = mnist[1][:RENDERED]
        ink = mnist[0][:RENDERED, :, :, 0] / 255
    generator = torch.Generator().manual_seed(SEED)
    tiles = tile(torch.from_numpy(ink).float()[:, None], torch.from_numpy(digit), generator)
    for kind in MEASURED:
        yield Case("rendered", render(tiles, kind, generator).numpy(), EVERY_NUMBER, digit)
        blank = render(nothing(tiles, generator), replace(kind, clutter=0.0), generator).numpy()
        yield Case("blank_paper", blank, EVERY_NUMBER, np.full(RENDERED, UNREAD))


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
            on_progress(len(case.image) * len(case.number))
    return tallies


def count_pairs(mnist: TestImages | None, labelled: Sequence[Labelled] = ()) -> int:
    """How many pairs `prove` compares."""
    own = len(labelled) * len(EVERY_NUMBER)
    return own + sum(len(case.image) * len(case.number) for case in cases(mnist))


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
