"""adder-export: turns checkpoints into model files that are proven to answer as PyTorch does."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.command_line import ApproachChoice, PrecisionChoice, VersionOption, check_alone, exit_codes, run
from adder_runtime.contract import Approach, Precision
from adder_runtime.errors import (
    CheckpointError,
    DataError,
    ImageError,
    ModelError,
    OutputError,
    ParityError,
    ProviderError,
    UsageError,
)
from adder_runtime.labels import find_labelled
from adder_runtime.progress import bar, console, print_table
from adder_runtime.speech import say
from adder_trainer.options import ARTIFACTS

NAME = "adder-export"

app = typer.Typer(name=NAME, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    epilog=exit_codes(
        UsageError, ImageError, ModelError, ProviderError, OutputError, DataError, CheckpointError, ParityError
    )
)
def export(
    context: typer.Context,
    approach: Annotated[ApproachChoice, typer.Option(help="What to export.")] = ApproachChoice.ALL,
    checkpoint: Annotated[
        Path, typer.Option(help="A checkpoint, or the folder that holds <approach>.safetensors.")
    ] = ARTIFACTS,
    out: Annotated[
        Path, typer.Option(help="Folder for <approach>.onnx, <approach>.int8.onnx and so on, and the certificates.")
    ] = ARTIFACTS,
    precision: Annotated[
        PrecisionChoice,
        typer.Option(help="Arithmetic of the network in the file; int8 is calibrated on MNIST's training images."),
    ] = PrecisionChoice.FP32,
    opset: Annotated[
        int | None, typer.Option(help="ONNX operator set, 18 to 23; 18 unless given, the one that most runtimes read.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with MNIST/raw for the proof; else ADDER_DATA, else the user's cache."),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Labelled pictures, as for adder-measure, to prove each file on too."),
    ] = None,
    conformance: Annotated[
        bool,
        typer.Option(
            "--conformance",
            help="Export nothing; write vectors for the files in --out to its folder conformance, so that any program "
            "that runs them can be held to PyTorch's answers.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a model file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the certificates as one JSON object a line.")] = False,
    version: VersionOption = False,
) -> None:
    """Export classify, regress or both to ONNX, and prove each file against PyTorch before it appears.

    The proof asks both sides every MNIST test image with every number; where MNIST is not at hand, generated pictures
    take its place, and the certificate says so. In float32 no label may differ; a file of fewer bits may lose 0.1
    points of the sums that are right on MNIST, and 0.5 on each other kind of picture.
    """
    from adder_export.graph import OPSET, OPSETS
    from adder_export.model_file import Pictures, check_places, export_models, places
    from adder_export.parity_cases import count_pairs
    from adder_trainer.device import keep_memory

    if conformance:
        check_alone(context, "--conformance", "--checkpoint", "--out", "--data", "--force")
    if opset is not None and opset not in OPSETS:
        raise UsageError(f"opset is {opset}, must be {OPSETS[0]} to {OPSETS[-1]}")
    if checkpoint.is_file() and approach is ApproachChoice.ALL:
        raise UsageError(f"{checkpoint} holds one approach; name it with --approach, or give its folder")
    keep_memory()
    if conformance:
        say(write_conformance(checkpoint, out, load_images(data, train=False), force=force))
        return
    with_int8 = Precision.INT8 in precision.precisions
    found_data = Pictures(
        load_images(data, train=False),
        load_images(data, train=True) if with_int8 else None,
        find_labelled(pictures)[0] if pictures else (),
    )
    # before minutes of proof, and before the first of several files is replaced
    checkpoints = {each: load_one(checkpoint, each) for each in approach.approaches}
    for each in approach.approaches:
        check_places(places(out, each, precision.precisions), force=force)
    pairs = count_pairs(found_data.test, found_data.labelled)
    for each, found in checkpoints.items():
        with bar(f"proving {each}", pairs) as advance:
            made = list(
                export_models(
                    found,
                    out,
                    precisions=precision.precisions,
                    pictures=found_data,
                    opset=opset or OPSET,
                    force=force,
                    on_step=partial(tell_step, each),
                    on_progress=advance,
                )
            )
        for one in made:
            say(json.dumps(one.facts)) if as_json else show(one.model, one.certificate, one.facts)


def tell_step(approach: Approach, step: str) -> None:
    """Say what comes next, above the bar."""
    console.print(f"{approach}: {step}", highlight=False)


def write_conformance(checkpoint: Path, out: Path, mnist: Any, *, force: bool) -> str:
    """Write the vectors for the files of a folder; a line that tells of them.

    Raises:
        DataError: MNIST is not at hand.
        ModelError: a file is missing, or of another checkpoint.
        OutputError: vectors are there and are not to be replaced, or cannot be written.
    """
    from adder_export.conformance import files_to_pass, write_vectors
    from adder_export.conformance_cases import draw_cases
    from adder_export.graph import Pipeline
    from adder_runtime.conformance import DATA, INDEX

    if mnist is None:
        raise DataError("the vectors are made of MNIST's test images; name their folder with --data or ADDER_DATA")
    folder = out / "conformance"
    if (folder / INDEX).exists() and not force:
        raise OutputError(f"{folder / INDEX} is there; replace it with --force, or give another --out")
    checkpoints = {approach: load_one(checkpoint, approach) for approach in Approach}
    adders = files_to_pass(out, checkpoints)
    pipelines = {approach: Pipeline(found).eval() for approach, found in checkpoints.items()}
    cases = list(draw_cases(mnist))
    with bar("vectors", len(cases)) as advance:
        index = write_vectors(folder, pipelines, adders, cases, advance)
    size = sum((folder / name).stat().st_size for name in (INDEX, DATA))
    return f"{folder}: {len(index['cases'])} cases, {size / 1e6:.1f} MB; left out {index['left_out']} at an edge"


def load_one(checkpoint: Path, approach: Approach) -> Any:
    """The checkpoint of an approach, from its file or from a folder.

    Raises:
        CheckpointError: it is missing, damaged, or of the other approach.
    """
    from adder_trainer.checkpoint import load_checkpoint

    path = checkpoint / f"{approach}.safetensors" if checkpoint.is_dir() or checkpoint == ARTIFACTS else checkpoint
    found = load_checkpoint(path)
    if found.approach is not approach:
        raise CheckpointError(f"{path} holds {found.approach}, wanted {approach}; name it with --approach")
    return found


def load_images(data: Path | None, *, train: bool) -> Any:
    """MNIST's images and digits as arrays, None where MNIST is neither named nor in the cache.

    Args:
        data: what `--data` names.
        train: the images that are trained on, without those of the validation split; else the test images.

    Raises:
        DataError: a named folder does not hold it, or it is damaged.
    """
    from adder_trainer.data import data_folder, load_mnist, split_indices

    folder, is_cache = data_folder(data)
    if is_cache and not (folder / "MNIST" / "raw").is_dir():
        if not train:
            console.print("MNIST is not at hand: the proof runs on generated pictures; name its folder with --data")
        return None
    pixels, digit = load_mnist(folder, train=train)
    if train:
        used, _ = split_indices(digit)
        pixels, digit = pixels[used], digit[used]
    return pixels.numpy(), digit.numpy()


def show(model: Path, certificate: Path, facts: dict[str, Any]) -> None:
    """Print what was proven as a table for people."""
    size = facts["model"]
    say(f"{model}: {size['bytes'] / 1000:.0f} KB, opset {size['opset']}, sha256 {size['sha256'][:12]}…")
    rows = [
        [
            provider,
            kind,
            f"{found['pairs']:,}",
            f"{sum(found['label_flips'].values())}",
            f"{max(found['largest_difference'].values()):.1e}",
            "-" if found["largest_difference_by_margin"] is None else f"{found['largest_difference_by_margin']:.4%}",
        ]
        for provider, kinds in facts["providers"].items()
        for kind, found in kinds.items()
    ]
    columns = "provider", "pictures", "pairs", "labels differ", "largest difference", "of what flips a label"
    print_table(columns, rows)
    torch = f"PyTorch {facts['versions']['torch']}"
    same = f"the same answers as {torch}" if facts["precision"] == Precision.FP32 else f"nearly the answers of {torch}"
    say(f"{certificate}: {same}, on {facts['pictures']}")


def main() -> None:
    """Run the command line."""
    run(app)
