"""adder-bench: what the model files cost on this machine, and whether that became worse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.bench import BATCHES, run_bench
from adder_runtime.bench_contest import worse
from adder_runtime.command_line import VersionOption, exit_codes, run
from adder_runtime.errors import ImageError, ModelError, OutputError, ProviderError, UsageError
from adder_runtime.measure_report import FACTS, check_folder
from adder_runtime.output_file import write_json, write_whole
from adder_runtime.speech import complain, say, table_lines

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
        typer.Argument(metavar="[FOLDER]", show_default=False, help="Labelled pictures to measure each model on too."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Time for each figure.")] = 3.0,
    many: Annotated[
        int,
        typer.Option(
            min=0, help="Files to make and answer into a table too: 20000 take some ten minutes; more are not timed."
        ),
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.json, the tables as report.txt, and pictures.")
    ] = None,
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


def lines_of(facts: dict[str, Any]) -> Iterator[str]:
    """The report as tables for people."""
    machine = facts["machine"]
    yield (
        f"{machine['architecture']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, "
        f"ONNX Runtime {machine['onnxruntime']}, one thread"
    )
    yield ""
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
    yield from table_lines(rows)
    yield from lines_of_folder([each for each in facts["models"] if "folder" in each])
    yield ""
    rows = [["ratio", "median", "quartiles", "n", "wanted", "first ms", "second ms"]]
    for each in facts["ratios"]:
        sign = "<=" if each["at_most"] else ">="
        wanted = "-" if each["wanted"] is None else f"{sign} {each['wanted']:.2f}"
        rows.append(
            [
                each["name"],
                f"{each['ratio']:.2f}",
                f"{each['low']:.2f}-{each['high']:.2f}",
                str(each["runs"]),
                wanted,
                f"{each['first_ms']:.2f}",
                f"{each['second_ms']:.2f}",
            ]
        )
    yield from table_lines(rows)
    peak = facts["peak_of_12_megapixels"]
    told = "not told here" if peak is None else f"{peak:.2f}"
    yield f"peak memory for 12 megapixels / the array: {told}, wanted <= 4"
    yield from lines_inside(facts["inside"])
    yield ""
    yield from table_lines(
        [
            ["side of an RGB picture", *(str(row["side"]) for row in facts["sizes"])],
            ["predict ms", *(f"{row['predict_ms']:.2f}" for row in facts["sizes"])],
            ["decode ms", *(f"{row['decode_ms']:.2f}" for row in facts["sizes"])],
        ]
    )
    yield ""
    if "many" in facts:
        yield from lines_of_many(facts["many"], facts["memory_over_files"])
    for row in facts["threads_scaling"]:
        yield f"batch of 64, {row['threads']} threads: {row['pictures_per_second']:,.0f} pictures a second"


def lines_of_folder(models: Sequence[dict[str, Any]]) -> Iterator[str]:
    """How each model did on the labelled pictures that were named; nothing where none were."""
    if not models:
        return
    rows = [["on " + models[0]["folder"]["name"], "pictures", "failed", "unread", "digit right", "sum right"]]
    for each in models:
        found = each["folder"]
        counts = [f"{found[name]:,}" for name in ("pictures", "failed", "unread")]
        shares = [found[name] for name in ("digit_accuracy", "sum_accuracy")]
        told = ["-" if share is None else f"{share:.2%}" for share in shares]
        rows.append([f"{each['approach']} {each['precision']} {each['provider']}", *counts, *told])
    yield ""
    yield from table_lines(rows)


def lines_of_many(many: dict[str, Any], memory: list[dict[str, int]]) -> Iterator[str]:
    """A run over many files."""
    yield (
        f"{many['pictures']:,} files of mixed size, {many['readers']} threads that read and as many that answer: "
        f"{many['a_second']:,.0f} a second, {many['decoded_a_second']:,.0f} where they are only read; "
        f"ratio {many['ratio']:.2f} "
        f"({many['low']:.2f}-{many['high']:.2f}), wanted >= 0.80"
    )
    for row in memory:
        yield f"peak of a run over {row['pictures']:,} small files: {row['peak_bytes'] / 1e6:.0f} MB"
    yield ""


def lines_inside(inside: dict[str, Any]) -> Iterator[str]:
    """Where the time goes."""
    for each in inside["profiles"]:
        height, width, _ = each["shape"]
        yield ""
        yield f"classify on {width}x{height}: {each['nodes']} nodes a run, {each['node_us']:.0f} us in all of them"
        rows = [[row["operator"], str(row["calls"]), f"{row['us']:.0f}"] for row in each["operators"]]
        yield from table_lines([["operator", "calls", "us"], *rows])
    yield ""
    rows = [[row["option"], f"{row['load']:.2f}", f"{row['run']:.2f}", str(row["runs"])] for row in inside["options"]]
    yield from table_lines([["session option, in place of the runtime's", "load", "run", "n"], *rows])
    yield ""
    yield from table_lines([["import", "ms"], *([row["module"], f"{row['ms']:.0f}"] for row in inside["imports"])])


def main() -> None:
    """Run the command line."""
    run(app)
