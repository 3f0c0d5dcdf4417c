"""Files that appear whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from adder_runtime.errors import OutputError

WAY_OUT = "give another folder with --out"


def write_whole(path: Path, content: bytes, *, way_out: str = WAY_OUT) -> None:
    """Put a file in its place, whole or not at all; what was there before stays until then.

    Args:
        path: its folder is made where it is missing.
        content: all of it.
        way_out: what the error advises.

    Raises:
        OutputError: the file cannot be written.
    """
    with whole_file(path, way_out=way_out) as file:
        file.write(content)


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Put facts in their place as JSON that people can read too, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    write_whole(path, (json.dumps(facts, indent=2) + "\n").encode())


@contextmanager
def whole_file(path: Path, *, way_out: str = WAY_OUT) -> Iterator[IO[bytes]]:
    """A file to write bytes to, which is put in its place when all went well; what was there before stays until then.

    Args:
        path: its folder is made where it is missing.
        way_out: what the error advises.

    Raises:
        OutputError: the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}; {way_out}") from error
    finally:
        with suppress(OSError):
            beside.unlink()
