"""The contract's own numbers, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from adder_runtime.contract import (
    CONTRACT_VERSION,
    DIGITS,
    INPUTS,
    NUMBERS,
    SUMS,
    Approach,
    Key,
    Precision,
    TensorSpec,
    check_contract,
    outputs,
)
from adder_runtime.errors import ContractError

METADATA: dict[str, str] = {Key.CONTRACT: CONTRACT_VERSION, Key.APPROACH: "classify", Key.PRECISION: "fp32"}


@dataclass
class Node:
    name: str
    type: str
    shape: Sequence[int | str | None]


def nodes(specs: Sequence[TensorSpec]) -> list[Node]:
    types = {"float32": "float"}
    return [Node(spec.name, f"tensor({types.get(spec.dtype, spec.dtype)})", list(spec.shape)) for spec in specs]


def test_sums_are_what_digits_and_numbers_give() -> None:
    assert set(SUMS) == {digit + number for digit in DIGITS for number in NUMBERS}


@pytest.mark.parametrize("approach", Approach)
def test_file_that_keeps_the_contract_is_accepted(approach: Approach) -> None:
    metadata = METADATA | {Key.APPROACH: str(approach)}
    assert check_contract(nodes(INPUTS), nodes(outputs(approach)), metadata, "x.onnx") == (approach, Precision.FP32)


def test_outputs_of_the_other_approach_are_refused() -> None:
    with pytest.raises(ContractError, match=r"sum_scores: tensor\(float\)\['batch', 1\]; wanted .*\[batch, 19\]"):
        check_contract(nodes(INPUTS), nodes(outputs(Approach.REGRESS)), METADATA, "x.onnx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Node("image", "tensor(float)", ["b", "h", "w", "c"]), r"image: tensor\(float\)"),
        (Node("image", "tensor(uint8)", ["b", 28, 28, 1]), r"'b', 28, 28, 1"),
        (Node("image", "tensor(uint8)", ["b", "h", "w"]), r"'b', 'h', 'w'"),
        (Node("picture", "tensor(uint8)", ["b", "h", "w", "c"]), "has the inputs picture, number"),
    ],
)
def test_another_name_type_or_shape_is_told_with_what_is_wanted(change: Node, message: str) -> None:
    with pytest.raises(ContractError, match=message) as caught:
        check_contract([change, nodes(INPUTS)[1]], nodes(outputs(Approach.CLASSIFY)), METADATA, "x.onnx")
    assert "wanted" in str(caught.value)


@pytest.mark.parametrize("key", [Key.CONTRACT, Key.APPROACH, Key.PRECISION])
def test_missing_metadata_is_refused(key: Key) -> None:
    metadata = {name: value for name, value in METADATA.items() if name != key}
    with pytest.raises(ContractError, match=r"x\.onnx"):
        check_contract(nodes(INPUTS), nodes(outputs(Approach.CLASSIFY)), metadata, "x.onnx")
