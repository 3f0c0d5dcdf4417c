"""The example that needs ONNX Runtime and numpy alone."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

READ_NETPBM = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "python-bare" / "adder.py"))["read_netpbm"]


@pytest.mark.parametrize(("kind", "shape"), [("P5", (3, 4, 1)), ("P6", (2, 5, 3))])
def test_pixels_that_are_blanks_and_line_ends_are_kept(tmp_path: Path, kind: str, shape: tuple[int, int, int]) -> None:
    pixels = np.resize(np.frombuffer(b" \n\r\t", np.uint8), shape)
    path = tmp_path / "a.ppm"
    path.write_bytes(f"{kind}\n{shape[1]} {shape[0]}\n255\n".encode() + pixels.tobytes())
    assert (READ_NETPBM(path) == pixels).all()


@pytest.mark.parametrize("content", [b"", b"P4\n8 1\n\x00", b"P5\n1 1\n65535\n\x00\x00", b"P5\n2 2\n255\n\x00"])
def test_another_file_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ppm"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"no binary PGM or PPM of 8 bits|cannot reshape"):
        READ_NETPBM(path)
