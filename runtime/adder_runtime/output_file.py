"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from adder_runtime.errors import OutputError


def write_whole(path: Path, content: bytes, *, way_out: str = "give another folder with --out") -> None:
    """Put a file in its place, whole or not at all; what was there before stays until then.

    Args:
        path: its folder is made where it is missing.
        content: all of it.
        way_out: what the error advises.

    Raises:
        OutputError: the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}; {way_out}") from error
    finally:
        with suppress(OSError):
            beside.unlink()
