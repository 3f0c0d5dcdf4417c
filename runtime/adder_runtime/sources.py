"""What the arguments of adder-infer name: pictures in files and folders, and on standard input."""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adder_runtime.errors import ImageError, UsageError
from adder_runtime.image_file import is_folder, pictures_in

if TYPE_CHECKING:
    from adder_runtime.names import Names

NAME = "adder-infer"

STANDARD_INPUT = "-"

NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
"""Bytes that a picture file has near its beginning and a path has not."""

TEXT_PICTURE = re.compile(rb"P[1-7]\s*(#.*)?$|\xff\xd8|\x89PNG|GIF8|RIFF|BM[\x00-\xff]{2}\x00")
"""Begins a picture that may begin like a text: those of the PNM formats with a P and a digit, for one."""


class Paths:
    """Standard input holds the paths of pictures."""


class NamedBytes(bytes):
    """A picture's bytes that an error can call by a name."""

    name = "standard input"


Source = Path | NamedBytes | Paths | ImageError
"""What a picture is read from, or why it cannot be."""


def names_in_table(arguments: Sequence[str]) -> Names:
    """What a table calls the pictures that arguments name: their paths.

    Raises:
        ImageError: a folder cannot be read or is empty.
        UsageError: one is no file.
    """
    from adder_runtime.names import Names

    if STANDARD_INPUT in arguments:
        raise UsageError("--out wants picture files or folders, not standard input")
    return Names(path for argument in arguments for path in paths_of(argument))


def paths_of(argument: str) -> Iterable[str]:
    """The pictures in a folder, or the one path that an argument is; raises ImageError as `pictures_in`."""
    if not argument:
        raise ImageError("the path is empty, wanted that of a picture or a folder")
    path = Path(argument)
    return pictures_in(path) if is_folder(path) else [argument]


def open_argument(argument: str) -> list[tuple[str, Source]]:
    """The pictures that an argument names: what to call each, and what to read it from or why that cannot be."""
    try:
        if argument == STANDARD_INPUT:
            return [(argument, read_standard_input())]
        return [(path, Path(path)) for path in paths_of(argument)]
    except ImageError as error:
        return [(argument, error)]


def read_standard_input() -> NamedBytes | Paths:
    """The bytes of a picture on standard input, or that there are paths of pictures.

    Raises:
        ImageError: nothing is sent there.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError(f"standard input is a terminal, wanted a picture or paths: {NAME} - 7 < image.png")
    stream = sys.stdin.buffer
    begin = stream.peek(1) if isinstance(stream, io.BufferedReader) else b""  # what has come so far
    if begin and is_text(begin):
        return Paths()
    return NamedBytes(stream.read()) or Paths()  # nothing at all is a list of none


def is_text(begin: bytes) -> bool:
    """Standard input begins with paths and not with a picture: it holds no bytes that no line of text has."""
    first = begin.split(b"\n")[0]
    return not NO_TEXT.search(begin[:256]) and not TEXT_PICTURE.match(first)


def read_paths() -> Iterator[str]:
    """Paths on standard input, one a line; empty lines are passed over, and the mark with which some begin a text."""
    for line in sys.stdin.buffer:
        path = os.fsdecode(line.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n"))
        if path:
            yield path
