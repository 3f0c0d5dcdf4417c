"""The digit in a picture plus a number, with numpy and ONNX Runtime alone: python adder.py picture.ppm 7"""

import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime


def read_netpbm(path):
    """A binary PGM or PPM file, (height, width, 1 or 3)."""
    content = Path(path).read_bytes()
    head = re.match(rb"P([56])\s+(\d+)\s+(\d+)\s+255\s", content)
    if not head:
        raise ValueError("no binary PGM or PPM of 8 bits")
    kind, width, height = map(int, head.groups())
    return np.frombuffer(content, np.uint8, offset=head.end()).reshape(height, width, 1 if kind == 5 else 3)


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
