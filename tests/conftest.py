"""Fixtures of all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder that ADDER_DATA names, which holds MNIST/raw."""
    named = os.environ.get("ADDER_DATA")
    if not named:
        pytest.skip("MNIST is missing: set ADDER_DATA to a folder that holds MNIST/raw, unpacked")
    return Path(named)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process, as its `main` and its words: exit code, standard output, standard error."""

    def call(main: Callable[[], object], *words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [*map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call
