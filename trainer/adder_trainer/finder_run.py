"""One run of the finder from the data to its weights and a sheet of what it finds."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Generator

from adder_runtime.errors import OutputError, UsageError
from adder_runtime.output_file import write_whole
from adder_runtime.progress import bar
from adder_trainer.approaches import count_parameters
from adder_trainer.checkpoint import write
from adder_trainer.data import Digits, load_mnist, split_indices
from adder_trainer.finding import BATCH, SCENES, FinderRecipe, Views, fit_finder, seen, show_all
from adder_trainer.normalize.finder import NAME, Finder
from adder_trainer.normalize.picture import WHITE
from adder_trainer.photo import scene
from adder_trainer.report import to_png
from adder_trainer.report_page import OPTIONS
from adder_trainer.runs import check_writable, git_revision
from adder_trainer.sheet import Row, draw_sheet
from adder_trainer.strokes import tile

FORMAT = "adder-edge finder 1"

VALIDATION = range(100)
"""Batches of the validation digits on which it is measured."""

VALIDATION_SEED = 999

EACH = 8
"""Pictures of each kind of scene on the sheet."""


def train_finder(
    out: Path, data: Path, recipe: FinderRecipe, *, seed: int, device: torch.device, download: bool, force: bool
) -> dict[str, Any]:
    """Teach a finder, keep its weights, draw what it finds, and return the facts.

    Args:
        out: folder of the weights; those that the normaliser uses lie in `artifacts`.
        data: folder of MNIST.
        recipe: how.
        seed: of pictures, weights and order.
        device: where to train; the pictures are rendered on the CPU.
        download: fetch MNIST if it is missing.
        force: replace weights that are there.

    Raises:
        OutputError: weights are in the way, or the folder cannot be written.
        DataError: MNIST cannot be had.
        UsageError: the learning rate is so high that the weights run away.
    """
    path, report = out / NAME, out / "reports" / "finder"
    check_writable(report)
    if path.exists() and not force:
        raise OutputError(f"{path} is there; replace it with --force, or give another --out")
    pixels, digit = load_mnist(data, train=True, download=download)
    # MNIST's pixels are ink as they are
    ink = pixels.reshape(-1, 1, *pixels.shape[1:3]).float() / WHITE
    train, validation = (Digits(ink[index], digit[index]) for index in split_indices(digit))
    began = perf_counter()
    batches = recipe.pictures // BATCH
    with bar("finder: rendering", batches * BATCH) as advance:
        views = show_all(train, range(batches), seed, advance)
    with bar("finder: training", recipe.epochs * (batches * BATCH // recipe.batch_size)) as advance:
        finder = fit_finder(recipe, views, seed, device, lambda *_: advance(1))
    seconds = perf_counter() - began
    if not all(tensor.isfinite().all() for tensor in finder.state_dict().values()):
        raise UsageError("the training has run away, its weights are no numbers; train with a lower --lr")
    return keep(out, finder.cpu(), validation, recipe, seed=seed, device=device, seconds=seconds)


def keep(
    out: Path,
    finder: Finder,
    validation: Digits,
    recipe: FinderRecipe,
    *,
    seed: int,
    device: torch.device,
    seconds: float,
) -> dict[str, Any]:
    """Measure a finder, write it and its report, and return the facts; arguments as of `train_finder`."""
    report = out / "reports" / "finder"
    whole, close = show_all(validation, VALIDATION, VALIDATION_SEED)
    facts = {
        "settings": asdict(recipe),
        "seed": seed,
        "parameters": count_parameters(finder),
        "seconds": round(seconds, 1),
        "device": str(device),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "revision": git_revision(),
        "validation": {
            "pictures": len(whole),
            "overlap_whole": overlap(finder, whole),
            "overlap_close": overlap(finder, close),
        },
    }
    weights = {name: value.half() for name, value in finder.state_dict().items()}  # which lose nothing
    write(out / NAME, weights, {"format": FORMAT, "facts": json.dumps(facts, sort_keys=True)})
    write_whole(report / "facts.json", (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode())
    write_whole(report / "found.png", to_png(draw_found(finder, validation)))
    write_whole(report / "README.md", page(facts).encode())
    return facts


def page(facts: dict[str, Any]) -> str:
    """The page beside the sheet, in Markdown."""
    measured, settings = facts["validation"], facts["settings"]
    usual = asdict(FinderRecipe())
    changed = [
        f" {OPTIONS[name]} {settings[name]}" for name in settings if name in OPTIONS and settings[name] != usual[name]
    ]
    return f"""# The finder

The network in the normaliser that says where a digit's ink lies: {facts["parameters"]:,} parameters, taught with
{settings["pictures"]:,} rendered pictures in {facts["seconds"]:,.0f} seconds on {facts["device"]}
({facts["cores"]} cores, torch {facts["versions"]["torch"]}), seed {facts["seed"]}, code {facts["revision"]}. Made by

    adder-train --finder --seed {facts["seed"]}{"".join(changed)}

What it finds on {measured["pictures"]:,} pictures of validation digits and what is there overlap (Dice)
by {measured["overlap_whole"]:.1%} in the look at the whole picture,
and by {measured["overlap_close"]:.1%} in the close one.

Of each kind of scene that it is taught, some pictures of validation digits as the first look sees them, and below each
where it finds the digit's ink (white):

![what the finder finds](found.png)

Everything that was measured, as data: [facts.json](facts.json).
"""


@torch.no_grad()
def overlap(finder: Finder, views: Views) -> float:
    """Mean of twice the cells that are found rightly over those that are found and those that are there (Dice).

    Of views that hold ink; 0 to 1.
    """
    shares = []
    for light, ink in zip(views.light.split(100), views.ink.split(100), strict=True):
        found = (finder(light.float()) > 0).float()
        both, either = ((found * ink).sum((1, 2, 3)), (found + ink).sum((1, 2, 3)))
        shares.append((2 * both / either.clamp(min=1))[ink.sum((1, 2, 3)) > 0])
    return torch.cat(shares).mean().item()


@torch.no_grad()
def draw_found(finder: Finder, validation: Digits) -> Figure:
    """Of each kind of scene some pictures, and below each where the finder sees ink."""
    generator = Generator().manual_seed(VALIDATION_SEED)
    some = slice(EACH)
    tiles = tile(validation.ink[some], validation.digit[some], generator)
    rows = []
    for _, kind in SCENES:
        whole, _ = seen(*scene(tiles, kind, generator), generator)
        light = whole.light.float()
        rows.append(Row(kind.name, [each.numpy() for each in light[:, 0]]))
        rows.append(Row("ink of the digit", [each.numpy() for each in finder(light).sigmoid()[:, 0]]))
    return draw_sheet(rows)
