"""adder-train: fits the two approaches and reports how it went."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.command_line import ApproachChoice, VersionOption, check_alone, exit_codes, run
from adder_runtime.contract import Approach
from adder_runtime.errors import CheckpointError, DataError, DeviceError, OutputError, UsageError
from adder_runtime.progress import console, print_table
from adder_runtime.speech import say
from adder_trainer.options import ARTIFACTS, FINDER_SEED, SEEDS, DeviceName, RecipeName, stem

app = typer.Typer(name="adder-train", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog=exit_codes(UsageError, OutputError, DataError, CheckpointError, DeviceError))
def train(
    context: typer.Context,
    approach: Annotated[ApproachChoice, typer.Option(help="What to train.")] = ApproachChoice.ALL,
    recipe: Annotated[
        RecipeName, typer.Option(help="Our recipe, or the one of the approaches' source.")
    ] = RecipeName.OURS,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs; the recipe's unless given.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images in a batch; the recipe's unless given.")] = None,
    lr: Annotated[float | None, typer.Option(min=0, help="Highest learning rate; the recipe's unless given.")] = None,
    photo_share: Annotated[
        float | None,
        typer.Option(min=0, max=0.9, help="Share of each batch that is rendered as photos; the recipe's unless given."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**32 - 1,
            help="Seed of weights, order, numbers and augmentation; that of the weights that ship unless given.",
        ),
    ] = None,
    device: Annotated[
        DeviceName, typer.Option(help="auto takes the best that is there; a named one must be there.")
    ] = DeviceName.AUTO,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with MNIST/raw; else ADDER_DATA, else a download to the user's cache."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and reports.")] = ARTIFACTS,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a checkpoint that is there.")] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Measure the test images too, once, for a number to publish.")
    ] = False,
    validate_only: Annotated[
        bool,
        typer.Option(
            "--validate-only",
            help="Train nothing: measure the checkpoint in --out, leave it as it is, and write its report again, "
            "all but the training's course.",
        ),
    ] = False,
    explain_stacking: Annotated[
        bool,
        typer.Option("--explain-stacking", help="Train nothing: show why the plain regress approach fails."),
    ] = False,
    finder: Annotated[
        bool,
        typer.Option(
            "--finder",
            help="Train the finder instead, the network of the normaliser that says where the ink is; "
            "the approaches are to be trained after it.",
        ),
    ] = False,
    autocast: Annotated[
        bool, typer.Option("--autocast/--no-autocast", help="bfloat16 arithmetic; gain on CUDA not measured yet.")
    ] = False,
    channels_last: Annotated[
        bool,
        typer.Option(
            "--channels-last/--no-channels-last",
            help="Memory format of the convolutions; gain on CUDA not measured yet.",
        ),
    ] = True,
    compile_: Annotated[
        bool, typer.Option("--compile/--no-compile", help="torch.compile; gain on CUDA not measured yet.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object a line.")] = False,
    version: VersionOption = False,
) -> None:
    """Train classify, regress or both on MNIST, or the finder; each leaves weights and a folder with its report."""
    from adder_trainer.data import data_folder
    from adder_trainer.device import find_device, keep_memory
    from adder_trainer.finder_run import train_finder
    from adder_trainer.finding import FinderRecipe
    from adder_trainer.runs import Data, Run, explain, measure_checkpoint, runs_to_do, train_run
    from adder_trainer.training import RECIPES, Speed

    for option, value in (("--lr", lr), ("--photo-share", photo_share)):
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{option} is {value}, must be a number from 0; see: adder-train --help")
    if photo_share and recipe is not RecipeName.OURS:
        raise UsageError(
            f"--photo-share goes with --recipe {RecipeName.OURS}: {recipe} renders no pictures; see: adder-train --help"
        )
    named = {
        "--resume": resume,
        "--force": force,
        "--validate-only": validate_only,
        "--explain-stacking": explain_stacking,
    }
    if len(together := [option for option, is_given in named.items() if is_given]) > 1:
        raise UsageError(f"{' and '.join(together)} do not go together: name one of them; see: adder-train --help")
    places = "--device", "--data", "--out"
    if finder:
        check_alone(context, "--finder", "--epochs", "--batch-size", "--lr", "--seed", "--force", "--json", *places)
    elif explain_stacking:
        check_alone(context, "--explain-stacking", "--recipe", *places)
    elif validate_only:
        check_alone(context, "--validate-only", "--approach", "--recipe", "--test", "--json", *places)
    chosen = find_device(device)
    keep_memory()
    console.print(f"device: {chosen}" + (" (auto)" if device is DeviceName.AUTO else ""))
    asked = {"epochs": epochs, "batch_size": batch_size, "learning_rate": lr, "photo_share": photo_share}
    changes: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    folder, download = data_folder(data)
    if finder:
        facts = train_finder(
            out,
            folder,
            replace(FinderRecipe(), **changes),
            seed=FINDER_SEED if seed is None else seed,
            device=chosen,
            download=download,
            force=force,
        )
        show_finder(facts, as_json)
        return
    speed = Speed(autocast, channels_last, compile_)
    seeds = SEEDS if seed is None else dict.fromkeys(Approach, seed)
    runs = [
        Run(each, recipe, replace(RECIPES[recipe, each], **changes), seeds[each], speed, out)
        for each in approach.approaches
    ]
    images = Data(folder, download, chosen)
    if explain_stacking:
        regress = Approach.REGRESS
        explain(Run(regress, recipe, RECIPES[recipe, regress], seeds[regress], speed, out), images)
    elif validate_only:
        show([measure_checkpoint(each, images, test=test) for each in runs], as_json)
    else:
        to_do = runs_to_do(runs, resume=resume, force=force)
        show([train_run(each, images, resume=resume, test=test) for each in to_do], as_json)


def show(results: list[dict[str, Any]], as_json: bool) -> None:
    """Print the figures of some checkpoints: a table for people, or a JSON object a line."""
    if as_json:
        for facts in results:
            say(json.dumps(facts))
        return
    rows = []
    for facts in results:
        for split in ("validation", "test"):
            if split in facts:
                figures = facts[split]
                rows.append(
                    [
                        stem(Approach(facts["approach"]), RecipeName(facts["recipe"])),
                        f"{facts['parameters']:,}",
                        f"{facts['seconds']:.0f}",
                        split,
                        f"{figures['pairs']:,}",
                        f"{figures['loss']:.4f}",
                        f"{figures['digit_accuracy']:.2%}",
                        f"{figures['sum_accuracy']:.2%}",
                    ]
                )
    print_table(("run", "params", "seconds", "split", "pairs", "loss", "digit", "sum"), rows)


def show_finder(facts: dict[str, Any], as_json: bool) -> None:
    """Print the figures of a finder: a table for people, or a JSON object."""
    if as_json:
        say(json.dumps(facts))
        return
    measured = facts["validation"]
    row = [
        "finder",
        f"{facts['parameters']:,}",
        f"{facts['seconds']:.0f}",
        "validation",
        f"{measured['pictures']:,}",
        f"{measured['overlap_whole']:.2%}",
        f"{measured['overlap_close']:.2%}",
    ]
    print_table(("run", "params", "seconds", "split", "pictures", "overlap, whole", "overlap, close"), [row])


def main() -> None:
    """Run the command line."""
    run(app)
