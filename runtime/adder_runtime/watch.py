"""A folder whose new pictures are told as soon as they are written."""

from __future__ import annotations

import os
import queue
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from adder_runtime.errors import ImageError, UsageError
from adder_runtime.image_file import file_state, is_picture_name

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

SETTLED = 1.0
"""Seconds without a change after which a picture is taken for written, where the system does not tell of files that are
closed: Linux does."""

PATIENCE = 0.2
"""Seconds between two looks at what has settled."""


class Change(NamedTuple):
    """What happened to a file in the folder."""

    path: str
    """That is there now; empty where none came."""
    gone: str
    """That is there no more; empty where none went."""
    ended: bool
    """Nobody writes it any more, as far as is known."""


class Told:
    """The pictures that were told, each as it was then; those that are gone are forgotten."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._states)

    def is_new(self, path: str) -> bool:
        """It is there with something in it, and as it is it was not told yet; from now on it was."""
        state = file_state(path)
        if state is None or state[0] == 0 or self._states.get(path) == state:
            return False
        self._states[path] = state
        return True

    def forget(self, path: str) -> None:
        """It has gone, unless it is there again: then it may have been told as it is."""
        if file_state(path) is None:
            self._states.pop(path, None)


def new_pictures(folder: Path) -> Iterator[str]:
    """The path of each picture that comes into a folder from now on, once, when its writing has ended; without an end.

    From the call on: what comes before the first is asked for waits.

    A picture that is written once more later is told again, and so is one that comes again after it had gone. Hidden
    files are passed over, so that a program may write under such a name and rename.

    Args:
        folder: without the folders in it.

    Raises:
        UsageError: watchdog is not installed, or the folder cannot be watched.
        ImageError: while pictures are waited for, the folder goes.
    """
    try:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
    except ImportError as error:
        raise UsageError('--watch needs watchdog: pip install "adder-edge[watch]"') from error
    events: queue.Queue[Change] = queue.Queue()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            kind = event.event_type
            if event.is_directory or kind not in ("created", "modified", "closed", "moved", "deleted"):
                return
            source, target = (str(path or "") for path in (event.src_path, event.dest_path))
            if kind == "moved":
                events.put(Change(target, source, ended=True))
            else:
                came, went = ("", source) if kind == "deleted" else (source, "")
                events.put(Change(came, went, ended=kind == "closed" or (kind == "created" and _is_link(source))))

    observer = _observer()
    observer.schedule(Handler(), str(folder))
    try:
        with os.scandir(folder):  # not every system refuses to watch what may not be read
            found = folder.stat()
        observer.start()
    except OSError as error:
        raise UsageError(f"--watch {folder} cannot be watched: {error.strerror or error}") from error
    return _settled(events, observer, folder, (found.st_dev, found.st_ino))


def _observer() -> BaseObserver:
    if sys.platform == "linux":
        from watchdog.observers.inotify import InotifyObserver

        # so that what is moved here from another folder is told from what somebody begins to write
        return InotifyObserver(generate_full_events=True)
    from watchdog.observers import Observer

    return Observer()


def _is_link(path: str) -> bool:
    """Another name of a file, which nobody has to write."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISLNK(found.st_mode) or found.st_nlink > 1


def _settled(
    events: queue.Queue[Change], observer: BaseObserver, folder: Path, identity: tuple[int, int]
) -> Iterator[str]:
    closes = sys.platform == "linux"
    told = Told()
    changed: dict[str, float] = {}
    try:
        while True:
            try:
                path, gone, ended = events.get(timeout=PATIENCE)
            except queue.Empty:
                path, gone, ended = "", "", False
                _check_there(folder, identity)
            if gone:
                told.forget(gone)
            if is_picture_name(path) and not Path(path).name.startswith("."):
                if ended and told.is_new(path):
                    changed.pop(path, None)
                    yield path
                elif not ended and not closes:
                    changed[path] = monotonic()
            for path in [path for path, since in changed.items() if monotonic() - since > SETTLED]:
                del changed[path]
                if told.is_new(path):
                    yield path
    finally:
        observer.stop()
        observer.join(PATIENCE)  # its threads are daemons, and have been seen to wait for each other for ever


def _check_there(folder: Path, identity: tuple[int, int]) -> None:
    try:
        found = folder.stat()
    except OSError as error:
        raise ImageError(f"{folder} is gone, and was watched: {error.strerror}") from error
    if (found.st_dev, found.st_ino) != identity:
        raise ImageError(f"{folder} is gone, and was watched: another folder is in its place")
