"""Pictures and the digit that each shows, as its name, its folder or a table says."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adder_runtime.contract import DIGITS
from adder_runtime.errors import LabelError
from adder_runtime.image_file import is_folder, is_picture_name

NAMED = re.compile(r"([0-9])([_.-])")
"""Begins a file's name that tells the digit: 3_anything.png, 3-anything.png, 3.png."""

COLUMNS = ("image", "digit")
"""Of a table of labels."""

WANTED = (
    "wanted names such as 3_anything.png, or a folder for each digit such as 3/anything.png, "
    f"or a CSV file with the columns {','.join(COLUMNS)}"
)


@dataclass(frozen=True)
class Labelled:
    """A picture file and what it shows."""

    path: Path
    digit: int
    """0 to 9."""
    group: str
    """The folder that it came from, relative to where the search began, without that of its digit; "." for the top."""


def find_labelled(source: Path) -> tuple[list[Labelled], list[Path]]:
    """All labelled pictures that a folder or a table names, and the pictures without a label that lie among them.

    Args:
        source: a folder, searched with all folders in it but hidden ones; or a CSV file with the columns image and
            digit, its paths relative to itself.

    Raises:
        LabelError: there are no labels, two of them disagree, or the source cannot be read.
    """
    if is_folder(source):
        labelled, unlabelled = _from_folder(source)
    elif source.suffix.lower() == ".csv":
        labelled, unlabelled = list(_from_table(source)), []
    else:
        state = "is no folder and no CSV file" if source.exists() else "not found"
        raise LabelError(f"{source} {state}; {WANTED}")
    if not labelled:
        raise LabelError(f"{source} has no labelled pictures; {WANTED}")
    return labelled, unlabelled


def _from_folder(top: Path) -> tuple[list[Labelled], list[Path]]:
    labelled, unlabelled = [], []
    here = top.resolve().name
    for path in sorted(top.rglob("*")):
        inside = path.relative_to(top)
        if any(part.startswith(".") for part in inside.parts) or not is_picture_name(path) or path.is_dir():
            continue
        folder = inside.parent.name or here
        by_folder = int(folder) if folder in map(str, DIGITS) else None
        named = NAMED.match(path.name)
        by_name = int(named[1]) if named else None
        # 3/7.png is often the seventh picture of a three; 3/7_ann.png may be either
        if named and by_folder not in (None, by_name) and named[2] != ".":
            raise LabelError(f"{path} is {by_name} by its name and {by_folder} by its folder; rename one, or use a CSV")
        digit = by_name if by_folder is None else by_folder
        if digit is None:
            unlabelled.append(path)
            continue
        group = inside.parent if by_folder is None or inside.parent == Path() else inside.parent.parent
        labelled.append(Labelled(path, digit, group.as_posix()))
    return labelled, unlabelled


def _from_table(table: Path) -> Iterator[Labelled]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or []
            if any(columns.count(name) != 1 for name in COLUMNS):
                raise LabelError(f"{table} has the columns {','.join(columns)}, wanted {','.join(COLUMNS)}, once each")
            told: dict[str, str] = {}
            for row in rows:
                image, digit = row["image"], row["digit"]
                if None in row:
                    got = "more cells than there are columns"
                    raise LabelError(f"{table}, line {rows.line_num}: {got}, wanted a name with a comma in quotes")
                if digit not in map(str, DIGITS) or not image:
                    got = f"image {image!r} and digit {digit!r}"
                    raise LabelError(f"{table}, line {rows.line_num}: got {got}, wanted a path and a digit from 0 to 9")
                if told.setdefault(image, digit) != digit:
                    got = f"{image} is {digit} here and {told[image]} above"
                    raise LabelError(f"{table}, line {rows.line_num}: {got}, wanted one digit for each")
                yield Labelled(table.parent / image, int(digit), Path(image).parent.as_posix())
    except OSError as error:
        raise LabelError(f"{table} cannot be read: {error.strerror}; {WANTED}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{table} is no CSV file in UTF-8: {error}; {WANTED}") from error
