"""What the commands share: how they speak, how they end, and the arguments that mean the same in each."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib import metadata
from typing import Annotated, Any, NoReturn, TypeAlias

import typer

from adder_runtime.contract import Approach
from adder_runtime.errors import EXIT_INTERRUPTED, EXIT_USAGE, AdderError, NumberError, OutputError
from adder_runtime.model import Answer, check_number

DISTRIBUTION = "adder-edge"

ALMOST_SURE = 0.9999
"""The highest confidence that a person is told: rounding must not make it a certainty."""

# newer versions of typer bring their own click, older ones need the package: the usage error is this class in both
_TyperUsageError: type[Any] = typer.BadParameter.__mro__[1]


class ApproachChoice(StrEnum):
    """What the option `--approach` takes."""

    CLASSIFY = Approach.CLASSIFY
    REGRESS = Approach.REGRESS
    ALL = "all"

    @property
    def approaches(self) -> tuple[Approach, ...]:
        """The one that was named, or each of them."""
        return tuple(Approach) if self is ApproachChoice.ALL else (Approach(self),)


def run(app: typer.Typer) -> NoReturn:
    """Run a command and leave the program: what a user can cause becomes one line on standard error and an exit code.

    Args:
        app: its name is the command's; a command of it that ends with `typer.Exit(code)` leaves with that code.
    """
    name = str(app.info.name)
    try:
        code = app(standalone_mode=False, prog_name=name) or 0
    except AdderError as error:
        complain(name, error)
        code = error.exit_code
    except _TyperUsageError as error:
        complain(name, f"{error.format_message().rstrip('.')}; see: {name} --help")
        code = EXIT_USAGE
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    if code == EXIT_INTERRUPTED:
        complain(name, "interrupted")
    sys.exit(code)


def say(line: str) -> None:
    """Print one line at once, so that whoever reads a pipe has each answer as soon as it is there.

    Raises:
        OutputError: standard output cannot be written; a closed pipe instead ends the command without a word.
    """
    try:
        typer.echo(line)
    except BrokenPipeError:
        raise
    except OSError as error:
        # what is still in the buffer would fail once more, with a traceback, when Python leaves
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def complain(name: str, message: object) -> None:
    """Print one line on standard error, led by the command's name."""
    typer.echo(f"{name}: {one_line(message)}", err=True)


def one_line(text: object) -> str:
    """The text with its line breaks as spaces; a file name may hold some."""
    return " ".join(str(text).split("\n"))


def exit_codes(*errors: type[AdderError], others: Mapping[int, str] | None = None) -> str:
    """The paragraph of `--help` that names the exit codes.

    Args:
        errors: what the command can meet; each brings its code and the first line of its docstring.
        others: further codes and what they mean.
    """
    meanings = {0: "All went well.", EXIT_INTERRUPTED: "Ctrl-C."} | dict(others or {})
    meanings |= {error.exit_code: (error.__doc__ or "").splitlines()[0] for error in errors}
    return "\b\nExit codes:\n" + "\n".join(f"{code:>5}  {meaning}" for code, meaning in sorted(meanings.items()))


def show_table(table: Sequence[Sequence[str]]) -> None:
    """Print a table for people, the first column to the left and figures to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for first, *others in table:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        say("  ".join([first.ljust(widths[0]), *cells]))


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


def _show_version(context: typer.Context, wanted: bool) -> None:
    if wanted:
        try:
            version = metadata.version(DISTRIBUTION)
        except metadata.PackageNotFoundError:
            version = "from a folder that is not installed"
        say(f"{context.info_name} {version}")
        raise typer.Exit


VersionOption: TypeAlias = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
]
