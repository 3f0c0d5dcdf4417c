"""Many pictures into one table: the same bytes however often the run was killed, and nothing lost or doubled."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adder_runtime import Adder, job
from adder_runtime.errors import OutputError, UsageError
from adder_runtime.image_file import to_png
from adder_runtime.job import run_job
from adder_runtime.pictures import draw_digit, generate, paint
from adder_runtime.results import COLUMNS, WRITERS

PICTURES = 40


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn digits of different sizes, a file that is no picture, and a blank picture."""
    folder = tmp_path_factory.mktemp("pictures")
    for count, picture in enumerate(generate(PICTURES, seed=3, sides=(20, 40))):
        (folder / f"{count:03}.png").write_bytes(to_png(picture.pixels))
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "blank.png").write_bytes(to_png(next(generate(1, seed=1)).pixels[:3, :3]))
    return folder


@pytest.fixture(scope="session")
def images(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.iterdir())]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "PART", 8)


def numbers_for(images: list[str]) -> list[int]:
    return [place % 10 for place in range(len(images))]


def test_each_row_is_what_predict_answers(classify: Adder, images: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    totals = run_job(classify, images, numbers_for(images), out, least=0.5)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["image"] for row in rows] == images
    answers = list(classify.predict_each(images, numbers_for(images)))
    for row, answer, number in zip(rows, answers, numbers_for(images), strict=True):
        assert tuple(row) == COLUMNS
        assert row["number"] == number
        if isinstance(answer, Exception):
            assert (row["error"], row["digit"], row["sum"]) == (str(answer), None, None)
        else:
            assert (row["digit"], row["sum"], row["consistent"]) == (answer.digit, answer.sum, answer.consistent)
            assert row["confidence"] == pytest.approx(answer.confidence, abs=1e-5)
            assert row["unsure"] == (row["confidence"] < 0.5)
    assert totals.pictures == len(images)
    assert totals.answered == totals.digits.total() == sum(row["error"] is None for row in rows)
    assert totals.failed.total() == len(images) - totals.answered >= 1


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    "name", ["a,b.png", 'a"b.png', "a\nb.png", "a\rb.png", "\r\n.png", "\u00fc\u30c4.png", "a\udcff.png"]
)
def test_any_name_of_a_picture_comes_back_from_a_table(classify: Adder, tmp_path: Path, suffix: str, name: str) -> None:
    pytest.importorskip("pyarrow")
    out = tmp_path / f"out{suffix}"
    run_job(classify, [name, "other.png"], [1, 2], out)
    if suffix == ".csv":
        with out.open(newline="", encoding="utf-8") as file:
            found = [row["image"] for row in csv.DictReader(file)]
    elif suffix == ".jsonl":
        found = [json.loads(line)["image"] for line in out.read_bytes().splitlines()]
    else:
        from pyarrow import parquet

        found = parquet.read_table(out)["image"].to_pylist()
    # what is no text in UTF-8 is escaped, as JSON has it, where the kind of table takes nothing but text
    escaped = name if suffix == ".jsonl" else name.replace("\udcff", r"\udcff")
    assert found == [escaped, "other.png"]


