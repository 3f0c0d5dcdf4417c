"""Reads a digit from a picture and adds a number, from one ONNX file, without PyTorch.

from adder_runtime import Adder

answer = Adder.load("classify").predict("image.png", 7)
print(answer.digit, answer.sum, answer.confidence)
"""

from adder_runtime.contract import Approach
from adder_runtime.errors import (
    AdderError,
    ContractError,
    ImageError,
    ModelError,
    NothingToReadError,
    NumberError,
    ProviderError,
    UsageError,
)
from adder_runtime.model import Adder, Answer
from adder_runtime.session import Provider

__all__ = [
    "Adder",
    "AdderError",
    "Answer",
    "Approach",
    "ContractError",
    "ImageError",
    "ModelError",
    "NothingToReadError",
    "NumberError",
    "Provider",
    "ProviderError",
    "UsageError",
]
