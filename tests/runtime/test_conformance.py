"""The vectors pass on what ships, and a planted fault makes them fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from adder_runtime import Adder, Approach, answering
from adder_runtime.conformance import DATA, INDEX, Case, Kind, Vectors, conform, differences
from adder_runtime.contract import NUMBER, SUM, Precision
from adder_runtime.errors import ConformanceError

FOLDER = Path(__file__).parents[2] / "artifacts" / "conformance"

Outputs = dict[str, NDArray[Any]]
Result = tuple[int, str, str]


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return Vectors(FOLDER)


def test_there_are_enough_of_each_kind(vectors: Vectors) -> None:
    cases = list(vectors.cases(Approach.CLASSIFY))
    assert len(cases) >= 500
    assert sum((FOLDER / name).stat().st_size for name in (INDEX, DATA)) < 5_000_000
    assert {case.image.shape[3] for case in cases} == {1, 2, 3, 4}
    assert {case.image.shape[0] for case in cases} >= {1, 2, 17}
    sides = [case.image.shape[1:3] for case in cases]
    assert (1, 1) in sides
    assert (1500, 2000) in sides
    numbers = np.concatenate([case.number for case in cases])
    sums = np.concatenate([case.expected[SUM.name] for case in cases])
    assert {-1, 10} <= set(numbers.tolist())
    assert (sums[(numbers < 0) | (numbers > 9)] == -1).all()
    assert sum("ink" in case.expected for case in cases) > 50


@pytest.mark.parametrize("precision", Precision)
@pytest.mark.parametrize("approach", Approach)
def test_every_shipped_file_passes(approach: Approach, precision: Precision, vectors: Vectors) -> None:
    adder = Adder.load(approach, precision=precision, provider="cpu")
    kinds = conform(adder.run, vectors, approach, precision)
    assert [line for kind in kinds.values() for line in kind.failed] == []
    assert max(kind.worst for kind in kinds.values()) <= 1


def failures(run: Callable[[NDArray[np.uint8], NDArray[np.int32]], Outputs], vectors: Vectors) -> dict[str, Kind]:
    kinds = conform(run, vectors, Approach.CLASSIFY, Precision.FP32)
    return {name: kind for name, kind in kinds.items() if kind.failed}


@pytest.fixture(scope="module")
def few(vectors: Vectors) -> Vectors:
    """Every fourth case, and all that are transparent or have odd numbers."""
    some = Vectors(FOLDER)
    cases = vectors.index["cases"]
    some.index = vectors.index | {
        "cases": cases[::4] + [case for case in cases if case["kind"] in ("odd numbers", "transparent")]
    }
    return some


def test_other_channel_order_is_caught(classify: Adder, few: Vectors) -> None:
    found = failures(lambda image, number: classify.run(np.ascontiguousarray(image[..., ::-1]), number), few)
    assert "transparent" in found


def test_rows_and_columns_exchanged_are_caught(classify: Adder, few: Vectors) -> None:
    found = failures(lambda image, number: classify.run(np.ascontiguousarray(image.swapaxes(1, 2)), number), few)
    assert {"mnist", "sizes"} <= set(found)


def test_a_number_that_is_clipped_is_caught(classify: Adder, few: Vectors) -> None:
    found = failures(lambda image, number: classify.run(image, number.clip(0, 9)), few)
    assert set(found) == {"odd numbers"}


def test_an_output_that_is_not_clamped_is_caught(classify: Adder, few: Vectors) -> None:
    def run(image: NDArray[np.uint8], number: NDArray[np.int32]) -> Outputs:
        found = classify.run(image, number)
        return found | {SUM.name: np.maximum(found[SUM.name], 0)}

    assert {"blank", "odd numbers"} <= set(failures(run, few))


def test_what_raises_or_gives_nan_or_another_shape_fails() -> None:
    case = Case(0, "made", np.zeros((1, 4, 8, 1), np.uint8), np.zeros(1, np.int32), {"x": np.zeros(2, np.float32)})
    assert differences(case, {"x": np.array([0.0, 0.5])}) == {"x": 0.5}
    assert differences(case, {"x": np.array([0.0, np.nan])}) == {"x": np.inf}
    assert differences(case, {"x": np.zeros(3)}) == {"x": np.inf}
    assert differences(case, {}) == {"x": np.inf}
    boxed = Case(0, "made", case.image, case.number, {"box": np.zeros((1, 4), np.float32)})
    assert differences(boxed, {"box": np.full((1, 4), 2.0)}) == {"box": 0.25}


@pytest.fixture
def infer(command: Callable[..., Result]) -> Callable[..., Result]:
    return lambda *words: command(answering.main, "adder-infer", *words)


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A folder with ten of the cases."""
    shutil.copytree(FOLDER, tmp_path / "short")
    index = json.loads((FOLDER / INDEX).read_text())
    index["cases"] = index["cases"][:10]
    (tmp_path / "short" / INDEX).write_text(json.dumps(index))
    return tmp_path / "short"


def test_command_tells_what_passes(infer: Callable[..., Result], short: Path) -> None:
    code, out, err = infer("--conformance", short, "--provider", "cpu", "--precision", "int8")
    assert (code, err) == (0, "")
    assert "classify.int8 on cpu: 10 of 10 cases pass" in out
    code, out, _ = infer("--conformance", short, "--json", "--approach", "regress")
    assert json.loads(out)["passed"] == 10


def test_command_fails_where_a_case_does(infer: Callable[..., Result], short: Path, tmp_path: Path) -> None:
    index = json.loads((short / INDEX).read_text())
    index["tolerances"]["classify"]["fp32"]["sum_scores"] = 0.0
    (short / INDEX).write_text(json.dumps(index))
    code, _, err = infer("--conformance", short)
    assert code == ConformanceError.exit_code
    assert "cases fail; the first: case" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("damage", ["missing", "index", "version", "data"])
def test_damaged_vectors_are_refused(damage: str, infer: Callable[..., Result], short: Path) -> None:
    if damage == "missing":
        shutil.rmtree(short)
    elif damage == "index":
        (short / INDEX).write_text("[]")
    elif damage == "version":
        (short / INDEX).write_text((short / INDEX).read_text().replace('"contract": "2"', '"contract": "1"'))
    else:
        (short / DATA).write_bytes((short / DATA).read_bytes()[:-1])
    code, out, err = infer("--conformance", short)
    assert (code, out) == (13, "")
    assert err.count("\n") == 1


def test_no_pictures_beside_the_vectors(infer: Callable[..., Result], three: Path) -> None:
    assert infer(three, 7, "--conformance", FOLDER)[0] == 2
    assert infer("--compare", "--conformance", FOLDER)[0] == 2
    assert NUMBER.name in str(FOLDER.joinpath(INDEX).read_text())
