"""The constants of a graph, held in as few bytes as answer the same: none twice, in few bits, beside what uses them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from adder_trainer.normalize.finder import LEVELS

LEAST_STORED_IN_FEWER = 64
"""Values that are worth the nodes which bring them back to 32 bits."""

SMALLEST_HALF = 2.0**-24
"""Of which all numbers in 16 bits are whole multiples."""


def held_once(graph: onnx.GraphProto) -> None:
    """Leave, of a graph's constants of equal type, shape and values, the first, and let all nodes take that.

    Args:
        graph: changed in place, and the branches in it.
    """
    given = {value.name for value in graph.output}  # keep their names
    first: dict[tuple[int, tuple[int, ...], bytes], str] = {}
    same: dict[str, str] = {}
    for tensor in [each for each in graph.initializer if each.name not in given]:
        content = tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes()
        if content in first:
            same[tensor.name] = first[content]
            graph.initializer.remove(tensor)
        else:
            first[content] = tensor.name
    _take(graph, same)
    for branch in branches(graph):
        held_once(branch)


def _take(graph: onnx.GraphProto, instead: dict[str, str]) -> None:
    """Let the nodes of a graph, and of the branches in it, take other values."""
    for node in graph.node:
        node.input[:] = [instead.get(name, name) for name in node.input]
    for branch in branches(graph):
        _take(branch, instead)


def held_in_branches(graph: onnx.GraphProto) -> None:
    """Move the weights that one branch of an If alone uses into that branch.

    ONNX Runtime arranges weights for its fastest convolutions only where they lie in the same graph as the layer.

    Args:
        graph: changed in place.
    """
    uses = Counter(name for node in graph.node for name in {*node.input})
    uses.update(name for branch in branches(graph) for name in {*_used_in(branch)})
    for branch in branches(graph):
        own = {name for name in _used_in(branch) if uses[name] == 1}
        tensors = [tensor for tensor in graph.initializer if tensor.name in own]
        branch.initializer.extend(tensors)
        for tensor in tensors:
            graph.initializer.remove(tensor)


def branches(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    """Of the conditions among the graph's own nodes."""
    return [attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")]


def _used_in(branch: onnx.GraphProto) -> Iterator[str]:
    """What the nodes of a branch, and the branches in it, take, and what it gives."""
    for node in branch.node:
        yield from inputs_of(node)
    yield from (value.name for value in branch.output)


def inputs_of(node: onnx.NodeProto) -> Iterator[str]:
    """What a node takes, and what the branches of an If take from around it."""
    yield from node.input
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield from _used_in(attribute.g)


def stored_in_few_bits(graph: onnx.GraphProto) -> None:
    """Hold the weights of a graph in as few bits as hold them exactly, and make float32 of them before its nodes.

    In 8 bits where those of each channel are whole multiples of one step, as the finder's are; in 16 where these do.
    Runtimes calculate that once, when they load the file.

    Args:
        graph: changed in place.
    """
    made = []
    waiting = [tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT]
    while waiting:
        tensor = waiting.pop(0)
        values, name = numpy_helper.to_array(tensor), tensor.name
        if values.size < LEAST_STORED_IN_FEWER:
            continue
        with np.errstate(over="ignore"):
            stored = values.astype(np.float16)
        if (stored != values).any():
            continue
        if (steps := steps_of(values)) is not None:
            multiples, of_step = f"{name}_8", f"{name}_step"
            tensor.CopyFrom(numpy_helper.from_array((values / steps).astype(np.int8), multiples))
            graph.initializer.append(numpy_helper.from_array(steps, of_step))
            waiting.append(graph.initializer[-1])
            made += [
                helper.make_node("Mul", [f"{name}_whole", of_step], [name]),
                helper.make_node("Cast", [multiples], [f"{name}_whole"], to=TensorProto.FLOAT),
            ]
        else:
            tensor.CopyFrom(numpy_helper.from_array(stored, half(name)))
            made.append(helper.make_node("Cast", [half(name)], [name], to=TensorProto.FLOAT))
    nodes = [*reversed(made), *graph.node]  # a step before its multiples
    del graph.node[:]
    graph.node.extend(nodes)


def steps_of(weights: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The step of each channel of which all its weights are whole multiples of 8 bits; None where they are not.

    Args:
        weights: of a layer of convolutions, (channels, n, height, width), or transposed (n, channels, height, width);
            what 16 bits hold.

    Returns:
        (channels, 1, 1, 1) or (1, channels, 1, 1), fewer than there are weights.
    """
    if weights.ndim != 4:
        return None
    whole = np.rint(weights.astype(np.float64) / SMALLEST_HALF).astype(np.int64)
    for own in (0, 1):
        others = tuple(axis for axis in range(4) if axis != own)
        step = np.gcd.reduce(whole, axis=others, keepdims=True).clip(1)
        # a number alone is a multiple of itself, and so are the steps
        if step.size < whole.size and (np.abs(whole) <= LEVELS * step).all():
            return np.asarray(step * SMALLEST_HALF, np.float32)
    return None


def half(name: str) -> str:
    """Name of what a value is in 16 bits."""
    return f"{name}_half"
