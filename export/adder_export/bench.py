"""What the benchmark compares where torch and onnx are installed: the network alone, in ONNX Runtime and in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from adder_runtime.bench_contest import NUMBER, SMALL, Contest, picture
from adder_runtime.contract import DIGIT_PROBABILITIES, INK, SIDE, Approach, Precision, sum_scores
from adder_runtime.contract import NUMBER as NUMBER_INPUT
from adder_runtime.model import Adder
from adder_runtime.pictures import prepare
from adder_runtime.session import find_model, import_onnxruntime, session_options
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
    adder = Adder.load(path, provider="cpu")
    pixels, asked = picture(*SMALL)[None], np.array([NUMBER], np.int32)
    prepared = prepare(3)[None]
    ink = adder.see(pixels[0])[None, None]
    network = load_checkpoint(path.with_suffix(".safetensors")).network.eval()
    seen, number = torch.from_numpy(ink), torch.tensor([[NUMBER]])
    torch.set_num_threads(1)

    def in_pytorch(asked_network: Callable[..., object]) -> object:
        with torch.inference_mode():
            return asked_network(seen, number)

    def alone(precision: Precision, size: int = 1) -> Callable[[], object]:
        return run_network(find_model(Approach.CLASSIFY, precision), ink.repeat(size, 0), asked.repeat(size))

    plain = alone(Precision.FP32)
    found = [
        Contest(
            "the whole file at 28x28, in MNIST's form / its network alone",
            lambda: adder.run(prepared, asked),
            plain,
            3.0,
        ),
        Contest("the whole file at 28x28, any other / its network alone", lambda: adder.run(pixels, asked), plain, 3.0),
        Contest(
            "PyTorch eager / ONNX Runtime, the network alone", lambda: in_pytorch(network), plain, 5.0, at_most=False
        ),
    ]
    compiled = torch.compile(network)
    try:
        in_pytorch(compiled)
    except Exception:  # noqa: BLE001  # there is no compiler, and what that raises is its own affair
        pass
    else:
        name = "PyTorch compiled / ONNX Runtime, the network alone"
        found.append(Contest(name, lambda: in_pytorch(compiled), plain))
    return found + [
        Contest(
            f"int8 / fp32, the network alone, {size} at a time",
            alone(Precision.INT8, size),
            alone(Precision.FP32, size),
            1.0,
        )
        for size in (1, 64)
    ]


def run_network(path: Path, ink: NDArray[np.float32], number: NDArray[np.int32]) -> Callable[[], object]:
    """Something that runs the network of a classify file on one thread: ink (batch, 1, 28, 28), number (batch)."""
    part = network_of(onnx.load(path), Approach.CLASSIFY)
    session = import_onnxruntime().InferenceSession(
        part.SerializeToString(), session_options(import_onnxruntime(), 1), ["CPUExecutionProvider"]
    )
    feeds = {part.graph.input[0].name: ink, NUMBER_INPUT.name: number}
    return lambda: session.run(None, feeds)
