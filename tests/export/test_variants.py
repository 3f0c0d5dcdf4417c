"""The files of fewer bits: what is in them, what they cost, and that one which costs too much is not written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from adder_export import model_file, parity, parity_cases, variants
from adder_export.initializers import LEAST_STORED_IN_FEWER
from adder_export.model_file import Pictures
from adder_export.parity import Tally, passed
from adder_export.parity_cases import MNIST_TEST
from adder_runtime import Adder, Approach
from adder_runtime.contract import BOX, INK, Precision, model_file_name, model_name
from adder_runtime.errors import DataError, ParityError
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.session import find_model
from adder_trainer.checkpoint import Checkpoint

FEWER = [Precision.FP16, Precision.INT8]

SIZE = {Precision.FP32: 634_000, Precision.FP16: 379_000, Precision.INT8: 264_000}
"""Bytes, at most, of either approach."""

Images = tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int64]]]


@pytest.fixture(params=FEWER)
def precision(request: pytest.FixtureRequest) -> Precision:
    return Precision(request.param)


@pytest.fixture
def proto(approach: Approach, precision: Precision) -> onnx.ModelProto:
    return onnx.load(find_model(approach, precision))


@pytest.fixture
def drawn() -> Images:
    digit = np.arange(100) % 10
    return np.stack([paint(draw_digit(each, 28, 28), 1) for each in digit.tolist()]), digit


def test_certificate_is_of_the_file(approach: Approach, precision: Precision, checkpoint: Checkpoint) -> None:
    path = find_model(approach, precision)
    told = json.loads(path.with_name(f"{model_name(approach, precision)}.certificate.json").read_text())
    assert told["precision"] == precision
    assert told["passed"] is True
    assert told["model"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["checkpoint_sha256"] == checkpoint.sha256
    found = told["providers"]["cpu"][MNIST_TEST]
    assert found["pairs"] == 100_000
    assert found["sum_accuracy"] >= found["sum_accuracy_of_pytorch"] - parity.MNIST_LOSS
    assert set(found["label_flips"]) == {"digit", "sum", "consistent"}


@pytest.mark.parametrize("precision", Precision)
def test_file_is_small(
    precision: Precision, approach: Approach, all_tensors: Callable[[onnx.GraphProto], Iterator[onnx.TensorProto]]
) -> None:
    path = find_model(approach, precision)
    assert path.stat().st_size < SIZE[precision]
    for tensor in all_tensors(onnx.load(path).graph):
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= LEAST_STORED_IN_FEWER:
            with np.errstate(over="ignore"):
                assert (values.astype(np.float16) != values).any(), "16 bits hold all of it"
    # the finder's layers that are large, and the tables of the second look
    in_8_bits = [tensor for tensor in all_tensors(onnx.load(path).graph) if tensor.data_type == TensorProto.INT8]
    assert sum(np.prod(tensor.dims) for tensor in in_8_bits) > FINDER_WEIGHTS


FINDER_WEIGHTS = 52_000
"""Of its layers' 54,000 numbers, the biases left out."""


def test_file_is_standard(precision: Precision, approach: Approach, proto: onnx.ModelProto) -> None:
    assert {node.domain for node in proto.graph.node} == {""}
    plain = onnx.load(find_model(approach))
    assert list(proto.opset_import) == list(plain.opset_import)
    assert proto.ir_version == plain.ir_version
    assert list(proto.graph.input) == list(plain.graph.input)
    assert list(proto.graph.output) == list(plain.graph.output)
    onnx.checker.check_model(proto, full_check=True)


def test_only_the_network_is_of_fewer_bits(approach: Approach, precision: Precision, proto: onnx.ModelProto) -> None:
    few = {TensorProto.FLOAT16} if precision is Precision.FP16 else {TensorProto.INT8, TensorProto.UINT8}
    small = {tensor.name for tensor in proto.graph.initializer if tensor.data_type in few}
    ink = variants.ink_value(proto)
    begin = next(place for place, node in enumerate(proto.graph.node) if ink in node.output)
    constant = {tensor.name for tensor in proto.graph.initializer}
    touched = [
        place
        for place, node in enumerate(proto.graph.node)
        if (small & set(node.input) or node.op_type in ("QuantizeLinear", "DequantizeLinear"))
        and not set(node.input) <= constant  # weights are made floats again at the beginning
    ]
    assert touched
    assert min(touched) > begin
    weights = sum(int(np.prod(tensor.dims)) for tensor in proto.graph.initializer if tensor.name in small)
    whole = json.loads((find_model(approach).with_name(f"{approach}.certificate.json")).read_text())
    assert weights > 0.95 * whole["model"]["parameters"]


