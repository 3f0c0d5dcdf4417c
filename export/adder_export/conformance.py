"""Writes the conformance vectors: pictures of every kind, and what PyTorch answers to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adder_export.graph import Pipeline
from adder_export.parity import ODD_NUMBERS, TestImages, tolerances
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
    CHANNELS,
    CONFIDENCE,
    CONTRACT_VERSION,
    DIGITS,
    INK,
    LARGE_SIDE,
    NUMBERS,
    Approach,
    Precision,
    outputs,
    sum_scores,
)
from adder_runtime.contract import DIGIT_PROBABILITIES as PROBABILITIES
from adder_runtime.errors import ParityError
from adder_runtime.model import Adder
from adder_runtime.output_file import write_whole
from adder_runtime.pictures import draw_digit, paint
from adder_trainer.answer import answer, clip
from adder_trainer.photo import KINDS, render
from adder_trainer.strokes import tile
from adder_trainer.unknown import nothing

SEED = 20_261
"""Of all that is drawn."""

INK_EVERY = 5
"""Of so many cases one has the expected ink: 3 KB a picture."""

RENDERED_BYTES = 100_000
"""Pixels of each rendered kind, at most; a kind's pictures are of several sizes."""

RENDERED_TRIES = 40

ROOM = 0.25
"""Share of its tolerance that a float32 file may use up here, so that another runtime has some left; a case that uses
more lies at the edge of a decision, and is left out."""

FEWER_BITS_ROOM = 2.0
"""What a file of fewer bits is off here, times this, is what it may be off elsewhere."""

Asked = tuple[str, NDArray[np.uint8], NDArray[np.int32]]
"""Kind, image (batch, height, width, channels) and number (batch)."""


def asked(mnist: TestImages) -> Iterator[Asked]:
    """All that the vectors ask.

    Args:
        mnist: test images and digits, of which some are taken, and written anew as people would.
    """
    random = np.random.default_rng(SEED)

    def numbers(count: int) -> NDArray[np.int32]:
        return random.integers(len(NUMBERS), size=count).astype(np.int32)

    def one(kind: str, image: NDArray[np.uint8]) -> Asked:
        return kind, image[None], numbers(1)

    for place in range(150):
        yield one("mnist", mnist[0][place])
    for height, width in SIZES:
        for digit in (2, 7):
            yield one("sizes", paint(draw_digit(digit, height, width), 1))
    yield one("large", paint(draw_digit(4, 375, 500), 1).repeat(4, 0).repeat(4, 1))
    for channels in CHANNELS:
        for digit in DIGITS:
            yield one("channels", paint(draw_digit(digit, 26, 30), channels))
    for digit in DIGITS:
        # strokes and ground of two colours, and the same with an alpha that shows the strokes alone
        ink = draw_digit(digit, 30, 26)[:, :, None]
        front, back = (random.integers(0, 256, 3) for _ in range(2))
        colour = np.round(ink * front + (1 - ink) * back).astype(np.uint8)
        yield one("colours", colour)
        yield one("transparent", np.concatenate([np.full_like(colour, front), np.uint8(255 * ink)], 2))
    for dark, light in ((0, 1), (1, 0), (0.4, 0.6), (0.6, 0.4), (0.45, 0.55), (0, 0.1), (1, 0.9)):
        for digit in (0, 3, 5, 6, 9):
            yield one("polarities", paint(draw_digit(digit, 28, 28), 1, dark=dark, light=light))
    for size in (2, 3, 5, 8, 17):
        image = np.stack([paint(draw_digit(int(digit), 22, 22), 1) for digit in random.integers(0, 10, size)])
        yield "batches", image, numbers(size)
    yield from rendered(mnist, numbers)
    for shape in ((1, 1, 1), (1, 1, 4), (28, 28, 1), (40, 30, 3), (1, 50, 2), (64, 64, 1)):
        for value in (0, 127, 255):
            yield one("blank", np.full(shape, value, np.uint8))
    for shape in ((28, 28, 1), (9, 7, 3), (5, 40, 2), (24, 24, 4), (2, 2, 1)):
        for _ in range(4):
            yield one("noise", random.integers(0, 256, shape).astype(np.uint8))
    for number in ODD_NUMBERS:
        yield "odd numbers", paint(draw_digit(5, 28, 28), 1)[None], np.array([number], np.int32)
    for side in (LARGE_SIDE - 1, LARGE_SIDE, 2 * LARGE_SIDE - 1, 2 * LARGE_SIDE, 2 * LARGE_SIDE + 1, 3 * LARGE_SIDE):
        for height, width in ((6, side), (side, 6)):
            yield one("edges", paint(draw_digit(1, height, width), 1))
    for contrast in np.geomspace(0.004, 0.1, 24):
        yield one("edges", paint(draw_digit(8, 24, 24), 1, dark=0.5, light=0.5 + contrast))


