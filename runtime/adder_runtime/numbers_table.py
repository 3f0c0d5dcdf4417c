"""A table that gives each picture a number of its own."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adder_runtime.errors import NumberError, UsageError
from adder_runtime.model import check_number
from adder_runtime.results import PARQUET, import_pyarrow

COLUMNS = ("image", "number")


def read_numbers(table: Path, folder: Path | None = None) -> tuple[list[str], list[int]]:
    """The pictures that a table names, and the number of each.

    Args:
        table: CSV or Parquet with the columns of COLUMNS.
        folder: that the pictures' paths are relative to; the table's own when None.

    Raises:
        UsageError: the table is missing, empty, or has other columns.
        NumberError: a number is not a whole number from 0 to 9.
    """
    wanted = f"wanted a CSV or Parquet file with the columns {','.join(COLUMNS)}"
    try:
        rows = _parquet(table) if table.suffix.lower() == PARQUET else _csv(table)
    except UsageError:
        raise
    except OSError as error:
        raise UsageError(f"--numbers {table} cannot be read: {error.strerror or error}; {wanted}") from error
    except (ValueError, csv.Error) as error:
        raise UsageError(f"--numbers {table} is damaged, or has other columns: {error}; {wanted}") from error
    top = table.parent if folder is None else folder
    images, numbers = [], []
    for count, (image, number) in enumerate(rows, 1):
        if not image:
            raise UsageError(f"--numbers {table} row {count} names no picture; {wanted}")
        try:
            numbers.append(check_number(_whole(number)))
        except (ValueError, TypeError, OverflowError) as error:
            raise NumberError(
                f"{table} row {count}: number is {number!r}, must be a whole number from 0 to 9"
            ) from error
        images.append(str(top / str(image)))
    if not images:
        raise UsageError(f"--numbers {table} has no rows; {wanted}")
    return images, numbers


def _whole(number: Any) -> int:
    whole = int(number)
    if isinstance(number, bool) or (not isinstance(number, str) and whole != number):
        raise ValueError
    return whole


def _check_columns(names: Iterable[str]) -> None:
    found = list(names)
    for name in COLUMNS:
        if name not in found:
            raise ValueError(f"there is no column {name}")
        if found.count(name) > 1:
            raise ValueError(f"there are {found.count(name)} columns {name}")


def _csv(table: Path) -> Iterable[tuple[Any, Any]]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.DictReader(file)
        _check_columns(lines.fieldnames or ())
        return [_cells(line, row) for row, line in enumerate(lines, 1)]


def _cells(line: dict[Any, Any], row: int) -> tuple[Any, Any]:
    if None in line:
        raise ValueError(f"row {row} has more cells than there are columns; a name with a comma goes in quotes")
    return line["image"], line["number"]


def _parquet(table: Path) -> Iterable[tuple[Any, Any]]:
    _, parquet = import_pyarrow()
    _check_columns(parquet.read_schema(table).names)
    columns = parquet.read_table(table, columns=list(COLUMNS))
    return list(zip(*(columns[name].to_pylist() for name in COLUMNS), strict=True))
