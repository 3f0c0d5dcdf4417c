"""Labelled pictures asked of a model file: how often it is right, and how far it can be believed when it says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adder_runtime.contract import DIGITS, UNREAD
from adder_runtime.errors import AdderError, NothingToReadError
from adder_runtime.image_file import read_enough
from adder_runtime.labels import Labelled
from adder_runtime.metrics import expected_calibration_error, risk_at
from adder_runtime.model import Adder, Answer

COVERAGES = (0.99, 0.95, 0.9)
"""Shares of all answers, the surest, whose risk is told."""


@dataclass(frozen=True)
class Measured:
    """What a model answered to one labelled picture, asked with n numbers."""

    picture: Labelled
    number: NDArray[np.int64]
    """(n) 0 to 9."""
    digit: NDArray[np.int64]
    """(n) 0 to 9; -1 where there was nothing to read."""
    sum: NDArray[np.int64]
    """(n) number to number + 9; -1 where there was nothing to read."""
    confidence: NDArray[np.float64]
    """(n) 0 to 1; 0 where there was nothing to read."""

    @property
    def sum_right(self) -> NDArray[np.bool_]:
        """(n) sums that are right; none where there was nothing to read."""
        return np.asarray(self.sum == self.picture.digit + self.number)

    @property
    def digit_right(self) -> NDArray[np.bool_]:
        """(n) digits that are right; none where there was nothing to read."""
        return np.asarray(self.digit == self.picture.digit)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(n) answers whose digit or sum is wrong."""
        return np.asarray(~(self.sum_right & self.digit_right))

    @property
    def worst(self) -> int:
        """Which of its wrong answers is the surest."""
        return int(np.where(self.wrong, self.confidence, -1).argmax())


@dataclass(frozen=True)
class Failed:
    """A labelled picture that could not be read."""

    picture: Labelled
    error: AdderError


@dataclass(frozen=True)
class Summary:
    """How a model did on some pictures. An answer is a picture with a number; shares are 0 to 1, None of no answers."""

    pictures: int
    """With a label."""
    failed: int
    """That could not be read; they count in nothing below."""
    unread: int
    """In which nothing was found to read; their answers count as wrong, with a confidence of 0."""
    answers: int
    digit_accuracy: float | None
    """Share of answers whose digit is right."""
    sum_accuracy: float | None
    """Share of answers whose sum is right."""
    mean_confidence: float | None
    calibration_error: float | None
    """Expected calibration error of the sum over 15 bins."""
    risk: dict[str, float] | None
    """Share of wrong sums among the surest answers, by the share that is answered."""

    def to_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def measure_each(adder: Adder, pictures: Iterable[Labelled], numbers: Sequence[int]) -> Iterator[Measured | Failed]:
    """What a model answers to each picture, asked with each number, in order.

    Args:
        adder: the model.
        pictures: read one by one.
        numbers: 0 to 9, at least one.
    """
    for picture in pictures:
        try:
            pixels = read_enough(picture.path).pixels
        except AdderError as error:
            yield Failed(picture, error)
            continue
        answers = list(adder.predict_each([pixels] * len(numbers), numbers))
        errors = [each for each in answers if isinstance(each, AdderError) and not isinstance(each, NothingToReadError)]
        yield Failed(picture, errors[0]) if errors else _measured(picture, numbers, answers)


def _measured(picture: Labelled, numbers: Sequence[int], answers: Sequence[Answer | AdderError]) -> Measured:
    found = [(each.digit, each.sum, each.confidence) if isinstance(each, Answer) else NO_ANSWER for each in answers]
    digit, total, confidence = zip(*found, strict=True)
    return Measured(picture, np.array(numbers), np.array(digit), np.array(total), np.array(confidence))


NO_ANSWER = (UNREAD, UNREAD, 0.0)
"""Digit, sum and confidence where there is nothing to read, as in the contract."""


def answers_of(measured: Sequence[Measured]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence of all answers and whether their sum is right, (answers) each."""
    confidence = np.concatenate([each.confidence for each in measured])
    return confidence, np.concatenate([each.sum_right for each in measured])


def summarise(found: Sequence[Measured | Failed]) -> Summary:
    """How a model did on the pictures of a group, or on all."""
    measured = [each for each in found if isinstance(each, Measured)]
    failed = len(found) - len(measured)
    if not measured:
        return Summary(len(found), failed, 0, 0, None, None, None, None, None)
    confidence, right = answers_of(measured)
    return Summary(
        pictures=len(found),
        failed=failed,
        unread=sum(bool((each.digit == UNREAD).all()) for each in measured),
        answers=len(right),
        digit_accuracy=float(np.concatenate([each.digit_right for each in measured]).mean()),
        sum_accuracy=float(right.mean()),
        mean_confidence=float(confidence.mean()),
        calibration_error=expected_calibration_error(confidence, right),
        risk={str(coverage): risk_at(confidence, right, coverage) for coverage in COVERAGES},
    )


def summarise_groups(found: Sequence[Measured | Failed]) -> dict[str, Summary]:
    """A summary of each group, by name."""
    groups: dict[str, list[Measured | Failed]] = {}
    for each in found:
        groups.setdefault(each.picture.group, []).append(each)
    return {name: summarise(some) for name, some in sorted(groups.items())}


def confusion(measured: Sequence[Measured]) -> NDArray[np.int64]:
    """Answers (10, 11): row = the digit shown, column = the digit answered, the last one none."""
    counts = np.zeros((len(DIGITS), len(DIGITS) + 1), np.int64)
    for each in measured:
        column = np.where(each.digit == UNREAD, len(DIGITS), each.digit)
        counts[each.picture.digit] += np.bincount(column, minlength=len(DIGITS) + 1)
    return counts


def mistakes_of(measured: Sequence[Measured]) -> list[Measured]:
    """The pictures with a wrong answer, the surest first, those with nothing to read last."""
    return sorted((each for each in measured if each.wrong.any()), key=lambda each: -each.confidence[each.worst])


COLUMN_NAMES = (
    "group", "pictures", "failed", "unread", "digit right", "sum right", "mean confidence", "ECE",
    *(f"risk at {coverage:.0%}" for coverage in COVERAGES),
)  # fmt: skip
"""Of the table that people read."""


def table_rows(total: Summary, groups: dict[str, Summary]) -> list[list[str]]:
    """The cells of that table: a row for each group, where there are several, and one for all."""
    rows = groups if len(groups) > 1 else {}
    return [table_row(name, summary) for name, summary in (rows | {"all": total}).items()]


def table_row(name: str, summary: Summary) -> list[str]:
    """The cells of one row."""
    shares = summary.digit_accuracy, summary.sum_accuracy, summary.mean_confidence, summary.calibration_error
    risks = (summary.risk or dict.fromkeys(map(str, COVERAGES))).values()
    counts = summary.pictures, summary.failed, summary.unread
    told = ["-" if each is None else f"{each:.2%}" for each in (*shares, *risks)]
    return [name, *(f"{count:,}" for count in counts), *told]
