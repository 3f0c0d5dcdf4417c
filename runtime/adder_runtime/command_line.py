"""What the commands share where their options are parsed: how they end, and the options that mean the same in each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib import metadata
from typing import Annotated, Any, NoReturn, TypeAlias

import typer

from adder_runtime.contract import Approach, Precision
from adder_runtime.errors import EXIT_INTERRUPTED, AdderError, UsageError
from adder_runtime.speech import leave, say

DISTRIBUTION = "adder-edge"

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


class PrecisionChoice(StrEnum):
    """What the option `--precision` takes where several files can be named at once."""

    FP32 = Precision.FP32
    FP16 = Precision.FP16
    INT8 = Precision.INT8
    ALL = "all"

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """The one that was named, or each of them."""
        return tuple(Precision) if self is PrecisionChoice.ALL else (Precision(self),)


def run(app: typer.Typer) -> NoReturn:
    """Run a command and leave the program, as `speech.leave` does.

    Args:
        app: its name is the command's; a command of it that ends with `typer.Exit(code)` leaves with that code.
    """
    name = str(app.info.name)

    def call() -> int:
        try:
            return app(standalone_mode=False, prog_name=name) or 0
        except _TyperUsageError as error:
            raise UsageError(f"{error.format_message().rstrip('.')}; see: {name} --help") from error

    leave(name, call)


def exit_codes(*errors: type[AdderError], others: Mapping[int, str] | None = None) -> str:
    """The paragraph of `--help` that names the exit codes.

    Args:
        errors: what the command can meet; each brings its code and the first line of its docstring.
        others: further codes and what they mean.
    """
    meanings = {0: "All went well.", EXIT_INTERRUPTED: "Ctrl-C, or asked to end (SIGTERM)."} | dict(others or {})
    meanings |= {error.exit_code: (error.__doc__ or "").splitlines()[0] for error in errors}
    return "\b\nExit codes:\n" + "\n".join(f"{code:>5}  {meaning}" for code, meaning in sorted(meanings.items()))


def check_alone(context: typer.Context, option: str, *others: str) -> None:
    """With an option that has a command do something else, only some of the others mean anything.

    Raises:
        UsageError: one was given that would do nothing.
    """
    for parameter in context.command.params:
        name, source = parameter.opts[0], context.get_parameter_source(str(parameter.name))
        if source is not None and source.name == "COMMANDLINE" and name not in (option, *others):
            raise UsageError(
                f"{option} and {name} do not go together: name one of them; see: {context.info_name} --help"
            )


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