@pytest.mark.parametrize("suffix", WRITERS)
def test_kinds_of_tables_hold_the_same(classify: Adder, images: list[str], tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("pyarrow")
    out, lines = tmp_path / f"out{suffix}", tmp_path / "lines.jsonl"
    for each in (out, lines):
        run_job(classify, images, numbers_for(images), each)
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    if suffix == ".csv":
        with out.open(newline="", encoding="utf-8") as file:
            told = list(csv.DictReader(file))
        found = [{key: None if value == "" else value for key, value in row.items()} for row in told]
        wanted = [
            {key: str(value).lower() if isinstance(value, bool) else value for key, value in row.items()}
            for row in rows
        ]
        wanted = [{key: None if value is None else str(value) for key, value in row.items()} for row in wanted]
        assert found == wanted
    elif suffix == ".parquet":
        from pyarrow import parquet

        assert parquet.read_table(out).to_pylist() == rows
    else:
        assert out.read_bytes() == lines.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({out.name, lines.name})


def test_goes_on_where_it_stopped(
    classify: Adder, images: list[str], tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.csv", tmp_path / "out.csv"
    run_job(classify, images, numbers_for(images), whole)
    asked: list[str] = []
    answer_read = Adder.answer_read

    def stop_at_20(self: Adder, pictures: object, at_once: int) -> object:
        for name, *rest in pictures:  # type: ignore[attr-defined]
            asked.append(name)
            if len(asked) == 20:
                raise KeyboardInterrupt
            yield from answer_read(self, [(name, *rest)])

    with monkeypatch.context() as patch:
        patch.setattr(Adder, "answer_read", stop_at_20)
        with pytest.raises(KeyboardInterrupt):
            run_job(classify, images, numbers_for(images), out)
    assert not out.exists()
    parts = tmp_path / ".out.csv.parts"
    assert len(list(parts.glob("*.jsonl"))) == 2
    damaged = parts / "000000008.jsonl"
    damaged.write_bytes(damaged.read_bytes().replace(b'"number": 8', b'"number": 9'))
    again: list[int] = []
    found: list[int] = []
    run_job(classify, images, numbers_for(images), out, on_progress=again.append, on_found=found.append)
    assert (sum(found), sum(again)) == (8, len(images) - 8)  # of the two parts one is damaged
    assert out.read_text().splitlines()[0] == whole.read_text().splitlines()[0]
    assert [line.split(",")[:4] for line in out.read_text().splitlines()] == [
        line.split(",")[:4] for line in whole.read_text().splitlines()
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "whole.csv"]


def test_parts_of_another_run_are_not_taken(classify: Adder, images: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    parts = tmp_path / ".out.csv.parts"
    parts.mkdir()
    (parts / "run.json").write_text("{}")
    with pytest.raises(OutputError, match=r"another run.*--force"):
        run_job(classify, images, numbers_for(images), out)
    run_job(classify, images, numbers_for(images), out, force=True)
    first = out.read_bytes()
    with pytest.raises(OutputError, match=r"is there; replace it with --force"):
        run_job(classify, images, numbers_for(images), out)
    assert out.read_bytes() == first


def test_pictures_that_were_changed_since_are_told_and_answered_anew_with_force(
    classify: Adder, tmp_path: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"{place}.png" for place in range(20)]
    for path in paths:
        path.write_bytes(to_png(paint(draw_digit(3, 40, 40), 1)))
    images, numbers, out = [str(path) for path in paths], [0] * len(paths), tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        patch.setattr(job, "_joined", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_job(classify, images, numbers, out)
    paths[0].write_bytes(to_png(paint(draw_digit(7, 40, 40), 1)))
    with pytest.raises(OutputError, match=r"another run.*--force"):
        run_job(classify, images, numbers, out)
    run_job(classify, images, numbers, out, force=True)
    with out.open(newline="") as file:
        assert [row["digit"] for row in csv.DictReader(file)] == ["7"] + ["3"] * 19


def interrupted(*_: object) -> object:
    raise KeyboardInterrupt


def test_a_folder_in_the_tables_place_is_told_before_anything_is_answered(
    classify: Adder, images: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    out.mkdir()
    for force in (False, True):
        with pytest.raises(OutputError, match=r"out\.csv is a folder"):
            run_job(classify, images, numbers_for(images), out, force=force)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("place", ["file.csv/out.csv", "x" * 300 + ".csv"])
def test_a_place_that_cannot_be_is_told_as_such(classify: Adder, images: list[str], tmp_path: Path, place: str) -> None:
    (tmp_path / "file.csv").write_text("a file")
    with pytest.raises(OutputError, match=r"cannot be (read|made): .*; give another file with --out"):
        run_job(classify, images[:1], [1], tmp_path / place)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_two_runs_do_not_write_one_table(classify: Adder, images: list[str], tmp_path: Path) -> None:
    import fcntl

    out = tmp_path / "out.csv"
    parts = tmp_path / ".out.csv.parts"
    parts.mkdir()
    with (parts / job.LOCK).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        for force in (False, True):
            with pytest.raises(OutputError, match="is being written by another run; wait for it"):
                run_job(classify, images[:2], [1, 2], out, force=force)
    run_job(classify, images[:2], [1, 2], out)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("name", ["out", "out.txt", "out.xlsx"])
def test_other_kinds_of_tables_are_refused(classify: Adder, images: list[str], tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"wanted a name that ends in \.csv, \.jsonl, \.parquet"):
        run_job(classify, images, numbers_for(images), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(("suffix", "kills"), [(".csv", 8), (".jsonl", 6), (".parquet", 6)])
def test_killed_at_random_it_gives_the_same_bytes(folder: Path, tmp_path: Path, suffix: str, kills: int) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    whole, out = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    program = (
        "import sys, time; from adder_runtime import answering, job\n"
        "job.PART = 2; of, back = job.Row.of, job.from_json\n"
        # so that there is something to kill, also while the parts are joined
        "job.Row.of = lambda *each: (time.sleep(0.012), of(*each))[1]\n"
        "job.from_json = lambda line: (time.sleep(0.012), back(line))[1]\n"
        "answering.main()"
    )
    command = [sys.executable, "-c", program, str(folder), "7", "--out"]
    begun = time.monotonic()
    assert subprocess.run([*command, str(whole)], capture_output=True, check=False).returncode == 1
    took = time.monotonic() - begun
    chance = random.Random(5)
    killed, joining = 0, 0
    while killed < kills or not joining:
        assert time.monotonic() - begun < 300
        process = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(took / 4, took))
            out.unlink()  # it was quicker: begin anew
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            if out.exists():  # it had ended, and was only on its way out
                out.unlink()
            else:
                killed += 1
                joining += any(path.name.startswith(".joined.") for path in tmp_path.glob(".out.*.parts/.*"))
    assert subprocess.run([*command, str(out)], capture_output=True, check=False).returncode == 1
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((out.name, whole.name))
