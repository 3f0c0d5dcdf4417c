"""Arrows point one way: export -> trainer -> runtime -> nothing of ours, and the runtime stays light."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FORBIDDEN = {
    "adder_runtime": {"torch", "torchvision", "onnx", "onnxruntime", "adder_trainer", "adder_export"},
    "adder_runtime.answering": {"torch", "onnx", "onnxruntime", "typer", "rich", "importlib.metadata"},
    "adder_runtime.cli": {"torch", "torchvision", "onnx", "onnxruntime", "adder_trainer", "adder_export"},
    "adder_runtime.measure_cli": {"torch", "torchvision", "onnx", "onnxruntime", "adder_trainer", "matplotlib"},
    "adder_trainer": {"adder_export", "onnx"},
    "adder_trainer.cli": {"adder_export", "onnx", "torch"},
    "adder_trainer.runs": {"adder_export", "onnx"},
    "adder_export.cli": {"torch", "onnx"},
}
"""By module, what its import must not load. The commands load heavy modules only to work, so that --help is quick."""


PILLOW_USERS = {
    "image_file.py",
    "drawing.py",
    "explain.py",
    "charts.py",
    "bench_charts.py",
    "bench_contest.py",
    "bench_runtime.py",
    "bench_inside.py",
}
"""Reading pictures, drawing parts of them, the drawings that are made of the parts, and the benchmark's bare script."""


@pytest.mark.parametrize("module", FORBIDDEN)
def test_import_loads_nothing_it_must_not(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert module in loaded
    assert FORBIDDEN[module] & {*loaded, *(name.partition(".")[0] for name in loaded)} == set()


@pytest.mark.parametrize(
    ("package", "others"),
    [
        ("runtime/adder_runtime", "adder_trainer|adder_export|torch|onnx"),
        ("trainer/adder_trainer", "adder_export|onnx"),
    ],
)
def test_source_names_nothing_it_must_not(package: str, others: str) -> None:
    wanted = re.compile(rf"^\s*(?:from|import) (?:{others})\b(?!runtime)", re.MULTILINE)
    files = list((ROOT / package).rglob("*.py"))
    assert len(files) > 5
    assert [str(file) for file in files if wanted.search(file.read_text())] == []


def test_only_these_modules_know_pillow() -> None:
    users = {file.name for file in (ROOT / "runtime").rglob("*.py") if re.search(r"\bPIL\b", file.read_text())}
    assert users == PILLOW_USERS


def test_only_drawing_loads_what_draws() -> None:
    code = "import sys, adder_runtime.answering; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert {"PIL.Image", "PIL.ImageDraw", "PIL.ImageFont", "adder_runtime.drawing"} & set(loaded) == {"PIL.Image"}
