"""What the benchmark takes for the network alone is the network of the file."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from adder_export.bench import contests, network_of
from adder_runtime import Adder, Approach
from adder_runtime.contract import INK, outputs
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.session import find_model


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
