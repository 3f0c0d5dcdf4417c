"""The constants of the model files: none twice, in few bits, in the branch of their layer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from adder_export.initializers import branches, held_once, steps_of, stored_in_few_bits
from adder_export.variants import WEIGHT_INPUT
from adder_runtime import Approach
from adder_runtime.contract import Precision
from adder_runtime.session import find_model
from adder_trainer.normalize.finder import LEVELS


@pytest.mark.parametrize("own", [0, 1])
def test_weights_that_8_bits_hold_are_stored_so_and_come_back_the_same(own: int) -> None:
    random = np.random.default_rng(own)
    steps = np.array([0.0625, 0.0029296875, 2.0**-15], np.float32).reshape((3, 1, 1, 1) if own == 0 else (1, 3, 1, 1))
    multiples = random.integers(-LEVELS, LEVELS + 1, (3, 3, 3, 3))
    multiples[1, 1] = 0
    weights = (multiples * steps).astype(np.float32)
    free = random.normal(0, 1, (3, 3, 3, 3)).astype(np.float16).astype(np.float32)  # 16 bits, and not 8
    assert steps_of(free) is None
    assert steps_of(steps) is None
    (one, made) = (graph_of(weights, free) for _ in range(2))
    stored_in_few_bits(made)
    assert sorted(tensor.data_type for tensor in made.initializer) == [
        TensorProto.FLOAT,  # the steps
        TensorProto.INT8,
        TensorProto.FLOAT16,
    ]
    for graph in (one, made):
        onnx.checker.check_graph(graph)
    before, after = ([*ReferenceEvaluator(onnx.helper.make_model(each)).run(None, {})] for each in (one, made))
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert (after[0] == weights).all()


def graph_of(*constants: np.ndarray[Any, np.dtype[np.float32]]) -> onnx.GraphProto:
    """A graph that gives some constants as they are."""
    tensors = [onnx.numpy_helper.from_array(values, f"held{place}") for place, values in enumerate(constants)]
    nodes = [onnx.helper.make_node("Identity", [each.name], [f"{each.name}_out"]) for each in tensors]
    outputs = [onnx.helper.make_tensor_value_info(f"{each.name}_out", TensorProto.FLOAT, each.dims) for each in tensors]
    return onnx.helper.make_graph(nodes, "held", [], outputs, tensors)


@pytest.mark.parametrize("precision", Precision)
def test_weights_lie_in_the_branch_of_their_layer(precision: Precision, approach: Approach) -> None:
    # ONNX Runtime has its fastest convolutions only where they do
    layers = 0
    for branch in branches(onnx.load(find_model(approach, precision)).graph):
        own = {tensor.name for tensor in branch.initializer} | {name for node in branch.node for name in node.output}
        for node in branch.node:
            if node.op_type in ("Conv", "ConvTranspose"):
                assert node.input[WEIGHT_INPUT] in own
                layers += 1
    assert layers > 20


@pytest.mark.parametrize("precision", Precision)
def test_no_graph_of_a_file_holds_a_constant_twice(precision: Precision, approach: Approach) -> None:
    def twice(graph: onnx.GraphProto) -> int:
        return repeats(graph) + sum(twice(branch) for branch in branches(graph))

    assert twice(onnx.load(find_model(approach, precision)).graph) == 0


def repeats(graph: onnx.GraphProto) -> int:
    """How many constants of a graph are there already."""
    contents = Counter(
        (tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes()) for tensor in graph.initializer
    )
    return sum(count - 1 for count in contents.values())


def test_equal_constants_are_held_once_and_the_nodes_take_the_same() -> None:
    ones, other = np.ones((2, 2), np.float32), np.eye(2, dtype=np.float32)
    inner = graph_of(ones, other, ones)
    for node in inner.node[:2]:  # one of the branch's own, one from around it
        node.input[0] = {"held0": "held2", "held1": "outer1"}[node.input[0]]
    condition = helper.make_node(
        "If", ["yes"], ["a", "b", "c"], then_branch=inner, else_branch=graph_of(other, other, other)
    )
    outer = [numpy_helper.from_array(values, f"outer{place}") for place, values in enumerate((other, other))]
    yes = numpy_helper.from_array(np.array(True), "yes")
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (2, 2)) for name in "abcd"]
    last = helper.make_node("Add", ["outer0", "outer1"], ["d"])
    graph = helper.make_graph([condition, last], "held", [], outputs, [yes, *outer])
    before = ReferenceEvaluator(helper.make_model(graph)).run(None, {})
    held_once(graph)
    assert [repeats(each) for each in (graph, *branches(graph))] == [0, 0, 0]
    after = ReferenceEvaluator(helper.make_model(graph)).run(None, {})
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
