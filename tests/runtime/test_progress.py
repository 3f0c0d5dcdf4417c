"""The bar on standard error."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from adder_runtime import progress


def test_speed_and_time_left_count_only_what_this_run_did(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(1000))
    made: list[Progress] = []

    class Timed(Progress):
        def __init__(self, *columns: object, **options: object) -> None:
            super().__init__(*columns, get_time=lambda: float(next(times)), auto_refresh=False, **options)  # type: ignore[arg-type]  # as they came
            made.append(self)

    monkeypatch.setattr(progress, "Progress", Timed)
    monkeypatch.setattr(progress, "console", Console(file=io.StringIO(), force_terminal=True))
    with progress.bar("adder-infer", 1_000) as advance:
        advance.found(900)
        for _ in range(10):
            advance(1)
        (task,) = made[0].tasks
        assert (task.completed, task.total) == (910, 1_000)
        assert task.speed is not None
        assert task.speed <= 1  # each look at the clock is a second
