"""The contract of the model file: every name, type, shape, range and metadata key, written once.

The trainer and the exporter import these; nothing here imports anything of ours. A program in another language that
agrees with this page can run the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol

from adder_runtime.errors import ContractError

CONTRACT_VERSION = "2"
"""Raised when a name, type, shape or meaning below changes."""

SIDE = 28
"""Height and width in pixels of the picture that the network sees."""

LARGE_SIDE = 512
"""Pixels on the longer side that are enough: a picture of twice as many or more is reduced when the file begins, by a
whole number, so that an app may hand over pixels as it has them."""

DIGITS = range(10)
"""The digits that an image can show, and the classes of the digit head."""

NUMBERS = range(10)
"""The numbers that can be added."""

SUMS = range(len(DIGITS) + len(NUMBERS) - 1)
"""The sums that can come out: 0 to 18."""

CHANNELS = range(1, 5)
"""Channels of a picture: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha."""

UNREAD = -1
"""The digit where there is nothing to read, and the sum where there is no digit or no valid number."""


class Approach(StrEnum):
    """How the sum is learnt."""

    CLASSIFY = "classify"
    REGRESS = "regress"


class Precision(StrEnum):
    """The arithmetic of the network inside the file; what is before and after it is always float32."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


SUM_SCORES = {Approach.CLASSIFY: len(SUMS), Approach.REGRESS: 1}
"""Width of the output `sum_scores`: a probability for each sum, or the one unrounded sum."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of the model file."""

    name: str
    dtype: str
    """NumPy's name of the type."""
    shape: tuple[int | str, ...]
    """A text names an axis of any length; axes of the same name have the same length."""
    meaning: str

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[{', '.join(str(axis) for axis in self.shape)}]"


IMAGE = TensorSpec(
    "image",
    "uint8",
    ("batch", "height", "width", "channels"),
    "raw pixels, any size, 1 to 4 channels (grey, grey and alpha, RGB, RGBA), any polarity",
)
NUMBER = TensorSpec("number", "int32", ("batch",), "the number to add, 0 to 9")
DIGIT = TensorSpec("digit", "int32", ("batch",), "0 to 9; -1 where there is nothing to read")
SUM = TensorSpec("sum", "int32", ("batch",), "number to number + 9; -1 where digit is -1 or number is not in 0 to 9")
CONFIDENCE = TensorSpec(
    "confidence", "float32", ("batch",), "calibrated probability, 0 to 1, that sum is right; 0 where sum is -1"
)
CONSISTENT = TensorSpec("consistent", "bool", ("batch",), "the two heads agree: sum == digit + number")
DIGIT_PROBABILITIES = TensorSpec(
    "digit_probabilities", "float32", ("batch", len(DIGITS)), "softmax of the digit head, before calibration"
)


def sum_scores(approach: Approach) -> TensorSpec:
    """The output `sum_scores`, the one output whose width depends on the approach."""
    meaning = {
        Approach.CLASSIFY: "softmax over the sums 0 to 18, before calibration, zero outside number to number + 9",
        Approach.REGRESS: "the unrounded sum",
    }[approach]
    return TensorSpec("sum_scores", "float32", ("batch", SUM_SCORES[approach]), meaning)


BOX = TensorSpec(
    "box",
    "float32",
    ("batch", 4),
    "top, left, bottom, right of the ink in pixels of the picture; all of it where no ink was found",
)
INK = TensorSpec("ink", "float32", ("batch", SIDE, SIDE), "what the network sees, 0 = paper, 1 = full stroke")

INPUTS = (IMAGE, NUMBER)


def outputs(approach: Approach) -> tuple[TensorSpec, ...]:
    """The outputs in the file's order: six that answer, and two that show what was seen."""
    return (DIGIT, SUM, CONFIDENCE, CONSISTENT, DIGIT_PROBABILITIES, sum_scores(approach), BOX, INK)


class Key(StrEnum):
    """Keys of the file's metadata. Every value is a text; those marked JSON hold a JSON object."""

    CONTRACT = "adder.contract"
    APPROACH = "adder.approach"
    PRECISION = "adder.precision"
    NORMALIZER = "adder.normalizer"
    TRAINING = "adder.training"
    ACCURACY = "adder.accuracy"
    LICENSE = "adder.license"
    CHECKPOINT = "adder.checkpoint.sha256"


