"""Live progress on standard error, so that standard output stays for results; tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

console = Console(stderr=True)

PIPE_WIDTH = 100
"""Columns of a table where no terminal says how many it has."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people on standard output."""
    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


class _Rate(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        """What the column shows."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@dataclass(frozen=True)
class Advance:
    """Moves a bar on."""

    progress: Progress
    task: TaskID

    def __call__(self, done: int) -> None:
        """So many more are done."""
        self.progress.advance(self.task, done)

    def found(self, done: int) -> None:
        """So many were done before it began: they count neither in the speed nor in the time that is left."""
        self.progress.reset(self.task, completed=done)


@contextmanager
def bar(what: str, total: int) -> Iterator[Advance]:
    """A bar with items a second and the time left; yields what is told how many more are done."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Advance(progress, progress.add_task(what, total=total))
