"""What a training run leaves to look at: history, curves, confusion, confidence, mistakes, and a page of them all."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from adder_runtime.contract import NUMBERS
from adder_runtime.output_file import write_json, write_whole
from adder_trainer.abstention import draw_unknown
from adder_trainer.augmentation_sheet import draw_augmentations
from adder_trainer.confidence import draw_reliability, draw_risk_coverage
from adder_trainer.data import Digits
from adder_trainer.evaluation import Evaluation
from adder_trainer.findings import Findings
from adder_trainer.rendered import draw_rendered
from adder_trainer.report_page import page
from adder_trainer.training import Epoch

MISTAKES = 40
"""Pictures on the contact sheet, at most."""

COLUMNS = 8
"""Of the contact sheet."""

DPI = 100

TRAIN, VALIDATION = "#8a8a8a", "#0b5fa5"
"""Colours of the two splits, apart in grey too."""


def write_report(
    folder: Path,
    *,
    facts: dict[str, Any],
    history: Sequence[Epoch] | None,
    found: Findings,
    digits: Digits,
) -> None:
    """Write a run's report; each file whole or not at all.

    Args:
        folder: made where it is missing.
        facts: of the checkpoint, and what was measured of it.
        history: a line for each epoch; None leaves history and curves as training wrote them.
        found: of `digits`, by the final weights.
        digits: the validation split.

    Raises:
        OutputError: a file cannot be written.
    """
    measured = found.validation
    if history is not None:
        write_whole(folder / "history.csv", history_csv(history))
        write_whole(folder / "curves.png", to_png(draw_curves(history, measured.pairs)))
        (folder / "reliability_test.png").unlink(missing_ok=True)  # of the network before
    write_json(folder / "facts.json", facts)
    pictures = {
        "confusion_digits": draw_confusion(measured.digit_confusion.numpy(), "digit"),
        "confusion_sums": draw_confusion(measured.sum_confusion.numpy(), "sum"),
        "mistakes": draw_mistakes(measured, digits),
        "reliability": draw_reliability(measured, "validation split"),
        "risk_coverage": draw_risk_coverage(measured),
        "rendered": draw_rendered(found.rendered),
        "unknown": draw_unknown(found.unknown),
        "augmentations": draw_augmentations(digits),
    }
    if found.test is not None:
        pictures["reliability_test"] = draw_reliability(found.test, "test images")
    for name, figure in pictures.items():
        write_whole(folder / f"{name}.png", to_png(figure))
    beside = {path.name for path in folder.iterdir()}
    write_whole(folder / "README.md", page(facts, measured, beside).encode())


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


def history_csv(history: Sequence[Epoch]) -> bytes:
    """A row for each epoch under the names of `Epoch`'s fields."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in history)
    return stream.getvalue().encode()


def draw_curves(history: Sequence[Epoch], pairs: int) -> Figure:
    """Loss, digit error and sum error for each epoch, in training and on the validation split of so many pairs."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    epochs = [epoch.epoch for epoch in history]
    floor = 50 / pairs  # half a pair, in %: no error has no place on a logarithmic axis
    panels = {"loss": "loss", "digit wrong (%)": "digit_accuracy", "sum wrong (%)": "sum_accuracy"}
    for axes, (label, column) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for split, colour in (("train", TRAIN), ("validation", VALIDATION)):
            values = [getattr(epoch, f"{split}_{column}") for epoch in history]
            if column != "loss":
                values = [max(100 * (1 - value), floor) for value in values]
            axes.plot(epochs, values, color=colour, label=split, marker="." if len(epochs) < 3 else None)
        axes.set(xlabel="epoch", ylabel=label, yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


def draw_confusion(counts: NDArray[np.int64], what: str) -> Figure:
    """How often each truth (row) got each answer (column); the colour is of the mistakes alone."""
    classes = len(counts)
    right = np.eye(classes, dtype=bool)
    most = max(counts[~right].max(), 1)
    figure = Figure(figsize=(0.45 * classes + 1.2, 0.42 * classes + 1.2), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(right | (counts == 0), np.nan, counts)
    axes.imshow(mistakes, cmap="Oranges", vmin=-most / 5, vmax=most)  # below 0, so that a single one is no white
    axes.imshow(np.where(right, 0.1, np.nan), cmap="Greys", vmin=0, vmax=1)
    for row, column in np.argwhere(counts):
        count = counts[row, column]
        size, colour = (7, "#555555") if row == column else (8, "white" if count > 0.6 * most else "black")
        axes.text(column, row, f"{count}", ha="center", va="center", fontsize=size, color=colour)
    axes.set(
        title="pairs of the validation split, mistakes in colour",
        xlabel=f"answered {what}",
        ylabel=f"true {what}",
        xticks=range(classes),
        yticks=range(classes),
    )
    axes.title.set_fontsize(10)
    axes.tick_params(length=0)
    return figure


def draw_mistakes(evaluation: Evaluation, digits: Digits) -> Figure:
    """The pictures whose sum is wrong with the most numbers, the surest answer first among equals."""
    wrong = evaluation.wrong_numbers.cpu().numpy()
    truth = digits.digit.cpu().numpy()
    read, total, confidence = (part.cpu().numpy() for part in evaluation.answers[:3])
    is_wrong = total != truth[:, None] + np.array(NUMBERS)
    surest = np.where(is_wrong, confidence, -1).argmax(1)  # the number with which the wrong sum is surest
    rank = np.lexsort((-confidence[np.arange(len(wrong)), surest], -wrong))
    chosen = [int(index) for index in rank[:MISTAKES] if wrong[index]]
    if not chosen:
        figure = Figure(figsize=(5, 1))
        figure.text(0.5, 0.5, "no picture of the validation split has a wrong sum", ha="center", va="center")
        return figure
    columns = min(COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(max(1.55 * columns, 4), 1.8 * rows + 0.2), layout=ConstrainedLayoutEngine(h_pad=0.08))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, index in zip(grid.flat, chosen, strict=False):
        number = int(surest[index])
        axes.imshow(1 - digits.ink[index, 0].cpu().numpy(), cmap="gray", vmin=0, vmax=1)
        axes.set_title(
            f"{truth[index]} → {read[index, number]}, {wrong[index]} of 10 wrong\n"
            f"{truth[index]}+{number}={truth[index] + number}, "
            f"said {total[index, number]} ({100 * confidence[index, number]:.0f} %)",
            fontsize=8,
        )
    return figure
