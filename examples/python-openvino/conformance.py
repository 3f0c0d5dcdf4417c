"""Holds OpenVINO to PyTorch's answers: python conformance.py"""

import sys
from pathlib import Path

import openvino

sys.path.append(str(Path(__file__).parents[1]))
import vectors


def load(model):
    """A function of image (batch, height, width, channels) and number (batch)."""
    # OpenVINO may take bfloat16 on a processor that has it, and the answers are to be PyTorch's
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda image, number: list(compiled({"image": image, "number": number}).values())


vectors.main("OpenVINO, Python", openvino.__version__.partition("-")[0], load)
