"""Smaller files of the same weights: the network in floats of 16 bits, or in integers of 8.

What is before the network and after it is calculated in float32: the normaliser decides where the ink is, and the
answer is a probability. Names, types and shapes of the inputs and outputs stay as they are.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx_ir.passes import common

from adder_export.graph import shorten_names
from adder_export.initializers import branches, half, held_in_branches, held_once, inputs_of, stored_in_few_bits
from adder_runtime.contract import IMAGE, INK, NUMBER, NUMBERS
from adder_trainer.kinds import KINDS
from adder_trainer.photo import render
from adder_trainer.strokes import tile

LEAST_WEIGHTS = 500
"""Layers with fewer weights stay in floats: they make no file smaller, and the sum of regress hangs on two of them."""

CALIBRATION_IMAGES = 2_000
"""Training images over which the ranges of the network's values are measured."""

CALIBRATION_RENDERED = 40
"""Pictures of each rendered kind, beside those."""

BATCH = 50
"""Images in a run of the calibration."""

SEED = 104_729
"""Of the pictures that are rendered for the calibration."""

WEIGHT_INPUT = 1
"""Place of the weights among the inputs of Conv, Gemm and MatMul."""

QUANTIZED = ("Conv", "Gemm", "MatMul")

FLOAT = ("Softmax",)
"""Operators that stay in 32 bits inside the network: ONNX Runtime 1.15 cannot load them in 16."""

TrainingImages = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images (n, 28, 28, 1) that were trained on, and their digits (n)."""


def ink_value(proto: onnx.ModelProto) -> str:
    """Name of the ink as the network takes it, (batch, 1, 28, 28)."""
    return next(str(node.input[0]) for node in proto.graph.node if INK.name in node.output)


def network_nodes(proto: onnx.ModelProto) -> list[int]:
    """Places of the network's nodes in the graph: from the ink to the last layer that has weights."""
    weights = {
        tensor.name for tensor in proto.graph.initializer if tensor.data_type == TensorProto.FLOAT and tensor.dims
    }
    after_ink = {ink_value(proto)}
    behind = []
    for place, node in enumerate(proto.graph.node):  # each comes after what it needs
        if after_ink & set(node.input):
            after_ink |= set(node.output)
            behind.append((place, node))
    wanted: set[str] = set()
    network = []
    for place, node in reversed(behind):
        if (wanted & set(node.output)) or (weights & set(node.input)):
            wanted |= set(node.input)
            network.append(place)
    return network[::-1]


