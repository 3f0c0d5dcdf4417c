"""adder-infer as a user meets it: what it prints, where, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adder_runtime import answering, explain, model, session
from adder_runtime.contract import INK, Approach, outputs
from adder_runtime.errors import AdderError, NothingToReadError
from adder_runtime.image_file import read_image, to_png
from adder_runtime.model import Adder, Answer
from adder_runtime.pictures import draw_digit, paint

Result = tuple[int, str, str]
Infer = Callable[..., Result]


@pytest.fixture
def infer(command: Callable[..., Result]) -> Infer:
    """Runs the command in this process: exit code, standard output, standard error."""
    return lambda *words: command(answering.main, "adder-infer", *words)


def in_a_process(*arguments: object, given: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "adder_runtime", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]  # its overloads do not take **


def test_a_line_for_a_person(infer: Infer, three: Path) -> None:
    code, out, err = infer(three, 7)
    assert (code, err) == (0, "")
    assert out.startswith(f"{three}: 3 + 7 = 10 (")
    assert out.endswith("% sure, classify on cpu)\n") or "on cuda" in out


@pytest.mark.parametrize("approach", Approach)
def test_json_is_one_object_with_every_output(infer: Infer, three: Path, approach: Approach) -> None:
    code, out, err = infer(three, 7, "--json", "--approach", approach, "--provider", "cpu", "--threads", 2)
    assert (code, err, out.count("\n")) == (0, "", 1)
    told = json.loads(out)
    assert {spec.name for spec in outputs(approach) if spec is not INK} <= set(told)
    assert INK.name not in told
    assert (told["image"], told["number"], told["digit"], told["sum"]) == (str(three), 7, 3, 10)
    assert (told["approach"], told["provider"]) == (approach, "cpu")


def test_model_file_is_asked_by_its_path(infer: Infer, three: Path) -> None:
    code, out, _ = infer(three, 1, "--model", session.find_model("regress"))
    assert code == 0
    assert "3 + 1 = 4" in out
    assert "regress" in out


def test_compare_tells_both_where_one_model_sees_nothing_to_read(
    infer: Infer, three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict_each = Adder.predict_each

    def refuse(self: Adder, images: list[Path], number: int) -> Iterator[Answer | AdderError]:
        answers = predict_each(self, images, number)
        return iter([NothingToReadError("no")]) if self.approach is Approach.REGRESS else answers

    monkeypatch.setattr(Adder, "predict_each", refuse)
    words = three, 7, "--compare", "--provider", "cpu"
    code, out, err = infer(*words)
    assert (code, out) == (4, "")
    assert err.endswith("no; so says regress on cpu, but classify on cpu answers 3, and 10 as the sum: they DISAGREE\n")
    told = json.loads(infer(*words, "--json")[1])
    assert (told["exit_code"], "classify on cpu answers 3" in told["error"]) == (4, True)


def test_compare_asks_both_models(infer: Infer, three: Path) -> None:
    code, out, _ = infer(three, 7, "--compare")
    assert code == 0
    assert out.count("3 + 7 = 10") == 2
    assert out.endswith("they agree\n")
    told = json.loads(infer(three, 7, "--compare", "--json")[1])
    assert told["agree"] is True
    assert told["classify"]["sum"] == told["regress"]["sum"] == 10


def test_empty_path_is_not_the_current_folder(infer: Infer, three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(three.parent)
    assert infer("", 7)[::2] == (3, "adder-infer: the path is empty, wanted that of a picture or a folder\n")
    assert infer("", 7, "--out", "table.csv")[0] == 3


def test_folder_is_read_by_name(infer: Infer, tmp_path: Path) -> None:
    for digit in (4, 2, 9):
        (tmp_path / f"{digit}.png").write_bytes(to_png(paint(draw_digit(digit, 40, 40), 1)))
    code, out, _ = infer(tmp_path, 5)
    assert code == 0
    assert [line.split(": ")[1][:9] for line in out.splitlines()] == ["2 + 5 = 7", "4 + 5 = 9", "9 + 5 = 14"[:9]]


def test_standard_input_is_a_picture(infer: Infer, three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(three.read_bytes())))
    code, out, _ = infer("-", 6)
    assert code == 0
    assert out.startswith("-: 3 + 6 = 9 ")


def test_a_name_with_line_breaks_is_told_in_one_line(infer: Infer, three: Path) -> None:
    odd = three.rename(three.with_name("a\nb\r\x1b[2Jc.png"))
    code, out, _ = infer(odd, 7)
    assert (code, out.splitlines()[1:]) == (0, [])
    assert "a b  [2Jc.png: 3 + 7 = 10" in out
    odd.write_bytes(b"no picture")
    assert infer(odd, 7)[2].endswith(
        "a b  [2Jc.png is no picture, wanted PNG, JPEG or another format that Pillow reads\n"
    )


@pytest.mark.parametrize(("name", "told"), [("\u30c4.png", rb"\u30c4.png"), ("\udcff.png", rb"\udcff.png")])
def test_a_name_that_standard_output_cannot_hold_is_escaped(three: Path, name: str, told: bytes) -> None:
    try:
        odd = three.rename(three.with_name(name))
    except OSError:
        pytest.skip("this file system takes no such name")
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
    ended = in_a_process(odd, 7, env=environment)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert told + b": 3 + 7 = 10" in ended.stdout


def test_one_bad_picture_among_good_ones(infer: Infer, three: Path) -> None:
    bad = three.with_name("bad.png")
    bad.write_text("no picture")
    code, out, err = infer(three, bad, three, 7)
    assert code == 1
    assert out.count("3 + 7 = 10") == 2
    assert err.count("\n") == 1
    assert str(bad) in err
    lines = [json.loads(line) for line in infer(three, bad, three, 7, "--json")[1].splitlines()]
    assert [line.get("sum") for line in lines] == [10, None, 10]
    assert lines[1]["exit_code"] == 3


BAD_CALLS: dict[str, tuple[list[str], int, str]] = {
    "number 10": (["{three}", "10"], 2, "number is 10, must be a whole number from 0 to 9"),
    "number -1": (["{three}", "-1"], 2, "number is -1, must be"),
    "number 2.5": (["{three}", "2.5"], 2, "number is '2.5', must be"),
    "number -2.5": (["{three}", "-2.5"], 2, "number is '-2.5', must be"),
    "number in words": (["{three}", "seven"], 2, "number is 'seven', must be"),
    "no number": (["{three}"], 2, "wanted pictures and then a number"),
    "nothing": ([], 2, "see: adder-infer --help"),
    "unknown option": (["--josn", "{three}", "7"], 2, "no such option: --josn"),
    "unknown approach": (["{three}", "7", "--approach", "guess"], 2, "'classify', 'regress'"),
    "model and approach": (["{three}", "7", "--model", "x", "--approach", "regress"], 2, "exclude each other"),
    "no threads": (["{three}", "7", "--threads", "0"], 2, "threads"),
    "confidence above 1": (["{three}", "7", "--min-confidence", "90"], 2, "--min-confidence is 90.0, must be 0 to 1"),
    "negative confidence": (["{three}", "7", "--min-confidence", "-0.5"], 2, "must be 0 to 1"),
    "confidence that is no number": (["{three}", "7", "--min-confidence", "nan"], 2, "must be 0 to 1"),
    "explain and compare": (["{three}", "7", "--compare", "--explain", "x.png"], 2, "name one of them"),
    "explain as JPEG": (["{three}", "7", "--explain", "x.jpg"], 2, "--explain is x.jpg, must end in .png"),
    "explain over the picture": (["{three}", "7", "--explain", "{three}"], 7, "is a picture to read"),
    "one explanation for two": (["{three}", "{blank}", "7", "--explain", "x.png"], 7, "one file for 2 pictures"),
    "force without a table": (["{three}", "7", "--force"], 2, "--force goes with --out"),
    "readers without a table": (["{three}", "7", "--readers", "2"], 2, "--readers goes with --out"),
    "readers while watching": (["--watch", "{empty}", "7", "--readers", "2"], 2, "--readers goes with --out"),
    "about and a table": (["--about", "--out", "x.csv"], 2, "--about and --out exclude each other"),
    "about and confidence": (["--about", "--min-confidence", "0.5"], 2, "--about and --min-confidence exclude"),
    "verify and watch": (["--verify", "--watch"], 2, "--verify and --watch exclude each other"),
    "verify and a model": (["--verify", "--approach", "regress"], 2, "--verify and --approach exclude each other"),
    "verify and threads": (["--verify", "--threads", "2"], 2, "--verify and --threads exclude each other"),
    "vectors and explain": (["--conformance", "{empty}", "--explain", "x.png"], 2, "--conformance and --explain"),
    "about and both models": (["--about", "--compare"], 2, "--about and --compare exclude each other"),
    "about and a picture": (["--about", "{three}", "7"], 2, "--about asks no picture"),
    "missing picture": (["none.png", "7"], 3, "none.png not found"),
    "text as picture": (["{text}", "7"], 3, "is no picture"),
    "folder without pictures": (["{empty}", "7"], 3, "has no pictures in it"),
    "one pixel": (["{pixel}", "7"], 4, "nothing to read"),
    "blank": (["{blank}", "7"], 4, "nothing to read"),
    "name too long": (["x" * 300, "7"], 3, "cannot be opened"),
    "model name too long": (["{three}", "7", "--model", "x" * 300], 5, "cannot be read"),
    "missing model": (["{three}", "7", "--model", "none.onnx"], 5, "none.onnx not found"),
    "text as model": (["{three}", "7", "--model", "{text}"], 5, "cannot be loaded"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_call_is_one_line_and_an_exit_code(name: str, infer: Infer, three: Path, tmp_path: Path) -> None:
    import numpy as np

    (tmp_path / "text.png").write_text("no picture at all")
    (tmp_path / "empty").mkdir()
    (tmp_path / "pixel.png").write_bytes(to_png(np.zeros((1, 1, 1), np.uint8)))
    (tmp_path / "blank.png").write_bytes(to_png(np.full((50, 50, 3), 255, np.uint8)))
    places = {key: tmp_path / f"{key}.png" for key in ("text", "pixel", "blank")}
    arguments, code, message = BAD_CALLS[name]
    found, out, err = infer(*(each.format(three=three, empty=tmp_path / "empty", **places) for each in arguments))
    assert (found, out) == (code, "")
    assert err.startswith("adder-infer: ")
    assert err.count("\n") == 1
    assert message in err


@pytest.fixture
def doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes classify 62.5 % sure of every answer."""
    predict_each = model.Adder.predict_each

    def predict(adder: model.Adder, *arguments: Any) -> Iterator[object]:
        for answer in predict_each(adder, *arguments):
            if isinstance(answer, model.Answer) and adder.approach is Approach.CLASSIFY:
                answer = replace(answer, confidence=0.625)
            yield answer

    monkeypatch.setattr(model.Adder, "predict_each", predict)


