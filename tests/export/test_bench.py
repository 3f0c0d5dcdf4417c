"""What the benchmark takes for the network alone is the network of the file."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
from torch import nn

from adder_export.bench import contests, network_of
from adder_runtime import Adder, Approach
from adder_runtime.bench_contest import SMALL, picture
from adder_runtime.bench_profile import FINDER, NETWORK, operator, parts_of, record
from adder_runtime.contract import INK, outputs
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.session import find_model
from adder_trainer.normalize.finder import shipped_finder


@pytest.mark.parametrize("approach", Approach)
def test_network_alone_says_what_the_file_says(approach: Approach) -> None:
    part = network_of(onnx.load(find_model(approach)), approach)
    session = onnxruntime.InferenceSession(part.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.stack([paint(draw_digit(digit, 28, 28), 1) for digit in (2, 7)])
    number = np.array([3, 4], np.int32)
    whole = Adder.load(approach, provider="cpu").run(image, number)
    alone = session.run(None, {part.graph.input[0].name: whole[INK.name][:, None], "number": number})
    for spec, values in zip(part.graph.output, alone, strict=True):
        np.testing.assert_allclose(values, whole[spec.name], atol=1e-6)
    assert len(part.graph.node) < 80 < len(onnx.load(find_model(approach)).graph.node)
    assert {spec.name for spec in part.graph.output} < {spec.name for spec in outputs(approach)}


def test_contests_run() -> None:
    for contest in contests():
        contest.first()
        contest.second()


def test_profile_takes_the_network_for_the_networks_and_the_finder_for_the_finders() -> None:
    path = find_model(Approach.CLASSIFY)
    runs, _ = record(path, picture(*SMALL), 7)
    convolutions = Counter(
        part for node, part in zip(runs[0], parts_of(runs[0]), strict=True) if "Conv" in operator(node)
    )
    network = network_of(onnx.load(path), Approach.CLASSIFY).graph.node
    layers = sum(isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) for layer in shipped_finder().modules())
    looks = 2  # of a picture with a digit
    assert convolutions == {
        FINDER: looks * layers,
        NETWORK: sum(node.op_type == "Conv" for node in network),
    }
