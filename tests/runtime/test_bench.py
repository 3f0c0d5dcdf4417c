"""adder-bench: what it tells, what it writes, and when it calls something worse. No figure of it is tested."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from adder_runtime import (
    Adder,
    bench,
    bench_cli,
    bench_inside,
    bench_machine,
    bench_many,
    bench_profile,
    bench_runtime,
)
from adder_runtime.bench import run_bench
from adder_runtime.bench_charts import log_ticks, ticks
from adder_runtime.bench_contest import Contest, compare, verdict, worse
from adder_runtime.bench_machine import machine_line
from adder_runtime.bench_profile import FINDER, FORM, LOOKS, NETWORK, Node
from adder_runtime.bench_text import lines_of, ratio_rows
from adder_runtime.contract import Approach, Precision
from adder_runtime.image_file import read_image
from adder_runtime.measure import COLUMN_NAMES, Summary

Result = tuple[int, str, str]

Facts = dict[str, Any]


@pytest.fixture
def adder_bench(command: Callable[..., Result]) -> Callable[..., Result]:
    """Runs the command in this process: exit code, standard output, standard error."""
    return lambda *words: command(bench_cli.main, "adder-bench", *words)


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Pictures and batches that take no time."""
    for module in (bench, bench_runtime):
        patch.setattr(module, "LARGE", (60, 80, 3))
        patch.setattr(module, "MIDDLE", (30, 40, 1))
        told = CompletedProcess([], 0, stdout="1.5 1000", stderr="1000")
        patch.setattr(module, "in_a_process", lambda *_, told=told: told)
    patch.setattr(bench, "SIDES", (28, 60))
    patch.setattr(bench, "BATCHES", (1, 2))
    patch.setattr(bench_runtime, "AT_ONCE", (1, 2))
    patch.setattr(bench, "compare_imports", lambda: bench_inside.compare_imports(["json"]))
    patch.setattr(bench_inside, "STARTS", 1)
    patch.setattr(bench, "added", lambda: [Contest("another", lambda: None, lambda: None, 2, at_most=False)])


@pytest.fixture(scope="module")
def measured() -> Facts:
    """A report without many files."""
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        return run_bench(0.01)


def test_report_holds_what_the_tables_show(
    adder_bench: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: Facts
) -> None:
    make_small(monkeypatch)
    monkeypatch.setattr(bench_inside, "CHANGES", dict(list(bench_inside.CHANGES.items())[:2]))  # the others take time
    out = tmp_path / "report"
    code, told, err = adder_bench("--seconds", 0.01, "--many", 20, "--out", out)
    assert code == 0
    assert "cold adder-infer" in err
    pictures = {"models.png", "throughput.png", "sizes.png"}
    assert {path.name for path in out.iterdir()} == {"report.json", "report.txt", *pictures}
    assert (out / "report.txt").read_text() == told
    facts = json.loads((out / "report.json").read_text())
    named = [f"{each['approach']} {each['precision']}" for each in facts["models"] if each["provider"] == "cpu"]
    assert named == [f"{approach} {each}" for approach in Approach for each in Precision]
    assert len(facts["ratios"]) == 17
    for each in facts["ratios"]:
        assert each["low"] <= each["ratio"] <= each["high"]
        assert f"{each['name']}  " in told
    assert "sum right" in told
    assert adder_bench("--out", out)[0] == 7
    assert set(measured) == set(facts) - {"many", "memory_over_files"}
    assert set(facts["took"]) == {"figures", "many"}
    assert facts["many"]["pictures"] == 20
    assert [row["pictures"] for row in facts["memory_over_files"]] == [20, 1000]
    assert "peak memory of a run over 1,000 small files / over 20  " in told
    first, *_, last = told.splitlines()
    assert f"numpy {version('numpy')}, Pillow {version('pillow')}, " in first
    assert last.startswith("measured in ")


def test_json_is_the_report(
    adder_bench: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, measured: Facts
) -> None:
    monkeypatch.setattr(bench_cli, "run_bench", lambda *_, **__: measured)
    code, told, _ = adder_bench("--json")
    assert (code, json.loads(told)) == (0, measured)


def test_smaller_files_are_compared_with_the_whole_one_of_either_approach(measured: Facts) -> None:
    names = [each["name"] for each in measured["ratios"] if "the whole file, " in each["name"]]
    assert names == [
        f"{precision} / fp32{of}, the whole file, {size} at a time"
        for of in ("", " of regress")
        for precision in ("fp16", "int8")
        for size in (1, 2)
    ]


def test_profile_tells_operators_parts_and_nodes(measured: Facts) -> None:
    for told in measured["inside"]["profiles"]:
        assert told["nodes"] > 100
        assert sum(row["calls"] for row in told["operators"]) == told["nodes"]
        assert sum(row["nodes"] for row in told["parts"]) == told["nodes"]
        assert [row["part"] for row in told["parts"]] == [FORM, LOOKS, FINDER, NETWORK]
        assert len(told["dearest"]) == bench_profile.DEAREST
        for row in (*told["operators"], *told["parts"], *told["dearest"]):
            assert row["low"] <= row["us"] <= row["high"]
            assert row["share"] == row["us"] / told["all"]["us"]
        for key in ("operators", "parts"):
            assert sum(row["share"] for row in told[key]) == pytest.approx(1)
    text = "\n".join(lines_of(measured))
    dearest = measured["inside"]["profiles"][0]["dearest"][0]
    assert f"\n{dearest['operator']} {'x'.join(map(str, dearest['output']))}" in text


