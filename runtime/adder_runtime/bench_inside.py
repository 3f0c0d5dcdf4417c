"""Where the time goes: operators of the graph, options of the session, imports of a short call.

So that the next person knows why each option is there, and what it would be without it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adder_runtime.contract import IMAGE, NUMBER
from adder_runtime.image_file import Pixels
from adder_runtime.session import import_onnxruntime, session_options

PROFILED_RUNS = 50

MOST = 12
"""Operators that a profile names; the others are summed up."""

STARTS = 5
"""Sessions or processes that are begun for each figure."""

BRANCHING = "If"
"""Operator whose time is that of other nodes, which are told too."""

IMPORTS = ("numpy", "PIL.Image", "onnxruntime", "adder_runtime", "adder_runtime.cli", "rich.progress")
"""What is imported at the start, and what is not unless it is used."""

Change = Callable[[Any, Any], None]
"""Changes session options: the module onnxruntime, the options."""


def profile(path: Path, pixels: Pixels, number: int) -> dict[str, Any]:
    """Time by operator over some runs of one picture.

    Args:
        path: the model file.
        pixels: (height, width, channels).
        number: 0 to 9.

    Returns:
        `shape`; `nodes` that ran, `node_us` all their time in microseconds a run; `operators`, each with its `calls`
        and `us` a run, the longest first, the rest as "others".
    """
    ort = import_onnxruntime()
    options = session_options(ort, 1)
    options.enable_profiling = True
    feeds = {IMAGE.name: pixels[None], NUMBER.name: np.array([number], np.int32)}
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = ort.InferenceSession(path.read_bytes(), options, ["CPUExecutionProvider"])
        for _ in range(PROFILED_RUNS):
            session.run(None, feeds)
        events = json.loads(Path(session.end_profiling()).read_text())
    calls: dict[str, int] = defaultdict(int)
    spent: dict[str, float] = defaultdict(float)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            operator = event["args"]["op_name"]
            calls[operator] += 1
            spent[operator] += 0 if operator == BRANCHING else event["dur"]
    order = sorted(spent, key=lambda each: -spent[each])
    rest = order[MOST:]
    told = [(each, calls[each], spent[each]) for each in order[:MOST]]
    told.append(("others", sum(calls[each] for each in rest), sum(spent[each] for each in rest)))
    return {
        "shape": list(pixels.shape),
        "nodes": round(sum(calls.values()) / PROFILED_RUNS),
        "node_us": sum(spent.values()) / PROFILED_RUNS,
        "operators": [
            {"operator": name, "calls": round(count / PROFILED_RUNS), "us": us / PROFILED_RUNS}
            for name, count, us in told
        ],
    }


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


CHANGES: dict[str, Change] = {
    "no optimisation of the graph": _level("ORT_DISABLE_ALL"),
    "basic optimisation": _level("ORT_ENABLE_BASIC"),
    "extended optimisation": _level("ORT_ENABLE_EXTENDED"),
    "as many threads as ONNX Runtime likes": _default_threads,
    "threads that spin": _spinning,
    "no memory arena": _no_arena,
    "no memory pattern": _no_pattern,
}
"""One option at a time, otherwise than the runtime has it."""


def compare_options(path: Path, pixels: Pixels, number: int, seconds: float) -> list[dict[str, Any]]:
    """What each session option changes, in turn with the runtime's own.

    Returns:
        For each of CHANGES `load`, the time to make a session, and `run`, that of one picture, both as a share of the
        runtime's own.
    """
    ort = import_onnxruntime()
    ort.set_default_logger_severity(3)  # it warns of an option that is set again
    content = path.read_bytes()
    feeds = {IMAGE.name: pixels[None], NUMBER.name: np.array([number], np.int32)}

    def start(change: Change | None) -> tuple[Any, float]:
        options = session_options(ort, 1)
        if change is not None:
            change(ort, options)
        began = time.perf_counter()
        session = ort.InferenceSession(content, options, ["CPUExecutionProvider"])
        return session, time.perf_counter() - began

    def once(session: Any) -> float:
        began = time.perf_counter()
        session.run(None, feeds)
        return time.perf_counter() - began

    rows = []
    for name, change in CHANGES.items():
        loads, runs = [], []
        for _ in range(STARTS):
            (own, own_load), (other, other_load) = start(None), start(change)
            loads.append(other_load / own_load)
            once(own), once(other)
            end = time.perf_counter() + seconds / STARTS
            while time.perf_counter() < end:
                own_run, other_run = once(own), once(other)
                runs.append(other_run / own_run)
        rows.append(
            {"option": name, "load": statistics.median(loads), "run": statistics.median(runs), "runs": len(runs)}
        )
    return rows


def compare_imports(modules: Sequence[str] = IMPORTS) -> list[dict[str, Any]]:
    """Milliseconds that importing each module takes a new process, on top of what an empty one takes."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        return time.perf_counter() - began

    seconds("import onnxruntime")  # into the system's cache
    times: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(STARTS):
        for module in modules:
            empty = seconds("")
            times[module].append(seconds(f"import {module}") - empty)
    return [{"module": module, "ms": 1e3 * statistics.median(each)} for module, each in times.items()]
