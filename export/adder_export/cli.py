"""adder-export: turns checkpoints into model files that are proven to answer as PyTorch does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.command_line import ApproachChoice, VersionOption, exit_codes, run, say
from adder_runtime.contract import Approach
from adder_runtime.errors import (
    CheckpointError,
    DataError,
    OutputError,
    ParityError,
    ProviderError,
    UsageError,
)
from adder_runtime.progress import bar, console, print_table
from adder_trainer.options import ARTIFACTS

NAME = "adder-export"

app = typer.Typer(name=NAME, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog=exit_codes(UsageError, ProviderError, OutputError, DataError, CheckpointError, ParityError))
def export(
    approach: Annotated[ApproachChoice, typer.Option(help="What to export.")] = ApproachChoice.ALL,
    checkpoint: Annotated[
        Path, typer.Option(help="A checkpoint, or the folder that holds <approach>.safetensors.")
    ] = ARTIFACTS,
    out: Annotated[Path, typer.Option(help="Folder for <approach>.onnx and <approach>.certificate.json.")] = ARTIFACTS,
    opset: Annotated[
        int | None, typer.Option(help="ONNX operator set, 18 to 23; 18 unless given, the one that most runtimes read.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with MNIST/raw for the proof; else ADDER_DATA, else the user's cache."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the certificates as one JSON object a line.")] = False,
    version: VersionOption = False,
) -> None:
    """Export classify, regress or both to ONNX, and prove each file against PyTorch before it appears.

    The proof asks both sides every MNIST test image with every number; where MNIST is not at hand, generated pictures
    take its place, and the certificate says so.
    """
    from adder_export.graph import OPSET, OPSETS
    from adder_export.model_file import export_model, providers
    from adder_export.parity import count_pairs

    if opset is not None and opset not in OPSETS:
        raise UsageError(f"opset is {opset}, must be {OPSETS[0]} to {OPSETS[-1]}")
    if checkpoint.is_file() and approach is ApproachChoice.ALL:
        raise UsageError(f"{checkpoint} holds one approach; name it with --approach, or give its folder")
    mnist = load_test_images(data)
    for each in approach.approaches:
        found = load_one(checkpoint, each)
        with bar(f"proving {each}", count_pairs(mnist) * len(providers())) as advance:
            made = export_model(found, out, mnist=mnist, opset=opset or OPSET, force=force, on_progress=advance)
        say(json.dumps(made.facts)) if as_json else show(made.model, made.certificate, made.facts)


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


def load_test_images(data: Path | None) -> Any:
    """MNIST's test images and digits as arrays, None where MNIST is neither named nor in the cache.

    Raises:
        DataError: a named folder does not hold it, or it is damaged.
    """
    from adder_trainer.data import data_folder, load_mnist

    folder, is_cache = data_folder(data)
    if is_cache and not (folder / "MNIST" / "raw").is_dir():
        console.print("MNIST is not at hand: the proof runs on generated pictures; name its folder with --data")
        return None
    pixels, digit = load_mnist(folder, train=False)
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
            f"{found['largest_difference_by_margin']:.4%}",
        ]
        for provider, kinds in facts["providers"].items()
        for kind, found in kinds.items()
    ]
    columns = "provider", "pictures", "pairs", "labels differ", "largest difference", "of what flips a label"
    print_table(columns, rows)
    say(f"{certificate}: the same answers as PyTorch {facts['versions']['torch']}, on {facts['pictures']}")


def main() -> None:
    """Run the command line."""
    run(app)
