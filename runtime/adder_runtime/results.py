"""Answers to many pictures as a table: its columns, and how it is written as CSV, as JSON lines and as Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any

from adder_runtime.errors import AdderError, UsageError
from adder_runtime.model import Answer

PARQUET = ".parquet"

NO_TEXT = "backslashreplace"
"""What becomes of a file name that is not UTF-8, where a table takes nothing else: escaped, as JSON has it."""


@dataclass(frozen=True)
class Row:
    """What was answered to one picture; where it failed, why, and no answer."""

    image: str
    number: int
    digit: int | None = None
    sum: int | None = None
    confidence: float | None = None
    consistent: bool | None = None
    unsure: bool | None = None
    """Less sure than was wanted; None where nothing was."""
    error: str | None = None
    exit_code: int | None = None
    """Of a command that meets the error."""

    @classmethod
    def of(cls, image: str, number: int, answer: Answer | AdderError, least: float | None) -> Row:
        """The row of an answer.

        Args:
            image: what to call the picture.
            number: that was added.
            answer: to it, or the error.
            least: the confidence that was wanted.
        """
        if isinstance(answer, AdderError):
            return cls(image, number, error=str(answer), exit_code=answer.exit_code)
        unsure = None if least is None else answer.confidence < least
        return cls(image, number, answer.digit, answer.sum, answer.confidence, answer.consistent, unsure)


COLUMNS = tuple(each.name for each in fields(Row))


def write_csv(file: IO[bytes], parts: Iterable[list[Row]]) -> None:
    """Write comma-separated UTF-8 with a header; true, false, and nothing for None."""
    file.write(_line(COLUMNS))
    for rows in parts:
        file.writelines(_line([_cell(value) for value in asdict(row).values()]) for row in rows)


def _line(cells: Sequence[Any]) -> bytes:
    line = io.StringIO(newline="")
    # written with both ends of a line, since only what ends a line is put in quotes before Python 3.13
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()[:-2].encode("utf-8", NO_TEXT) + b"\n"


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def write_json_lines(file: IO[bytes], parts: Iterable[list[Row]]) -> None:
    """Write a JSON object a line."""
    for rows in parts:
        file.write(b"".join(to_json(row) for row in rows))


def to_json(row: Row) -> bytes:
    """A row as a line of JSON."""
    return json.dumps(asdict(row)).encode() + b"\n"


def from_json(line: bytes) -> Row:
    """The row that a line of JSON holds."""
    return Row(**json.loads(line))


def write_parquet(file: IO[bytes], parts: Iterable[list[Row]]) -> None:
    """Write Parquet, a row group for each part.

    Raises:
        UsageError: pyarrow is not installed.
    """
    arrow, parquet = import_pyarrow()
    types = {"int": arrow.int32(), "float": arrow.float32(), "bool": arrow.bool_(), "str": arrow.string()}
    schema = arrow.schema([(each.name, types[str(each.type).split(" ")[0]]) for each in fields(Row)])
    with parquet.ParquetWriter(file, schema) as table:
        for rows in parts:
            texts = [{name: _text(value) for name, value in asdict(row).items()} for row in rows]
            table.write_table(arrow.Table.from_pylist(texts, schema))


def _text(value: Any) -> Any:
    return value.encode("utf-8", NO_TEXT).decode() if isinstance(value, str) else value


def import_pyarrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            'Parquet needs pyarrow: pip install "adder-edge[parquet]", or name a .csv or .jsonl'
        ) from error
    return pyarrow, parquet


Writer = Callable[[IO[bytes], Iterable[list[Row]]], None]

WRITERS: dict[str, Writer] = {".csv": write_csv, ".jsonl": write_json_lines, PARQUET: write_parquet}


def writer_for(path: Path) -> Writer:
    """What writes a file of that name.

    Raises:
        UsageError: its suffix is none of WRITERS, or what writes it is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise UsageError(f"--out is {path}, wanted a name that ends in {', '.join(WRITERS)}")
    if suffix == PARQUET:
        import_pyarrow()
    return WRITERS[suffix]
