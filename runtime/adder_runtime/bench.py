"""What the model files cost on this machine: time, memory and size, as ratios that hold elsewhere too.

What is compared runs in turn, one of each after the other, so that whatever else the machine does hits both: believe
the ratios, not the milliseconds.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import numpy as np

from adder_runtime.bench_inside import compare_imports, compare_options, profile
from adder_runtime.bench_many import FEW, TIMED, measure_many, memory_over
from adder_runtime.contract import Approach, Key, Precision
from adder_runtime.errors import ModelError
from adder_runtime.image_file import Pixels, read_image, to_jpeg, to_png
from adder_runtime.labels import find_labelled
from adder_runtime.measure import measure_each, summarise
from adder_runtime.model import Adder
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.session import Provider, find_model, import_onnxruntime

FACTS_VERSION = "1"
"""Raised when a key of the facts changes its meaning."""

SMALL, MIDDLE, LARGE = (28, 28, 1), (480, 640, 1), (3000, 4000, 3)
"""Height, width and channels: MNIST's picture, a camera's grey one, a phone's photo of 12 megapixels."""

SIDES = (28, 64, 128, 256, 512, 1024, 2048, 4096)
"""Of the square RGB pictures over which latency is told."""

BATCHES = (1, 8, 64, 256)

NUMBER = 7

GROUP = "adder_edge.bench"
"""Entry points that add what needs more than the light runtime: each gives `Contest`s."""

GRAIN = 6
"""Levels of noise on the pictures, so that a JPEG of them is no smaller than one of a camera."""


@dataclass(frozen=True)
class Contest:
    """Two things that are timed in turn."""

    name: str
    """What is divided by what."""
    first: Callable[[], object]
    second: Callable[[], object]
    wanted: float | None = None
    """The ratio that is wanted; None where it is only told."""
    at_most: bool = True
    """No larger; else no smaller."""
    least: int = 7
    """Runs of each, at least."""


@dataclass(frozen=True)
class Found:
    """What a contest came to."""

    name: str
    ratio: float
    """Median over the runs."""
    low: float
    """First and third quartile of the ratio."""
    high: float
    runs: int
    first_ms: float
    """Medians in milliseconds."""
    second_ms: float
    wanted: float | None
    at_most: bool


def compare(contest: Contest, seconds: float) -> Found:
    """Time two things in turn, for some seconds but no fewer than `least` times, after one run that fills caches."""
    times: list[tuple[float, float]] = []
    end = 0.0
    while len(times) <= contest.least or time.perf_counter() < end:
        a = time.perf_counter()
        contest.first()
        b = time.perf_counter()
        contest.second()
        times.append((b - a, time.perf_counter() - b))
        if len(times) == 1:
            end = time.perf_counter() + seconds
    first, second = (np.array(each) for each in zip(*times[1:], strict=True))
    low, ratio, high = np.quantile(first / second, [0.25, 0.5, 0.75]).tolist()
    first_ms, second_ms = (1e3 * float(np.median(each)) for each in (first, second))
    return Found(contest.name, ratio, low, high, len(times) - 1, first_ms, second_ms, contest.wanted, contest.at_most)


def picture(height: int, width: int, channels: int, *, blank: bool = False) -> Pixels:
    """A drawn seven on paper with some grain, or that paper alone."""
    random = np.random.default_rng(1)
    grain = random.integers(-GRAIN, GRAIN + 1, (height, width, channels))
    ink = np.zeros((height, width)) if blank else draw_digit(7, height, width)
    drawn: Pixels = np.clip(paint(ink, channels) + grain, 0, 255).astype(np.uint8)
    return drawn


def shipped() -> list[Path]:
    """The model files that are there, of each approach in each precision."""
    found = []
    for approach in Approach:
        for precision in Precision:
            with suppress(ModelError):
                found.append(find_model(approach, precision))
    return found


def contests(adder: Adder, folder: Path) -> list[Contest]:
    """What the runtime is compared with.

    Args:
        adder: on the CPU.
        folder: for pictures; it has to stay until all were timed.
    """
    small, middle, large = (picture(*shape) for shape in (SMALL, MIDDLE, LARGE))
    blank = picture(*MIDDLE, blank=True)
    coloured = picture(*MIDDLE[:2], 3)
    opaque = np.concatenate([coloured, np.full((*MIDDLE[:2], 1), 255, np.uint8)], 2)
    jpegs = [to_jpeg(each) for each in (middle, large)]
    photo, drawing = folder / "photo.jpg", folder / "drawing.png"
    photo.write_bytes(jpegs[1])
    drawing.write_bytes(to_png(picture(200, 200, 1)))
    batch = np.stack([small] * 256)
    numbers = np.full(256, NUMBER, np.int32)
    several = list(batch)
    smaller = [
        other
        for other in (Adder.load(path, provider=adder.provider) for path in shipped())
        if other.approach is adder.approach and other.precision is not adder.precision
    ]

    def run_batch(each: Adder, size: int) -> object:
        return each.run(batch[:size], numbers[:size])

    def bare() -> object:
        return adder.run(small[None], numbers[:1])

    return [
        Contest("predict on 28x28 / a bare run of the file", lambda: adder.predict(small, NUMBER), bare, 1.1),
        Contest(
            "predict_batch of 256 at 28x28 / a bare run of that batch",
            lambda: adder.predict_batch(several, NUMBER),
            lambda: adder.run(batch, numbers),
            1 / 0.95,
            least=5,
        ),
        Contest(
            "predict on 640x480 grey / decoding its JPEG",
            lambda: adder.predict(middle, NUMBER),
            lambda: read_image(jpegs[0]),
            1.5,
        ),
        Contest(
            "predict on 640x480 RGBA / on the same in RGB",
            lambda: adder.predict(opaque, NUMBER),
            lambda: adder.predict(coloured, NUMBER),
        ),
        Contest(
            "a run on 640x480 grey with nothing to read / with a digit",
            lambda: adder.run(blank[None], numbers[:1]),
            lambda: adder.run(middle[None], numbers[:1]),
        ),
        Contest(
            "predict on 12 megapixels RGB / decoding its JPEG",
            lambda: adder.predict(large, NUMBER),
            lambda: read_image(photo),
            1.2,
        ),
        Contest(
            "path of that JPEG to answer / decoding it",
            lambda: adder.predict(photo, NUMBER),
            lambda: read_image(photo),
            0.6,
        ),
        Contest(
            "cold adder-infer / a bare script that does the same",
            lambda: in_a_process("-m", "adder_runtime", str(drawing), str(NUMBER)),
            lambda: in_a_process("-c", BARE, str(drawing), str(NUMBER), str(adder.path)),
            1.3,
            least=9,
        ),
        *(
            Contest(
                f"{other.precision} / {adder.precision}, the whole file, {size} at a time",
                partial(run_batch, other, size),
                partial(run_batch, adder, size),
                1.0,
            )
            for other in smaller
            for size in (1, 64)
        ),
    ]


