"""Pictures read by several threads while earlier ones are answered: in order, and within an amount of memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition

from adder_runtime.errors import ImageError
from adder_runtime.image_file import ImageSource, Read, name_of, read_enough, size_held

AHEAD = 256
"""Pictures that wait to be answered, at most."""

AHEAD_BYTES = 64_000_000
"""Bytes of their pixels, at most, unless a single picture has more; as many of those that are held already."""


def read_ahead(sources: Iterable[ImageSource], readers: int) -> Iterator[Read | ImageError]:
    """Each picture, or why it cannot be read, in order.

    Args:
        sources: of pictures; taken as they are needed.
        readers: threads that read; 0 reads each picture when it is asked for.
    """
    if readers == 0:
        yield from (_try(source) for source in sources)
        return
    budget = _Budget(AHEAD_BYTES)
    waiting: deque[tuple[Future[tuple[Read | ImageError, int]], int]] = deque()
    held = 0
    pool = ThreadPoolExecutor(readers, thread_name_prefix="adder-read")
    try:
        for place, source in enumerate(sources):
            size = size_held(source)
            waiting.append((pool.submit(_read, source, place, budget), size))
            held += size
            del source
            while waiting and (len(waiting) == AHEAD or held > AHEAD_BYTES):
                future, size = waiting.popleft()
                yield from _next(future, budget)
                del future
                held -= size
        while waiting:
            yield from _next(waiting.popleft()[0], budget)
    finally:
        budget.close()
        pool.shutdown(cancel_futures=True)


def naming(images: Iterable[ImageSource], names: deque[str]) -> Iterator[ImageSource]:
    """The same, once what to call each is noted: that is needed for longer than the picture."""
    for image in images:
        names.append(name_of(image))
        yield image
        del image


def _next(future: Future[tuple[Read | ImageError, int]], budget: _Budget) -> Iterator[Read | ImageError]:
    found, size = future.result()
    yield found
    budget.give_back(size)


def _read(source: ImageSource, place: int, budget: _Budget) -> tuple[Read | ImageError, int]:
    taken = 0

    def admit(size: int) -> None:
        nonlocal taken
        budget.take(place, size)
        taken = size

    return _try(source, admit), taken


def _try(source: ImageSource, admit: Callable[[int], None] = lambda _: None) -> Read | ImageError:
    try:
        return read_enough(source, admit)
    except ImageError as error:
        return error


class _Budget:
    """Bytes that may be held at once. The picture that is waited for always gets what it needs, so nothing is stuck."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._due = 0
        self._changed = Condition()

    def take(self, place: int, size: int) -> None:
        """Wait until so many bytes are free, or until the picture at this place is the next one."""
        with self._changed:
            self._changed.wait_for(lambda: place <= self._due or self._held + size <= self._most)
            self._held += size

    def give_back(self, size: int) -> None:
        """The next picture was used up."""
        with self._changed:
            self._held -= size
            self._due += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._most = 2**63
            self._changed.notify_all()
