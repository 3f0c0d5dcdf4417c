"""What the preprocessing inside the model file costs, beside the whole file and beside reading the picture from disk.

All parts of one size are timed in turn, so that whatever else the machine does hits each of them alike: believe the
ratios, not the milliseconds. Usage: python tools/bench.py [--json]
"""

from __future__ import annotations

import io
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import PIL
from PIL import Image

from adder_runtime.contract import BOX, IMAGE, INK, NUMBER, Approach
from adder_runtime.model import Adder, find_model, import_onnxruntime
from adder_runtime.pictures import draw_digit, paint

SIZES = ((28, 28, 1), (640, 480, 1), (640, 480, 3))
"""Height, width and channels of the pictures."""

RUNS = 60
"""Of each part at each size."""

QUALITY = 92
"""Of the JPEG that the same picture is decoded from."""


def normaliser_of(path: Path) -> bytes:
    """The part of a model file from the pixels to the ink."""
    part = onnx.utils.Extractor(onnx.load(path)).extract_model([IMAGE.name], [BOX.name, INK.name])
    return bytes(part.SerializeToString())


def session_of(content: bytes) -> Any:
    """A session as the runtime starts it: one thread that does not spin."""
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(content, options, ["CPUExecutionProvider"])


def milliseconds(parts: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median time of each part, all run in turn."""
    times: dict[str, list[float]] = {name: [] for name in parts}
    for run in range(RUNS + 3):
        for name, part in parts.items():
            began = time.perf_counter()
            part()
            if run >= 3:  # the first ones fill caches
                times[name].append(1e3 * (time.perf_counter() - began))
    return {name: statistics.median(each) for name, each in times.items()}


def measure(approach: Approach, height: int, width: int, channels: int) -> dict[str, Any]:
    """Times and ratios for one model file and one size of picture."""
    path = find_model(approach)
    adder = Adder.load(path, provider="cpu")
    normaliser = session_of(normaliser_of(path))
    pixels = paint(draw_digit(3, height, width), channels)
    image, number = pixels[None], np.array([7], np.int32)
    encoded = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels).save(encoded, "JPEG", quality=QUALITY)
    parts: dict[str, Callable[[], object]] = {
        "normaliser": lambda: normaliser.run(None, {IMAGE.name: image}),
        "file": lambda: adder.run(image, number),
        "decode": lambda: np.asarray(Image.open(io.BytesIO(encoded.getvalue()))),
    }
    times = milliseconds(parts)
    assert NUMBER.dtype == number.dtype
    return {
        "approach": str(approach),
        "picture": f"{width}x{height}x{channels}",
        **{f"{name}_ms": round(value, 3) for name, value in times.items()},
        "normaliser_of_file": round(times["normaliser"] / times["file"], 3),
        "file_of_decode": round(times["file"] / times["decode"], 2),
    }


def main() -> None:
    """Print the table, or a JSON object a line."""
    rows = [measure(approach, *size) for approach in Approach for size in SIZES]
    if "--json" in sys.argv[1:]:
        for row in rows:
            print(json.dumps(row))
        return
    print(
        f"median of {RUNS} interleaved runs, one thread, {platform.machine()}, Python {platform.python_version()}, "
        f"ONNX Runtime {import_onnxruntime().__version__}, Pillow {PIL.__version__}; decode: JPEG of quality {QUALITY}"
    )
    print("approach  picture       normaliser      file    decode  normaliser/file  file/decode")
    for row in rows:
        print(
            f"{row['approach']:9} {row['picture']:12} {row['normaliser_ms']:8.2f} ms {row['file_ms']:6.2f} ms "
            f"{row['decode_ms']:6.2f} ms {row['normaliser_of_file']:16.2f} {row['file_of_decode']:12.2f}"
        )


if __name__ == "__main__":
    main()
