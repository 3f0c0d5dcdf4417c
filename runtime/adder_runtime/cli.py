"""adder-infer: its options, and what its help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from adder_runtime.answering import answer, is_option
from adder_runtime.command_line import VersionOption, exit_codes, run
from adder_runtime.contract import Approach, Precision
from adder_runtime.errors import (
    EXIT_SOME_FAILED,
    EXIT_UNSURE,
    ConformanceError,
    ImageError,
    ModelError,
    NothingToReadError,
    OutputError,
    ProviderError,
    UsageError,
)
from adder_runtime.session import Provider
from adder_runtime.sources import NAME

app = typer.Typer(name=NAME, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    # so that -1 comes through as a number, and is refused as one
    context_settings={"ignore_unknown_options": True},
    epilog=exit_codes(
        UsageError,
        ImageError,
        NothingToReadError,
        ModelError,
        ProviderError,
        OutputError,
        ConformanceError,
        others={
            EXIT_SOME_FAILED: "Some pictures were answered and some were not.",
            EXIT_UNSURE: "All were answered, some less sure than --min-confidence.",
        },
    ),
)
def infer(
    arguments: Annotated[
        list[str],
        typer.Argument(
            default_factory=list,
            show_default=False,
            metavar="IMAGES... NUMBER",
            help="Picture files, folders of pictures, or - for standard input: a picture, or paths of pictures, one a "
            "line. Last what to add, 0 to 9.",
        ),
    ],
    approach: Annotated[
        Approach | None, typer.Option(help="Which shipped model answers; classify unless given.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A model file to ask in place of a shipped one.")] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="Arithmetic of the shipped model's network; fp32 unless given.")
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Ask both shipped models, and say if they agree.")] = False,
    provider: Annotated[
        Provider, typer.Option(help="auto takes CUDA where it starts and the CPU elsewhere; a named one must start.")
    ] = Provider.AUTO,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads that share one run.")] = 1,
    min_confidence: Annotated[
        float | None,
        typer.Option(help="0 to 1; an answer less sure than that is told as unsure, and the exit code is 12."),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(help="Draw each answer: a .png file for one picture, a folder for one or more."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write a table, .csv, .jsonl or .parquet; stopped at any time, the same command goes on."),
    ] = None,
    numbers: Annotated[
        Path | None,
        typer.Option(
            help="Table with the columns image,number in place of NUMBER; paths relative to it, or to IMAGES."
        ),
    ] = None,
    readers: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --out: threads that read pictures, and as many that answer them; 2 unless given."
        ),
    ] = None,
    about: Annotated[
        bool, typer.Option("--about", help="Ask no picture; tell what the model file is, and its contract.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Ask no picture; check the files that ship against their manifest.")
    ] = False,
    conformance: Annotated[
        Path | None,
        typer.Option(help="Ask no picture; run the vectors of a folder, and tell whether all cases pass."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Answer each picture that comes into a folder, until Ctrl-C.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="With --out: replace what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    version: VersionOption = False,
) -> None:
    """Read the digit in each picture and add NUMBER to it."""
    for argument in arguments:
        if is_option(argument):
            raise UsageError(f"no such option: {argument}; see: {NAME} --help (a file of that name is ./{argument})")
    raise typer.Exit(
        answer(
            arguments,
            approach=approach,
            model=model,
            precision=precision,
            compare=compare,
            provider=provider,
            threads=threads,
            min_confidence=min_confidence,
            explain=explain,
            out=out,
            numbers=numbers,
            readers=readers,
            about=about,
            verify=verify,
            conformance=conformance,
            watch=watch,
            force=force,
            as_json=as_json,
        )
    )


def run_parsed() -> NoReturn:
    """Parse the words that this program was called with, and run the command."""
    run(app)
