"""What a training run leaves to look at: history, curves, confusion, the worst mistakes, and a page that joins them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from adder_runtime.contract import NUMBERS
from adder_trainer.checkpoint import write_whole
from adder_trainer.data import Digits
from adder_trainer.evaluation import Evaluation
from adder_trainer.training import Epoch

MISTAKES = 40
"""Pictures on the contact sheet, at most."""

DPI = 100

TRAIN, VALIDATION = "#8a8a8a", "#0b5fa5"
"""Colours of the two splits, apart in grey too."""


def write_report(
    folder: Path,
    *,
    facts: dict[str, Any],
    history: Sequence[Epoch],
    evaluation: Evaluation,
    digits: Digits,
) -> None:
    """Write a run's report; each file whole or not at all.

    Args:
        folder: made where it is missing.
        facts: of the checkpoint.
        history: a line for each epoch.
        evaluation: of `digits`, by the final weights.
        digits: the validation split.

    Raises:
        OutputError: a file cannot be written.
    """
    write_whole(folder / "history.csv", history_csv(history))
    write_whole(folder / "facts.json", (json.dumps(facts, indent=2) + "\n").encode())
    write_whole(folder / "curves.png", to_png(draw_curves(history)))
    write_whole(folder / "confusion_digits.png", to_png(draw_confusion(evaluation.digit_confusion.numpy(), "digit")))
    write_whole(folder / "confusion_sums.png", to_png(draw_confusion(evaluation.sum_confusion.numpy(), "sum")))
    write_whole(folder / "mistakes.png", to_png(draw_mistakes(evaluation, digits)))
    write_whole(folder / "README.md", page(facts, evaluation).encode())


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


def draw_curves(history: Sequence[Epoch]) -> Figure:
    """Loss, digit error and sum error for each epoch, in training and on the validation split."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    epochs = [epoch.epoch for epoch in history]
    panels = {
        "loss": ("train_loss", "validation_loss"),
        "digit wrong (%)": ("train_digit_accuracy", "validation_digit_accuracy"),
        "sum wrong (%)": ("train_sum_accuracy", "validation_sum_accuracy"),
    }
    for axes, (name, columns) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for column, colour, label in zip(columns, (TRAIN, VALIDATION), ("training", "validation"), strict=True):
            values = [getattr(epoch, column) for epoch in history]
            if name != "loss":
                # a share of 0 has no place on a logarithmic axis
                values = [max(100 * (1 - value), 0.01) for value in values]
            axes.plot(epochs, values, color=colour, label=label, marker="." if len(epochs) < 3 else None)
        axes.set(title=name, xlabel="epoch", yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(alpha=0.3, which="both")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


def draw_confusion(counts: NDArray[np.int64], what: str) -> Figure:
    """How often each truth (row) got each answer (column); the colour is of the mistakes alone."""
    classes = len(counts)
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    figure = Figure(figsize=(0.45 * classes + 1.2, 0.42 * classes + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(np.nanmax(mistakes), 1))
    for row in range(classes):
        for column in range(classes):
            count = counts[row, column]
            if count:
                right = row == column
                dark = not right and count > 0.6 * np.nanmax(mistakes)
                colour = "white" if dark else "#777777" if right else "black"
                axes.text(column, row, f"{count}", ha="center", va="center", fontsize=7 if right else 8, color=colour)
    axes.set(
        title=f"{what}: pairs of the validation split",
        xlabel=f"{what} answered",
        ylabel=f"{what} shown" if what == "digit" else "true sum",
        xticks=range(classes),
        yticks=range(classes),
    )
    axes.tick_params(length=0)
    return figure


def draw_mistakes(evaluation: Evaluation, digits: Digits) -> Figure:
    """The pictures whose sum is wrong with the most numbers, the surest answer first among equals."""
    wrong = evaluation.wrong_numbers.cpu().numpy()
    truth = digits.digit.cpu().numpy()
    total = evaluation.answers.sum.cpu().numpy()
    confidence = evaluation.answers.confidence.cpu().numpy()
    is_wrong = total != truth[:, None] + np.array(NUMBERS)
    surest = np.where(is_wrong, confidence, -1).argmax(1)  # the number with which the wrong sum is surest
    rank = np.lexsort((-confidence[np.arange(len(wrong)), surest], -wrong))
    chosen = [int(index) for index in rank[:MISTAKES] if wrong[index]]
    if not chosen:
        figure = Figure(figsize=(5, 1))
        figure.text(0.5, 0.5, "no picture of the validation split has a wrong sum", ha="center", va="center")
        return figure
    columns = min(8, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(max(1.5 * columns, 4), 1.75 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, index in zip(grid.flat, chosen, strict=False):
        number = int(surest[index])
        axes.imshow(1 - digits.ink[index, 0].cpu().numpy(), cmap="gray", vmin=0, vmax=1)
        said = f"{truth[index]} + {number}: said {total[index, number]}"
        axes.set_title(f"{said}\n{confidence[index, number]:.0%} sure, {wrong[index]} of 10", fontsize=7)
    return figure


def page(facts: dict[str, Any], evaluation: Evaluation) -> str:
    """The page that joins the report, in Markdown."""
    rows = [
        f"| {split} | {figures['pairs']:,} | {figures['loss']:.4f} | {figures['digit_accuracy']:.2%} | "
        f"{figures['sum_accuracy']:.2%} |"
        for split in ("validation", "test")
        if (figures := facts.get(split))
    ]
    settings = [f"| {name.replace('_', ' ')} | {value} |" for name, value in facts["settings"].items()]
    wrong = int((evaluation.wrong_numbers > 0).sum())
    return "\n".join(
        [
            f"# {facts['approach']}, recipe {facts['recipe']}",
            "",
            f"{facts['parameters']:,} parameters, {facts['epochs']} epochs in {facts['seconds']:,.0f} seconds on "
            f"{facts['device']} ({facts['cores']} cores, torch {facts['versions']['torch']}), seed {facts['seed']}, "
            f"code {facts['revision']}.",
            "",
            "| split | pairs | loss | digit right | sum right |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Made by `adder-train --approach {facts['approach']} --recipe {facts['recipe']} --seed {facts['seed']}"
            f"{' --test' if 'test' in facts else ''}`. All that follows is of the validation split, on which choices "
            "are made; each of its pictures is asked with all ten numbers.",
            "",
            "![loss and errors by epoch](curves.png)",
            "",
            "Training is measured on augmented pictures while the weights move, validation on plain ones with the "
            "weights that are kept; so training may look the worse of the two. All epochs: [history.csv](history.csv).",
            "",
            "![confusion of digits](confusion_digits.png)",
            "",
            "![confusion of sums](confusion_sums.png)",
            "",
            f"{wrong} of {evaluation.images:,} pictures have a wrong sum with at least one number. The worst, as the "
            "network sees them:",
            "",
            "![the worst mistakes](mistakes.png)",
            "",
            "| setting | value |",
            "| --- | --- |",
            *settings,
            f"| temperature of the confidence | {facts['temperature']:.3f} |",
            "",
            "Everything as data: [facts.json](facts.json).",
            "",
        ]
    )