BARE = """
import sys
import numpy
import onnxruntime
from PIL import Image

image = numpy.asarray(Image.open(sys.argv[1]).convert("L"))[None, :, :, None]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[3], options, ["CPUExecutionProvider"])
digit, total, *_ = session.run(None, {"image": image, "number": numpy.array([int(sys.argv[2])], numpy.int32)})
print(f"{digit[0]} + {sys.argv[2]} = {total[0]}")
"""
"""What a program without this project would be."""

MEMORY = """
import json
import sys
from pathlib import Path
from adder_runtime import Adder
from adder_runtime.bench import NUMBER, picture

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


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What another Python prints, and says on standard error."""
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)


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
        summary = summarise(list(measure_each(adder, pictures, [NUMBER])))
        told["folder"] = {"name": folder.name, **summary.to_dict()}
    return told


def timed(call: Callable[[], object], seconds: float, least: int = 20) -> list[float]:
    """Seconds of each run, after one that fills caches."""
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


def over_sizes(adder: Adder, seconds: float) -> list[dict[str, Any]]:
    """Latency of square RGB pictures, and of decoding each as a JPEG, in turn."""
    rows = []
    for side in SIDES:
        pixels = picture(side, side, 3)
        content = to_jpeg(pixels)
        found = compare(
            Contest("", partial(adder.predict, pixels, NUMBER), partial(read_image, content), 0, least=3), seconds
        )
        rows.append({"side": side, "predict_ms": found.first_ms, "decode_ms": found.second_ms, "runs": found.runs})
    return rows


def over_threads(path: Path, seconds: float) -> list[dict[str, Any]]:
    """Throughput of a batch of 64 with 1, 2, 4, ... threads, up to the machine's."""
    rows = []
    images = picture(*SMALL)[None].repeat(64, 0)
    numbers = np.full(64, NUMBER, np.int32)
    threads = 1
    while threads <= (os.cpu_count() or 1):
        adder = Adder.load(path, provider=Provider.CPU, threads=threads)
        took = statistics.median(timed(partial(adder.run, images, numbers), seconds, least=3))
        rows.append({"threads": threads, "pictures_per_second": 64 / took})
        threads *= 2
    return rows


def added() -> Iterable[Contest]:
    """What other packages of the project compare, where what they need is installed."""
    for point in entry_points(group=GROUP):
        try:
            yield from point.load()()
        except ImportError:
            continue


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
    ort = import_onnxruntime()
    providers = [Provider.CPU, *([Provider.CUDA] if "CUDAExecutionProvider" in ort.get_available_providers() else [])]
    path = find_model(Approach.CLASSIFY)
    models = []
    for each in shipped():
        for provider in providers:
            on_step(f"{each.stem} on {provider}")
            models.append(describe_model(each, provider, folder, seconds))
    adder = Adder.load(path, provider=Provider.CPU)
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        for contest in (*contests(adder, Path(scratch)), *added()):
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
    facts = {
        "bench": FACTS_VERSION,
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "onnxruntime": ort.__version__,
            **{name: version(name) for name in ("numpy", "pillow")},
        },
        "threads": 1,
        "seconds": seconds,
        "models": models,
        "ratios": ratios,
        "peak_of_12_megapixels": None if peak is None else peak[0],
        "inside": inside,
        "sizes": over_sizes(adder, seconds / 3),
        "threads_scaling": over_threads(path, seconds),
    }
    if many:
        timed_files = min(many, TIMED)
        on_step(f"{timed_files:,} files")
        with tempfile.TemporaryDirectory() as scratch:
            facts["many"] = measure_many(adder, timed_files, Path(scratch))
        on_step(f"memory over {many:,} files")
        with tempfile.TemporaryDirectory() as scratch:
            facts["memory_over_files"] = memory_over(sorted({FEW, many}), Path(scratch), in_a_process)
    return facts


def worse(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """The ratios that became worse than an earlier report's by more than the noise: their quartiles do not overlap."""
    earlier = {each["name"]: each for each in before["ratios"]}
    told = []
    for each in now["ratios"]:
        old = earlier.get(each["name"])
        if old is None:
            continue
        if each["low"] > old["high"] if each["at_most"] else each["high"] < old["low"]:
            told.append(f"{each['name']}: {each['ratio']:.2f}, was {old['ratio']:.2f}")
    return told
