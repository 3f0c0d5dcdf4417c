"""The names of very many pictures, in little more memory than their letters take."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Sequence
from typing import overload


class Names(Sequence[str]):
    """Texts that are kept as bytes end to end: a list of as many would take twice that or more."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take them one by one, so that they are never held twice."""
        self._letters = bytearray()
        self._ends = array("Q", [0])
        for name in names:
            self._letters += os.fsencode(name)  # what is a name in no language comes back as it was
            self._ends.append(len(self._letters))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        found = range(len(self))[place]
        return self._at(found) if isinstance(found, int) else [self._at(each) for each in found]

    def _at(self, place: int) -> str:
        return os.fsdecode(bytes(self._letters[self._ends[place] : self._ends[place + 1]]))
