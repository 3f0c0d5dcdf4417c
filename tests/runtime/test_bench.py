"""adder-bench: what it tells, what it writes, and when it calls something worse. No figure of it is tested."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from adder_runtime import Adder, bench, bench_cli, bench_inside, bench_many, bench_runtime
from adder_runtime.bench_charts import log_ticks, ticks
from adder_runtime.bench_contest import Contest, compare, worse
from adder_runtime.contract import Approach, Precision
from adder_runtime.image_file import read_image

Result = tuple[int, str, str]

REPORT = Path(__file__).parents[2] / "artifacts" / "bench" / "report.json"


@pytest.fixture
def adder_bench(command: Callable[..., Result]) -> Callable[..., Result]:
    """Runs the command in this process: exit code, standard output, standard error."""
    return lambda *words: command(bench_cli.main, "adder-bench", *words)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and batches that take no time."""
    for module in (bench, bench_runtime):
        monkeypatch.setattr(module, "LARGE", (60, 80, 3))
        monkeypatch.setattr(module, "MIDDLE", (30, 40, 1))
        told = CompletedProcess([], 0, stdout="1.5 1000", stderr="1000")
        monkeypatch.setattr(module, "in_a_process", lambda *_, told=told: told)
    monkeypatch.setattr(bench, "SIDES", (28, 60))
    monkeypatch.setattr(bench, "compare_imports", lambda: [{"module": "numpy", "ms": 1.0}])
    monkeypatch.setattr(bench_inside, "STARTS", 1)
    monkeypatch.setattr(bench, "added", lambda: [Contest("another", lambda: None, lambda: None, 2, at_most=False)])


@pytest.mark.usefixtures("small")
def test_report_holds_what_the_tables_show(
    adder_bench: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    assert len(facts["ratios"]) == 13
    (first, _) = facts["inside"]["profiles"]
    assert first["nodes"] > 100
    assert sum(row["calls"] for row in first["operators"]) == pytest.approx(first["nodes"], abs=20)
    assert {row["option"] for row in facts["inside"]["options"]} == set(bench_inside.CHANGES)
    for each in facts["ratios"]:
        assert each["low"] <= each["ratio"] <= each["high"]
        assert f"{each['name']}  " in told
    assert "sum right" in told
    assert adder_bench("--out", out)[0] == 7
    code, told, _ = adder_bench("--seconds", 0.01, "--json")
    assert code == 0
    assert set(json.loads(told)) == set(facts) - {"many", "memory_over_files"}
    assert facts["many"]["pictures"] == 20
    assert [row["pictures"] for row in facts["memory_over_files"]] == [20, 1000]


def test_contest_divides_the_first_by_the_second() -> None:
    order: list[str] = []
    found = compare(Contest("x", lambda: order.append("a"), lambda: order.append("b"), 1, least=5), 0)
    assert order == ["a", "b"] * 6  # one to fill caches
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
    assert worse(now, before) == ["many files: 0.20, was 0.30"]
    assert worse(before, now) == worse({"ratios": []}, before) == []


def test_against_an_earlier_report(
    adder_bench: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = json.loads(REPORT.read_text())
    monkeypatch.setattr(bench_cli, "run_bench", lambda *_, **__: facts)
    before = next(each for each in facts["ratios"] if each["at_most"])
    earlier = tmp_path / "earlier.json"
    for ratio, wanted in ((1e-9, 1), (1e9, 0)):
        earlier.write_text(json.dumps({"ratios": [before | {"ratio": ratio, "low": ratio, "high": ratio}]}))
        code, told, err = adder_bench("--against", earlier)
        assert code == wanted
        assert (f"worse than in {earlier}: {before['name']}: " in err) == bool(wanted)
        assert ("no ratio is worse" in told) == (not wanted)
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


def test_labelled_folder_is_told_beside_the_models() -> None:
    facts = json.loads(REPORT.read_text())
    measured: dict[str, Any] = {"name": "mine", "pictures": 1200, "failed": 1, "unread": 2}
    shares: list[dict[str, Any]] = [
        {"digit_accuracy": 0.9, "sum_accuracy": 0.8},
        {"digit_accuracy": None, "sum_accuracy": None},
    ]
    for model, share in zip(facts["models"], shares, strict=False):
        model["folder"] = measured | share
    told = [line.split() for line in bench_cli.lines_of(facts)]
    assert ["on", "mine", "pictures", "failed", "unread", "digit", "right", "sum", "right"] in told
    names = [f"{each['approach']} {each['precision']} {each['provider']}".split() for each in facts["models"][:2]]
    assert [*names[0], "1,200", "1", "2", "90.00%", "80.00%"] in told
    assert [*names[1], "1,200", "1", "2", "-", "-"] in told


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
