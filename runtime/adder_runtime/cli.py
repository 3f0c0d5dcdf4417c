"""adder-infer: the digit in each picture, and its sum with a number."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
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
from adder_runtime.image_file import is_folder, pictures_in
from adder_runtime.model import Adder, Answer, Provider

NAME = "adder-infer"

STANDARD_INPUT = "-"

NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
"""Bytes that a picture file has near its beginning and a path has not."""

TEXT_PICTURE = re.compile(rb"P[1-7]\s*(#.*)?$|\xff\xd8|\x89PNG|GIF8|RIFF|BM[\x00-\xff]{2}\x00")
"""Begins a picture that may begin like a text: those of the PNM formats with a P and a digit, for one."""

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
    arguments: Annotated[
        list[str],
        typer.Argument(
            default_factory=list,
            show_default=False,
            metavar="IMAGES... NUMBER",
            help="Picture files, folders of pictures, or - for standard input: a picture, or paths of pictures, one a "
            "line. Last what to add, 0 to 9.",
        ),
    ],
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
    out: Annotated[
        Path | None,
        typer.Option(help="Write a table, .csv, .jsonl or .parquet; stopped at any time, the same command goes on."),
    ] = None,
    numbers: Annotated[
        Path | None,
        typer.Option(
            help="Table with the columns image,number in place of NUMBER; paths relative to it, or to IMAGES."
        ),
    ] = None,
    readers: Annotated[int, typer.Option(min=1, help="Threads that read pictures for --out.")] = 2,
    watch: Annotated[
        bool, typer.Option("--watch", help="Answer each picture that comes into a folder, until Ctrl-C.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what is at --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    version: VersionOption = False,
) -> None:
    """Read the digit in each picture and add NUMBER to it."""
    for argument in arguments:
        if argument.startswith("-") and not argument[1:2].isdecimal() and argument != STANDARD_INPUT:
            raise UsageError(f"no such option: {argument}; see: {NAME} --help (a file of that name is ./{argument})")
    check_together(
        {"--approach": approach, "--model": model, "--compare": compare},
        {"--explain": explain, "--compare": compare, "--out": out, "--watch": watch},
        {"--watch": watch, "--numbers": numbers},
    )
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise UsageError(f"--min-confidence is {min_confidence}, must be 0 to 1")
    wanted: Sequence[Path | Approach] = list(Approach) if compare else [model or approach or Approach.CLASSIFY]

    def load() -> list[Adder]:
        return [Adder.load(each, provider=provider, threads=threads) for each in wanted]

    show = show_json if as_json else show_line
    if numbers is not None:
        from adder_runtime.numbers_table import read_numbers

        if out is None or len(arguments) > 1:
            raise UsageError(
                f"--numbers goes with --out, and with one folder at most: {NAME} --numbers t.csv --out r.csv"
            )
        names, added = read_numbers(numbers, Path(arguments[0]) if arguments else None)
        raise typer.Exit(write_table(load()[0], names, added, out, min_confidence, readers, force, as_json))
    if len(arguments) < 2:
        got = " ".join(arguments) or "nothing"
        raise UsageError(f"got {got} alone, wanted pictures and then a number: {NAME} image.png 7; see: {NAME} --help")
    *images, number = arguments
    one = parse_number(number)
    if watch:
        from adder_runtime.watch import new_pictures

        if len(images) > 1 or not is_folder(Path(images[0])):
            raise UsageError(f"--watch got {' '.join(images)}, wanted one folder: {NAME} --watch FOLDER 7")
        raise typer.Exit(answer_stream(load(), new_pictures(Path(images[0])), one, show, min_confidence))
    pictures = [picture for argument in images for picture in open_argument(argument)]
    if out is not None:
        names = [name_in_table(name, source) for name, source in pictures]
        raise typer.Exit(
            write_table(load()[0], names, [one] * len(names), out, min_confidence, readers, force, as_json)
        )
    if any(isinstance(source, Paths) for _, source in pictures):
        if len(images) > 1 or explain is not None:
            raise UsageError("paths on standard input go with no other picture, and not with --explain")
        raise typer.Exit(answer_stream(load(), read_paths(), one, show, min_confidence))
    adders = load()
    places: Sequence[Path | None] = [None] * len(pictures)
    if explain is not None:
        from adder_runtime.explain import place_explanations, write_explanation

        places = place_explanations(explain, [name for name, _ in pictures])
    tally = Tally()
    for (name, source), answers, place in zip(pictures, answer_each(adders, pictures, one), places, strict=True):
        tally.add(answers, min_confidence)
        show(name, one, adders, answers, min_confidence)
        if place and isinstance(answers, list | NothingToReadError):
            assert not isinstance(source, ImageError | Paths)
            answer = answers[0] if isinstance(answers, list) else None
            write_explanation(
                place, adders[0], name=name, source=source, number=one, answer=answer, least=min_confidence
            )
    raise typer.Exit(tally.exit_code)


def check_together(*groups: dict[str, Any]) -> None:
    """Of each group of options no more than one may be given.

    Raises:
        UsageError: two were.
    """
    for group in groups:
        given = [name for name, value in group.items() if value is not None and value is not False]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} exclude each other: name one of them")


@dataclass
class Tally:
    """How many pictures were answered, and how the others failed."""

    answered: int = 0
    unsure: int = 0
    failed: list[AdderError] = field(default_factory=list)

    def add(self, answers: Sequence[Answer] | AdderError, least: float | None) -> None:
        """Count one more picture; an error is told on standard error."""
        if isinstance(answers, AdderError):
            self.failed.append(answers)
            complain(NAME, answers)
        else:
            self.answered += 1
            self.unsure += falls_short(answers, least)

    @property
    def exit_code(self) -> int:
        """With which the command ends."""
        if self.failed:
            return EXIT_SOME_FAILED if self.answered else self.failed[0].exit_code
        return EXIT_UNSURE if self.unsure else 0


def answer_stream(adders: Sequence[Adder], paths: Iterable[str], number: int, show: Show, least: float | None) -> int:
    """Answer each picture as soon as its path comes, before the next path is asked for; the exit code."""
    tally = Tally()
    for path in paths:
        answers = next(answer_each(adders, [(path, Path(path))], number))
        tally.add(answers, least)
        del tally.failed[1:]  # the first decides, and a stream may be long
        show(path, number, adders, answers, least)
    return tally.exit_code


def write_table(
    adder: Adder,
    names: Sequence[str],
    numbers: Sequence[int],
    out: Path,
    least: float | None,
    readers: int,
    force: bool,
    as_json: bool,
) -> int:
    """Answer many pictures into a table, with a bar, and tell what it holds; the exit code."""
    from adder_runtime.job import run_job
    from adder_runtime.progress import bar

    with bar(NAME, len(names)) as advance:
        totals = run_job(adder, names, numbers, out, least=least, readers=readers, force=force, on_progress=advance)
    failed = totals.failed.total()
    if as_json:
        told = {"out": str(out), "pictures": totals.pictures, "answered": totals.answered, "unsure": totals.unsure}
        say(json.dumps(told | {"failed": totals.failed, "digits": dict(sorted(totals.digits.items()))}))
    else:
        say(f"{out}: {totals.pictures:,} pictures, {totals.answered:,} answered, {totals.unsure:,} unsure")
        say("digits: " + ", ".join(f"{count:,} of {digit}" for digit, count in sorted(totals.digits.items())))
        if failed:
            codes = ", ".join(f"{count:,} with exit code {code}" for code, count in sorted(totals.failed.items()))
            say(f"failed: {failed:,} ({codes}), each with its reason in the column error")
    if failed:
        return EXIT_SOME_FAILED if totals.answered else int(min(totals.failed))
    return EXIT_UNSURE if totals.unsure else 0


def name_in_table(name: str, source: Source) -> str:
    """What a table calls a picture.

    Raises:
        ImageError: a folder cannot be read or is empty.
        UsageError: it is no file.
    """
    if isinstance(source, ImageError):
        raise source
    if not isinstance(source, Path):
        raise UsageError("--out wants picture files or folders, not standard input")
    return name


def open_argument(argument: str) -> list[tuple[str, Source]]:
    """The pictures that an argument names: what to call each, and what to read it from or why that cannot be."""
    try:
        if argument == STANDARD_INPUT:
            return [(argument, read_standard_input())]
        path = Path(argument)
        return [(each, Path(each)) for each in pictures_in(path)] if is_folder(path) else [(argument, path)]
    except ImageError as error:
        return [(argument, error)]


def read_standard_input() -> NamedBytes | Paths:
    """The bytes of a picture on standard input, or that there are paths of pictures.

    Raises:
        ImageError: nothing is sent there.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError(f"standard input is a terminal, wanted a picture or paths: {NAME} - 7 < image.png")
    stream = sys.stdin.buffer
    begin = stream.peek(1) if isinstance(stream, io.BufferedReader) else b""  # what has come so far
    if begin and is_text(begin):
        return Paths()
    return NamedBytes(stream.read())


