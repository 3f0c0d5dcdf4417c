"""Writes the conformance vectors: what is asked, and what PyTorch answers to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adder_export.conformance_cases import SEED, Asked
from adder_export.graph import Pipeline
from adder_export.parity import tolerances
from adder_runtime.conformance import (
    CONFORMANCE_VERSION,
    DATA,
    INDEX,
    Case,
    Outputs,
    differences,
    expected_outputs,
    pack,
)
from adder_runtime.contract import (
    CONFIDENCE,
    CONTRACT_VERSION,
    DIGIT,
    INK,
    UNREAD,
    Approach,
    Key,
    Precision,
    model_file_name,
    outputs,
    sum_scores,
)
from adder_runtime.contract import DIGIT_PROBABILITIES as PROBABILITIES
from adder_runtime.errors import ModelError, ParityError
from adder_runtime.model import Adder
from adder_runtime.output_file import write_whole
from adder_trainer.answer import answer, clip
from adder_trainer.checkpoint import Checkpoint

INK_EVERY = 5
"""Of so many cases one has the expected ink: 3 KB a picture."""

ROOM = 0.05
"""Share of its tolerance that a float32 file may use up here, so that another runtime has some left: a browser's
arithmetic was 15 times further off. A case that uses more lies at the edge of a decision, and is left out."""

DECIDED = 0.2
"""Least distance between the two likeliest digits, and sums, of an answer: what is nearer is decided by how a runtime
rounds in 8 bits. From ONNX Runtime 1.15 to 1.32, a probability of such a file differs by up to 0.105."""

FEWER_BITS_ROOM = 2.0
"""What a file of fewer bits is off here, times this, is what it may be off elsewhere."""


def files_to_pass(folder: Path, checkpoints: Mapping[Approach, Checkpoint]) -> list[Adder]:
    """The model files of a folder, of both approaches and of each precision that is there.

    Raises:
        ModelError: a float32 file is missing, or a file is of another checkpoint.
    """
    adders = [
        Adder.load(path, provider="cpu")
        for approach in checkpoints
        for path in (folder / model_file_name(approach, precision) for precision in Precision)
        if path.exists() or path.name == model_file_name(approach)
    ]
    for adder in adders:
        if adder.metadata[Key.CHECKPOINT] != checkpoints[adder.approach].sha256:
            raise ModelError(f"{adder.path} is not of the checkpoint of {adder.approach}; export it again")
    return adders


@torch.no_grad()
def answer_exactly(pipeline: Pipeline, image: NDArray[np.uint8], number: NDArray[np.int32]) -> Outputs:
    """What PyTorch answers: the normaliser in float32, as everywhere, and the network in float64."""
    seen = pipeline.normalizer(torch.from_numpy(image))
    asked_number = torch.from_numpy(number)
    network = pipeline.network.double()
    try:
        digit_logits, sum_output = network(seen.ink.double(), clip(asked_number))
    finally:
        network.float()
    answers = answer(digit_logits, sum_output, asked_number, seen.readable, pipeline.temperature)
    found = *answers, seen.box, seen.ink[:, 0]
    approach = Approach.CLASSIFY if answers.sum_scores.shape[1] > 1 else Approach.REGRESS
    return {spec.name: value.numpy() for spec, value in zip(outputs(approach), found, strict=True)}


def write_vectors(
    folder: Path,
    pipelines: Mapping[Approach, Pipeline],
    adders: Sequence[Adder],
    asked: Sequence[Asked],
    on_case: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Write index and binary file.

    Args:
        folder: for both.
        pipelines: PyTorch's side of both approaches, in evaluation mode.
        adders: the model files that are to pass, of every approach and precision.
        asked: what the vectors ask.
        on_case: told how many more are done.

    Returns:
        The index.

    Raises:
        ParityError: a float32 file answers otherwise than PyTorch.
        OutputError: a file cannot be written.
    """
    plain = {approach: _floats(tolerances(approach)) for approach in pipelines}
    largest: dict[tuple[Approach, Precision], dict[str, float]] = {}
    data = bytearray()
    cases: list[dict[str, Any]] = []
    left_out = 0

    def put(content: bytes) -> int:
        at = len(data)
        data.extend(content + b"\0" * (-len(content) % 4))
        return at

    for kind, image, number in asked:
        on_case(1)
        wanted = {approach: answer_exactly(pipeline, image, number) for approach, pipeline in pipelines.items()}
        found = [
            (adder, differences(Case(0, kind, image, number, wanted[adder.approach]), adder.run(image, number)))
            for adder in adders
        ]
        has_room = all(_has_room(adder, plain[adder.approach], each) for adder, each in found)
        if not (has_room and all(_is_decided(*each) for each in wanted.items())):
            left_out += 1
            continue
        for adder, each in found:
            seen = largest.setdefault((adder.approach, adder.precision), {})
            for name, value in each.items():
                seen[name] = max(seen.get(name, 0.0), value)
        told: dict[str, Any] = {"kind": kind, "shape": list(image.shape)}
        told |= {"image": put(image.tobytes()), "number": put(number.astype("<i4").tobytes())}
        told |= {str(approach): put(pack(approach, wanted[approach])) for approach in pipelines}
        if len(cases) % INK_EVERY == 0:
            told["ink"] = put(wanted[Approach.CLASSIFY][INK.name].astype("<f4").tobytes())
        cases.append(told)
    if left_out > len(cases) // 10:
        raise ParityError(f"{left_out} cases of {left_out + len(cases)} are not answered as PyTorch does; export again")
    index = {
        "conformance": CONFORMANCE_VERSION,
        "contract": CONTRACT_VERSION,
        "data": DATA,
        "sha256": hashlib.sha256(data).hexdigest(),
        "seed": SEED,
        "left_out": left_out,
        "outputs": {str(approach): expected_outputs(approach) for approach in pipelines},
        "tolerances": {
            str(approach): {
                str(adder.precision): _limits(plain[approach], largest[approach, adder.precision], adder.precision)
                for adder in adders
                if adder.approach is approach
            }
            for approach in pipelines
        },
        "cases": cases,
    }
    write_whole(folder / DATA, bytes(data))
    lines = ",\n".join(json.dumps(case) for case in cases)
    head = json.dumps({key: value for key, value in index.items() if key != "cases"}, indent=1).removesuffix("\n}")
    write_whole(folder / INDEX, f'{head},\n "cases": [\n{lines}\n]\n}}\n'.encode())
    return index