@pytest.mark.usefixtures("doubtful")
def test_unsure_answer_says_so_and_ends_with_12(infer: Infer, three: Path) -> None:
    code, out, err = infer(three, 7, "--min-confidence", 0.9, "--provider", "cpu")
    assert (code, err) == (12, "")
    assert out == f"{three}: unsure: 3 + 7 = 10 (62.50% sure, wanted 90%, classify on cpu)\n"
    told = json.loads(infer(three, 7, "--min-confidence", 0.9, "--json")[1])
    assert (told["unsure"], told["sum"]) == (True, 10)


@pytest.mark.usefixtures("doubtful")
def test_confidence_that_was_wanted_exactly_is_enough(infer: Infer, three: Path) -> None:
    code, out, _ = infer(three, 7, "--min-confidence", 0.625)
    assert code == 0
    assert "unsure" not in out
    assert json.loads(infer(three, 7, "--min-confidence", 0.625, "--json")[1])["unsure"] is False


def test_json_says_nothing_of_unsure_where_nothing_was_wanted(infer: Infer, three: Path) -> None:
    assert "unsure" not in json.loads(infer(three, 7, "--json")[1])


@pytest.mark.usefixtures("doubtful")
def test_comparison_is_unsure_where_one_model_is(infer: Infer, three: Path) -> None:
    code, out, _ = infer(three, 7, "--compare", "--min-confidence", 0.7)
    assert code == 12
    assert out.startswith(f"{three}: unsure: 3 + 7 = 10 (62.50% sure, wanted 70%, classify")
    assert out.count("wanted") == 1
    assert json.loads(infer(three, 7, "--compare", "--min-confidence", 0.7, "--json")[1])["unsure"] is True