def test_softmax_stays_in_32_bits(proto: onnx.ModelProto) -> None:
    # ONNX Runtime 1.15 does not load it in 16
    known = onnx.shape_inference.infer_shapes(proto).graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*known.value_info, *known.output)}
    found = [types[node.output[0]] for node in proto.graph.node if node.op_type == "Softmax"]
    assert set(found) == {TensorProto.FLOAT}


def test_it_answers_nearly_as_float32(approach: Approach, precision: Precision, drawn: Images) -> None:
    pixels, digit = drawn
    number = np.arange(len(digit), dtype=np.int32) // 10
    plain = Adder.load(approach, provider="cpu").run(pixels, number)
    small = Adder.load(approach, precision=precision, provider="cpu").run(pixels, number)
    assert (small["sum"] == digit + number).mean() >= (plain["sum"] == digit + number).mean() - 0.01
    for spec in (BOX, INK):
        assert np.array_equal(plain[spec.name], small[spec.name])
    assert not np.array_equal(plain["digit_probabilities"], small["digit_probabilities"])


def tally(kind: str, *, lost: int, of: int = 1000) -> Tally:
    made = Tally(kind, right=of - lost, right_in_pytorch=of, known=of, worst_ratio=np.inf)
    made.differences, made.differences_unread = ({BOX.name: 0.0, INK.name: 0.0} for _ in range(2))
    return made


@pytest.mark.parametrize(("kind", "allowed"), [(MNIST_TEST, 1), ("rendered", 5)])
def test_what_may_be_lost(kind: str, allowed: int) -> None:
    assert passed(tally(kind, lost=allowed), Precision.INT8)
    assert not passed(tally(kind, lost=allowed + 1), Precision.INT8)
    assert not passed(tally(kind, lost=0))  # in float32 the labels that differ decide


def test_another_ink_is_no_variant() -> None:
    made = tally("rendered", lost=0)
    made.differences[INK.name] = 0.01
    assert not passed(made, Precision.INT8)
    made = tally("blank_paper", lost=0)
    made.differences_unread[INK.name] = parity.UNREAD_SLACK * parity.INK_TOLERANCE
    assert passed(made, Precision.INT8)
    made.differences_unread[INK.name] *= 1.01
    assert not passed(made, Precision.INT8)


@pytest.fixture
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity_cases, "drawn_cases", lambda: iter([]))
    monkeypatch.setattr(parity_cases, "rendered_cases", lambda _: iter([]))
    monkeypatch.setattr(variants, "CALIBRATION_IMAGES", 50)


@pytest.mark.usefixtures("few_pictures")
def test_all_are_made_of_one_graph_and_proven(checkpoint: Checkpoint, tmp_path: Path, drawn: Images) -> None:
    steps: list[str] = []
    pictures = Pictures(test=drawn, training=drawn)
    exported = model_file.export_models(
        checkpoint, tmp_path, precisions=list(Precision), pictures=pictures, on_step=steps.append
    )
    made = list(exported)
    assert steps[0] == "building the graph"
    assert steps[1:-1] == [f"making {precision} of it" for precision in Precision]
    assert [each.model.name for each in made] == [model_file_name(checkpoint.approach, each) for each in Precision]
    assert len(list(tmp_path.iterdir())) == 2 * len(Precision) + 1  # and the manifest
    sizes = [each.model.stat().st_size for each in made]
    assert sizes == sorted(sizes, reverse=True)
    for each, precision in zip(made, Precision, strict=True):
        adder = Adder.load(each.model, precision=precision, provider="cpu")
        assert json.loads(adder.metadata["adder.accuracy"])["pairs"] == 1000


@pytest.mark.usefixtures("few_pictures")
def test_a_file_that_loses_too_much_is_not_written(
    checkpoint: Checkpoint, tmp_path: Path, drawn: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_kernels(plain: onnx.ModelProto, _: object) -> onnx.ModelProto:
        made = onnx.ModelProto()
        made.CopyFrom(plain)
        for tensor in made.graph.initializer:
            if len(tensor.dims) == 4:
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros(tensor.dims, np.float32), tensor.name))
        return made

    monkeypatch.setattr(model_file, "to_int8", without_kernels)
    pictures = Pictures(test=drawn, training=drawn)
    with pytest.raises(ParityError, match=r"int8\.onnx on cpu does not answer as PyTorch does: mnist_test"):
        list(model_file.export_models(checkpoint, tmp_path, precisions=[Precision.INT8], pictures=pictures))
    assert not (tmp_path / model_file_name(checkpoint.approach, Precision.INT8)).exists()


def test_int8_without_training_images_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="calibrated on MNIST's training images; name their folder"):
        list(model_file.export_models(checkpoint, tmp_path, precisions=[Precision.INT8]))
    assert list(tmp_path.iterdir()) == []
