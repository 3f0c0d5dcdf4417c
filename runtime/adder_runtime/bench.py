"""What the model files cost on this machine: time, memory and size, as ratios that hold elsewhere too."""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from adder_runtime.bench_contest import LARGE, MIDDLE, NUMBER, SMALL, Contest, Found, compare, decode, picture, timed
from adder_runtime.bench_inside import compare_imports, compare_options
from adder_runtime.bench_machine import describe_machine
from adder_runtime.bench_many import FEW, TIMED, measure_many, memory_over
from adder_runtime.bench_profile import profile
from adder_runtime.bench_runtime import added, contests, in_a_process, shipped
from adder_runtime.contract import NUMBERS, Approach, Key
from adder_runtime.image_file import to_jpeg
from adder_runtime.labels import find_labelled
from adder_runtime.measure import measure_each, summarise
from adder_runtime.model import Adder
from adder_runtime.session import Provider, find_model, import_onnxruntime

FACTS_VERSION = "2"
"""Raised when a key of the facts changes its meaning."""

SIDES = (28, 64, 128, 256, 512, 1024, 2048, 4096)
"""Of the square RGB pictures over which latency is told."""

BATCHES = (1, 8, 64, 256)

MEMORY = """
import json
import sys
from pathlib import Path
from adder_runtime import Adder
from adder_runtime.bench_contest import NUMBER, picture

shape = json.loads(sys.argv[2])
adder = Adder.load(sys.argv[1], provider="cpu")
adder.predict(picture(28, 28, 1), NUMBER)
pixels = picture(*shape)
Path("/proc/self/clear_refs").write_text("5")
status = lambda key: int(Path("/proc/self/status").read_text().split(key + ":")[1].split()[0]) * 1024
before = status("VmRSS") - pixels.nbytes
adder.predict(pixels, NUMBER)
print((status("VmHWM") - before) / pixels.nbytes, status("VmHWM"))
"""
"""Prints the peak over what was there without the picture, as a share of its bytes, and the peak in bytes; on Linux"""


def peak_memory(path: Path, shape: Sequence[int]) -> tuple[float, int] | None:
    """Peak of a process that answers one picture; None where the system does not tell.

    Returns:
        What comes on top of the process without the picture, as a share of the picture's bytes; and the peak in bytes.
    """
    if not Path("/proc/self/clear_refs").exists():
        return None
    try:
        share, peak = in_a_process("-c", MEMORY, str(path), json.dumps(list(shape))).stdout.split()
    except subprocess.CalledProcessError:
        return None
    return float(share), int(peak)


def describe_model(path: Path, provider: Provider, folder: Path | None, seconds: float) -> dict[str, Any]:
    """Size, accuracy, load time, latency, throughput and memory of one file on one provider."""
    loads = []
    for _ in range(3):
        began = time.perf_counter()
        adder = Adder.load(path, provider=provider)
        loads.append(time.perf_counter() - began)
    pixels, number = picture(*SMALL)[None], np.array([NUMBER], np.int32)
    latencies = 1e3 * np.array(timed(lambda: adder.run(pixels, number), seconds))
    throughput = {}
    for size in BATCHES:
        images, numbers = pixels.repeat(size, 0), number.repeat(size)
        took = timed(partial(adder.run, images, numbers), seconds / len(BATCHES), least=3)
        throughput[str(size)] = size / statistics.median(took)
    told: dict[str, Any] = {
        "file": path.name,
        "approach": str(adder.approach),
        "precision": str(adder.precision),
        "provider": str(adder.provider),
        "bytes": path.stat().st_size,
        "accuracy": json.loads(adder.metadata[Key.ACCURACY]),
        "load_ms": 1e3 * statistics.median(loads),
        "p50_ms": float(np.median(latencies)),
        "p99_ms": float(np.quantile(latencies, 0.99)),
        "runs": len(latencies),
        "pictures_per_second": throughput,
    }
    if provider is Provider.CPU:
        peak = peak_memory(path, SMALL)
        told["peak_bytes"] = None if peak is None else peak[1]
    if folder is not None:
        pictures, _ = find_labelled(folder)
        summary = summarise(list(measure_each(adder, pictures, NUMBERS)))
        told["folder"] = {"name": folder.name, **summary.to_dict()}
    return told


