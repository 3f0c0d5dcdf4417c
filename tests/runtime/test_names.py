"""The names of very many pictures come back as they were."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

from adder_runtime.names import Names

NAMES = ["a.png", "", "größer/三.png", "no language \udcff.png", "z" * 1000]


def test_names_come_back_as_they_were() -> None:
    names = Names(iter(NAMES))
    assert len(names) == len(NAMES)
    assert list(names) == NAMES
    assert names[1:4] == NAMES[1:4]
    assert names[-1] == NAMES[-1]
    assert names[3:100] == NAMES[3:]
    assert list(islice(names, 2)) == NAMES[:2]


def test_there_may_be_none() -> None:
    assert list(Names([])) == []


def test_place_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError):
        Names(NAMES)[len(NAMES)]


def test_names_take_little_more_than_their_letters() -> None:
    names = Names(f"/pictures/{place:06}.png" for place in range(10_000))
    letters, ends = names._letters, names._ends
    assert sys.getsizeof(letters) + sys.getsizeof(ends) < 10_000 * (len("/pictures/000000.png") + 8) * 1.2
