"""What adder-infer does, once its options are known: the digit in each picture, and its sum with a number."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adder_runtime.contract import Approach, Precision
from adder_runtime.errors import (
    EXIT_SOME_FAILED,
    EXIT_UNSURE,
    AdderError,
    ImageError,
    NothingToReadError,
    UsageError,
)
from adder_runtime.image_file import is_folder, pictures_in
from adder_runtime.model import Adder, Answer
from adder_runtime.session import Provider
from adder_runtime.speech import check_together, complain, falls_short, how_sure, leave, parse_number, say

if TYPE_CHECKING:
    from adder_runtime.names import Names

NAME = "adder-infer"

STANDARD_INPUT = "-"

READERS = 2
"""Threads that read pictures for a table, unless told otherwise."""

NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
"""Bytes that a picture file has near its beginning and a path has not."""

TEXT_PICTURE = re.compile(rb"P[1-7]\s*(#.*)?$|\xff\xd8|\x89PNG|GIF8|RIFF|BM[\x00-\xff]{2}\x00")
"""Begins a picture that may begin like a text: those of the PNM formats with a P and a digit, for one."""


def answer(
    arguments: Sequence[str],
    *,
    approach: Approach | None = None,
    model: Path | None = None,
    precision: Precision | None = None,
    compare: bool = False,
    provider: Provider = Provider.AUTO,
    threads: int = 1,
    min_confidence: float | None = None,
    explain: Path | None = None,
    out: Path | None = None,
    numbers: Path | None = None,
    readers: int = READERS,
    about: bool = False,
    verify: bool = False,
    conformance: Path | None = None,
    watch: bool = False,
    force: bool = False,
    as_json: bool = False,
) -> int:
    """Answer pictures as the options of adder-infer say, which `cli` describes; the exit code.

    Args:
        arguments: pictures, and last the number.

    Raises:
        AdderError: of each kind that the command's help names.
    """
    check_together(
        {"--approach": approach, "--model": model, "--compare": compare},
        {"--model": model, "--precision": precision},
        {"--explain": explain, "--compare": compare, "--out": out, "--watch": watch},
        {"--watch": watch, "--numbers": numbers},
        {"--about": about, "--verify": verify, "--conformance": conformance},
    )
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise UsageError(f"--min-confidence is {min_confidence}, must be 0 to 1")
    wanted: Sequence[Path | Approach] = list(Approach) if compare else [model or approach or Approach.CLASSIFY]

    def load() -> list[Adder]:
        return [Adder.load(each, precision=precision, provider=provider, threads=threads) for each in wanted]

    if about or verify or conformance is not None:
        from adder_runtime import telling

        if arguments or compare:
            raise UsageError("--about, --verify and --conformance ask no picture, and one model at a time")
        if verify:
            return telling.tell_files(as_json)
        (adder,) = load()
        return telling.tell_about(adder, as_json) if about else telling.run_vectors(adder, conformance, as_json)
    show = show_json if as_json else show_line
    if numbers is not None:
        from adder_runtime.numbers_table import read_numbers

        if out is None or len(arguments) > 1:
            raise UsageError(
                f"--numbers goes with --out, and with one folder at most: {NAME} --numbers t.csv --out r.csv"
            )
        listed, added = read_numbers(numbers, Path(arguments[0]) if arguments else None)
        return write_table(load()[0], listed, added, out, min_confidence, readers, force, as_json)
    if len(arguments) < 2:
        got = " ".join(arguments) or "nothing"
        raise UsageError(f"got {got} alone, wanted pictures and then a number: {NAME} image.png 7; see: {NAME} --help")
    *images, number = arguments
    one = parse_number(number)
    if watch:
        from adder_runtime.watch import new_pictures

        if len(images) > 1 or not is_folder(Path(images[0])):
            raise UsageError(f"--watch got {' '.join(images)}, wanted one folder: {NAME} --watch FOLDER 7")
        return answer_stream(load(), new_pictures(Path(images[0])), one, show, min_confidence)
    if out is not None:
        names = names_in_table(images)
        return write_table(load()[0], names, [one] * len(names), out, min_confidence, readers, force, as_json)
    pictures = [picture for argument in images for picture in open_argument(argument)]
    if any(isinstance(source, Paths) for _, source in pictures):
        if len(images) > 1 or explain is not None:
            raise UsageError("paths on standard input go with no other picture, and not with --explain")
        return answer_stream(load(), read_paths(), one, show, min_confidence)
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
    return tally.exit_code


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


def names_in_table(arguments: Sequence[str]) -> Names:
    """What a table calls the pictures that arguments name: their paths.

    Raises:
        ImageError: a folder cannot be read or is empty.
        UsageError: one is no file.
    """
    from adder_runtime.names import Names

    if STANDARD_INPUT in arguments:
        raise UsageError("--out wants picture files or folders, not standard input")
    return Names(path for argument in arguments for path in paths_of(argument))


def paths_of(argument: str) -> Iterable[str]:
    """The pictures in a folder, or the one path that an argument is; raises ImageError as `pictures_in`."""
    path = Path(argument)
    return pictures_in(path) if is_folder(path) else [argument]


def open_argument(argument: str) -> list[tuple[str, Source]]:
    """The pictures that an argument names: what to call each, and what to read it from or why that cannot be."""
    try:
        if argument == STANDARD_INPUT:
            return [(argument, read_standard_input())]
        return [(path, Path(path)) for path in paths_of(argument)]
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
        how = f"{how_sure(answer, least)}, {adder}"
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
    made_by = {"approach": adder.approach, "precision": adder.precision, "provider": adder.provider}
    return {name: str(value) for name, value in made_by.items()} | answer.to_dict()


def agree(answers: Sequence[Answer]) -> bool:
    """All answers name the same digit and sum."""
    return len({(answer.digit, answer.sum) for answer in answers}) == 1


def is_option(word: str) -> bool:
    """Whether a word of the command line is an option: it begins with -, and is neither - alone nor a number."""
    return word.startswith("-") and word != STANDARD_INPUT and not word[1:2].isdecimal()


def main() -> None:
    """Run the command line.

    Without options there is nothing to parse, and importing the parser takes longer than an answer.
    """
    words = sys.argv[1:]
    if any(map(is_option, words)):
        from adder_runtime.cli import run_parsed

        run_parsed()
    leave(NAME, lambda: answer(words))
