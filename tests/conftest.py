"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder that ADDER_DATA names, which holds MNIST/raw."""
    named = os.environ.get("ADDER_DATA")
    if not named:
        pytest.skip("MNIST is missing: set ADDER_DATA to a folder that holds MNIST/raw, unpacked")
    return Path(named)
