"""Many pictures to one table of answers, in parts: stopped at any time, it goes on where it was, to the same bytes.

While it runs, a folder beside the table holds what is done: each part of PART rows as a file that appears whole, with a
checksum as its last line. At the end the parts are joined, the table is put in its place, and the folder goes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import onnxruntime

from adder_runtime.errors import OutputError
from adder_runtime.image_file import file_state, is_folder
from adder_runtime.model import Adder
from adder_runtime.output_file import whole_file, write_whole
from adder_runtime.reading import read_ahead
from adder_runtime.results import Row, Writer, from_json, to_json, writer_for

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None

PART = 500
"""Pictures of a part: what is lost at most when a run is killed."""

PARTS_VERSION = "1"
"""Raised when the parts are written in another way."""

STORY, LOCK = "run.json", "lock"
"""In the folder of parts: what is done there, and the file that a run holds."""

WAY_OUT = "give another file with --out"


@dataclass
class Totals:
    """What a finished table holds."""

    pictures: int = 0
    digits: Counter[int] = field(default_factory=Counter)
    """How often each digit was answered."""
    unsure: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """How many pictures failed with each exit code, as a text so that it can be a key in JSON."""

    def add(self, row: Row) -> None:
        """Count one more row."""
        self.pictures += 1
        if row.digit is None:
            self.failed[str(row.exit_code)] += 1
        else:
            self.digits[row.digit] += 1
        self.unsure += bool(row.unsure)

    @property
    def answered(self) -> int:
        """Pictures that got an answer."""
        return self.digits.total()


def run_job(
    adder: Adder,
    images: Sequence[str],
    numbers: Sequence[int],
    out: Path,
    *,
    least: float | None = None,
    readers: int = 2,
    force: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_found: Callable[[int], None] = lambda _: None,
) -> Totals:
    """Answer many pictures and write the table; what an earlier run of the same has done is not done again.

    Args:
        adder: the model.
        images: paths.
        numbers: 0 to 9, as many.
        out: the table, `.csv`, `.jsonl` or `.parquet`.
        least: a confidence, 0 to 1; answers less sure than that are marked.
        readers: threads that read pictures, and as many that answer them.
        force: replace a table that is there, or what another run has left of one.
        on_progress: told how many more rows are done.
        on_found: told how many an earlier run has done, before any other.

    Raises:
        UsageError: no such kind of table is known, or pyarrow is missing.
        OutputError: the table is there, parts of another run are, the same run goes on elsewhere, or nothing can be
            written.
    """
    write = writer_for(out)
    folder = out.with_name(f".{out.name}.parts")
    with _begun(folder, out, _fingerprint(adder, images, numbers, least), force):
        return _run(adder, images, numbers, out, folder, write, least, readers, on_progress, on_found)


def _run(
    adder: Adder,
    images: Sequence[str],
    numbers: Sequence[int],
    out: Path,
    folder: Path,
    write: Writer,
    least: float | None,
    readers: int,
    on_progress: Callable[[int], None],
    on_found: Callable[[int], None],
) -> Totals:
    starts = range(0, len(images), PART)
    missing = [start for start in starts if _read_part(folder, start) is None]
    on_found(len(images) - sum(min(PART, len(images) - start) for start in missing))
    sources = (images[place] for start in missing for place in range(start, min(start + PART, len(images))))
    pictures = read_ahead(sources, readers)
    for start in missing:
        names, added = images[start : start + PART], numbers[start : start + PART]
        asked = zip(names, islice(pictures, len(names)), added, strict=True)
        answers = adder.answer_read(asked, at_once=readers)
        content = bytearray()
        for name, number, answer in zip(names, added, answers, strict=True):
            content += to_json(Row.of(name, number, answer, least))
            on_progress(1)
        write_whole(_part(folder, start), bytes(content) + _checksum(content), way_out=WAY_OUT)
    totals = Totals()
    joined = folder / "joined"
    with whole_file(joined, way_out=WAY_OUT) as file:
        write(file, _count(_joined(folder, starts), totals))
    try:
        joined.replace(out)
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror}; {WAY_OUT}") from error
    shutil.rmtree(folder, ignore_errors=True)
    return totals


def _fingerprint(adder: Adder, images: Sequence[str], numbers: Sequence[int], least: float | None) -> dict[str, Any]:
    asked = hashlib.sha256()
    for image, number in zip(images, numbers, strict=True):
        asked.update(json.dumps([image, number, file_state(image)]).encode())
    return {
        "version": PARTS_VERSION,
        "model": hashlib.sha256(adder.path.read_bytes()).hexdigest(),
        "provider": str(adder.provider),
        "onnxruntime": onnxruntime.__version__,
        "pictures": asked.hexdigest(),
        "min_confidence": least,
        "part": PART,
    }


@contextmanager
def _begun(folder: Path, out: Path, fingerprint: dict[str, Any], force: bool) -> Iterator[None]:
    """Make the folder of parts, or find that of the same run; no other run may use it meanwhile."""
    goes_on = _goes_on(folder, out, fingerprint, force)
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context((folder / LOCK).open("wb"))
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it ends with the process, however that ends
            if not goes_on:
                for path in folder.iterdir():
                    if path.name != LOCK:
                        path.unlink()
        except BlockingIOError as error:
            raise OutputError(f"{out} is being written by another run; wait for it, or {WAY_OUT}") from error
        except OSError as error:
            raise OutputError(f"{folder} cannot be made: {error.strerror}; {WAY_OUT}") from error
        if not goes_on:
            write_whole(folder / STORY, json.dumps(fingerprint).encode(), way_out=WAY_OUT)
        yield


def _goes_on(folder: Path, out: Path, fingerprint: dict[str, Any], force: bool) -> bool:
    """Whether the parts that are there are of this run.

    Raises:
        OutputError: they are another's, or the table is there already; neither where that is to be replaced.
    """
    if is_folder(out):
        raise OutputError(f"{out} is a folder; {WAY_OUT}")
    story = folder / STORY
    try:
        found = json.loads(story.read_text())
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise OutputError(f"{folder} cannot be read: {error.strerror}; {WAY_OUT}") from error
    except ValueError:
        found = {}
    if found == fingerprint:
        return True
    if found is not None and not force:
        raise OutputError(
            f"{folder} holds parts of another run (other pictures, numbers, model or options); "
            f"start anew with --force, or {WAY_OUT}"
        )
    if out.exists() and not force:
        raise OutputError(f"{out} is there; replace it with --force, or {WAY_OUT}")
    return False


def _part(folder: Path, start: int) -> Path:
    return folder / f"{start:09}.jsonl"


def _checksum(content: bytes | bytearray) -> bytes:
    return json.dumps({"sha256": hashlib.sha256(content).hexdigest()}).encode() + b"\n"


def _read_part(folder: Path, start: int) -> list[bytes] | None:
    """The lines of a part; None where there is none, or where it is damaged."""
    try:
        *lines, last = _part(folder, start).read_bytes().splitlines(keepends=True)
    except (OSError, ValueError):
        return None
    return lines if last == _checksum(b"".join(lines)) else None


def _joined(folder: Path, starts: Sequence[int]) -> Iterator[list[Row]]:
    for start in starts:
        lines = _read_part(folder, start)
        if lines is None:
            raise OutputError(f"{_part(folder, start)} was damaged since it was written; run the same again")
        yield [from_json(line) for line in lines]


def _count(parts: Iterator[list[Row]], totals: Totals) -> Iterator[list[Row]]:
    for rows in parts:
        for row in rows:
            totals.add(row)
        yield rows
