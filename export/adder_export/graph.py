"""The graph that ships: normaliser, network and answer, from raw pixels to the contract's outputs."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from itertools import count, product
from string import ascii_letters
from typing import Any

import numpy as np
import onnx
import onnx_ir
import torch
from onnx import helper, numpy_helper
from onnx_ir.passes import common
from torch import Tensor, nn

from adder_runtime.contract import CONTRACT_VERSION, IMAGE, INPUTS, Key, Precision, outputs
from adder_trainer.answer import Answers, answer, clip
from adder_trainer.checkpoint import Checkpoint
from adder_trainer.normalize import NORMALIZER_VERSION, Normalized, Normalizer

OPSET = 18
"""ONNX operator set of the file unless another is asked for."""

OPSETS = range(OPSET, 24)
"""Operator sets that can be asked for: from the first that PyTorch's exporter writes to the last that was tried."""

LICENSE = "MIT; trained on MNIST (Yann LeCun, Corinna Cortes, Christopher J.C. Burges), CC BY-SA 3.0"

PRODUCER = "adder-edge"

NEEDLESS = {"dilations": 1, "strides": 1, "pads": 0, "allowzero": 1}
"""Values of attributes that need not be written, though no schema names them as the default: of each axis of a window,
and of a Reshape, none of whose sides is ever 0."""