def to_fp32(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same model in a smaller file, which answers the same to the last bit.

    Args:
        proto: as `graph.build_graph` gives it; not changed.
    """
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    return finish(made, list(made.graph.node))


def to_fp16(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with a network of 16 bits.

    Args:
        proto: as `graph.build_graph` gives it; not changed.
    """
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    inferred = onnx.shape_inference.infer_shapes(made, data_prop=True).graph
    floats = {value.name for value in inferred.value_info if value.type.tensor_type.elem_type == TensorProto.FLOAT}
    weights = {tensor.name: tensor for tensor in made.graph.initializer if tensor.data_type == TensorProto.FLOAT}
    network = {place for place in network_nodes(made) if made.graph.node[place].op_type not in FLOAT}
    outside = {name for place, node in enumerate(made.graph.node) if place not in network for name in inputs_of(node)}
    halves: set[str] = set()  # values of 16 bits that exist so far
    nodes: list[onnx.NodeProto] = []

    for place, node in enumerate(made.graph.node):
        if place not in network:
            nodes.append(node)
            continue
        for slot, name in enumerate(node.input):
            if name not in floats and name not in weights:
                continue
            if name in weights and name not in halves:
                values = numpy_helper.to_array(weights[name]).astype(np.float16)
                made.graph.initializer.append(numpy_helper.from_array(values, half(name)))
            elif name not in halves:
                nodes.append(helper.make_node("Cast", [name], [half(name)], to=TensorProto.FLOAT16))
            halves.add(name)
            node.input[slot] = half(name)
        (name,) = node.output
        node.output[0] = half(name)
        halves.add(name)
        nodes.append(node)
        if name in outside:
            nodes.append(helper.make_node("Cast", [half(name)], [name], to=TensorProto.FLOAT))
    return finish(made, nodes)


def to_int8(proto: onnx.ModelProto, images: Iterable[NDArray[np.uint8]]) -> onnx.ModelProto:
    """The same model with a network of 8 bits: static ranges, weights symmetric with a scale for each channel.

    Weights take 7 of the 8 bits: processors without dot products of 8 bits add two products in 16, and what would
    overflow there would make the answer another one than elsewhere.

    Args:
        proto: as `graph.build_graph` gives it; not changed.
        images: batches of (n, height, width, channels) to measure the ranges of the network's values on.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in proto.graph.initializer}
    whole = onnx.ModelProto()
    whole.CopyFrom(proto)
    for place, node in enumerate(whole.graph.node):
        node.name = f"node{place}"
    network = [whole.graph.node[place] for place in network_nodes(whole)]
    layers = [
        node.name
        for node in network
        if node.op_type in QUANTIZED and sizes.get(node.input[WEIGHT_INPUT], 0) >= LEAST_WEIGHTS
    ]
    logging.disable(logging.WARNING)  # it advises a preparation that the graph has behind it
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "int8.onnx"
            quantize_static(
                whole,
                str(path),
                _Feeds(images),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=list(QUANTIZED),
                nodes_to_quantize=layers,
                calibrate_method=CalibrationMethod.MinMax,
            )
            small = onnx_ir.load(path)
    finally:
        logging.disable(logging.NOTSET)
    common.TopologicalSortPass()(small)  # the tool's own does not look into the branches of an If
    made = onnx_ir.to_proto(small)
    return finish(made, list(made.graph.node), like=proto)


class _Feeds:
    """Batches of images with numbers in turn, as ONNX Runtime's calibration asks for them."""

    def __init__(self, images: Iterable[NDArray[np.uint8]]) -> None:
        self._feeds: Iterator[dict[str, Any]] = (
            {IMAGE.name: part, NUMBER.name: (np.arange(len(part)) % len(NUMBERS)).astype(np.int32)} for part in images
        )

    def get_next(self) -> dict[str, Any] | None:
        """The next run, None at the end."""
        return next(self._feeds, None)


def calibration_images(training: TrainingImages) -> Iterator[NDArray[np.uint8]]:
    """Batches of training images, and of some of them as they are rendered for the training.

    Args:
        training: where to take them from, evenly.
    """
    some = slice(None, None, max(1, len(training[1]) // CALIBRATION_IMAGES))
    pixels, digit = training[0][some], training[1][some]
    for start in range(0, len(pixels), BATCH):
        yield pixels[start : start + BATCH]
    generator = torch.Generator().manual_seed(SEED)
    ink = torch.from_numpy(pixels[:CALIBRATION_RENDERED, :, :, 0] / 255).float()[:, None]
    tiles = tile(ink, torch.from_numpy(digit[:CALIBRATION_RENDERED]), generator)
    for kind in KINDS:
        yield render(tiles, kind, generator).numpy()


def finish(proto: onnx.ModelProto, nodes: list[onnx.NodeProto], like: onnx.ModelProto | None = None) -> onnx.ModelProto:
    """The model of these nodes, checked, in as few bytes as answer the same.

    So without initializers that none of them uses or that are there twice, with what `held_in_branches` moves,
    `stored_in_few_bits`, and with short names.

    Args:
        proto: changed in place.
        nodes: all of the graph, in order.
        like: a model whose versions and producer it is to have, where a tool has put its own.
    """
    used = {name for node in nodes for name in inputs_of(node)}
    kept = [tensor for tensor in proto.graph.initializer if tensor.name in used]
    del proto.graph.node[:], proto.graph.initializer[:], proto.graph.value_info[:]
    proto.graph.node.extend(nodes)
    proto.graph.initializer.extend(kept)
    if like is not None:
        proto.ir_version, proto.producer_name, proto.producer_version = (
            like.ir_version,
            like.producer_name,
            like.producer_version,
        )
        del proto.opset_import[:], proto.metadata_props[:]
        proto.opset_import.extend(like.opset_import)
    held_in_branches(proto.graph)
    held_once(proto.graph)
    stored_in_few_bits(proto.graph)
    for branch in branches(proto.graph):  # as it is now: the nodes around it were copied
        stored_in_few_bits(branch)
    held_once(proto.graph)  # of their steps some are equal
    shorten_names(proto)
    onnx.checker.check_model(proto, full_check=True)
    return proto
