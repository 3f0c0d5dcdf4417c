"""adder-bench: what the model files cost on this machine, and whether that became worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.bench import BATCHES, run_bench, worse
from adder_runtime.command_line import VersionOption, complain, exit_codes, run, say, show_table
from adder_runtime.errors import ImageError, ModelError, OutputError, ProviderError, UsageError
from adder_runtime.measure_report import FACTS, check_folder
from adder_runtime.output_file import write_json, write_whole

NAME = "adder-bench"

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
        typer.Argument(metavar="[FOLDER]", show_default=False, help="Labelled pictures to measure each model on too."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Time for each figure.")] = 3.0,
    out: Annotated[Path | None, typer.Option(help="Folder for report.json and its pictures.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a report that is there.")] = False,
    against: Annotated[Path | None, typer.Option(help="An earlier report.json to compare the ratios with.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    version: VersionOption = False,
) -> None:
    """Measure the shipped model files on this machine: size, speed, memory, and the runtime beside bare means.

    What is compared runs in turn. The ratios hold on other machines, the milliseconds do not.
    """
    if out is not None:
        check_folder(out, force=force)
    before = None if against is None else read_report(against)
    facts = run_bench(seconds, folder, on_step=lambda step: complain(NAME, step))
    say(json.dumps(facts)) if as_json else show(facts)
    if out is not None:
        from adder_runtime.bench_charts import draw_models, draw_sizes, draw_throughput
        from adder_runtime.drawing import encode

        write_json(out / FACTS, facts)
        for name, draw in (("models", draw_models), ("throughput", draw_throughput), ("sizes", draw_sizes)):
            write_whole(out / f"{name}.png", encode(draw(facts)))
    if before is not None:
        found = worse(facts, before)
        for each in found:
            complain(NAME, f"worse than in {against}: {each}")
        if found:
            raise typer.Exit(EXIT_WORSE)
        say(f"no ratio is worse than in {against} by more than the noise")


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


def show(facts: dict[str, Any]) -> None:
    """Print the report as tables for people."""
    machine = facts["machine"]
    say(
        f"{machine['architecture']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"ONNX Runtime {machine['onnxruntime']}, one thread"
    )
    say("")
    batches = [f"{size}, /s" for size in BATCHES]
    rows = [["model", "KB", "sum right", "load ms", "p50 ms", "p99 ms", "n", *batches, "peak MB"]]
    for each in facts["models"]:
        peak = each.get("peak_bytes")
        rows.append(
            [
                f"{each['approach']} {each['precision']} {each['provider']}",
                f"{each['bytes'] / 1000:.0f}",
                f"{each['accuracy']['sum_accuracy']:.2%}",
                f"{each['load_ms']:.0f}",
                f"{each['p50_ms']:.2f}",
                f"{each['p99_ms']:.2f}",
                str(each["runs"]),
                *(f"{each['pictures_per_second'][str(size)]:,.0f}" for size in BATCHES),
                "-" if peak is None else f"{peak / 1e6:.0f}",
            ]
        )
    show_table(rows)
    say("")
    rows = [["ratio", "median", "quartiles", "n", "wanted", "first ms", "second ms"]]
    for each in facts["ratios"]:
        sign = "<=" if each["at_most"] else ">="
        rows.append(
            [
                each["name"],
                f"{each['ratio']:.2f}",
                f"{each['low']:.2f}-{each['high']:.2f}",
                str(each["runs"]),
                f"{sign} {each['wanted']:.2f}",
                f"{each['first_ms']:.2f}",
                f"{each['second_ms']:.2f}",
            ]
        )
    show_table(rows)
    peak = facts["peak_of_12_megapixels"]
    say(f"peak memory for 12 megapixels / the array: {'not told here' if peak is None else f'{peak:.2f}'}, wanted <= 4")
    say("")
    show_table(
        [
            ["side of an RGB picture", *(str(row["side"]) for row in facts["sizes"])],
            ["predict ms", *(f"{row['predict_ms']:.2f}" for row in facts["sizes"])],
            ["decode ms", *(f"{row['decode_ms']:.2f}" for row in facts["sizes"])],
        ]
    )
    say("")
    for row in facts["threads_scaling"]:
        say(f"batch of 64, {row['threads']} threads: {row['pictures_per_second']:,.0f} pictures a second")


def main() -> None:
    """Run the command line."""
    run(app)
