"""What each option of the session changes, and what the imports of a short call take.

So that the next person knows why each option is there, and what it would be without it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from adder_runtime.bench_contest import in_turn, quartiles
from adder_runtime.contract import IMAGE, NUMBER
from adder_runtime.image_file import Pixels
from adder_runtime.session import import_onnxruntime, session_options

STARTS = 6
"""Sessions or processes that are begun for each figure."""

IMPORTS = ("numpy", "PIL.Image", "onnxruntime", "adder_runtime", "adder_runtime.cli", "rich.progress")
"""What is imported at the start, and what is not unless it is used."""

Change = Callable[[Any, Any], None]
"""Changes session options: the module onnxruntime, the options."""


def _level(name: str) -> Change:
    def change(ort: Any, options: Any) -> None:
        options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, name)

    return change


def _spinning(ort: Any, options: Any) -> None:
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")


def _no_arena(ort: Any, options: Any) -> None:
    options.enable_cpu_mem_arena = False


def _no_pattern(ort: Any, options: Any) -> None:
    options.enable_mem_pattern = False


def _default_threads(ort: Any, options: Any) -> None:
    options.intra_op_num_threads = options.inter_op_num_threads = 0


def _nothing(ort: Any, options: Any) -> None:
    pass


CHANGES: dict[str, Change] = {
    "the runtime's own again": _nothing,
    "no optimisation of the graph": _level("ORT_DISABLE_ALL"),
    "basic optimisation": _level("ORT_ENABLE_BASIC"),
    "extended optimisation": _level("ORT_ENABLE_EXTENDED"),
    "as many threads as ONNX Runtime likes": _default_threads,
    "threads that spin": _spinning,
    "no memory arena": _no_arena,
    "no memory pattern": _no_pattern,
}
"""One option at a time, otherwise than the runtime has it; the first shows how far the others can be believed."""


def compare_options(path: Path, pixels: Pixels, number: int, seconds: float) -> list[dict[str, Any]]:
    """What each session option changes, in turn with the runtime's own.

    Returns:
        For each of CHANGES the time to make a session, `load`, and that of one picture, `run`, both as a share of the
        runtime's own: median, quartiles, and how often (`loads`, `runs`).
    """
    ort = import_onnxruntime()
    ort.set_default_logger_severity(3)  # it warns of an option that is set again
    content = path.read_bytes()
    feeds = {IMAGE.name: pixels[None], NUMBER.name: np.array([number], np.int32)}

    def start(change: Change, sessions: list[Any]) -> None:
        options = session_options(ort, 1)
        change(ort, options)
        # all are kept, so that the end of none is timed
        sessions.append(ort.InferenceSession(content, options, ["CPUExecutionProvider"]))

    rows = []
    for name, change in CHANGES.items():
        owns: list[Any] = []
        others: list[Any] = []
        loads = in_turn(partial(start, change, others), partial(start, _nothing, owns), 0, STARTS)
        runs = np.concatenate(
            [
                in_turn(partial(other.run, None, feeds), partial(own.run, None, feeds), seconds / STARTS, 1)
                for other, own in zip(others[-STARTS:], owns[-STARTS:], strict=True)
            ]
        )
        row: dict[str, Any] = {"option": name, "loads": len(loads), "runs": len(runs)}
        for key, times in (("load", loads), ("run", runs)):
            row[f"{key}_low"], row[key], row[f"{key}_high"] = quartiles(times[:, 0] / times[:, 1])
        rows.append(row)
    return rows


def compare_imports(modules: Sequence[str] = IMPORTS) -> list[dict[str, Any]]:
    """Milliseconds that importing each module takes a new process, on top of what an empty one takes in turn with it.

    Returns:
        For each module its median `ms`, their quartiles `low` and `high`, and `runs`.
    """

    def start(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    rows = []
    for module in modules:
        times = in_turn(partial(start, f"import {module}"), partial(start, ""), 0, STARTS)
        low, ms, high = quartiles(1e3 * (times[:, 0] - times[:, 1]))
        rows.append({"module": module, "ms": ms, "low": low, "high": high, "runs": len(times)})
    return rows
