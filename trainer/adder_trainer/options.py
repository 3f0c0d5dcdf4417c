"""The choices that the commands offer, apart from PyTorch, so that `--help` answers at once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from adder_runtime.contract import Approach

ARTIFACTS = Path("artifacts")
"""Folder that the commands write to and read from unless told otherwise."""


SEEDS = {Approach.CLASSIFY: 1, Approach.REGRESS: 3}
"""Of a run unless told otherwise: of three, the one that was right most often on the validation split, and ships."""


FINDER_SEED = 1
"""The same of the finder."""


class RecipeName(StrEnum):
    """Our recipe, or the one that the approaches' source describes."""

    OURS = "ours"
    SOURCE = "source"


class DeviceName(StrEnum):
    """Where to train; `auto` takes the best that is there."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


def stem(approach: Approach, recipe: RecipeName) -> str:
    """Name of what a run leaves behind: `classify`, or `classify-source` for the source's recipe."""
    return str(approach) if recipe is RecipeName.OURS else f"{approach}-{recipe}"
