"""adder-infer: the digit in each picture, and its sum with a number."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adder_runtime.command_line import (
    VersionOption,
    complain,
    exit_codes,
    falls_short,
    how_sure,
    parse_number,
    run,
    say,
)
from adder_runtime.contract import Approach
from adder_runtime.errors import (
    EXIT_SOME_FAILED,
    EXIT_UNSURE,
    AdderError,
    ImageError,
    ModelError,
    NothingToReadError,
    OutputError,
    ProviderError,
    UsageError,
)
from adder_runtime.image_file import ImageSource, is_folder, pictures_in
from adder_runtime.model import Adder, Answer, Provider

NAME = "adder-infer"

STANDARD_INPUT = "-"

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
        others={
            EXIT_SOME_FAILED: "Some pictures were answered and some were not.",
            EXIT_UNSURE: "All were answered, some less sure than --min-confidence.",
        },
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
    min_confidence: Annotated[
        float | None,
        typer.Option(help="0 to 1; an answer less sure than that is told as unsure, and the exit code is 12."),
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(help="Draw each answer: a .png file for one picture, a folder for one or more."),
    ] = None,
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
    if explain is not None and compare:
        raise UsageError("--explain draws the answer of one model, --compare asks two; name one of them")
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise UsageError(f"--min-confidence is {min_confidence}, must be 0 to 1")
    added = parse_number(number)
    wanted: Sequence[Path | Approach] = list(Approach) if compare else [model or approach or Approach.CLASSIFY]
    adders = [Adder.load(each, provider=provider, threads=threads) for each in wanted]
    pictures = [picture for argument in images for picture in open_argument(argument)]
    places: Sequence[Path | None] = [None] * len(pictures)
    if explain is not None:
        from adder_runtime.explain import place_explanations, write_explanation

        places = place_explanations(explain, [name for name, _ in pictures])
    show = show_json if as_json else show_line
    answered, unsure, failed = 0, 0, []
    for (name, source), answers, place in zip(pictures, answer_each(adders, pictures, added), places, strict=True):
        if isinstance(answers, AdderError):
            failed.append(answers)
            complain(NAME, answers)
        else:
            answered += 1
            unsure += falls_short(answers, min_confidence)
        show(name, added, adders, answers, min_confidence)
        if place and isinstance(answers, list | NothingToReadError):
            assert not isinstance(source, ImageError)
            answer = answers[0] if isinstance(answers, list) else None
            write_explanation(
                place, adders[0], name=name, source=source, number=added, answer=answer, least=min_confidence
            )
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED if answered else failed[0].exit_code)
    if unsure:
        raise typer.Exit(EXIT_UNSURE)


def open_argument(argument: str) -> list[tuple[str, ImageSource | ImageError]]:
    """The pictures that an argument names: what to call each, and what to read it from or why that cannot be."""
    try:
        if argument == STANDARD_INPUT:
            return [(argument, read_standard_input())]
        path = Path(argument)
        return [(str(each), each) for each in pictures_in(path)] if is_folder(path) else [(argument, path)]
    except ImageError as error:
        return [(argument, error)]


def read_standard_input() -> NamedBytes:
    """The bytes of a picture on standard input.

    Raises:
        ImageError: nothing is sent there.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError(f"standard input is a terminal, wanted a picture: {NAME} - 7 < image.png")
    return NamedBytes(sys.stdin.buffer.read())


class NamedBytes(bytes):
    """A picture's bytes that an error can call by a name."""

    name = "standard input"


def answer_each(
    adders: Sequence[Adder], pictures: Sequence[tuple[str, ImageSource | ImageError]], number: int
) -> Iterator[list[Answer] | AdderError]:
    """What each model answers to each picture, or the first error that it met, in order.

    Args:
        adders: one model or two; with two, each picture is read twice.
        pictures: as `open_argument` gives them.
        number: 0 to 9.
    """
    sources = [source for _, source in pictures if not isinstance(source, ImageError)]
    by_model = zip(*(adder.predict_each(sources, number) for adder in adders), strict=True)
    for _, source in pictures:
        found = [source] if isinstance(source, ImageError) else next(by_model)
        errors = [answer for answer in found if isinstance(answer, AdderError)]
        yield errors[0] if errors else [answer for answer in found if isinstance(answer, Answer)]


def show_line(
    name: str, number: int, adders: Sequence[Adder], answers: Sequence[Answer] | AdderError, least: float | None
) -> None:
    """Print a line for a person; nothing for an error, which is already on standard error."""
    if isinstance(answers, AdderError):
        return
    parts = []
    for adder, answer in zip(adders, answers, strict=True):
        how = f"{how_sure(answer, least)}, {adder.approach} on {adder.provider}"
        parts.append(f"{answer.digit} + {number} = {answer.sum} ({how})")
    if len(answers) > 1:
        parts.append("they agree" if agree(answers) else "they DISAGREE")
    warning = "unsure: " if falls_short(answers, least) else ""
    say(f"{name}: {warning}{'; '.join(parts)}")


def show_json(
    name: str, number: int, adders: Sequence[Adder], answers: Sequence[Answer] | AdderError, least: float | None
) -> None:
    """Print one object: `image`, `number`, and the answer's fields, both models' answers, or `error` and its code."""
    told: dict[str, Any] = {"image": name, "number": number}
    if isinstance(answers, AdderError):
        told |= {"error": str(answers), "exit_code": answers.exit_code}
    else:
        if least is not None:
            told["unsure"] = falls_short(answers, least)
        by_model = [describe(adder, answer) for adder, answer in zip(adders, answers, strict=True)]
        if len(answers) == 1:
            told |= by_model[0]
        else:
            told |= {"agree": agree(answers)} | {each["approach"]: each for each in by_model}
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
