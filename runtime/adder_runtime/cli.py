"""adder-infer: the digit in each picture, and its sum with a number."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.command_line import VersionOption, complain, exit_codes, run, say
from adder_runtime.contract import Approach
from adder_runtime.errors import (
    EXIT_SOME_FAILED,
    AdderError,
    ImageError,
    ModelError,
    NothingToReadError,
    NumberError,
    OutputError,
    ProviderError,
    UsageError,
)
from adder_runtime.image_file import ImageSource, name_of, pictures_in
from adder_runtime.model import Adder, Answer, Provider, check_number

NAME = "adder-infer"

STANDARD_INPUT = "-"

ALMOST_SURE = 0.9999
"""The highest confidence that a person is told: rounding must not make it a certainty."""

app = typer.Typer(name=NAME, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    # so that -1 comes through as a number, and is refused as one
    context_settings={"ignore_unknown_options": True},
    epilog=exit_codes(
        UsageError,
        ImageError,
        NothingToReadError,
        ModelError,
        ProviderError,
        OutputError,
        others={EXIT_SOME_FAILED: "Some pictures were answered and some were not."},
    ),
)
def infer(
    images: Annotated[
        list[str],
        typer.Argument(
            default_factory=list,
            show_default=False,
            metavar="IMAGES",
            help="Picture files, folders of pictures, or - for a picture on standard input.",
        ),
    ],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="What to add, 0 to 9.")],
    approach: Annotated[
        Approach | None, typer.Option(help="Which shipped model answers; classify unless given.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A model file to ask in place of a shipped one.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Ask both shipped models, and say if they agree.")] = False,
    provider: Annotated[
        Provider, typer.Option(help="auto takes CUDA where it starts and the CPU elsewhere; a named one must start.")
    ] = Provider.AUTO,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads that share one run.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    version: VersionOption = False,
) -> None:
    """Read the digit in each picture and add NUMBER to it."""
    for argument in (*images, number):
        if argument.startswith("-") and not argument[1:2].isdecimal() and argument != STANDARD_INPUT:
            raise UsageError(f"no such option: {argument}; see: {NAME} --help (a file of that name is ./{argument})")
    if not images:
        raise UsageError(f"got {number} alone, wanted pictures and then a number: {NAME} image.png 7")
    if sum(option is not None and option is not False for option in (approach, model, compare)) > 1:
        raise UsageError("--approach, --model and --compare exclude each other: name one of them")
    added = parse_number(number)
    wanted: Sequence[Path | Approach] = list(Approach) if compare else [model or approach or Approach.CLASSIFY]
    adders = [Adder.load(each, provider=provider, threads=threads) for each in wanted]
    show = show_json if as_json else show_line
    answered, failed = 0, []
    for name, answers in answer_each(adders, images, added):
        if isinstance(answers, AdderError):
            failed.append(answers)
            complain(NAME, answers)
        else:
            answered += 1
        show(name, added, adders, answers)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED if answered else failed[0].exit_code)


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


def answer_each(
    adders: Sequence[Adder], arguments: Sequence[str], number: int
) -> Iterator[tuple[str, list[Answer] | AdderError]]:
    """The name of each picture, and what each model answers or the error that it met, in order.

    Args:
        adders: one model or two; with two, each picture is read twice.
        arguments: files, folders and "-".
        number: 0 to 9.
    """
    for argument in arguments:
        try:
            sources = list(open_argument(argument))
        except ImageError as error:
            yield argument, error
            continue
        by_model = zip(*(adder.predict_each(sources, number) for adder in adders), strict=True)
        for source, answers in zip(sources, by_model, strict=True):
            errors = [answer for answer in answers if isinstance(answer, AdderError)]
            name = argument if argument == STANDARD_INPUT else name_of(source)
            yield name, errors[0] if errors else [answer for answer in answers if isinstance(answer, Answer)]


def open_argument(argument: str) -> Iterator[ImageSource]:
    """The pictures that an argument names.

    Raises:
        ImageError: a folder without pictures, or standard input that cannot be read.
    """
    if argument != STANDARD_INPUT:
        path = Path(argument)
        try:
            is_folder = path.is_dir()
        except OSError:
            is_folder = False  # reading it then tells why
        yield from pictures_in(path) if is_folder else [path]
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError(f"standard input is a terminal, wanted a picture: {NAME} - 7 < image.png")
    yield NamedBytes(sys.stdin.buffer.read())


class NamedBytes(bytes):
    """A picture's bytes that an error can call by a name."""

    name = "standard input"


def show_line(name: str, number: int, adders: Sequence[Adder], answers: Sequence[Answer] | AdderError) -> None:
    """Print a line for a person; nothing for an error, which is already on standard error."""
    if isinstance(answers, AdderError):
        return
    parts = []
    for adder, answer in zip(adders, answers, strict=True):
        doubt = "" if answer.consistent else ", digit and sum disagree"
        how = f"{min(answer.confidence, ALMOST_SURE):.2%} sure{doubt}, {adder.approach} on {adder.provider}"
        parts.append(f"{answer.digit} + {number} = {answer.sum} ({how})")
    if len(answers) > 1:
        parts.append("they agree" if agree(answers) else "they DISAGREE")
    say(f"{name}: {'; '.join(parts)}")


def show_json(name: str, number: int, adders: Sequence[Adder], answers: Sequence[Answer] | AdderError) -> None:
    """Print one object: `image`, `number`, and the answer's fields, both models' answers, or `error` and its code."""
    told: dict[str, Any] = {"image": name, "number": number}
    if isinstance(answers, AdderError):
        told |= {"error": str(answers), "exit_code": answers.exit_code}
    elif len(answers) == 1:
        told |= describe(adders[0], answers[0])
    else:
        told |= {"agree": agree(answers)}
        told |= {str(adder.approach): describe(adder, answer) for adder, answer in zip(adders, answers, strict=True)}
    say(json.dumps(told))


def describe(adder: Adder, answer: Answer) -> dict[str, Any]:
    """An answer's fields and what gave it."""
    return {"approach": str(adder.approach), "provider": str(adder.provider)} | answer.to_dict()


def agree(answers: Sequence[Answer]) -> bool:
    """All answers name the same digit and sum."""
    return len({(answer.digit, answer.sum) for answer in answers}) == 1


def main() -> None:
    """Run the command line."""
    run(app)