@pytest.mark.usefixtures("doubtful")
def test_failed_picture_ends_before_an_unsure_one(infer: Infer, three: Path) -> None:
    assert infer(three, "none.png", 7, "--min-confidence", 0.9)[0] == 1
    assert infer("none.png", 7, "--min-confidence", 0.9)[0] == 3


def test_explanation_of_one_picture_is_a_file(infer: Infer, three: Path) -> None:
    before, out = three.read_bytes(), three.with_name("out.png")
    code, printed, err = infer(three, 7, "--explain", out)
    assert (code, err) == (0, "")
    assert printed == infer(three, 7)[1]
    assert read_image(out).shape == (explain.HEIGHT, explain.WIDTH, 3)
    assert three.read_bytes() == before
    assert infer(three, 8, "--explain", out)[0] == 0  # an earlier explanation is replaced


def test_explanations_of_several_pictures_go_to_a_folder(infer: Infer, three: Path, tmp_path: Path) -> None:
    blank, bad = tmp_path / "blank.png", tmp_path / "bad.png"
    blank.write_bytes(to_png(paint(draw_digit(3, 40, 40) * 0, 1)))
    bad.write_text("no picture")
    (tmp_path / "more").mkdir()
    other = tmp_path / "more" / "three.png"
    other.write_bytes(to_png(paint(draw_digit(4, 40, 40), 3)))
    code, _, err = infer(three, blank, bad, other, 7, "--explain", tmp_path / "drawn")
    assert code == 1
    assert err.count("\n") == 2
    made = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert made == ["blank.explain.png", "three-2.explain.png", "three.explain.png"]