def over_sizes(adder: Adder, seconds: float) -> list[dict[str, Any]]:
    """Latency of square RGB pictures, and of decoding each as a JPEG, in turn."""
    rows = []
    for side in SIDES:
        pixels = picture(side, side, 3)
        content = to_jpeg(pixels)
        found = compare(Contest("", partial(adder.predict, pixels, NUMBER), partial(decode, content), least=3), seconds)
        rows.append({"side": side, "predict_ms": found.first_ms, "decode_ms": found.second_ms, **spread(found)})
    return rows


def over_threads(path: Path, seconds: float) -> list[dict[str, Any]]:
    """Throughput of a batch of 64 with 1, 2, 4, ... threads, up to the machine's, each in turn with one thread."""
    rows = []
    images = picture(*SMALL)[None].repeat(64, 0)
    numbers = np.full(64, NUMBER, np.int32)
    one = Adder.load(path, provider=Provider.CPU)
    threads = 1
    while threads <= (os.cpu_count() or 1):
        several = Adder.load(path, provider=Provider.CPU, threads=threads)
        found = compare(
            Contest("", partial(one.run, images, numbers), partial(several.run, images, numbers), least=3), seconds
        )
        rows.append({"threads": threads, "pictures_per_second": 64e3 / found.second_ms, **spread(found)})
        threads *= 2
    return rows


def spread(found: Found) -> dict[str, Any]:
    """A ratio's median and quartiles, and over how many runs."""
    return {"ratio": found.ratio, "low": found.low, "high": found.high, "runs": found.runs}


def run_bench(
    seconds: float,
    folder: Path | None = None,
    many: int = 0,
    on_step: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """All that the report holds.

    Args:
        seconds: for each figure, about.
        folder: of labelled pictures, to measure each model on.
        many: files to make and answer into a table, of which TIMED at most are timed; 0 leaves that out.
        on_step: told what comes next.

    Raises:
        AdderError: a model cannot be loaded, or the folder has no labels.
    """
    began = time.perf_counter()
    with_cuda = "CUDAExecutionProvider" in import_onnxruntime().get_available_providers()
    providers = [Provider.CPU, *([Provider.CUDA] if with_cuda else [])]
    path = find_model(Approach.CLASSIFY)
    models = []
    for each in shipped():
        for provider in providers:
            on_step(f"{each.stem} on {provider}")
            models.append(describe_model(each, provider, folder, seconds))
    adder = Adder.load(path, provider=Provider.CPU)
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        for contest in chain(contests(adder, Path(scratch)), added()):
            on_step(contest.name)
            ratios.append(asdict(compare(contest, seconds)))
            gc.collect()
    on_step("memory")
    peak = peak_memory(path, LARGE)
    on_step("where the time goes")
    inside = {
        "profiles": [profile(path, picture(*shape), NUMBER) for shape in (SMALL, MIDDLE)],
        "options": compare_options(path, picture(*SMALL), NUMBER, seconds / 2),
        "imports": compare_imports(),
    }
    on_step("sizes and threads")
    facts: dict[str, Any] = {
        "bench": FACTS_VERSION,
        "machine": describe_machine(),
        "threads": 1,
        "seconds": seconds,
        "models": models,
        "ratios": ratios,
        "peak_of_12_megapixels": None if peak is None else peak[0],
        "inside": inside,
        "sizes": over_sizes(adder, seconds / 3),
        "threads_scaling": over_threads(path, seconds),
    }
    figured = time.perf_counter()
    facts["took"] = {"figures": figured - began}
    if many:
        timed_files = min(many, TIMED)
        on_step(f"{timed_files:,} files")
        with tempfile.TemporaryDirectory() as scratch:
            facts["many"] = measure_many(adder, timed_files, Path(scratch))
        on_step(f"memory over {many:,} files")
        with tempfile.TemporaryDirectory() as scratch:
            facts["memory_over_files"] = memory_over(sorted({FEW, many}), Path(scratch), in_a_process)
        facts["took"]["many"] = time.perf_counter() - figured
    return facts
