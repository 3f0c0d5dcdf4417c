"""The benchmark's report as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adder_runtime.bench_contest import timed_ratios, verdict
from adder_runtime.bench_machine import machine_line
from adder_runtime.measure import COLUMN_NAMES, Summary, table_row
from adder_runtime.speech import table_lines

MOST_OF_THE_ARRAY = 4
"""Wanted of the peak memory on 12 megapixels: no more than so many times the array."""

Row = list[str]


def lines_of(facts: dict[str, Any]) -> Iterator[str]:
    """The whole report."""
    yield f"{machine_line(facts['machine'])}, one thread"
    yield ""
    yield from table_lines(list(model_rows(facts)))
    yield from lines_of_folder([each for each in facts["models"] if "folder" in each])
    yield ""
    rows = [
        [*cells, *(f"{each[key]:.2f}" if key in each else "-" for key in ("first_ms", "second_ms"))]
        for each, cells in zip(all_ratios(facts), ratio_rows(facts), strict=True)
    ]
    head = ["ratio", "median", "quartiles", "n", "wanted", "which is", "first ms", "second ms"]
    yield from table_lines([head, *rows])
    yield from lines_inside(facts["inside"])
    yield ""
    yield from table_lines(size_rows(facts["sizes"]))
    yield ""
    head = ["classify, 64 at a time", "a second", "times as many as with one", "quartiles", "n"]
    rows = [
        [f"threads: {row['threads']}", f"{row['pictures_per_second']:,.0f}", f"{row['ratio']:.2f}", *spread(row)]
        for row in facts["threads_scaling"]
    ]
    yield from table_lines([head, *rows])
    yield ""
    if over_files := many_rows(facts):
        yield from table_lines([["a run over many files", "figure"], *over_files])
        yield ""
    took = facts["took"]
    yield f"measured in {took['figures']:,.0f} s" + (f", many files in {took['many']:,.0f} s" if "many" in took else "")


def name_of(model: dict[str, Any]) -> str:
    """What a model is called."""
    return f"{model['approach']} {model['precision']} on {model['provider']}"


def spread(row: dict[str, Any], digits: int = 2) -> Row:
    """Quartiles and number of runs, two cells; nothing to tell where there was one run."""
    runs = row.get("runs")
    if runs is None or runs == 1:
        return ["-", str(runs or "-")]
    return [f"{row['low']:,.{digits}f} to {row['high']:,.{digits}f}", str(runs)]


def model_rows(facts: dict[str, Any]) -> Iterator[Row]:
    """Size and speed of each model file on each provider, the head first."""
    batches = list(facts["models"][0]["pictures_per_second"])
    yield [
        *("model", "KB", "sum right", "load ms", "p50 ms", "p99 ms", "n"),
        *(f"/s, {size} at once" for size in batches),
        "peak MB",
    ]
    for each in facts["models"]:
        peak = each.get("peak_bytes")
        yield [
            name_of(each),
            f"{each['bytes'] / 1000:.0f}",
            f"{each['accuracy']['sum_accuracy']:.2%}",
            f"{each['load_ms']:.0f}",
            f"{each['p50_ms']:.2f}",
            f"{each['p99_ms']:.2f}",
            str(each["runs"]),
            *(f"{each['pictures_per_second'][size]:,.0f}" for size in batches),
            "-" if peak is None else f"{peak / 1e6:.0f}",
        ]


def lines_of_folder(models: Sequence[dict[str, Any]]) -> Iterator[str]:
    """How each model did on the labelled pictures that were named, as adder-measure tells it; else nothing."""
    if not models:
        return
    yield ""
    head = [f"on {models[0]['folder']['name']}", *COLUMN_NAMES[1:]]
    summaries = [{key: value for key, value in each["folder"].items() if key != "name"} for each in models]
    rows = [table_row(name_of(each), Summary(**told)) for each, told in zip(models, summaries, strict=True)]
    yield from table_lines([head, *rows])


def all_ratios(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """What was timed in turn, and memory, which one run tells."""
    found = timed_ratios(facts)

    def add(name: str, ratio: float, wanted: float | None) -> None:
        once = {"name": name, "ratio": ratio, "low": ratio, "high": ratio, "runs": 1}
        found.append(once | {"wanted": wanted, "at_most": True})

    peak = facts["peak_of_12_megapixels"]
    if peak is not None:
        add("peak memory on 12 megapixels RGB / the array", peak, MOST_OF_THE_ARRAY)
    over = facts.get("memory_over_files", [])
    if len(over) > 1 and over[0]["peak_bytes"]:
        few, most = over[0], over[-1]
        name = f"peak memory of a run over {most['pictures']:,} small files / over {few['pictures']:,}"
        add(name, most["peak_bytes"] / few["peak_bytes"], None)
    return found


def ratio_rows(facts: dict[str, Any]) -> list[Row]:
    """Name, median, quartiles, runs, what is wanted, and whether that is met."""
    rows = []
    for each in all_ratios(facts):
        sign = "at most" if each["at_most"] else "at least"
        wanted = "-" if each["wanted"] is None else f"{sign} {each['wanted']:.2f}"
        rows.append([each["name"], f"{each['ratio']:.2f}", *spread(each), wanted, verdict(each)])
    return rows


def many_rows(facts: dict[str, Any]) -> list[Row]:
    """A run over many files, as pictures a second and memory; none where there was no such run."""
    if "many" not in facts:
        return []
    many = facts["many"]
    readers = f"{many['readers']} threads"
    return [
        [f"{many['pictures']:,} of mixed size, read by {readers}", f"{many['decoded_a_second']:,.0f} a second"],
        [f"the same, and answered by {readers} more", f"{many['a_second']:,.0f} a second"],
        *(
            [f"{row['pictures']:,} small ones, peak of the process", f"{row['peak_bytes'] / 1e6:.0f} MB"]
            for row in facts["memory_over_files"]
        ),
    ]


def size_rows(sizes: Sequence[dict[str, Any]]) -> list[Row]:
    """Latency over the side of a picture, beside decoding it."""
    columns = [
        [
            str(row["side"]),
            f"{row['predict_ms']:.2f}",
            f"{row['decode_ms']:.2f}",
            f"{row['ratio']:.2f}",
            *(f"{row[quartile]:.2f}" for quartile in ("low", "high")),
            str(row["runs"]),
        ]
        for row in sizes
    ]
    names = [
        *("side of an RGB picture", "predict, ms", "decode its JPEG, ms"),
        *("ratio, in turn", "first quartile", "third", "n"),
    ]
    return [list(row) for row in zip(names, *columns, strict=True)]


def lines_inside(inside: dict[str, Any]) -> Iterator[str]:
    """Where the time goes."""
    for each in inside["profiles"]:
        height, width, _ = each["shape"]
        whole = each["all"]
        yield ""
        yield (
            f"classify on {width}x{height}: {whole['us']:,.0f} us in {each['nodes']} nodes ({whole['low']:,.0f} to "
            f"{whole['high']:,.0f}, n = {each['runs']}) with what the profiler takes, a run without it "
            f"{each['run_us']:,.0f} us"
        )
        for key, count, rows in (("part", "nodes", each["parts"]), ("operator", "calls", each["operators"])):
            head = [key, count, *COSTS]
            yield from table_lines([head, *([row[key], str(row[count]), *costs(row)] for row in rows)])
            yield ""
        rows = [
            [f"{row['operator']} {side_by_side(row['output'])}", row["part"], *costs(row)] for row in each["dearest"]
        ]
        yield from table_lines([["node and its output", "in", *COSTS], *rows])
    yield ""
    rows = []
    for row in inside["options"]:
        cells = [row["option"]]
        for key in ("load", "run"):
            figures = {"low": row[f"{key}_low"], "high": row[f"{key}_high"], "runs": row[f"{key}s"]}
            cells += [f"{row[key]:.2f}", *spread(figures)]
        rows.append(cells)
    head = ["session option / the runtime's own", "load", "quartiles", "n", "run", "quartiles", "n"]
    yield from table_lines([head, *rows])
    yield ""
    rows = [[row["module"], f"{row['ms']:.0f}", *spread(row, 0)] for row in inside["imports"]]
    yield from table_lines([["import", "ms", "quartiles", "n"], *rows])


COSTS = ("us", "quartiles", "share")


def costs(row: dict[str, Any]) -> Row:
    """Median, quartiles and share of all of a part of a profile."""
    return [f"{row['us']:,.0f}", f"{row['low']:,.0f} to {row['high']:,.0f}", f"{row['share']:.1%}"]


def side_by_side(shape: Sequence[int]) -> str:
    """The sides of an array."""
    return "x".join(map(str, shape)) or "of one value"
