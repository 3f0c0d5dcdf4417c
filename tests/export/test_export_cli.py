"""adder-export as a user meets it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from adder_export import cli, parity_cases
from adder_runtime import Adder

ARTIFACTS = Path(__file__).parents[2] / "artifacts"

Result = tuple[int, str, str]
Export = Callable[..., Result]


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch, command: Callable[..., Result], tmp_path: Path) -> Export:
    """Runs the command in this process, without MNIST: exit code, standard output, standard error."""
    monkeypatch.delenv("ADDER_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(parity_cases, "GENERATED", 10)
    monkeypatch.setattr(parity_cases, "drawn_cases", lambda: iter([]))
    monkeypatch.setattr(parity_cases, "rendered_cases", lambda _: iter([]))

    return lambda *words: command(cli.main, "adder-export", *words)


def test_both_approaches_are_exported_and_proven(export: Export, tmp_path: Path) -> None:
    code, out, _ = export("--checkpoint", ARTIFACTS, "--out", tmp_path / "made")
    assert code == 0
    assert out.count("the same answers as PyTorch") == 2
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [
        "classify.certificate.json",
        "classify.onnx",
        "manifest.json",
        "regress.certificate.json",
        "regress.onnx",
    ]
    assert Adder.load(tmp_path / "made" / "regress.onnx").approach == "regress"


def test_json_is_the_certificate(export: Export, tmp_path: Path) -> None:
    code, out, err = export(
        "--approach", "regress", "--checkpoint", ARTIFACTS / "regress.safetensors", "--out", tmp_path, "--json"
    )
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "regress.certificate.json").read_text())
    assert "generated pictures" in err
    assert "regress: building the graph\n" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--opset", "17"], 2, "opset is 17, must be 18 to 23"),
        (["--conformance", "--precision", "int8"], 2, "--conformance and --precision do not go together"),
        (["--conformance", "--json"], 2, "--conformance and --json do not go together"),
        (["--approach", "guess"], 2, "'classify', 'regress', 'all'"),
        (["--checkpoint", "{artifacts}/regress.safetensors"], 2, "name it with --approach"),
        (["--approach", "classify", "--checkpoint", "{artifacts}/regress.safetensors"], 9, "holds regress, wanted"),
        (["--approach", "classify", "--checkpoint", "{tmp}/none.safetensors"], 9, "not found"),
        (["--approach", "classify", "--checkpoint", "{tmp}/text.safetensors"], 9, "cannot be read"),
        (["--data", "{tmp}/nowhere"], 8, "not found in"),
        (["--checkpoint", "{artifacts}", "--out", "{tmp}/taken"], 7, "replace it with --force"),
        (["--checkpoint", "{artifacts}", "--out", "{tmp}/text.safetensors/x"], 7, "cannot be written"),
    ],
)
def test_bad_call_is_told_in_one_line_and_leaves_nothing(
    arguments: list[str], code: int, message: str, export: Export, tmp_path: Path
) -> None:
    (tmp_path / "text.safetensors").write_text("this is no checkpoint")
    (tmp_path / "taken").mkdir()
    shutil.copy(ARTIFACTS / "classify.onnx", tmp_path / "taken")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found, out, err = export(*(each.format(artifacts=ARTIFACTS, tmp=tmp_path) for each in arguments))
    assert (found, out) == (code, "")
    *_, last = err.strip().splitlines()
    assert last.startswith("adder-export: ")
    assert message in last
    assert "Traceback" not in err
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_nothing_is_replaced_before_all_that_is_asked_for_can_be(export: Export, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    shutil.copy(ARTIFACTS / "regress.onnx", made)
    code, _, err = export("--checkpoint", ARTIFACTS, "--out", made)
    assert code == 7
    assert f"{made}/regress.onnx is there" in err
    half = tmp_path / "half"
    half.mkdir()
    shutil.copy(ARTIFACTS / "classify.safetensors", half)
    code, _, err = export("--checkpoint", half, "--out", made, "--force")
    assert code == 9
    assert f"{half}/regress.safetensors not found" in err
    assert [path.name for path in made.iterdir()] == ["regress.onnx"]


def test_damaged_certificate_beside_is_told(export: Export, tmp_path: Path) -> None:
    (tmp_path / "classify.certificate.json").write_text("{")
    words = ("--approach", "regress", "--checkpoint", ARTIFACTS, "--out", tmp_path)
    code, _, err = export(*words)
    assert code == 7
    assert f"adder-export: {tmp_path}/classify.certificate.json is no certificate that the manifest can list: " in err


def test_weights_that_are_no_numbers_are_not_exported(export: Export, tmp_path: Path) -> None:
    with safe_open(ARTIFACTS / "regress.safetensors", "pt") as file:
        metadata = file.metadata()
    tensors = load_file(ARTIFACTS / "regress.safetensors")
    tensors["digit.bias"][0] = float("nan")
    save_file(tensors, tmp_path / "regress.safetensors", metadata)
    code, out, err = export("--approach", "regress", "--checkpoint", tmp_path, "--out", tmp_path / "made")
    assert (code, out) == (9, "")
    assert "holds weights that are no numbers, in digit.bias" in err
    assert not (tmp_path / "made").exists()


def test_help_names_every_exit_code(export: Export) -> None:
    code, out, _ = export("--help")
    assert code == 0
    for number in (0, 2, 6, 7, 8, 9, 11, 130):
        assert f"{number:>5}  " in out