def _floats(limits: dict[str, float]) -> dict[str, float]:
    return {name: limit for name, limit in limits.items() if not name.endswith("_logits")}


def _has_room(adder: Adder, limits: dict[str, float], found: dict[str, float]) -> bool:
    """Whether an answer is far enough from where another runtime could tip it: labels alone where bits are fewer."""
    if adder.precision is not Precision.FP32:
        return all(np.isfinite(value) for value in found.values())
    return all(value <= ROOM * limits.get(name, 0.0) for name, value in found.items())


def _is_decided(approach: Approach, wanted: Outputs) -> bool:
    """Whether each digit that is answered, and each sum where sums are classes, is clearly the likeliest."""
    is_read = wanted[DIGIT.name] != UNREAD
    for name in (PROBABILITIES.name, sum_scores(approach).name):
        if wanted[name].shape[1] > 1:
            second, first = np.sort(wanted[name][is_read], axis=1)[:, -2:].T
            if (first - second < DECIDED).any():
                return False
    return True


def _limits(plain: dict[str, float], largest: dict[str, float], precision: Precision) -> dict[str, float]:
    if precision is Precision.FP32:
        return plain
    network = {CONFIDENCE.name, PROBABILITIES.name, *(sum_scores(approach).name for approach in Approach)}
    return {
        name: max(limit, float(f"{FEWER_BITS_ROOM * largest[name]:.1g}")) if name in network else limit
        for name, limit in plain.items()
    }
