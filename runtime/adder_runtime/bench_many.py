"""A run over many files: pictures a second beside those of decoding alone, and memory as their number grows."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np

from adder_runtime.bench_contest import quartiles
from adder_runtime.contract import DIGITS
from adder_runtime.image_file import to_jpeg, to_png
from adder_runtime.job import run_job
from adder_runtime.model import Adder
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.reading import read_ahead

READERS = 2
"""Threads that read, in both."""

TURNS = 10
"""Parts of the files that are decoded alone and then answered, in turn."""

FEW = 1_000
"""Files of the run that memory is compared with."""

TIMED = 20_000
"""Files that are timed, of however many."""

NAMES = 20_000
"""Names that one file gets: file systems hold some 65,000."""

SHAPES = (
    ((28, 28, 1), to_png),
    ((64, 64, 1), to_png),
    ((128, 96, 3), to_jpeg),
    ((240, 320, 3), to_png),
    ((480, 640, 1), to_jpeg),
    ((480, 640, 3), to_jpeg),
    ((768, 1024, 3), to_jpeg),
    ((1200, 1600, 3), to_jpeg),
)
"""Sizes and formats, evenly: from MNIST's to a phone's smaller photos."""

NUMBER = 7

CHILD = """
import sys
from pathlib import Path
sys.argv[0] = "adder-infer"
from adder_runtime.answering import main
try:
    main()
finally:
    # not getrusage, which also counts what the parent held when it began this process
    status = Path("/proc/self/status")
    print(status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else 0, file=sys.stderr)
"""


def make_files(folder: Path, count: int, shapes: Sequence[Any] = SHAPES) -> list[str]:
    """Files of mixed size in a random order; digits that were drawn, each file many times under other names."""
    random = np.random.default_rng(count)
    contents = []
    for place, (shape, encode) in enumerate(shapes):
        grain = random.integers(-6, 7, shape)
        drawn = paint(draw_digit(DIGITS[place % len(DIGITS)], *shape[:2]), shape[2])
        suffix = ".png" if encode is to_png else ".jpg"
        contents.append((suffix, encode(np.clip(drawn + grain, 0, 255).astype(np.uint8))))
    pictures = folder / "pictures"
    pictures.mkdir()
    names: list[str] = []
    for start in range(0, count, NAMES):
        masters = []
        for place, (suffix, content) in enumerate(contents):
            masters.append(folder / f"master{start}-{place}{suffix}")
            masters[-1].write_bytes(content)
        for number in range(start, min(start + NAMES, count)):
            master = masters[int(random.integers(len(masters)))]
            path = pictures / f"{number:07}{master.suffix}"
            os.link(master, path)
            names.append(str(path))
    return names


def measure_many(
    adder: Adder, count: int, folder: Path, on_progress: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Throughput over `count` files, in turn with reading them alone, with the same threads.

    Args:
        adder: the model.
        count: files, TURNS or more.
        folder: an empty one for the files; not cleaned up.
        on_progress: told how many more files have been answered.

    Returns:
        `pictures`, `readers`, `a_second`, `decoded_a_second`, and the `ratio` of the two, its median and its quartiles
        `low` and `high` over so many parts as `runs` says, TURNS or fewer.
    """
    names = make_files(folder, count)
    size = -(-len(names) // TURNS)
    decoding, answering = [], []
    for start in range(0, len(names), size):
        part = names[start : start + size]
        began = time.perf_counter()
        for _ in read_ahead(part, READERS):
            pass
        decoding.append(len(part) / (time.perf_counter() - began))
        began = time.perf_counter()
        run_job(adder, part, [NUMBER] * len(part), folder / "table.csv", readers=READERS, force=True)
        answering.append(len(part) / (time.perf_counter() - began))
        on_progress(len(part))
    low, ratio, high = quartiles(np.array(answering) / np.array(decoding))
    return {
        "pictures": len(names),
        "readers": READERS,
        "a_second": statistics.median(answering),
        "decoded_a_second": statistics.median(decoding),
        "ratio": ratio,
        "low": low,
        "high": high,
        "runs": len(answering),
    }


def memory_over(counts: Sequence[int], folder: Path, run: Callable[..., CompletedProcess[str]]) -> list[dict[str, int]]:
    """Peak of a process that answers so many small files into a table, in bytes; 0 where the system does not tell.

    Args:
        counts: of files.
        folder: an empty one for the files.
        run: runs another Python with some words.
    """
    rows = []
    for count in counts:
        place = folder / str(count)
        place.mkdir()
        make_files(place, count, SHAPES[:1])
        told = run("-c", CHILD, str(place / "pictures"), str(NUMBER), "--out", str(place / "table.csv")).stderr
        rows.append({"pictures": count, "peak_bytes": int(told.split()[-1]) * 1024})
    return rows
