"""What the benchmark compares where torch and onnx are installed: the network alone, in ONNX Runtime and in PyTorch."""

from __future__ import annotations

import numpy as np
import onnx
import torch

from adder_runtime.bench import NUMBER, SMALL, Contest, picture
from adder_runtime.contract import DIGIT_PROBABILITIES, INK, SIDE, Approach, sum_scores
from adder_runtime.contract import NUMBER as NUMBER_INPUT
from adder_runtime.model import Adder, find_model, import_onnxruntime
from adder_trainer.checkpoint import load_checkpoint


def network_of(proto: onnx.ModelProto, approach: Approach) -> onnx.ModelProto:
    """The part of a model file from the ink to the scores; its first input is the ink."""
    squeezed = next(node for node in proto.graph.node if INK.name in node.output)
    seen = squeezed.input[0]  # (batch, 1, 28, 28), as the network takes it
    value = onnx.helper.make_tensor_value_info(seen, onnx.TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])
    proto.graph.value_info.append(value)
    names = [DIGIT_PROBABILITIES.name, sum_scores(approach).name]
    return onnx.utils.Extractor(proto).extract_model([seen, NUMBER_INPUT.name], names)


def contests() -> list[Contest]:
    """The whole file, and PyTorch, beside the network alone; classify, one thread.

    Raises:
        ImportError: torch or onnx is not installed.
    """
    path = find_model(Approach.CLASSIFY)
    part = network_of(onnx.load(path), Approach.CLASSIFY)
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(part.SerializeToString(), options, ["CPUExecutionProvider"])
    adder = Adder.load(path, provider="cpu")
    ink = adder.see(picture(*SMALL))[None, None]
    asked = np.array([NUMBER], np.int32)
    feeds = {part.graph.input[0].name: ink, NUMBER_INPUT.name: asked}
    pixels = picture(*SMALL)[None]
    network = load_checkpoint(path.with_suffix(".safetensors")).network.eval()
    seen, number = torch.from_numpy(ink), torch.tensor([[NUMBER]])
    torch.set_num_threads(1)

    def alone() -> object:
        return session.run(None, feeds)

    def eager() -> object:
        with torch.inference_mode():
            return network(seen, number)

    return [
        Contest("the whole file at 28x28 / its network alone", lambda: adder.run(pixels, asked), alone, 3.0),
        Contest("PyTorch eager / ONNX Runtime, the network alone", eager, alone, 5.0, at_most=False),
    ]
