"""Which nodes of the graph take the time, by their operator, alone, and by the part of the graph they stand in."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from adder_runtime.bench_contest import in_turn
from adder_runtime.contract import IMAGE, NUMBER
from adder_runtime.image_file import Pixels
from adder_runtime.session import import_onnxruntime, session_options

PROFILED_RUNS = 50

MOST = 12
"""Operators that a profile names; the others are summed up."""

DEAREST = 10
"""Single nodes that it names."""

BRANCHING = "If"
"""Operator whose time is that of other nodes, which are told too."""

FORM, LOOKS, FINDER, NETWORK = "MNIST's form or not", "looks", "finder", "network and answer"
"""Parts of the graph: what comes before the branch that a picture in MNIST's form skips, what is in it, convolutions
in it with what lies between them, and what comes after it."""

APART = 16
"""Nodes from a convolution of the finder to its next, at most; from one look to another there are hundreds."""

Node = dict[str, Any]
"""An event of ONNX Runtime's profile: begin `ts` and duration `dur` in microseconds, and `args`."""


def profile(path: Path, pixels: Pixels, number: int) -> dict[str, Any]:
    """Where the time of one picture goes, over PROFILED_RUNS.

    Args:
        path: the model file.
        pixels: (height, width, channels).
        number: 0 to 9.

    Returns:
        `shape`; `runs`; `run_us`, microseconds of a run in turn that is not profiled; `nodes`, how many ran; `all` of
        them, most of whose time is the profiler's own where they are small; `parts` of the graph; `operators`, the
        longest first, the rest as "others"; `dearest`, the nodes that took longest. Each with its median `us`, the
        quartiles `low` and `high`, and its `share`.
    """
    runs, plain_us = record(path, pixels, number)
    nodes = runs[-1]  # one picture takes the same way each time
    times = np.array([[0 if operator(node) == BRANCHING else node["dur"] for node in run] for run in runs])
    # of each node and then added up: a stall of the machine hits some node in many a run, and would be told as theirs
    spread = np.quantile(times, [0.25, 0.5, 0.75], axis=0)  # (3, nodes)

    def told(places: Sequence[int]) -> dict[str, float]:
        low, us, high = spread[:, places].sum(1).tolist()
        return {"us": us, "low": low, "high": high, "share": us / spread[1].sum()}

    names = parts_of(nodes)
    by_operator = gather(map(operator, nodes))
    order = sorted(by_operator, key=lambda each: -told(by_operator[each])["us"])
    others = [place for each in order[MOST:] for place in by_operator[each]]
    by_operator = {each: by_operator[each] for each in order[:MOST]} | {"others": others}
    dearest = np.argsort(-spread[1], kind="stable")[:DEAREST].tolist()
    return {
        "shape": list(pixels.shape),
        "runs": len(runs),
        "run_us": plain_us,
        "nodes": len(nodes),
        "all": told(range(len(nodes))),
        "parts": [{"part": name, "nodes": len(places), **told(places)} for name, places in gather(names).items()],
        "operators": [{"operator": name, "calls": len(places), **told(places)} for name, places in by_operator.items()],
        "dearest": [
            {
                "operator": operator(nodes[place]),
                "output": shape_of(nodes[place]),
                "part": names[place],
                **told([place]),
            }
            for place in dearest
        ],
    }


def record(path: Path, pixels: Pixels, number: int) -> tuple[list[list[Node]], float]:
    """The nodes of each run on one picture, as they began, and microseconds of a run that is not profiled."""
    ort = import_onnxruntime()
    content = path.read_bytes()
    feeds = {IMAGE.name: pixels[None], NUMBER.name: np.array([number], np.int32)}
    with tempfile.TemporaryDirectory() as folder:
        options = session_options(ort, 1)
        plain = ort.InferenceSession(content, options, ["CPUExecutionProvider"])
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        profiled = ort.InferenceSession(content, options, ["CPUExecutionProvider"])
        times = in_turn(partial(plain.run, None, feeds), partial(profiled.run, None, feeds), 0, PROFILED_RUNS)
        events = json.loads(Path(profiled.end_profiling()).read_text())
    runs: list[list[Node]] = [[]]
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            runs[-1].append(event)
        elif event["name"] == "model_run":  # told when it ends
            runs[-1].sort(key=lambda node: node["ts"])
            runs.append([])
    return runs[1:-1], 1e6 * float(np.median(times[:, 0]))  # without the run that fills caches


def operator(node: Node) -> str:
    """A node's operator."""
    return str(node["args"]["op_name"])


def shape_of(node: Node) -> list[int]:
    """Sides of a node's first output."""
    return list(next(iter(node["args"]["output_type_shape"][0].values())))


def parts_of(nodes: Sequence[Node]) -> list[str]:
    """The part of the graph in which each node of a run stands.

    Args:
        nodes: as they began.
    """
    branch = max((node for node in nodes if operator(node) == BRANCHING), key=lambda node: node["dur"])
    begin, end = branch["ts"], branch["ts"] + branch["dur"]
    parts = [FORM if node["ts"] < begin else LOOKS if node["ts"] < end else NETWORK for node in nodes]
    convolutions = [place for place, node in enumerate(nodes) if "Conv" in operator(node) and parts[place] == LOOKS]
    for place, following in pairwise(convolutions):
        last = following if following - place <= APART else place
        parts[place : last + 1] = [FINDER] * (last + 1 - place)
    return parts


def gather(names: Iterable[str]) -> dict[str, list[int]]:
    """The places of each name."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return places
