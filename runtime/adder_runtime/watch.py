"""A folder whose new pictures are told as soon as they are written."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from adder_runtime.errors import UsageError
from adder_runtime.image_file import file_state, is_picture_name

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

SETTLED = 1.0
"""Seconds without a change after which a picture is taken for written, where the system does not tell of files that are
closed: Linux does."""

PATIENCE = 0.2
"""Seconds between two looks at what has settled."""


def new_pictures(folder: Path) -> Iterator[str]:
    """The path of each picture that comes into a folder from now on, once, when its writing has ended; without an end.

    From the call on: what comes before the first is asked for waits.

    A picture that is written once more later is told again. Hidden files are passed over, so that a program may write
    under such a name and rename.

    Args:
        folder: without the folders in it.

    Raises:
        UsageError: watchdog is not installed, or the folder cannot be watched.
    """
    try:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer
    except ImportError as error:
        raise UsageError('--watch needs watchdog: pip install "adder-edge[watch]"') from error
    events: queue.Queue[tuple[str, bool]] = queue.Queue()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.is_directory or event.event_type not in ("created", "modified", "closed", "moved"):
                return
            moved = event.event_type == "moved"
            events.put((str(event.dest_path if moved else event.src_path), moved or event.event_type == "closed"))

    observer = Observer()
    observer.schedule(Handler(), str(folder))
    try:
        observer.start()
    except OSError as error:
        raise UsageError(f"--watch {folder} cannot be watched: {error.strerror or error}") from error
    return _settled(events, observer)


def _settled(events: queue.Queue[tuple[str, bool]], observer: BaseObserver) -> Iterator[str]:
    closes = sys.platform.startswith("linux")
    told: dict[str, tuple[int, int]] = {}
    changed: dict[str, float] = {}

    def is_new(path: str) -> bool:
        """It is there, and as it is it was not told yet."""
        state = file_state(path)
        if state is None or state[0] == 0 or told.get(path) == state:
            return False
        told[path] = state
        return True

    try:
        while True:
            try:
                path, ended = events.get(timeout=PATIENCE)
            except queue.Empty:
                path, ended = "", False
            if is_picture_name(path) and not Path(path).name.startswith("."):
                if ended and is_new(path):
                    changed.pop(path, None)
                    yield path
                elif not ended and not closes:
                    changed[path] = monotonic()
            for path in [path for path, since in changed.items() if monotonic() - since > SETTLED]:
                del changed[path]
                if is_new(path):
                    yield path
    finally:
        observer.stop()
        observer.join(PATIENCE)  # its threads are daemons, and have been seen to wait for each other for ever
