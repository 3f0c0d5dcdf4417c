"""Fixtures of the exporter's tests: the shipped checkpoints and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest

from adder_export import model_file
from adder_export.graph import OPSET, Pipeline, build_graph
from adder_runtime import Adder, Approach, Provider
from adder_runtime.model import find_model, import_onnxruntime
from adder_trainer.checkpoint import Checkpoint, load_checkpoint

ARTIFACTS = Path(__file__).parents[2] / "artifacts"


@pytest.fixture(scope="session")
def all_tensors() -> Callable[[onnx.GraphProto], Iterator[onnx.TensorProto]]:
    """The constants of a graph, and of the branches of its conditions."""

    def walk(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                yield from walk(attribute.g)

    return walk


@pytest.fixture(scope="session", params=list(Approach))
def approach(request: pytest.FixtureRequest) -> Approach:
    return Approach(request.param)


@pytest.fixture(scope="session", params=[Provider.CPU, Provider.CUDA])
def provider(request: pytest.FixtureRequest) -> Provider:
    if request.param is Provider.CUDA and "CUDAExecutionProvider" not in import_onnxruntime().get_available_providers():
        pytest.skip("this ONNX Runtime has no CUDA; install onnxruntime-gpu on a machine with a GPU")
    return Provider(request.param)


@pytest.fixture(scope="session")
def checkpoint(approach: Approach) -> Checkpoint:
    return load_checkpoint(ARTIFACTS / f"{approach}.safetensors")


@pytest.fixture(scope="session")
def pipeline(checkpoint: Checkpoint) -> Pipeline:
    return Pipeline(checkpoint).eval()


@pytest.fixture(scope="session")
def adder(approach: Approach, provider: Provider) -> Adder:
    return Adder.load(find_model(approach), provider=provider)


_BUILT: dict[tuple[str, int], bytes] = {}


def build_once(checkpoint: Checkpoint, opset: int = OPSET) -> onnx.ModelProto:
    """What `build_graph` gives, which takes it half a minute; the same bytes the next time."""
    key = checkpoint.sha256, opset
    if key not in _BUILT:
        _BUILT[key] = build_graph(checkpoint, opset).SerializeToString()
    return onnx.load_from_string(_BUILT[key])


@pytest.fixture(autouse=True)
def graphs_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "build_graph", build_once)


@pytest.fixture(scope="session")
def built(checkpoint: Checkpoint) -> onnx.ModelProto:
    """The graph of a shipped checkpoint, built anew."""
    return build_once(checkpoint)
