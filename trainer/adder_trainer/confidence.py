"""How far a network's confidence and its `consistent` can be believed: figures, two charts, and tables for the page."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from adder_runtime.contract import UNREAD
from adder_runtime.metrics import BINS, expected_calibration_error, reliability, risk_at, risk_coverage
from adder_trainer.evaluation import Evaluation

COVERAGES = (1.0, 0.99, 0.98, 0.95, 0.9)
"""Shares of all answers, the surest, whose wrong sums are told."""

MAIN, FAINT, PERFECT = "#0b5fa5", "#8a8a8a", "#c44e22"

SHOWN_COVERAGE = 0.8
"""Where the chart of risk begins: among the surer answers hardly one is wrong."""


def confidence_and_right(measured: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The confidence of all answers, and whether their sum is right, (pairs) each."""
    confidence = measured.answers.confidence.flatten().cpu().numpy().astype(np.float64)
    return confidence, measured.right.flatten().cpu().numpy()


def confidence_figures(measured: Evaluation) -> dict[str, float | None]:
    """What facts keep of the confidence and of `consistent`; shares from 0 to 1, None where there are no such answers.

    A picture in which nothing was read is a wrong answer with a confidence of 0. It is neither consistent nor not.
    """
    confidence, right = confidence_and_right(measured)
    answered = (measured.answers.sum != UNREAD).flatten().cpu().numpy()
    consistent = measured.answers.consistent.flatten().cpu().numpy()
    return {
        "calibration_error": expected_calibration_error(confidence, right),
        "sum_accuracy_at_99": 1 - risk_at(confidence, right, 0.99),
        "consistent_share": share(consistent[answered]),
        "error_consistent": share(~right[answered & consistent]),
        "error_inconsistent": share(~right[answered & ~consistent]),
    }


def share(of: NDArray[np.bool_]) -> float | None:
    """How many are true, 0 to 1; None of none."""
    return float(of.mean()) if len(of) else None


def draw_reliability(measured: Evaluation, images: str) -> Figure:
    """Share of right sums by confidence in 15 bins, beside the diagonal of perfect calibration; the counts below.

    Args:
        measured: of some images.
        images: which those are, for the title.
    """
    confidence, right = confidence_and_right(measured)
    found = reliability(confidence, right)
    middles, width = (np.arange(BINS) + 0.5) / BINS, 0.9 / BINS
    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.bar(middles, np.nan_to_num(found.accuracy), width, color=MAIN, label="sums that are right")
    above.plot(found.confidence, found.confidence, "o", color=PERFECT, markersize=4, label="mean confidence of the bin")
    above.plot([0, 1], [0, 1], color=PERFECT, linewidth=1, label="perfect")
    above.set(ylim=(0, 1.02), ylabel="right (%)", yticks=np.arange(6) / 5)
    above.yaxis.set_major_formatter(in_percent)
    error = expected_calibration_error(confidence, right)
    above.set_title(f"expected calibration error {error:.2%}, {len(right):,} answers of the {images}", size=10)
    above.legend(frameon=False, loc="upper left", fontsize=9)
    below.bar(middles, found.count, width, color=FAINT)
    for middle, count in zip(middles, found.count.tolist(), strict=True):
        if count:
            below.text(middle, count * 1.2, f"{count:,}", ha="center", va="bottom", fontsize=8)
    below.set(yscale="log", ylim=(0.7, max(found.count) * 8), ylabel="answers", xlabel="confidence (%)", xlim=(0, 1))
    below.set_xticks(np.arange(6) / 5)
    below.xaxis.set_major_formatter(in_percent)
    for axes in (above, below):
        plain(axes)
    return figure


def draw_risk_coverage(measured: Evaluation) -> Figure:
    """Share of wrong sums among the surest answers, over the share of all that is answered."""
    confidence, right = confidence_and_right(measured)
    curve = risk_coverage(confidence, right)
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, *curve.coverage], [curve.risk[0], *curve.risk], color=MAIN)
    axes.axhline(1 - right.mean(), color=FAINT, linestyle=":", label="at any coverage, if confidence told nothing")
    highest = max(risk_at(confidence, right, coverage) for coverage in COVERAGES)
    for coverage in COVERAGES:
        risk = risk_at(confidence, right, coverage)
        axes.plot(coverage, risk, "o", color=MAIN)
        axes.annotate(f"{risk:.2%}", (coverage, risk), (-5, 6), textcoords="offset points", ha="right", fontsize=9)
    axes.set(
        xlabel="answered, the surest first (%)",
        ylabel="sums wrong (%)",
        xlim=(SHOWN_COVERAGE, 1.005),
        xticks=np.linspace(SHOWN_COVERAGE, 1, 5),
        ylim=(0, max(highest, 1e-4) * 1.25),
    )
    axes.xaxis.set_major_formatter(in_percent)
    axes.yaxis.set_major_formatter(in_percent)
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    plain(axes)
    return figure


def in_percent(value: float, position: float) -> str:
    """A share as an axis tells it, whose label names the unit; where it stands does not matter."""
    return f"{100 * value:g}"


def plain(axes: Axes) -> None:
    """The look of the report's charts."""
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def calibration_table(facts: dict[str, Any]) -> str:
    """Of the page: a row for each split that was measured."""
    rows = [
        f"| {split} | {figures['sum_accuracy']:.2%} | {in_share(figures['calibration_error'])} | "
        f"{in_share(figures['sum_accuracy_at_99'])} |"
        for split, figures in measured_splits(facts)
    ]
    head = "| split | sum right | expected calibration error | sum right of the surest 99% |\n| --- | --- | --- | --- |"
    return "\n".join([head, *rows])


def risk_table(measured: Evaluation) -> str:
    """Of the page: how many sums are wrong among the surest answers."""
    confidence, right = confidence_and_right(measured)
    rows = [f"| {coverage:.0%} | {risk_at(confidence, right, coverage):.3%} |" for coverage in COVERAGES]
    return "\n".join(["| answered, the surest first | sums wrong |\n| --- | --- |", *rows])


def consistent_table(facts: dict[str, Any]) -> str:
    """Of the page: how much more often a sum is wrong where it is not digit plus number."""
    rows = []
    for split, figures in measured_splits(facts):
        agreeing, other = figures["error_consistent"], figures["error_inconsistent"]
        times = f"{other / agreeing:,.0f} times" if agreeing and other is not None else "-"
        shares = (in_share(each) for each in (figures["consistent_share"], agreeing, other))
        rows.append(f"| {split} | {' | '.join(shares)} | {times} |")
    head = "| split | consistent | of those, sum wrong | of the others, sum wrong | as often |"
    return "\n".join([f"{head}\n| --- | --- | --- | --- | --- |", *rows])


def measured_splits(facts: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and figures of each split whose confidence was measured; a checkpoint of before may lack them."""
    splits = [(split, facts[split]) for split in ("validation", "test") if split in facts]
    return [(split, figures) for split, figures in splits if "calibration_error" in figures]


def in_share(value: float | None) -> str:
    """A share as a table tells it."""
    return "-" if value is None else f"{value:.2%}"