SIZES = (
    (1, 1), (1, 2), (2, 1), (1, 50), (50, 1), (2, 2), (3, 3), (5, 4), (7, 5), (9, 9), (8, 12), (14, 14), (17, 40),
    (20, 20), (27, 28), (28, 27), (28, 28), (29, 29), (31, 64), (48, 48), (56, 56), (64, 31), (64, 64), (77, 50),
    (90, 10), (96, 96), (97, 95), (100, 160), (128, 128), (192, 192), (30, 300), (300, 30),
)  # fmt: skip
"""Height and width in pixels: around those of the normaliser's grids, and odd ones."""


def rendered(mnist: TestImages, numbers: Callable[[int], NDArray[np.int32]]) -> Iterator[Asked]:
    """Digits and blank paper as they are rendered for training, some of each kind."""
    generator = torch.Generator().manual_seed(SEED)
    for kind in KINDS:
        left = RENDERED_BYTES
        for place in range(RENDERED_TRIES):
            ink, digit = mnist[0][1000 + place, :, :, 0] / 255, mnist[1][1000 + place]
            tiles = tile(torch.from_numpy(ink).float()[None, None], torch.tensor([digit]), generator)
            blank = place % 8 == 7
            image = render(nothing(tiles, generator) if blank else tiles, kind, generator).numpy()
            if image.size <= left:
                left -= image.size
                yield f"{kind.name}, blank" if blank else kind.name, image, numbers(1)


@torch.no_grad()
def answer_exactly(pipeline: Pipeline, image: NDArray[np.uint8], number: NDArray[np.int32]) -> Outputs:
    """What PyTorch answers: the normaliser in float32, as everywhere, and the network in float64."""
    seen = pipeline.normalizer(torch.from_numpy(image))
    asked_number = torch.from_numpy(number)[:, None]
    network = pipeline.network.double()
    try:
        digit_logits, sum_output = network(seen.ink.double(), clip(asked_number))
    finally:
        network.float()
    answers = answer(digit_logits, sum_output, asked_number, seen.readable, pipeline.temperature)
    found = *(each[:, 0] for each in answers), seen.box, seen.ink[:, 0]
    approach = Approach.CLASSIFY if answers.sum_scores.shape[2] > 1 else Approach.REGRESS
    return {spec.name: value.numpy() for spec, value in zip(outputs(approach), found, strict=True)}


def write_vectors(
    folder: Path,
    pipelines: Mapping[Approach, Pipeline],
    adders: Sequence[Adder],
    mnist: TestImages,
    on_case: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Write index and binary file.

    Args:
        folder: for both.
        pipelines: PyTorch's side of both approaches, in evaluation mode.
        adders: the model files that are to pass, of every approach and precision.
        mnist: test images and digits.
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

    for kind, image, number in asked(mnist):
        on_case(1)
        wanted = {approach: answer_exactly(pipeline, image, number) for approach, pipeline in pipelines.items()}
        found = [
            (adder, differences(Case(0, kind, image, number, wanted[adder.approach]), adder.run(image, number)))
            for adder in adders
        ]
        if not all(_has_room(adder, plain[adder.approach], each) for adder, each in found):
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


def _limits(plain: dict[str, float], largest: dict[str, float], precision: Precision) -> dict[str, float]:
    if precision is Precision.FP32:
        return plain
    network = {CONFIDENCE.name, PROBABILITIES.name, *(sum_scores(approach).name for approach in Approach)}
    return {
        name: max(limit, float(f"{FEWER_BITS_ROOM * largest[name]:.1g}")) if name in network else limit
        for name, limit in plain.items()
    }
