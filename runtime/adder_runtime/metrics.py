"""How right answers are, and how far their confidence can be believed: pure functions of arrays.

Confidences are 0 to 1 and `right` is bool, both (n) of at least one answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15
"""Of the confidence, each as wide as the others; as in Guo et al. 2017."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """Answers by their confidence, in bins of equal width; an upper edge belongs to its bin."""

    count: NDArray[np.int64]
    """(bins) answers."""
    confidence: Floats
    """(bins) mean confidence; NaN where there are no answers."""
    accuracy: Floats
    """(bins) share of right answers; NaN where there are none."""


@dataclass(frozen=True)
class RiskCoverage:
    """How many answers are wrong among the surest ones; a point for each confidence that occurs, the surest first."""

    confidence: Floats
    """(points) least confidence of those that are answered."""
    coverage: Floats
    """(points) share of all that is answered, rising to 1."""
    risk: Floats
    """(points) share of wrong answers among those."""


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> Reliability:
    """Mean confidence and accuracy in each of `bins` bins.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.
    """
    confidence, right = _answers(confidence, right)
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)

    def mean(values: Floats) -> Floats:
        total = np.bincount(place, values, bins)
        return np.asarray(np.divide(total, count, out=np.full(bins, np.nan), where=count > 0))

    return Reliability(count, mean(confidence), mean(right))


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> float:
    """Mean distance of confidence from accuracy over the bins, weighed by their answers; 0 is perfect.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
    """
    found = reliability(confidence, right, bins)
    gap = np.nan_to_num(np.abs(found.accuracy - found.confidence))
    return float(gap @ found.count / found.count.sum())


def risk_coverage(confidence: ArrayLike, right: ArrayLike) -> RiskCoverage:
    """The curve of risk over coverage. Answers of the same confidence come in together, so their order does not matter.

    Source: El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification".
    """
    confidence, right = _answers(confidence, right)
    threshold, place = np.unique(-confidence, return_inverse=True)
    answered = np.cumsum(np.bincount(place))
    wrong = np.cumsum(np.bincount(place, 1 - right))
    return RiskCoverage(-threshold, answered / len(confidence), wrong / answered)


def risk_at(confidence: ArrayLike, right: ArrayLike, coverage: float) -> float:
    """Share of wrong answers among the surest part of all.

    Where the part ends among answers of one confidence, they count in proportion: that is the mean over all orders.

    Args:
        confidence: (n).
        right: (n).
        coverage: the part that is answered, above 0, to 1.
    """
    curve = risk_coverage(confidence, right)
    wrong = np.interp(coverage, [0, *curve.coverage], [0, *curve.risk * curve.coverage])
    return float(wrong / coverage)


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Probability that a positive's score is above a negative's, equal ones counting half: 0.5 is chance, 1 perfect.

    Args:
        positive: (n) scores, at least one.
        negative: (m) scores, at least one.

    Source: Mann and Whitney 1947; the area under the receiver operating characteristic.
    """
    positive, negative = np.asarray(positive, np.float64), np.sort(np.asarray(negative, np.float64))
    below, up_to = (np.searchsorted(negative, positive, side).mean() for side in ("left", "right"))
    return float((below + up_to) / 2 / len(negative))


def _answers(confidence: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    assert confidence.shape == right.shape
    assert confidence.size > 0
    return confidence, right
