"""adder-measure: how often a model file is right on labelled pictures, and how far to believe it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from adder_runtime.command_line import VersionOption, exit_codes, run
from adder_runtime.contract import NUMBERS, Approach, Precision
from adder_runtime.errors import (
    EXIT_SOME_FAILED,
    ImageError,
    ModelError,
    OutputError,
    ProviderError,
    UsageError,
)
from adder_runtime.labels import find_labelled
from adder_runtime.measure import Failed, measure_each
from adder_runtime.measure_report import check_folder, gather_facts, table_of, write_report
from adder_runtime.model import Adder
from adder_runtime.session import Provider
from adder_runtime.speech import check_needed, check_together, complain, parse_number, say, show_table

NAME = "adder-measure"

ALL_NUMBERS = "all"

Item = TypeVar("Item")

app = typer.Typer(name=NAME, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    epilog=exit_codes(
        UsageError,
        ImageError,
        ModelError,
        ProviderError,
        OutputError,
        others={EXIT_SOME_FAILED: "Some pictures were measured and some could not be read."},
    ),
)
def measure(
    source: Annotated[
        Path, typer.Argument(metavar="FOLDER_OR_CSV", help="A folder of labelled pictures, or a table of them.")
    ],
    approach: Annotated[
        Approach | None, typer.Option(help="Which shipped model is measured; classify unless given.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A model file to measure in place of a shipped one.")] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="Arithmetic of the shipped model's network; fp32 unless given.")
    ] = None,
    numbers: Annotated[str, typer.Option(help="The number that each picture is asked with, or all ten.")] = ALL_NUMBERS,
    provider: Annotated[
        Provider, typer.Option(help="auto takes CUDA where it starts and the CPU elsewhere; a named one must start.")
    ] = Provider.AUTO,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads that share one run.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for a report with charts and every mistake.")] = None,
    force: Annotated[bool, typer.Option("--force", help="With --out: replace a report that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that was measured as one JSON object.")] = False,
    version: VersionOption = False,
) -> None:
    """Measure a model file on pictures whose digits are known.

    The digit is the first letter of a picture's name (3_anything.png), or the name of its folder (3/anything.png), or
    stands in a CSV file with the columns image and digit. Folders in the folder are told apart, unless they are one for
    each digit.
    """
    check_together({"--approach": approach, "--model": model}, {"--model": model, "--precision": precision})
    check_needed({"--out": out}, {"--force": force})
    asked = list(NUMBERS) if numbers == ALL_NUMBERS else [parse_number(numbers)]
    if out is not None:
        check_folder(out, force=force)
    pictures, unlabelled = find_labelled(source)
    adder = Adder.load(model or approach or Approach.CLASSIFY, precision=precision, provider=provider, threads=threads)
    if unlabelled:
        complain(NAME, f"left out, since nothing says what they show: {len(unlabelled)}, such as {unlabelled[0]}")
    found = list(count_up(measure_each(adder, pictures, asked), len(pictures)))
    failed = [each for each in found if isinstance(each, Failed)]
    for each in failed:
        complain(NAME, each.error)
    facts = gather_facts(adder, source, asked, found, unlabelled)
    say(json.dumps(facts)) if as_json else show_table(table_of(found))
    if out is not None:
        write_report(out, adder, facts, found)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED if len(failed) < len(found) else failed[0].error.exit_code)


def count_up(items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items, their number counted on standard error as they come, where that is a terminal."""
    for count, item in enumerate(items, 1):
        if sys.stderr.isatty():
            end = "\r\033[K" if count == total else ""  # leave no trace of it
            typer.echo(f"\r{count:,} of {total:,} pictures{end}", err=True, nl=False)
        yield item


def main() -> None:
    """Run the command line."""
    run(app)
