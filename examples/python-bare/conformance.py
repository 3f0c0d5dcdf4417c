"""Holds ONNX Runtime to PyTorch's answers: python conformance.py"""

import sys
from pathlib import Path

import onnxruntime
from adder import load

sys.path.append(str(Path(__file__).parents[1]))
import vectors

vectors.main("ONNX Runtime, Python", onnxruntime.__version__, load)