def test_parts_of_the_graph_are_told_by_its_branch_and_its_convolutions() -> None:
    def node(operator: str, begin: int, duration: int = 1) -> Node:
        return {"ts": begin, "dur": duration, "args": {"op_name": operator}}

    far = 10 + 2 * bench_profile.APART
    nodes = [
        node("Cast", 0),
        node("If", 2, 100),
        node("MatMul", 3),
        node("FusedConv", 4),
        node("Add", 5),
        node("ConvTranspose", 6),
        *(node("Mul", 7 + count) for count in range(far)),
        node("Conv", 80),
        node("Conv", 81),
        node("Sub", 90),
        node("Conv", 102),
        node("Softmax", 103),
    ]
    wanted = [FORM, LOOKS, LOOKS, *[FINDER] * 3, *[LOOKS] * far, FINDER, FINDER, LOOKS, NETWORK, NETWORK]
    assert bench_profile.parts_of(nodes) == wanted


def test_options_imports_sizes_and_threads_tell_their_spread(measured: Facts) -> None:
    options = measured["inside"]["options"]
    assert [row["option"] for row in options] == list(bench_inside.CHANGES)
    assert options[0]["option"] == "the runtime's own again"
    for row in options:
        for key in ("load", "run"):
            assert row[f"{key}_low"] <= row[key] <= row[f"{key}_high"]
            assert row[f"{key}s"] >= 1
    for row in measured["inside"]["imports"]:
        assert row["low"] <= row["ms"] <= row["high"]
        assert row["runs"] == 1
    for row in (*measured["sizes"], *measured["threads_scaling"]):
        assert row["low"] <= row["ratio"] <= row["high"]
        assert row["runs"] >= 3


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("processor\t: 0\nmodel name\t: Quick 9000: fast\nmodel name\t: another\n", "Quick 9000: fast"),
        ("processor\t: 0\nBogoMIPS\t: 48.00\n", None),
        (None, None),
    ],
)
def test_processor_is_what_linux_calls_it_or_nothing(
    content: str | None, wanted: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if content is not None:
        cpuinfo.write_text(content)
    monkeypatch.setattr(bench_machine, "CPUINFO", cpuinfo)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert bench_machine.processor() == wanted
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert bench_machine.processor() == "arm"


def test_head_names_processor_and_versions_that_are_known() -> None:
    known = {"architecture": "x", "cores": 2, "system": "Linux", "python": "3", "onnxruntime": "1", "numpy": "2"}
    with_all = known | {"processor": "Quick", "pillow": "13", "torch": "2.1"}
    assert machine_line(with_all) == (
        "Quick, x, 2 cores, Linux, Python 3, ONNX Runtime 1, numpy 2, Pillow 13, PyTorch 2.1"
    )
    assert machine_line(known | {"processor": None}) == "x, 2 cores, Linux, Python 3, ONNX Runtime 1, numpy 2"


def test_help_writes_the_folder_as_one_that_may_be_left_out(adder_bench: Callable[..., Result]) -> None:
    code, told, _ = adder_bench("--help")
    assert code == 0
    assert told.splitlines()[0] == "Usage: adder-bench [OPTIONS] [FOLDER]"


def test_contest_divides_the_first_by_the_second_whichever_runs_first() -> None:
    order: list[str] = []
    found = compare(Contest("x", lambda: order.append("a"), lambda: order.append("b"), 1, least=5), 0)
    assert order == ["a", "b", "b", "a"] * 3  # two of each fill caches and are not counted
    assert (found.runs, found.name) == (5, "x")
    assert found.low <= found.ratio <= found.high


def report(low: float, high: float, at_most: bool = True) -> dict[str, Any]:
    return {"ratios": [{"name": "x", "ratio": (low + high) / 2, "low": low, "high": high, "at_most": at_most}]}


def test_worse_is_what_noise_does_not_explain() -> None:
    assert worse(report(1.2, 1.4), report(1.0, 1.1)) == ["x: 1.30, was 1.05"]
    assert worse(report(1.05, 1.4), report(1.0, 1.1)) == []
    assert worse(report(0.5, 0.7), report(1.0, 1.1)) == []
    assert worse(report(3.0, 3.5, at_most=False), report(4.0, 5.0, at_most=False)) == ["x: 3.25, was 4.50"]
    assert worse(report(6.0, 7.0, at_most=False), report(4.0, 5.0, at_most=False)) == []
    assert worse({"ratios": []}, report(1, 2)) == []
    before, now = ({"ratios": [], "many": {"ratio": ratio, "low": ratio, "high": ratio}} for ratio in (0.3, 0.2))
    assert worse(now, before) == ["many files of mixed size into a table / reading them alone: 0.20, was 0.30"]
    assert worse(before, now) == worse({"ratios": []}, before) == []


def test_against_an_earlier_report(
    adder_bench: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: Facts
) -> None:
    monkeypatch.setattr(bench_cli, "run_bench", lambda *_, **__: measured)
    before = next(each for each in measured["ratios"] if each["at_most"])
    earlier = tmp_path / "earlier.json"
    for ratio, wanted in ((1e-9, 1), (1e9, 0)):
        earlier.write_text(json.dumps({"ratios": [before | {"ratio": ratio, "low": ratio, "high": ratio}]}))
        code, _, err = adder_bench("--against", earlier)
        assert code == wanted
        assert (f"worse than in {earlier}: {before['name']}: " in err) == bool(wanted)
        assert ("no ratio is worse" in err) == (not wanted)
    earlier.write_text("[]")
    code, _, err = adder_bench("--against", earlier)
    assert (code, "is no report of adder-bench" in err) == (2, True)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 0.86, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 3.2, [0, 1, 2, 3, 4]),
        (99.47, 99.72, [99.45, 99.5, 99.55, 99.6, 99.65, 99.7, 99.75]),
        (0, 1000, [0, 200, 400, 600, 800, 1000]),
    ],
)
def test_ticks_are_round_and_reach_over_all(low: float, high: float, wanted: list[float]) -> None:
    assert ticks(low, high) == wanted


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (706, 1873, [500, 1000, 2000]),
        (0.21, 223, [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]),
        (1, 1, [1, 2]),
        (0.1, 1000, [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]),
    ],
)
def test_logarithmic_ticks_are_round_and_reach_over_all(low: float, high: float, wanted: list[float]) -> None:
    assert log_ticks(low, high) == wanted


