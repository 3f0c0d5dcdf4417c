"""Fixtures of the exporter's tests: the shipped checkpoints and files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest
from filelock import FileLock

from adder_export import model_file
from adder_export.graph import OPSET, Pipeline, build_graph
from adder_runtime import Adder, Approach, Provider
from adder_runtime.session import find_model, import_onnxruntime
from adder_trainer.checkpoint import Checkpoint, load_checkpoint
from adder_trainer.device import keep_memory

ARTIFACTS = Path(__file__).parents[2] / "artifacts"

Build = Callable[..., onnx.ModelProto]


@pytest.fixture(scope="session", autouse=True)
def memory_is_kept() -> None:
    """As the commands keep it: large batches take less time so."""
    keep_memory()


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


@pytest.fixture(scope="session")
def build_once(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """What `build_graph` gives, which takes it a minute or two; the same bytes the next time, in any process."""
    folder = tmp_path_factory.getbasetemp()
    # processes of pytest-xdist have a folder each, side by side
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder

    def build(checkpoint: Checkpoint, opset: int = OPSET) -> onnx.ModelProto:
        kept = folder / f"{checkpoint.sha256}-{opset}.onnx"
        with FileLock(kept.with_suffix(".lock")):
            if not kept.exists():
                onnx.save(build_graph(checkpoint, opset), kept)
            return onnx.load(kept)

    return build


@pytest.fixture(autouse=True)
def graphs_are_built_once(build_once: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "build_graph", build_once)


@pytest.fixture(scope="session")
def built(build_once: Build, checkpoint: Checkpoint) -> onnx.ModelProto:
    """The graph of a shipped checkpoint, built anew."""
    return build_once(checkpoint)
