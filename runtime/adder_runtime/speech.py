"""How the commands speak and how they end, without the parser of their options: importing that takes longer than an
answer.
"""

from __future__ import annotations

import io
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from adder_runtime.errors import EXIT_INTERRUPTED, EXIT_PIPE_CLOSED, AdderError, NumberError, OutputError, UsageError
from adder_runtime.model import Answer, check_number

CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")
"""Characters that are no letters on a line."""

ALMOST_SURE = 0.9999
"""The highest confidence that a person is told: rounding must not make it a certainty."""


def leave(name: str, call: Callable[[], int]) -> NoReturn:
    """Do what a command does and leave the program; what a user can cause becomes one line on standard error.

    Being asked to end (SIGTERM) is as Ctrl-C is, so that no half of a file is left beside its place.

    Args:
        name: the command's.
        call: gives the exit code.
    """
    with suppress(ValueError):  # in a thread of another program, which has its own way to end
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error has it: a file name may be no text
    try:
        code = call()
    except AdderError as error:
        complain(name, error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        code = EXIT_PIPE_CLOSED
    if code == EXIT_INTERRUPTED:
        complain(name, "interrupted")
    sys.exit(code)


def say(line: str) -> None:
    """Print one line at once, so that whoever reads a pipe has each answer as soon as it is there.

    Raises:
        OutputError: standard output cannot be written; a closed pipe instead ends the command without a word.
    """
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _forget_output()
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def complain(name: str, message: object) -> None:
    """Print one line on standard error, led by the command's name."""
    print(f"{name}: {one_line(message)}", file=sys.stderr, flush=True)


def _forget_output() -> None:
    # what is still in the buffer would fail once more, with a traceback, when Python leaves
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def one_line(text: object) -> str:
    """The text with spaces for line breaks and all else that moves a terminal's cursor; a file name may hold some."""
    return str(text).translate(CONTROL)


def show_table(table: Sequence[Sequence[str]]) -> None:
    """Print a table for people, as `table_lines` has it."""
    for line in table_lines(table):
        say(line)


def table_lines(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table for people, the first column to the left and figures to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for first, *others in table:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells])


def check_together(*groups: dict[str, Any]) -> None:
    """Of each group of options no more than one may be given.

    Raises:
        UsageError: two were.
    """
    for group in groups:
        given = _given(group)
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} exclude each other: name one of them")


def check_needed(needed: dict[str, Any], options: dict[str, Any]) -> None:
    """Some options mean nothing without another one.

    Raises:
        UsageError: one was given without it.
    """
    if not _given(needed) and (idle := _given(options)):
        raise UsageError(
            f"{idle[0]} goes with {' or '.join(needed)}, which is not given; leave it out, or give that too"
        )


def _given(options: dict[str, Any]) -> list[str]:
    return [name for name, value in options.items() if value is not None and value is not False]


def parse_number(text: str) -> int:
    """The number that a text states.

    Raises:
        NumberError: it is not a whole number from 0 to 9.
    """
    try:
        return check_number(int(text))
    except ValueError as error:
        if isinstance(error, NumberError):
            raise
        raise NumberError(f"number is {text!r}, must be a whole number from 0 to 9") from error


def falls_short(answers: Sequence[Answer], least: float | None) -> bool:
    """Some answer is less sure than was wanted; never where nothing was."""
    return least is not None and any(answer.confidence < least for answer in answers)


def how_likely(confidence: float) -> str:
    """A confidence for people; rounded down, so that what falls short of 90% is not called 90.00%."""
    # the millionth keeps 0.29, which times 10,000 is 2899.9999999999995, from being told as 28.99%
    percent = math.floor(min(confidence, ALMOST_SURE) * 10_000 + 1e-6) / 100
    return f"{percent:.2f}% sure"


def how_sure(answer: Answer, least: float | None = None) -> str:
    """How sure an answer is, for people, and what else they should know of it.

    Args:
        answer: what was answered.
        least: the confidence that was wanted, told where the answer falls short of it.
    """
    wanted = f", wanted {100 * least:g}%" if least is not None and falls_short([answer], least) else ""
    return f"{how_likely(answer.confidence)}{wanted}{'' if answer.consistent else ', digit and sum disagree'}"
