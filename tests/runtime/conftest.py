"""Fixtures of the runtime's tests, which run with neither torch nor onnx installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adder_runtime import Adder, Answer, Approach
from adder_runtime.image_file import Pixels, to_png
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.session import find_model

Patch = Callable[[bytes, bytes], Path]
Shares = Callable[[list[Pixels], list[int]], tuple[float, float]]


@pytest.fixture(scope="session", params=list(Approach))
def adder(request: pytest.FixtureRequest) -> Adder:
    """Each shipped model on the CPU."""
    return Adder.load(request.param, provider="cpu")


@pytest.fixture(scope="session")
def shares(adder: Adder) -> Shares:
    """Tells of pictures, and of the digits that they show, which share is read, and which is read as another digit."""

    def ask(pictures: list[Pixels], shown: list[int]) -> tuple[float, float]:
        said = [answer.digit if isinstance(answer, Answer) else None for answer in adder.predict_each(pictures, 7)]
        pairs = list(zip(said, shown, strict=True))
        return (
            np.mean([one == digit for one, digit in pairs]).item(),
            np.mean([one not in (digit, None) for one, digit in pairs]).item(),
        )

    return ask


@pytest.fixture(scope="session")
def classify() -> Adder:
    return Adder.load("classify", provider="cpu")


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A drawn three, dark on light, as a PNG."""
    path = tmp_path / "three.png"
    path.write_bytes(to_png(paint(draw_digit(3, 80, 80), 1)))
    return path


@pytest.fixture
def patched(tmp_path: Path) -> Patch:
    """Makes a copy of the shipped classify file with some bytes replaced by as many others."""

    def patch(old: bytes, new: bytes) -> Path:
        content = find_model("classify").read_bytes()
        assert old in content
        assert len(old) == len(new)
        path = tmp_path / "patched.onnx"
        path.write_bytes(content.replace(old, new))
        return path

    return patch
