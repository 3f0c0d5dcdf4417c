"""adder-bench: what the model files cost on this machine, and whether that became worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.bench import run_bench
from adder_runtime.bench_contest import worse
from adder_runtime.bench_text import lines_of
from adder_runtime.command_line import VersionOption, exit_codes, run
from adder_runtime.errors import ImageError, ModelError, OutputError, ProviderError, UsageError
from adder_runtime.measure_report import FACTS, check_folder
from adder_runtime.output_file import write_json, write_whole
from adder_runtime.speech import check_needed, complain, say

NAME = "adder-bench"

TEXT = "report.txt"
"""What is printed, in the report's folder."""

EXIT_WORSE = 1

app = typer.Typer(name=NAME, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    epilog=exit_codes(
        UsageError,
        ImageError,
        ModelError,
        ProviderError,
        OutputError,
        others={EXIT_WORSE: "Some ratio is worse than in the report of --against."},
    ),
)
def bench(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", show_default=False, help="Labelled pictures to measure each model on too."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Time for each figure.")] = 1.0,
    many: Annotated[
        int,
        typer.Option(
            min=0, help="Files to make and answer into a table too: 20000 take some ten minutes; more are not timed."
        ),
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.json, the tables as report.txt, and pictures.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --out: replace a report that is there.")] = False,
    against: Annotated[Path | None, typer.Option(help="An earlier report.json to compare the ratios with.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    version: VersionOption = False,
) -> None:
    """Measure the shipped model files on this machine: size, speed, memory, and the runtime beside bare means.

    What is compared runs in turn. The ratios hold on other machines, the milliseconds do not.
    """
    check_needed({"--out": out}, {"--force": force})
    if out is not None:
        check_folder(out, force=force)
    before = None if against is None else read_report(against)
    facts = run_bench(seconds, folder, many, on_step=lambda step: complain(NAME, step))
    text = "\n".join(lines_of(facts))
    say(json.dumps(facts) if as_json else text)
    if out is not None:
        from adder_runtime.bench_charts import draw_models, draw_sizes, draw_throughput
        from adder_runtime.drawing import encode

        write_json(out / FACTS, facts)
        write_whole(out / TEXT, f"{text}\n".encode())
        for name, draw in (("models", draw_models), ("throughput", draw_throughput), ("sizes", draw_sizes)):
            write_whole(out / f"{name}.png", encode(draw(facts)))
    if before is not None:
        found = worse(facts, before)
        for each in found:
            complain(NAME, f"worse than in {against}: {each}")
        if found:
            raise typer.Exit(EXIT_WORSE)
        complain(NAME, f"no ratio is worse than in {against} by more than the noise")


def read_report(path: Path) -> dict[str, Any]:
    """An earlier report.

    Raises:
        UsageError: it is missing or no report.
    """
    try:
        facts = json.loads(path.read_text())
        assert isinstance(facts["ratios"], list)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise UsageError(f"--against {path} is no report of {NAME}: {error or 'other content'}") from error
    return dict(facts)


def main() -> None:
    """Run the command line."""
    run(app)