def test_standard_input_is_explained_into_a_folder(infer: Infer, three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(three.read_bytes())))
    assert infer("-", 6, "--explain", three.parent)[0] == 0
    assert (three.parent / "picture.explain.png").exists()


def test_explanation_that_cannot_be_written_is_an_output_error(infer: Infer, three: Path) -> None:
    code, _, err = infer(three, 7, "--explain", three / "out.png")
    assert code == 7
    assert err.endswith("name another place with --explain\n")
    assert err.count("\n") == 1


def test_provider_that_is_not_there_ends_with_its_code(infer: Infer, three: Path) -> None:
    if "CUDAExecutionProvider" in session.import_onnxruntime().get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA; the test wants one without")
    code, _, err = infer(three, 7, "--provider", "cuda")
    assert code == 6
    assert err.count("\n") == 1


def test_help_names_every_exit_code(infer: Infer) -> None:
    code, out, _ = infer("--help")
    assert code == 0
    for number in (0, 1, 2, 3, 4, 5, 6, 7, 12, 130):
        assert f"{number:>5}  " in out


def test_version_is_that_of_the_distribution(infer: Infer) -> None:
    from importlib.metadata import version

    assert infer("--version")[1] == f"adder-infer {version('adder-edge')}\n"


def test_real_process_from_another_folder_with_standard_input(three: Path, tmp_path: Path) -> None:
    ended = in_a_process("-", 8, given=three.read_bytes(), cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"-: 3 + 8 = 11 (")


def test_traceback_is_never_shown(three: Path) -> None:
    ended = in_a_process(three, 7, "--model", three)
    assert ended.returncode == 5
    assert ended.stderr.count(b"\n") == 1
    assert b"Traceback" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="wants /dev/full, a device that is always full")
