"""The digit in a picture plus a number, with numpy and ONNX Runtime alone: python adder.py picture.ppm 7"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime


def read_netpbm(path):
    """A binary PGM or PPM file, (height, width, 1 or 3)."""
    kind, width, height, most, pixels = Path(path).read_bytes().split(maxsplit=4)[:5]
    if kind not in (b"P5", b"P6") or int(most) != 255:
        raise ValueError("no binary PGM or PPM of 8 bits")
    return np.frombuffer(pixels, np.uint8).reshape(int(height), int(width), -1)


def load(model):
    """A function of image (batch, height, width, channels) and number (batch)."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda image, number: session.run(None, {"image": image, "number": number})


if __name__ == "__main__":
    model = Path(__file__).parents[2] / "artifacts" / "classify.onnx"
    try:
        picture, number = sys.argv[1:]
        digit, total, confidence, *_ = load(model)(read_netpbm(picture)[None], np.array([int(number)], np.int32))
    except Exception as error:  # noqa: BLE001  # whatever it is, a user is told in one line
        sys.exit(f"adder: {error}; wanted: python adder.py picture.ppm NUMBER")
    if total[0] < 0:
        sys.exit(f"adder: {picture} shows nothing to read, or {number} is not 0 to 9")
    print(f"{digit[0]} + {number} = {total[0]} ({confidence[0]:.2%} sure)")  # noqa: T201