@pytest.mark.parametrize(
    ("low", "high", "at_most", "wanted"),
    [
        (0.8, 1.0, True, "met"),
        (0.8, 1.1, True, "unclear"),
        (1.1, 1.2, True, "missed"),
        (1.0, 1.2, False, "met"),
        (0.9, 1.1, False, "unclear"),
        (0.8, 0.9, False, "missed"),
    ],
)
def test_verdict_is_what_both_quartiles_say(low: float, high: float, at_most: bool, wanted: str) -> None:
    (ratio,) = report(low, high, at_most)["ratios"]
    assert verdict(ratio | {"wanted": 1.0}) == wanted
    assert verdict(ratio | {"wanted": None}) == "-"


def test_spread_of_earlier_reports_over_many_files_is_not_told_as_quartiles(measured: Facts) -> None:
    many = {"ratio": 0.5, "low": 0.1, "high": 0.9}  # the least and the most of all parts
    (row,) = (row for row in ratio_rows(measured | {"many": many}) if row[0].startswith("many files"))
    assert row[1:] == ["0.50", "-", "-", "at least 0.80", "unclear"]
    (row,) = (row for row in ratio_rows(measured | {"many": many | {"runs": 10}}) if row[0].startswith("many files"))
    assert row[1:] == ["0.50", "0.10 to 0.90", "10", "at least 0.80", "unclear"]


def test_labelled_folder_is_told_beside_the_models_as_adder_measure_tells_it(measured: Facts) -> None:
    good = Summary(1200, 1, 2, 11990, 0.9, 0.8, 0.85, 0.01, {"0.99": 0.19, "0.95": 0.15, "0.9": 0.1})
    none = Summary(1200, 1, 2, 0, None, None, None, None, None)
    models = [
        model | {"folder": {"name": "mine"} | summary.to_dict()}
        for model, summary in zip(measured["models"], (good, none), strict=False)
    ]
    told = [line.split() for line in lines_of(measured | {"models": models})]
    assert ["on", "mine", *" ".join(COLUMN_NAMES[1:]).split()] in told
    names = [f"{each['approach']} {each['precision']} on {each['provider']}".split() for each in models]
    shares = ["90.00%", "80.00%", "85.00%", "1.00%", "19.00%", "15.00%", "10.00%"]
    assert [*names[0], "1,200", "1", "2", *shares] in told
    assert [*names[1], "1,200", "1", "2", *["-"] * 7] in told


def test_bare_script_does_what_the_command_does(classify: Adder, three: Path) -> None:
    told = bench_runtime.in_a_process("-c", bench_runtime.BARE, str(three), "7", str(classify.path)).stdout
    assert told == "3 + 7 = 10\n"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="this system does not tell a process's peak")
def test_peak_holds_at_least_the_picture(classify: Adder) -> None:
    found = bench.peak_memory(classify.path, (1000, 1000, 3))
    assert found is not None
    share, peak = found
    assert share > 1
    assert peak > 3_000_000


def test_files_are_as_many_as_wanted_though_one_file_has_few_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_many, "NAMES", 7)
    names = bench_many.make_files(tmp_path, 30, bench_many.SHAPES[:2])
    assert len(set(names)) == 30
    assert all(Path(name).stat().st_nlink <= 1 + 7 for name in names)
    assert {read_image(name).shape for name in names} == {(28, 28, 1), (64, 64, 1)}
