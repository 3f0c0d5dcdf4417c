"""adder-measure as a user meets it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adder_runtime import Adder, ImageError, measure_cli
from adder_runtime.image_file import read_image, to_png
from adder_runtime.labels import Labelled
from adder_runtime.measure import Failed
from adder_runtime.measure_report import gather_facts, write_report
from adder_runtime.pictures import draw_digit, paint

Result = tuple[int, str, str]
Measure = Callable[..., Result]


@pytest.fixture
def measure(command: Callable[..., Result]) -> Measure:
    """Runs the command in this process: exit code, standard output, standard error."""
    return lambda *words: command(measure_cli.main, "adder-measure", *words, "--provider", "cpu")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two groups of drawn digits; one of `lies` is labelled wrongly, one is blank."""
    top = tmp_path / "pictures"
    for name, digit in {"good/3_a.png": 3, "good/8_b.png": 8, "lies/4_c.png": 3, "lies/5_d.png": None}.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = np.zeros((60, 60)) if digit is None else draw_digit(digit, 60, 60)
        path.write_bytes(to_png(paint(drawn, 3)))
    return top


def test_table_has_a_row_for_each_group_and_one_for_all(measure: Measure, pictures: Path) -> None:
    code, out, err = measure(pictures)
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line.split()[1:6] for line in out.splitlines()[1:]}
    assert rows == {
        "good": ["2", "0", "0", "100.00%", "100.00%"],
        "lies": ["2", "0", "1", "0.00%", "0.00%"],
        "all": ["4", "0", "1", "50.00%", "50.00%"],
    }
    assert len({len(line) for line in out.splitlines()}) == 1


def test_json_is_all_that_was_measured(measure: Measure, pictures: Path) -> None:
    code, out, _ = measure(pictures, "--json", "--numbers", 6, "--approach", "regress")
    assert code == 0
    told = json.loads(out)
    assert told["model"]["approach"] == "regress"
    assert told["numbers"] == [6]
    assert (told["all"]["pictures"], told["all"]["answers"], told["all"]["unread"]) == (4, 4, 1)
    assert told["groups"]["good"]["sum_accuracy"] == 1
    assert np.array(told["confusion"]).sum() == 4
    lie, blank = told["mistakes"]
    assert {key: lie[key] for key in ("image", "shown", "digit", "sum", "number", "wrong_answers")} == {
        "image": str(pictures / "lies" / "4_c.png"),
        "shown": 4,
        "digit": 3,
        "sum": 9,
        "number": 6,
        "wrong_answers": 1,
    }
    assert (blank["digit"], blank["confidence"]) == (-1, 0)


def test_report_is_a_page_with_its_charts(measure: Measure, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert measure(pictures, "--out", out)[0] == 0
    names = ["README.md", "confusion.png", "mistakes-1.png", "reliability.png", "report.json", "risk_coverage.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    page = (out / "README.md").read_text()
    for name in names:
        if name.endswith(".png"):
            assert f"]({name})" in page
            assert read_image(out / name).shape[2] == 3
    assert "| lies | 2 | 0 | 1 | 0.00% | 0.00% |" in page
    assert json.loads((out / "report.json").read_text())["all"]["answers"] == 40


def test_earlier_report_is_replaced_only_on_request(measure: Measure, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert measure(pictures, "--out", out)[0] == 0
    code, printed, err = measure(pictures, "--out", out)
    assert (code, printed) == (7, "")
    assert "replace it with --force, or give another --out" in err
    assert measure(pictures / "good", "--out", out, "--force")[0] == 0
    assert not (out / "mistakes-1.png").exists()


def test_failed_and_unlabelled_pictures_are_named(measure: Measure, pictures: Path, tmp_path: Path) -> None:
    (pictures / "good" / "6_bad.png").write_text("no picture")
    (pictures / "good" / "other.png").touch()
    code, out, err = measure(pictures, "--out", tmp_path / "report")
    assert code == 1
    assert out.splitlines()[-1].split()[1:4] == ["5", "1", "1"]
    left_out, failed = err.splitlines()
    assert "left out, since nothing says what they show: 1, such as" in left_out
    assert "6_bad.png is no picture" in failed
    page = (tmp_path / "report" / "README.md").read_text()
    assert "6_bad.png is no picture" in page
    assert "other.png" in page


def test_names_that_are_not_utf8_are_escaped_in_the_report(classify: Adder, tmp_path: Path) -> None:
    picture = Labelled(tmp_path / "6_\udcfe.png", 6, "g\udcff")
    found = [
        Failed(picture, ImageError(f"{picture.path} is no picture")),
        Failed(replace(picture, group="."), ImageError("the other")),
    ]
    write_report(tmp_path, classify, gather_facts(classify, tmp_path, [1], found, []), found)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert r"| g\udcff | 1 | 1 |" in page
    assert r"6_\udcfe.png is no picture" in page


def test_only_failed_pictures_end_with_their_code(measure: Measure, tmp_path: Path) -> None:
    (tmp_path / "3_bad.png").write_text("no picture")
    code, out, err = measure(tmp_path, "--out", tmp_path / "report")
    assert code == 3
    assert out.splitlines()[-1].split() == ["all", "1", "1", "0", *["-"] * 7]
    assert err.count("\n") == 1
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["README.md", "report.json"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{top}/none"], 3, "none not found; wanted names such as 3_anything.png"),
        (["{top}/empty"], 3, "has no labelled pictures; wanted names such as 3_anything.png"),
        (["{top}", "--numbers", "11"], 2, "number is 11, must be a whole number from 0 to 9"),
        (["{top}", "--model", "x", "--approach", "regress"], 2, "exclude each other"),
        (["{top}", "--model", "none.onnx"], 5, "none.onnx not found"),
        (["{top}", "--out", "{top}/good/3_a.png"], 7, "is a file, wanted a folder"),
        ([], 2, "see: adder-measure --help"),
    ],
)
def test_bad_call_is_one_line_and_an_exit_code(
    arguments: list[str], code: int, message: str, measure: Measure, pictures: Path
) -> None:
    (pictures / "empty").mkdir()
    found, out, err = measure(*(each.format(top=pictures) for each in arguments))
    assert (found, out) == (code, "")
    assert err.startswith("adder-measure: ")
    assert err.count("\n") == 1
    assert message in err


def test_progress_is_counted_on_a_terminal_and_then_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(measure_cli.count_up("ab", 2)) == ["a", "b"]
    assert terminal.getvalue() == "\r1 of 2 pictures\r2 of 2 pictures\r\033[K"


def test_help_names_every_exit_code(measure: Measure) -> None:
    code, out, _ = measure("--help")
    assert code == 0
    for number in (0, 1, 2, 3, 5, 6, 7, 130):
        assert f"{number:>5}  " in out


def test_force_without_a_report_is_refused(measure: Measure, pictures: Path) -> None:
    code, out, err = measure(pictures, "--force")
    assert (code, out) == (2, "")
    assert "--force goes with --out" in err