class Pipeline(nn.Module):
    """Pixels and numbers in, the outputs of the contract out."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.normalizer = Normalizer()
        self.network = checkpoint.network
        self.temperature = checkpoint.temperature

    def forward(self, image: Tensor, number: Tensor) -> tuple[Tensor, ...]:
        """The contract's outputs in its order.

        Args:
            image: (batch, height, width, channels) uint8.
            number: (batch) int32.
        """
        answers, seen = self.answer_all(image, number)
        return *answers, seen.box, seen.ink[:, 0]

    def answer_all(self, image: Tensor, number: Tensor) -> tuple[Answers, Normalized]:
        """What is answered to one number (batch) for each image, or to n (batch, n), and what was seen of it."""
        seen = self.normalizer(image)
        digit_logits, sum_output = self.network(seen.ink, clip(number))
        return answer(digit_logits, sum_output, number, seen.readable, self.temperature), seen


def build_graph(checkpoint: Checkpoint, opset: int = OPSET) -> onnx.ModelProto:
    """The ONNX model of a checkpoint: standard operators, dynamic batch, height, width and channels.

    Args:
        checkpoint: what to export.
        opset: ONNX operator set to write, one of OPSETS.

    Returns:
        A model without source paths, names of training or duplicates, and without metadata; full check and strict
        shape inference have passed.
    """
    # an example batch of 2 or more: with 1, the batch would be fixed at 1
    example = (torch.zeros(2, 40, 36, 3, dtype=torch.uint8), torch.zeros(2, dtype=torch.int32))
    names = {axis: torch.export.Dim(str(axis), min=1, max=4 if axis == "channels" else None) for axis in IMAGE.shape}
    with quiet():
        program = torch.onnx.export(
            Pipeline(checkpoint).eval(),
            example,
            dynamo=True,
            opset_version=opset,
            input_names=[spec.name for spec in INPUTS],
            output_names=[spec.name for spec in outputs(checkpoint.approach)],
            dynamic_shapes=(dict(enumerate(names.values())), {0: names["batch"]}),
            external_data=False,
        )
    assert program is not None
    clean(program.model)
    proto = onnx_ir.to_proto(program.model)
    shorten_names(proto)
    # onnx keeps no list of which file version came with which operator set beyond this helper
    proto.ir_version = helper.find_min_ir_version_for(list(proto.opset_import))
    proto.producer_name, proto.producer_version = PRODUCER, version(PRODUCER)
    onnx.checker.check_model(proto, full_check=True)
    onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)
    return proto


def clean(model: onnx_ir.Model) -> None:
    """Remove from a model what no runtime needs: traces, source paths, shapes inside, duplicates, dead nodes."""
    passes = (
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.DeduplicateInitializersPass(),
        common.CommonSubexpressionEliminationPass(),
        common.RemoveUnusedNodesPass(),
        common.ClearMetadataAndDocStringPass(),
        common.TopologicalSortPass(),
    )
    for each in passes:
        each(model)
    # that pass does not look into the branches of an If
    for branch in model.graph.subgraphs():
        common.CommonSubexpressionEliminationPass()(onnx_ir.Model(branch, ir_version=model.ir_version))


def shorten_names(proto: onnx.ModelProto) -> None:
    """Give inner values names of a letter or two, nodes none, and drop the shapes and traces written beside values."""
    kept = {value.name for value in (*proto.graph.input, *proto.graph.output)} | {""}  # "" is an input left out
    short: dict[str, str] = {name: name for name in kept}
    words = ("".join(letters) for length in count(1) for letters in product(ascii_letters, repeat=length))
    fresh = (word for word in words if word not in kept)

    def rename(name: str) -> str:
        if name not in short:
            short[name] = next(fresh)
        return short[name]

    def shorten(graph: onnx.GraphProto) -> None:
        graph.name = PRODUCER
        for value in (*graph.input, *graph.output):
            value.name = rename(value.name)
            del value.metadata_props[:]
        for initializer in graph.initializer:
            initializer.name = rename(initializer.name)
        for node in graph.node:
            node.name = ""
            drop_defaults(node, proto.opset_import[0].version)
            if node.op_type == "ConstantOfShape" and not node.attribute:
                # OpenCV 5 fails where this one is left out
                node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.zeros(1, np.float32))))
            node.input[:] = [rename(value) for value in node.input]
            node.output[:] = [rename(value) for value in node.output]
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:  # a branch of an If sees the values around it
                    shorten(attribute.g)
        del graph.value_info[:]

    shorten(proto.graph)


def drop_defaults(node: onnx.NodeProto, opset: int) -> None:
    """Take from a node the attributes that only say what every runtime takes where they are left out."""
    known = onnx.defs.get_schema(node.op_type, opset).attributes
    kept = []
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        default = known[attribute.name].default_value if attribute.name in known else onnx.AttributeProto()
        same = default.type == attribute.type and helper.get_attribute_value(default) == value
        needless = NEEDLESS.get(attribute.name)
        same |= needless is not None and all(each == needless for each in np.atleast_1d(value))
        if not same:
            kept.append(attribute)
    del node.attribute[:]
    node.attribute.extend(kept)


def write_metadata(
    proto: onnx.ModelProto, checkpoint: Checkpoint, accuracy: dict[str, Any], precision: Precision = Precision.FP32
) -> None:
    """Put the contract's metadata into a model.

    Args:
        proto: changed in place.
        checkpoint: what was exported.
        accuracy: what was measured, on what; goes in as JSON.
        precision: of the network inside.
    """
    training = {key: value for key, value in checkpoint.facts.items() if key not in ("test", "speed")}
    entries = {
        Key.CONTRACT: CONTRACT_VERSION,
        Key.APPROACH: str(checkpoint.approach),
        Key.PRECISION: str(precision),
        Key.NORMALIZER: NORMALIZER_VERSION,
        Key.TRAINING: json.dumps(training, sort_keys=True),
        Key.ACCURACY: json.dumps(accuracy, sort_keys=True),
        Key.LICENSE: LICENSE,
        Key.CHECKPOINT: checkpoint.sha256,
    }
    helper.set_model_props(proto, {str(key): value for key, value in entries.items()})


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's progress and its advice to PyTorch's developers off the terminal."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        # both are about names of axes, which are checked against the contract when the file is loaded
        warnings.filterwarnings("ignore", message=".*The axis name: .* will not be used")
        yield
