"""One run from the data to the checkpoint and its report."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch

from adder_runtime.contract import Approach
from adder_runtime.errors import CheckpointError, OutputError
from adder_runtime.progress import bar, console
from adder_trainer.approaches import count_parameters
from adder_trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from adder_trainer.data import Digits, load_mnist, split_indices, to_ink
from adder_trainer.evaluation import fit_temperature
from adder_trainer.findings import find
from adder_trainer.options import RecipeName, stem
from adder_trainer.progress import training_bar
from adder_trainer.report import write_report
from adder_trainer.stacking import explain_stacking
from adder_trainer.training import Recipe, Speed, fit


@dataclass(frozen=True)
class Data:
    """MNIST on a device, each part prepared when it is first asked for."""

    folder: Path
    download: bool
    device: torch.device

    @cached_property
    def _training_images(self) -> Digits:
        return self._load(train=True)

    @cached_property
    def train(self) -> Digits:
        """The 55,000 images to train on."""
        return self._part(0)

    @cached_property
    def validation(self) -> Digits:
        """The 5,000 training images on which every choice is made."""
        return self._part(1)

    @cached_property
    def test(self) -> Digits:
        """The 10,000 test images, for a number to publish."""
        return self._load(train=False)

    def _part(self, which: int) -> Digits:
        images = self._training_images
        index = split_indices(images.digit.cpu())[which].to(self.device)
        return Digits(images.ink[index], images.digit[index])

    def _load(self, *, train: bool) -> Digits:
        pixels, digit = load_mnist(self.folder, train=train, download=self.download)
        with bar("normalising", len(pixels)) as advance:
            ink = to_ink(pixels, self.device, advance)
        return Digits(ink, digit.to(self.device))


@dataclass(frozen=True)
class Run:
    """One approach to train by one recipe, and where to put what comes of it."""

    approach: Approach
    recipe_name: RecipeName
    recipe: Recipe
    seed: int
    speed: Speed
    folder: Path

    @property
    def name(self) -> str:
        """Stem of the files it leaves."""
        return stem(self.approach, self.recipe_name)

    @property
    def checkpoint(self) -> Path:
        """The weights to export."""
        return self.folder / f"{self.name}.safetensors"

    @property
    def state(self) -> Path:
        """All that is needed to go on; gone once the checkpoint is written."""
        return self.folder / f"{self.name}.state.safetensors"

    @property
    def report(self) -> Path:
        """Folder of history, pictures and page."""
        return self.folder / "reports" / self.name

    @property
    def interrupted(self) -> bool:
        """It was started and not finished."""
        return self.state.exists()

    @property
    def finished(self) -> bool:
        """Its checkpoint is there and nothing is under way."""
        return self.checkpoint.exists() and not self.interrupted


def runs_to_do(runs: Sequence[Run], *, resume: bool, force: bool) -> list[Run]:
    """The runs to start or to go on with, once it is sure that nothing that is there would be lost.

    Args:
        runs: what was asked for.
        resume: go on with what was interrupted and leave what is finished, which is told.
        force: replace what is there.

    Raises:
        OutputError: a checkpoint, or the state of an interrupted run, is in the way, or the folder cannot be written.
        CheckpointError: there is nothing to resume.
    """
    for run in runs:
        check_writable(run.folder)
    if resume:
        if not any(run.interrupted for run in runs):
            states = ", ".join(str(run.state) for run in runs)
            raise CheckpointError(f"no interrupted run to resume: {states} not found; start one without --resume")
        for run in runs:
            if run.finished:
                console.print(
                    f"{run.name}: {run.checkpoint} is finished and stays as it is; train it again with --force",
                    highlight=False,
                    soft_wrap=True,
                )
        return [run for run in runs if not run.finished]
    for run in runs:
        if run.interrupted and not force:
            raise OutputError(
                f"{run.state} holds an interrupted run; "
                "go on with --resume, drop it with --force, or name another --out"
            )
        if run.finished and not force:
            raise OutputError(f"{run.checkpoint} is there; replace it with --force, or give another --out")
    return list(runs)


def check_writable(folder: Path) -> None:
    """Make sure, before minutes of training, that their result will have a place.

    Raises:
        OutputError: the folder cannot be made, or nothing can be written into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}; give another folder with --out") from error


def train_run(run: Run, data: Data, *, resume: bool, test: bool) -> dict[str, Any]:
    """Train, keep the checkpoint, write the report, and return the facts."""
    train, validation = data.train, data.validation
    published = data.test if test else None  # damaged ones are told before minutes of training
    with training_bar(run.name, run.recipe.epochs, run.recipe.photos) as (on_photos, on_step, on_epoch):
        fitted = fit(
            run.approach,
            run.recipe,
            train,
            validation,
            seed=run.seed,
            speed=run.speed,
            state=run.state,
            resume=resume and run.interrupted,
            on_photos=on_photos,
            on_step=on_step,
            on_epoch=on_epoch,
        )
    temperature = fit_temperature(run.approach, fitted.network, validation)
    found = find(fitted.network, validation, temperature, test=published)
    facts = {
        "approach": str(run.approach),
        "options": dict(run.recipe.options),
        "recipe": str(run.recipe_name),
        "settings": asdict(run.recipe) | {"options": dict(run.recipe.options)},
        "speed": asdict(run.speed),
        "seed": run.seed,
        "epochs": run.recipe.epochs,
        "parameters": count_parameters(fitted.network),
        "seconds": round(fitted.seconds, 1),
        "temperature": temperature,
        "device": str(data.device),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "revision": git_revision(),
        **found.to_facts(),
    }
    network = fitted.network.cpu()
    save_checkpoint(run.checkpoint, network, facts)
    write_report(run.report, facts=facts, history=fitted.history, found=found, digits=validation)
    run.state.unlink(missing_ok=True)
    return facts


def measure_checkpoint(run: Run, data: Data, *, test: bool) -> dict[str, Any]:
    """The facts of a run's checkpoint with its figures measured anew, of which its report is written again.

    The checkpoint, and of the report its history and its curves, stay as training left them.
    """
    loaded = load_own(run)
    network = loaded.network.to(data.device)
    check_writable(run.report)
    found = find(network, data.validation, loaded.temperature, test=data.test if test else None)
    facts = loaded.facts | found.to_facts()
    write_report(run.report, facts=facts, history=None, found=found, digits=data.validation)
    return facts if test else {name: value for name, value in facts.items() if name != "test"}


def load_own(run: Run) -> Checkpoint:
    """The checkpoint of a run.

    Raises:
        CheckpointError: it is missing or damaged, or of another run that was given this one's name.
    """
    loaded = load_checkpoint(run.checkpoint)
    name = stem(loaded.approach, RecipeName(loaded.facts["recipe"]))
    if name != run.name:
        raise CheckpointError(f"{run.checkpoint} holds {name}, wanted {run.name}; rename it to {name}.safetensors")
    return loaded


def explain(run: Run, data: Data) -> None:
    """Write the figure that shows what is to be stacked, into the report of a regress run."""
    found = load_own(run)
    check_writable(run.report)
    explain_stacking(found, data.train, data.validation, run.report)


def git_revision() -> str:
    """Short revision of the code that trains, with a plus where files differ from it; "unknown" outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")