def test_full_disk_is_told(three: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "adder_runtime", str(three), "7"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert ended.returncode == 7
    assert ended.stderr.count(b"\n") == 1
    assert b"standard output cannot be written" in ended.stderr


def test_interrupt_ends_with_130(infer: Infer, three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model.Adder, "load", interrupted)
    assert infer(three, 7) == (130, "", "adder-infer: interrupted\n")


def test_telemetry_is_off_and_nothing_is_written_to_the_cache(three: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "XDG_"))}
    ended = in_a_process(three, 7, env=environment | {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"})
    assert ended.returncode == 0
    assert list(home.rglob("*")) == []


def test_neither_torch_nor_onnx_is_loaded(three: Path) -> None:
    code = (
        "import sys; from adder_runtime import Adder; "
        f"assert Adder.load('classify').predict({str(three)!r}, 7).sum == 10; "
        "print(sorted({'torch', 'torchvision', 'onnx', 'adder_trainer', 'adder_export'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ended.stdout == "[]\n"


@pytest.fixture
def some(tmp_path: Path) -> Path:
    """A folder with the digits 0 to 4 and a file that is no picture."""
    folder = tmp_path / "some"
    folder.mkdir()
    for digit in range(5):
        (folder / f"{digit}.png").write_bytes(to_png(paint(draw_digit(digit, 40, 40), 1)))
    (folder / "x.png").write_bytes(b"no picture")
    return folder


def test_table_of_a_folder(infer: Infer, some: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    code, told, err = infer(some, 7, "--out", out)
    assert (code, err) == (1, "")
    assert f"{out}: 6 pictures, 5 answered, 0 unsure\n" in told
    assert "digits: 1 of 0, 1 of 1, 1 of 2, 1 of 3, 1 of 4\n" in told
    assert "failed: 1 (1 with exit code 3)" in told
    rows = out.read_text().splitlines()
    assert rows[0] == "image,number,digit,sum,confidence,consistent,unsure,error,exit_code"
    assert rows[1].startswith(f"{some / '0.png'},7,0,7,0.99")
    assert "is no picture" in rows[6]
    code, _, err = infer(some, 7, "--out", out)
    assert code == 7
    assert "replace it with --force" in err
    code, told, _ = infer(some, 7, "--out", out, "--force", "--json", "--min-confidence", 1)
    assert code == 1
    assert json.loads(told) == {
        "out": str(out), "pictures": 6, "answered": 5, "unsure": 5, "failed": {"3": 1},
        "digits": {str(digit): 1 for digit in range(5)},
    }  # fmt: skip


def test_table_of_numbers(infer: Infer, some: Path, tmp_path: Path) -> None:
    table, out = tmp_path / "numbers.csv", tmp_path / "out.jsonl"
    table.write_text("image,number\n3.png,9\n1.png,0\n")
    assert infer(some, "--numbers", table, "--out", out)[0] == 0
    assert [json.loads(line)["sum"] for line in out.read_text().splitlines()] == [12, 1]
    assert infer("--numbers", table, "--out", out, "--force")[0] == 3  # relative to the table they are not there
    for wrong in ((some, "--numbers", table), (some, 7, "--numbers", table, "--out", out)):
        code, _, err = infer(*wrong)
        assert code == 2
        assert "--numbers goes with --out" in err


def test_table_of_numbers_is_not_written_over(infer: Infer, some: Path) -> None:
    table = some / "numbers.csv"
    table.write_text("image,number\n3.png,9\n")
    code, _, err = infer("--numbers", table, "--out", some / "." / "numbers.csv", "--force")
    assert (code, "is the table of --numbers" in err) == (2, True)
    assert table.read_text() == "image,number\n3.png,9\n"


def test_list_of_paths_may_begin_with_a_byte_order_mark(some: Path) -> None:
    ended = in_a_process("-", 7, "--json", given=f"\ufeff{some / '3.png'}\n".encode())
    assert json.loads(ended.stdout)["sum"] == 10


def test_paths_on_standard_input_are_answered_one_by_one(some: Path) -> None:
    command = [sys.executable, "-m", "adder_runtime", "-", "7", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name, wanted in (("3.png", 10), ("x.png", None), ("1.png", 8)):  # each answer before the next question
            process.stdin.write(f"{some / name}\n".encode())
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            assert (told["image"], told.get("sum")) == (str(some / name), wanted)
        process.stdin.close()
        assert process.wait() == 1


@pytest.mark.parametrize("given", [b"", b"\n", b"\r\n\n"])
def test_an_empty_list_of_paths_is_no_error_and_is_told(given: bytes) -> None:
    ended = in_a_process("-", 7, "--json", given=given)
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert ended.stderr == b"adder-infer: standard input is empty: no picture was asked\n"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP"])
def test_pictures_on_standard_input_are_not_taken_for_paths(kind: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(paint(draw_digit(4, 40, 40), 3)).save(stream, kind)
    ended = in_a_process("-", 7, "--json", given=stream.getvalue())
    assert json.loads(ended.stdout)["sum"] == 11


@pytest.mark.skipif(sys.platform == "win32", reason="interrupted in another way")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_watched_folder_is_answered_until_ctrl_c(ending: signal.Signals, some: Path) -> None:
    pytest.importorskip("watchdog")
    if signal.getsignal(ending) == signal.SIG_IGN:
        pytest.skip("run in the background of a shell, which has Ctrl-C ignored; run the tests in its foreground")
    command = [sys.executable, "-m", "adder_runtime", "--watch", str(some), "7", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        time.sleep(3)
        (some / "new.png").write_bytes((some / "4.png").read_bytes())
        assert json.loads(process.stdout.readline())["sum"] == 11
        process.send_signal(ending)
        assert process.wait(10) == 130


def test_only_a_folder_can_be_watched(infer: Infer, three: Path) -> None:
    code, _, err = infer("--watch", three, 7)
    assert (code, "wanted one folder" in err) == (2, True)
