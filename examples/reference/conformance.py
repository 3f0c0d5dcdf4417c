"""Holds onnx's reference evaluator to PyTorch's answers: no runtime's own optimisation can be at fault.

python conformance.py --every 10    (it is some hundred times slower than a runtime)
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

sys.path.append(str(Path(__file__).parents[1]))
import vectors


class GatherElements(OpRun):
    """The operator as its specification has it: the evaluator's own fails above 32 elements along the axis."""

    def _run(self, data, indices, axis):
        return (np.take_along_axis(data, indices, axis),)


class MaxPool(OpRun):
    """The operator as its specification has it, without dilation: the evaluator's own fails with padding."""

    def _run(self, x, kernel_shape, pads=None, strides=None, **_):
        pads, (down, across) = pads or [0, 0, 0, 0], strides or [1, 1]
        padded = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel_shape, (2, 3))
        return (windows[:, :, ::down, ::across].max((4, 5)).astype(x.dtype),)


def evaluate(proto):
    """A function of image (batch, height, width, channels) and number (batch), for a graph."""
    evaluator = ReferenceEvaluator(proto, new_ops=[GatherElements, MaxPool])
    return lambda image, number: evaluator.run(None, {"image": image, "number": number})


if __name__ == "__main__":
    vectors.main("onnx reference evaluator", onnx.__version__, lambda model: evaluate(onnx.load(model)))