def is_text(begin: bytes) -> bool:
    """Standard input begins with paths and not with a picture: it holds no bytes that no line of text has."""
    first = begin.split(b"\n")[0]
    return not NO_TEXT.search(begin[:256]) and not TEXT_PICTURE.match(first)


def read_paths() -> Iterator[str]:
    """Paths on standard input, one a line; empty lines are passed over."""
    for line in sys.stdin.buffer:
        path = os.fsdecode(line.rstrip(b"\r\n"))
        if path:
            yield path


class Paths:
    """Standard input holds the paths of pictures."""


class NamedBytes(bytes):
    """A picture's bytes that an error can call by a name."""

    name = "standard input"


Source = Path | NamedBytes | Paths | ImageError
"""What a picture is read from, or why it cannot be."""

Show = Callable[[str, int, Sequence[Adder], Sequence[Answer] | AdderError, float | None], None]
"""Prints what was answered."""


def answer_each(
    adders: Sequence[Adder], pictures: Sequence[tuple[str, Source]], number: int
) -> Iterator[list[Answer] | AdderError]:
    """What each model answers to each picture, or the first error that it met, in order.

    Args:
        adders: one model or two; with two, each picture is read twice.
        pictures: as `open_argument` gives them.
        number: 0 to 9.
    """
    sources = [source for _, source in pictures if not isinstance(source, ImageError | Paths)]
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
