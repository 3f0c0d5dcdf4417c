"""What the runtime is timed beside: a bare run of its file, decoding alone, a script without this project."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adder_runtime.bench_contest import LARGE, MIDDLE, NUMBER, SMALL, Contest, decode, picture
from adder_runtime.contract import Approach, Precision
from adder_runtime.errors import ModelError
from adder_runtime.image_file import to_jpeg, to_png
from adder_runtime.model import Adder
from adder_runtime.session import find_model

GROUP = "adder_edge.bench"
"""Entry points that add what needs more than the light runtime: each gives `Contest`s."""

AT_ONCE = (1, 64)
"""Pictures in a run where the files of fewer bits are compared."""

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
            lambda: decode(jpegs[0]),
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
            lambda: decode(photo),
            1.2,
        ),
        Contest(
            "path of that JPEG to answer / decoding it",
            lambda: adder.predict(photo, NUMBER),
            lambda: decode(photo),
            0.6,
        ),
        Contest(
            "cold adder-infer / a bare script that does the same",
            lambda: in_a_process("-m", "adder_runtime", str(drawing), str(NUMBER)),
            lambda: in_a_process("-c", BARE, str(drawing), str(NUMBER), str(adder.path)),
            1.3,
            least=9,
        ),
        *precisions(adder, batch, numbers),
    ]


def precisions(adder: Adder, batch: NDArray[np.uint8], numbers: NDArray[np.int32]) -> list[Contest]:
    """The files of fewer bits beside the one in float32, of each approach that is there.

    Args:
        adder: its approach is the one that is not named.
        batch: as many pictures as the largest of AT_ONCE, or more.
        numbers: as many.
    """
    loaded = [Adder.load(path, provider=adder.provider) for path in shipped()]

    def run(each: Adder, size: int) -> object:
        return each.run(batch[:size], numbers[:size])

    found = []
    for whole in loaded:
        if whole.precision is Precision.FP32:
            smaller = [each for each in loaded if each.approach is whole.approach and each is not whole]
            of = "" if whole.approach is adder.approach else f" of {whole.approach}"
            found += [
                Contest(
                    f"{each.precision} / {whole.precision}{of}, the whole file, {size} at a time",
                    partial(run, each, size),
                    partial(run, whole, size),
                    1.0,
                )
                for each in smaller
                for size in AT_ONCE
            ]
    return found


def added() -> Iterable[Contest]:
    """What other packages of the project compare, where what they need is installed."""
    for point in entry_points(group=GROUP):
        try:
            yield from point.load()()
        except ImportError:
            continue


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What another Python prints, and says on standard error."""
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
