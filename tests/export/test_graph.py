"""What is inside the file that ships."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from adder_export.graph import OPSET, OPSETS, build_graph, write_metadata
from adder_export.variants import to_fp32
from adder_runtime import Adder, Approach
from adder_runtime.contract import DIGIT, INPUTS, NUMBER, SUM, Key, outputs
from adder_runtime.pictures import draw_digit, draw_far, paint
from adder_runtime.session import find_model
from adder_trainer.checkpoint import Checkpoint, load_checkpoint

IR_VERSION = 8

REFERENCE = Path(__file__).parents[2] / "examples" / "reference" / "conformance.py"

REFERENCE_TOLERANCE = 1e-4
"""Largest difference of an output from onnx's own evaluator, which adds in yet another order."""

Tensors = Callable[[onnx.GraphProto], Iterator[onnx.TensorProto]]


@pytest.fixture(scope="module")
def proto(approach: Approach) -> onnx.ModelProto:
    return onnx.load(find_model(approach))


def test_shipped_file_is_the_export_of_the_shipped_checkpoint(
    checkpoint: Checkpoint, proto: onnx.ModelProto, request: pytest.FixtureRequest
) -> None:
    certificate = find_model(checkpoint.approach).with_name(f"{checkpoint.approach}.certificate.json")
    made_with = json.loads(certificate.read_text())["versions"]
    here = {name: version(name) for name in ("torch", "onnx", "onnxscript")}
    if differing := {name: found for name, found in here.items() if made_with[name] != found}:
        pytest.skip(f"other versions write other graphs: here {differing}, the file was made with {made_with}")
    built = to_fp32(request.getfixturevalue("built"))
    assert built.graph.SerializeToString(deterministic=True) == proto.graph.SerializeToString(deterministic=True)


def test_only_standard_operators_in_one_pinned_opset(proto: onnx.ModelProto) -> None:
    assert [(each.domain, each.version) for each in proto.opset_import] == [("", OPSET)]
    assert proto.ir_version == IR_VERSION
    assert {node.domain for node in proto.graph.node} == {""}
    assert list(proto.functions) == []


def test_full_check_and_strict_shape_inference_pass(proto: onnx.ModelProto) -> None:
    onnx.checker.check_model(proto, full_check=True)
    onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)


def test_inputs_and_outputs_are_the_contracts(approach: Approach, proto: onnx.ModelProto) -> None:
    assert [value.name for value in proto.graph.input] == [spec.name for spec in INPUTS]
    assert [value.name for value in proto.graph.output] == [spec.name for spec in outputs(approach)]
    for value, spec in zip([*proto.graph.input, *proto.graph.output], [*INPUTS, *outputs(approach)], strict=True):
        axes = tuple(axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim)
        assert axes == spec.shape


def test_nothing_of_the_training_or_its_machine_is_left(
    approach: Approach, proto: onnx.ModelProto, all_tensors: Tensors
) -> None:
    content = find_model(approach).read_bytes()
    for trace in (b"stack_trace", b"site-packages", b"/home", b"/work", b".py", b"pkg.torch"):
        assert trace not in content
    assert all(not node.metadata_props and not node.doc_string for node in proto.graph.node)
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in all_tensors(proto.graph))
    assert not any(node.name for node in proto.graph.node)


def test_no_condition_takes_several_outputs_of_another(proto: onnx.ModelProto) -> None:
    made: dict[str, bool] = {}  # whether a condition's output is in what a value was made of, directly
    for node in proto.graph.node:
        if node.op_type == "If":
            branches = [attribute.g for attribute in node.attribute]
            used = {name for branch in branches for each in branch.node for name in each.input}
            assert sum(made.get(name, False) for name in used) <= 1, (
                "OpenVINO 2026.4 answers its first question wrongly"
            )
        made |= {name: node.op_type == "If" for name in node.output}


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Of the graph, and of the branches of its conditions."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from all_nodes(attribute.g)


def test_nothing_is_added_up_at_given_places(proto: onnx.ModelProto) -> None:
    # OpenCV 5.0 does so from several threads at once, and loses some of it
    assert [node.op_type for node in all_nodes(proto.graph) if node.op_type.startswith("Scatter")] == []


def test_no_integer_that_goes_in_or_out_is_another_value_of_another_type(proto: onnx.ModelProto) -> None:
    # OpenVINO leaves out a cast between its own integers, and then calls the input by both names
    ends = {NUMBER.name, DIGIT.name, SUM.name}
    casts = [node for node in all_nodes(proto.graph) if node.op_type == "Cast"]
    assert [node for node in casts if ends & {*node.input, *node.output}] == []


def test_constants_are_folded(proto: onnx.ModelProto, all_tensors: Tensors) -> None:
    known = {tensor.name for tensor in all_tensors(proto.graph)}
    few_bits = TensorProto.FLOAT16, TensorProto.INT8
    shorter = {tensor.name for tensor in all_tensors(proto.graph) if tensor.data_type in few_bits}
    left = [node for node in all_nodes(proto.graph) if node.input and set(node.input) <= known]
    # the file is smaller so
    assert [node.op_type for node in left if not (node.op_type == "Cast" and set(node.input) <= shorter)] == []


def test_file_is_under_a_megabyte(approach: Approach) -> None:
    assert find_model(approach).stat().st_size < 1_000_000


def test_metadata_holds_every_key_of_the_contract(proto: onnx.ModelProto, checkpoint: Checkpoint) -> None:
    metadata = {each.key: each.value for each in proto.metadata_props}
    assert set(metadata) == set(Key)
    assert metadata[Key.CHECKPOINT] == checkpoint.sha256
    assert "MNIST" in metadata[Key.LICENSE]


@pytest.mark.slow
def test_last_opset_on_offer_gives_the_same_answers(tmp_path: Path) -> None:
    # the first is what ships; each takes a minute or two
    checkpoint = load_checkpoint(find_model(Approach.REGRESS).with_suffix(".safetensors"))
    proto = build_graph(checkpoint, OPSETS[-1])
    write_metadata(proto, checkpoint, {})
    onnx.save(proto, tmp_path / "model.onnx")
    image = np.stack([paint(draw_digit(digit, 50, 40), 3) for digit in range(10)])
    number = np.arange(10, dtype=np.int32)
    adder = Adder.load(tmp_path / "model.onnx", provider="cpu")
    for pictures in (image, np.stack([draw_far(digit) for digit in range(10)])):
        found = adder.run(pictures, number)
        assert found["digit"].tolist() == list(range(10))
        assert found["sum"].tolist() == list(range(0, 20, 2))


PICTURES = {
    "small": np.stack([paint(draw_digit(digit, 33, 47), 2) for digit in (2, 5, 8)]),
    "far": np.stack([draw_far(2), draw_far(5, squared=False), draw_far(8)]),
}


@pytest.mark.parametrize("pictures", PICTURES)
def test_the_reference_evaluator_of_onnx_agrees(pictures: str, approach: Approach, proto: onnx.ModelProto) -> None:
    image = PICTURES[pictures]
    number = np.array([0, 4, 9], np.int32)
    names = [spec.name for spec in outputs(approach)]
    wanted = runpy.run_path(str(REFERENCE))["evaluate"](proto)(image, number)
    got = Adder.load(approach, provider="cpu").run(image, number)
    for name, value in zip(names, wanted, strict=True):
        assert np.abs(np.asarray(value, np.float64) - got[name]).max() <= REFERENCE_TOLERANCE, name
