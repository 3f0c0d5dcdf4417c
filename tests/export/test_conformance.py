"""The vectors that ship are what the command writes, of the files that ship."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from adder_export.conformance import DECIDED, answer_exactly, write_vectors
from adder_export.conformance_cases import draw_cases
from adder_export.graph import Pipeline
from adder_runtime import Adder, Approach
from adder_runtime.conformance import INDEX, Case, Vectors, conform, differences
from adder_runtime.contract import Precision
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.session import find_model
from adder_trainer.checkpoint import load_checkpoint
from adder_trainer.data import load_mnist

ARTIFACTS = Path(__file__).parents[2] / "artifacts"

Images = tuple[np.ndarray, np.ndarray]

Tensors = Callable[[onnx.GraphProto], Iterator[onnx.TensorProto]]


@pytest.fixture(scope="module")
def pipelines() -> dict[Approach, Pipeline]:
    return {each: Pipeline(load_checkpoint(ARTIFACTS / f"{each}.safetensors")).eval() for each in Approach}


@pytest.fixture
def mnist() -> Images:
    """Drawn digits in MNIST's place."""
    digit = np.arange(1100) % 10
    drawn = [paint(draw_digit(each, 28, 28), 1, dark=0, light=1) for each in range(10)]
    return np.stack([255 - drawn[each] for each in digit]), digit


def test_written_vectors_pass_and_hold_what_pytorch_says(
    pipelines: dict[Approach, Pipeline], mnist: Images, tmp_path: Path
) -> None:
    every = list(draw_cases(mnist))
    assert len({kind for kind, *_ in every}) > 15
    adders = [
        Adder.load(each, precision=precision, provider="cpu")
        for each in Approach
        for precision in (Precision.FP32, Precision.INT8)
    ]
    index = write_vectors(tmp_path, pipelines, adders, every[::15])
    assert index == json.loads((tmp_path / INDEX).read_text())
    vectors = Vectors(tmp_path)
    for adder in adders:
        kinds = conform(adder.run, vectors, adder.approach, adder.precision)
        assert not any(kind.failed for kind in kinds.values())
    for case in vectors.cases(Approach.REGRESS):
        wanted = answer_exactly(pipelines[Approach.REGRESS], case.image.copy(), case.number.copy())
        for name, value in case.expected.items():
            np.testing.assert_allclose(value, wanted[name], rtol=1e-6, atol=1e-7)


@pytest.mark.slow
def test_shipped_vectors_are_what_the_command_writes(
    mnist_folder: Path, pipelines: dict[Approach, Pipeline], tmp_path: Path
) -> None:
    pixels, digit = load_mnist(mnist_folder, train=False)
    asked = list(draw_cases((pixels.numpy(), digit.numpy())))
    adders = [Adder.load(each, precision=precision, provider="cpu") for each in Approach for precision in Precision]
    made = write_vectors(tmp_path, pipelines, adders, asked)
    vectors = Vectors(ARTIFACTS / "conformance")
    shipped = vectors.index
    # which cases are left out hangs on how this processor rounds, so those are counted alone
    assert len(made["cases"]) + made["left_out"] == len(asked) == len(shipped["cases"]) + shipped["left_out"]
    assert made["outputs"] == shipped["outputs"]
    plain = {name: each["fp32"] for name, each in made["tolerances"].items()}
    assert plain == {name: each["fp32"] for name, each in shipped["tolerances"].items()}
    for approach, pipeline in pipelines.items():
        left = iter(asked)
        for case in vectors.cases(approach):
            assert any(is_same(case, *each) for each in left), case.kind  # in the same order
            found = differences(case, answer_exactly(pipeline, case.image.copy(), case.number.copy()))
            assert all(value <= plain[approach].get(name, 0.0) for name, value in found.items()), case.kind


def is_same(case: Case, kind: str, image: np.ndarray, number: np.ndarray) -> bool:
    return case.kind == kind and np.array_equal(case.image, image) and np.array_equal(case.number, number)


@pytest.mark.parametrize("approach", Approach)
def test_one_changed_weight_is_caught_in_each_layer(approach: Approach, tmp_path: Path, all_tensors: Tensors) -> None:
    vectors = Vectors(ARTIFACTS / "conformance")
    vectors.index = vectors.index | {"cases": vectors.index["cases"][::5]}
    proto = onnx.load(find_model(approach))
    tensors = list(all_tensors(proto.graph))
    layers = weights_of(proto, tensors)
    assert len(layers) == LAYERS[approach]

    def is_caught(name: str, place: int) -> bool:
        (tensor,) = (each for each in tensors if each.name == name)
        changed = layers[name].copy()
        changed.flat[place] *= -1
        tensor.CopyFrom(numpy_helper.from_array(changed, name))
        onnx.save(proto, tmp_path / "changed.onnx")
        tensor.CopyFrom(numpy_helper.from_array(layers[name], name))
        adder = Adder.load(tmp_path / "changed.onnx", provider="cpu")
        return any(kind.failed for kind in conform(adder.run, vectors, approach, Precision.FP32).values())

    for name, weights in layers.items():
        # some weights meet only inputs that are 0 in every picture: nothing hangs on them
        largest = np.abs(weights).ravel().argsort()[::-1][:TRIED]
        assert any(is_caught(name, int(place)) for place in largest), name


TRIED = 6
"""The largest weights of a layer, of which one alone is changed, until one is caught."""

FINDER = 18
"""Convolutions of the normaliser's finder of more than one output and 100 weights."""

LAYERS = {Approach.CLASSIFY: FINDER + 12, Approach.REGRESS: FINDER + 6}
"""Convolutions and fully connected layers of more than one output."""


def weights_of(proto: onnx.ModelProto, tensors: list[onnx.TensorProto]) -> dict[str, np.ndarray]:
    """The weights of each layer, by name, the finder's too; tables have other shapes or types or lie deeper."""
    own = {tensor.name for tensor in proto.graph.initializer}
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in tensors}
    return {
        name: array
        for name, array in arrays.items()
        if (array.ndim == 4 or (name in own and array.ndim == 2 and array.shape[1] > 1))
        and len(array) > 1
        and array.size > 100
        and array.dtype != bool
    }


def test_answers_that_rounding_decides_are_not_asked() -> None:
    vectors = Vectors(ARTIFACTS / "conformance")
    for approach in Approach:
        for case in vectors.cases(approach):
            read = case.expected["digit"] >= 0
            for name in ("digit_probabilities", "sum_scores"):
                scores = np.sort(case.expected[name][read], axis=1)
                if scores.shape[1] > 1:
                    assert (scores[:, -1] - scores[:, -2] >= DECIDED - 1e-6).all(), case.place
