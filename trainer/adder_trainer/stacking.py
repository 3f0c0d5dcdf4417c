"""Why the plain regress fails and what mends it: one digit network, seven ways to stack its output with the number."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from adder_runtime.contract import DIGITS, NUMBERS
from adder_trainer.approaches import labels_of_sum
from adder_trainer.approaches.regress import SUM_HIDDEN, Regress
from adder_trainer.checkpoint import Checkpoint, write_whole
from adder_trainer.data import Digits
from adder_trainer.evaluation import run
from adder_trainer.progress import bar
from adder_trainer.report import to_png

SHARPNESSES = (0, 1, 2, 4, 8, 16, 32)
"""0 stacks the raw logits; k stacks softmax(k x logits)."""

DRAWN = (0, 1, 16)
"""Those whose spread of sums is drawn."""

EPOCHS = 30
BATCH = 1000
"""Images; each with all ten numbers."""

LEARNING_RATE = 0.02
SEED = 1


def explain_stacking(found: Checkpoint, train: Digits, validation: Digits, folder: Path) -> dict[str, Any]:
    """Fit a fresh pair of sum layers to each way of stacking, the digit network being frozen.

    Args:
        found: a regress checkpoint.
        train: to fit on, without augmentation.
        validation: to measure on.
        folder: gets `stacking.json` and `stacking.png`.

    Returns:
        What `stacking.json` holds.

    Raises:
        OutputError: a file cannot be written.
    """
    network = found.network.to(train.ink.device)
    logits, known = (run(network, digits)[0][:, 0] for digits in (train, validation))
    kinds, offs = [], {}
    with bar("stacking", len(SHARPNESSES) * EPOCHS) as advance:
        for sharpness in SHARPNESSES:
            head = fit_head(stack(logits, sharpness), train.digit, advance)
            off = measure_head(head, stack(known, sharpness), validation.digit)
            offs[sharpness] = off
            kinds.append(
                {
                    "stack": name_of(sharpness),
                    "sharpness": sharpness,
                    "sum_accuracy": (off.abs() < 0.5).double().mean().item(),
                    "mean_squared_error": off.square().mean().item(),
                }
            )
    facts = {
        "images": len(validation),
        "pairs": len(validation) * len(NUMBERS),
        "digit_accuracy": (known.argmax(1) == validation.digit).double().mean().item(),
        "epochs": EPOCHS,
        "seed": SEED,
        "kinds": kinds,
    }
    write_whole(folder / "stacking.json", (json.dumps(facts, indent=2) + "\n").encode())
    write_whole(folder / "stacking.png", to_png(draw(facts, offs)))
    return facts


def stack(logits: Tensor, sharpness: float) -> Tensor:
    """What the regress network would put beside the number, by its own code."""
    return Regress(sharpness).stack(logits)


def name_of(sharpness: int) -> str:
    """How a way of stacking is called."""
    return f"softmax({'' if sharpness == 1 else f'{sharpness} x '}logits)" if sharpness else "raw logits"


def fit_head(stacked: Tensor, digit: Tensor, advance: Callable[[int], None]) -> nn.Module:
    """The two fully connected layers, fitted by mean squared error to all ten numbers of each image.

    Args:
        stacked: (n, 10) what stands beside the number.
        digit: (n).
        advance: told each epoch.
    """
    torch.manual_seed(SEED)
    head = nn.Sequential(nn.Linear(len(DIGITS) + 1, SUM_HIDDEN), nn.ReLU(), nn.Linear(SUM_HIDDEN, 1)).to(stacked.device)
    optimizer = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE, weight_decay=0)
    size = min(BATCH, len(digit))
    steps = len(digit) // size
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, EPOCHS * steps)
    generator = torch.Generator().manual_seed(SEED)
    for _ in range(EPOCHS):
        for index in torch.randperm(len(digit), generator=generator)[: steps * size].split(size):
            index = index.to(digit.device)
            value, truth = ask(head, stacked[index], digit[index])
            optimizer.zero_grad()
            nn.functional.mse_loss(value, truth).backward()
            optimizer.step()
            schedule.step()
        advance(1)
    return head


def ask(head: nn.Module, stacked: Tensor, digit: Tensor) -> tuple[Tensor, Tensor]:
    """The unrounded sums and the true ones, (n, 10) each."""
    number = torch.arange(len(NUMBERS), device=digit.device).expand(len(digit), -1)
    both = torch.cat([stacked[:, None].expand(-1, len(NUMBERS), -1), number[:, :, None].to(stacked.dtype)], 2)
    return head(both)[:, :, 0], labels_of_sum(digit, number).to(stacked.dtype)


@torch.no_grad()
def measure_head(head: nn.Module, stacked: Tensor, digit: Tensor) -> Tensor:
    """Unrounded sum minus true sum of each pair, (n, 10), kept in the range that the number allows."""
    value, truth = ask(head, stacked, digit)
    low = truth - digit[:, None]
    return torch.minimum(torch.maximum(value, low), low + DIGITS[-1]) - truth


def draw(facts: dict[str, Any], offs: dict[int, Tensor]) -> Figure:
    """Sum error by way of stacking, and how far the sums are off."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
    names = [kind["stack"] for kind in facts["kinds"]]
    errors = [100 * (1 - kind["sum_accuracy"]) for kind in facts["kinds"]]
    bars = left.barh(names, errors, color=["#c44e22", *["#0b5fa5"] * (len(names) - 1)])
    left.bar_label(bars, [f"{error:.2f} %" for error in errors], padding=3, fontsize=9)
    digit_error = 100 * (1 - facts["digit_accuracy"])
    left.axvline(digit_error, color="black", linestyle=":", label=f"digit wrong: {digit_error:.2f} %")
    left.set(xscale="log", xlabel="sum wrong (%)", xlim=(digit_error / 2, max(errors) * 3))
    left.xaxis.set_major_formatter("{x:g}")
    left.invert_yaxis()
    left.legend(frameon=False, loc="lower right")
    bins = torch.linspace(-3, 3, 121).tolist()
    for sharpness, colour in zip(DRAWN, ("#c44e22", "#8a8a8a", "#0b5fa5"), strict=True):
        off = offs[sharpness].flatten().clamp(-3, 3).cpu().tolist()
        right.hist(off, bins, histtype="step", linewidth=1.5, color=colour, label=name_of(sharpness))
    for edge, label in ((-0.5, "beyond, it rounds wrong"), (0.5, None)):
        right.axvline(edge, color="black", linestyle=":", label=label)
    right.set(yscale="log", xlabel="unrounded sum minus true sum", ylabel="pairs")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
