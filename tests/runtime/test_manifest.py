"""What ships is whole, and what is not is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adder_runtime import Adder, Approach, ModelError, answering, session, telling
from adder_runtime.contract import CONTRACT_VERSION, INPUTS, Key, Precision, model_file_name, outputs
from adder_runtime.manifest import MANIFEST, read_manifest, verify
from adder_runtime.session import find_model

Result = tuple[int, str, str]


@pytest.fixture
def infer(command: Callable[..., Result]) -> Callable[..., Result]:
    return lambda *words: command(answering.main, "adder-infer", *words)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what ships, in its place."""
    shipped = find_model("classify").parent
    for name in ("classify.onnx", "regress.int8.onnx", MANIFEST):
        shutil.copy(shipped / name, tmp_path)
    for module in (session, telling):
        monkeypatch.setattr(module, "SHIPPED", (tmp_path,))
    return tmp_path


def test_every_shipped_file_is_listed_and_whole() -> None:
    found = verify(find_model("classify").parent)
    assert {each.file for each in found} == {model_file_name(a, p) for a in Approach for p in Precision}
    assert {each.state for each in found} == {"ok"}
    for each in read_manifest(find_model("classify").parent).values():
        assert each["contract"] == CONTRACT_VERSION
        assert each["sum_accuracy"] > 0.99
        adder = Adder.load(each["approach"], precision=each["precision"], provider="cpu")
        assert (adder.path.name, adder.metadata[Key.CHECKPOINT]) == (each["file"], each["checkpoint_sha256"])


def test_a_shipped_file_that_is_another_is_refused(copied: Path) -> None:
    Adder.load("classify", provider="cpu")
    shutil.copy(copied / "regress.int8.onnx", copied / "classify.onnx")
    with pytest.raises(ModelError, match="is not the file that ships: sha256"):
        Adder.load("classify")
    assert Adder.load(copied / "classify.onnx", provider="cpu").approach == "regress"  # by its path it is the user's


@pytest.mark.parametrize("content", [None, "{}", "[]", "no json"])
def test_without_a_manifest_nothing_ships(copied: Path, content: str | None) -> None:
    (copied / MANIFEST).unlink()
    if content is not None:
        (copied / MANIFEST).write_text(content)
    with pytest.raises(ModelError, match="install adder-edge again") as caught:
        Adder.load("classify")
    assert "\n" not in str(caught.value)


def test_verify_tells_what_is_missing(infer: Callable[..., Result], copied: Path) -> None:
    code, out, err = infer("--verify")
    assert code == ModelError.exit_code
    assert "missing" in out
    assert "regress.onnx missing" in err
    assert err.count("\n") == 1


def test_verify_of_what_ships(infer: Callable[..., Result]) -> None:
    code, out, _ = infer("--verify")
    assert (code, out.count(" ok\n")) == (0, 6)
    assert all(each["state"] == "ok" for each in json.loads(infer("--verify", "--json")[1])["files"])


def test_about(infer: Callable[..., Result]) -> None:
    code, out, _ = infer("--about", "--precision", "int8")
    assert code == 0
    assert "adder.precision: int8" in out
    told = json.loads(infer("--about", "--json", "--approach", "regress")[1])
    assert told["metadata"]["adder.accuracy"]["pairs"] == 100_000
    assert [each["name"] for each in told["contract"]["inputs"]] == [spec.name for spec in INPUTS]
    assert [each["name"] for each in told["contract"]["outputs"]] == [spec.name for spec in outputs(Approach.REGRESS)]
    assert infer("x.png", "7", "--about")[0] == 2
    assert infer("--about", "--verify")[0] == 2