KEY_MEANINGS = {
    Key.CONTRACT: "version of the contract",
    Key.APPROACH: "classify or regress",
    Key.PRECISION: "fp32, fp16 or int8: arithmetic of the network inside",
    Key.NORMALIZER: "version of the preprocessing inside: raised when the same pixels give another ink",
    Key.TRAINING: "JSON: recipe, seed, epochs, versions, parameters, git revision",
    Key.ACCURACY: "JSON: what was measured, on how many pairs",
    Key.LICENSE: "licence of the file and of the data",
    Key.CHECKPOINT: "sha256 of the weights that the file was made of",
}


def model_name(approach: Approach, precision: Precision = Precision.FP32) -> str:
    """Name of a shipped model and of what belongs to it: `classify`, `classify.fp16`, `classify.int8`."""
    return str(approach) if precision is Precision.FP32 else f"{approach}.{precision}"


def model_file_name(approach: Approach, precision: Precision = Precision.FP32) -> str:
    """File name of a shipped model, such as `classify.onnx` and `classify.int8.onnx`."""
    return f"{model_name(approach, precision)}.onnx"


def describe_contract(approach: Approach) -> dict[str, Any]:
    """The contract as plain data, for programs and for bindings in other languages."""

    def told(specs: Sequence[TensorSpec]) -> list[dict[str, Any]]:
        return [asdict(spec) | {"shape": list(spec.shape)} for spec in specs]

    return {
        "contract": CONTRACT_VERSION,
        "approach": str(approach),
        "inputs": told(INPUTS),
        "outputs": told(outputs(approach)),
        "metadata": [str(key) for key in Key],
        "precisions": [str(precision) for precision in Precision],
    }


class Node(Protocol):
    """An input or output as ONNX Runtime describes it."""

    name: str
    type: str
    shape: Sequence[int | str | None]


def check_contract(
    inputs: Sequence[Node], outputs_found: Sequence[Node], metadata: Mapping[str, str], source: str
) -> tuple[Approach, Precision]:
    """The approach and precision of a model file that keeps the contract.

    Args:
        inputs: what the file takes, as ONNX Runtime tells it.
        outputs_found: what the file gives.
        metadata: the file's own key and value texts.
        source: what to call the file in an error.

    Raises:
        ContractError: something differs; the line says what was got and what is wanted.
    """
    if Key.CONTRACT not in metadata:
        raise ContractError(
            f"{source} is not an adder model: its metadata has no {Key.CONTRACT.value!r}; "
            "make one with: adder-export --approach classify"
        )
    if metadata[Key.CONTRACT] != CONTRACT_VERSION:
        raise ContractError(
            f"{source} keeps contract {metadata[Key.CONTRACT]}, this program wants {CONTRACT_VERSION}; "
            "export it again, or install the adder-edge that made it"
        )
    try:
        approach = Approach(metadata.get(Key.APPROACH, ""))
        precision = Precision(metadata.get(Key.PRECISION, ""))
    except ValueError as error:
        raise ContractError(f"{source}: {error}; wanted {', '.join(Approach)} in {', '.join(Precision)}") from error
    _check_nodes("inputs", inputs, INPUTS, source)
    _check_nodes("outputs", outputs_found, outputs(approach), source)
    return approach, precision


def _check_nodes(kind: str, found: Sequence[Node], wanted: Sequence[TensorSpec], source: str) -> None:
    if [node.name for node in found] != [spec.name for spec in wanted]:
        got, want = ", ".join(node.name for node in found), ", ".join(spec.name for spec in wanted)
        raise ContractError(f"{source} has the {kind} {got}; wanted {want}")
    for node, spec in zip(found, wanted, strict=True):
        type_wanted = f"tensor({'float' if spec.dtype == 'float32' else spec.dtype})"
        fits = len(node.shape) == len(spec.shape) and all(
            (isinstance(want, str) and not isinstance(got, int)) or got == want
            for got, want in zip(node.shape, spec.shape, strict=False)
        )
        if node.type != type_wanted or not fits:
            raise ContractError(f"{source} has {node.name}: {node.type}{list(node.shape)}; wanted {spec}")
