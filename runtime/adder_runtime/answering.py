"""What adder-infer does, once its options are known: the digit in each picture, and its sum with a number."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from adder_runtime.contract import Approach, Precision
from adder_runtime.errors import (
    EXIT_SOME_FAILED,
    EXIT_UNSURE,
    AdderError,
    ImageError,
    NothingToReadError,
    UsageError,
)
from adder_runtime.image_file import file_state, is_folder
from adder_runtime.model import Adder, Answer
from adder_runtime.session import Provider
from adder_runtime.showing import Show, show_json, show_line
from adder_runtime.sources import NAME, STANDARD_INPUT, Paths, Source, names_in_table, open_argument, read_paths
from adder_runtime.speech import check_needed, check_together, complain, falls_short, leave, parse_number


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
    readers: int | None = None,
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
    asks_none: dict[str, Any] = {"--about": about, "--verify": verify, "--conformance": conformance}
    of_a_table: dict[str, Any] = {"--readers": readers, "--force": force}
    of_pictures = of_a_table | {
        "--compare": compare, "--min-confidence": min_confidence, "--explain": explain, "--out": out,
        "--numbers": numbers, "--watch": watch,
    }  # fmt: skip
    of_a_model: dict[str, Any] = {
        "--approach": approach, "--model": model, "--precision": precision,
        "--provider": provider is not Provider.AUTO, "--threads": threads != 1,
    }  # fmt: skip
    check_together(
        {"--approach": approach, "--model": model, "--compare": compare},
        {"--model": model, "--precision": precision},
        {"--explain": explain, "--compare": compare, "--out": out, "--watch": watch},
        {"--watch": watch, "--numbers": numbers},
        *(asks_none | {name: value} for name, value in of_pictures.items()),
        *({"--verify": verify, name: value} for name, value in of_a_model.items()),
    )
    check_needed({"--out": out}, of_a_table)
    if min_confidence is not None and not 0 <= min_confidence <= 1:
        raise UsageError(f"--min-confidence is {min_confidence}, must be 0 to 1")
    wanted: Sequence[Path | Approach] = list(Approach) if compare else [model or approach or Approach.CLASSIFY]

    def load() -> list[Adder]:
        return [Adder.load(each, precision=precision, provider=provider, threads=threads) for each in wanted]

    if about or verify or conformance is not None:
        from adder_runtime import telling

        if arguments:
            raise UsageError(f"{next(name for name, given in asks_none.items() if given)} asks no picture: name none")
        if verify:
            return telling.tell_files(as_json)
        (adder,) = load()
        return telling.tell_about(adder, as_json) if about else telling.run_vectors(adder, conformance, as_json)
    if out is not None:
        from adder_runtime.table import write_table
    show = show_json if as_json else show_line
    if numbers is not None:
        from adder_runtime.numbers_table import read_numbers

        if out is None or len(arguments) > 1:
            raise UsageError(
                f"--numbers goes with --out, and with one folder at most: {NAME} --numbers t.csv --out r.csv"
            )
        if all(file_state(str(each)) for each in (out, numbers)) and out.samefile(numbers):
            raise UsageError(f"--out {out} is the table of --numbers; give another file with --out")
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
        come = new_pictures(Path(images[0]))  # before the model is loaded: none is missed meanwhile
        adders = load()
        complain(NAME, f"watching {images[0]} until Ctrl-C")
        return answer_stream(adders, come, one, show, min_confidence)
    if out is not None:
        names = names_in_table(images)
        return write_table(load()[0], names, [one] * len(names), out, min_confidence, readers, force, as_json)
    pictures = [picture for argument in images for picture in open_argument(argument)]
    if any(isinstance(source, Paths) for _, source in pictures):
        if len(images) > 1 or explain is not None:
            raise UsageError(
                "standard input holds no picture, and paths there go with no other picture, nor with --explain"
            )
        adders, paths = load(), read_paths()
        if (first := next(paths, None)) is None:
            complain(NAME, "standard input is empty: no picture was asked")
            return 0
        return answer_stream(adders, chain([first], paths), one, show, min_confidence)
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


def answer_each(
    adders: Sequence[Adder], pictures: Sequence[tuple[str, Source]], number: int
) -> Iterator[list[Answer] | AdderError]:
    """What each model answers to each picture, or the first error that it met, in order.

    Where one of two models sees nothing to read, the error also tells what the other answers.

    Args:
        adders: one model or two; with two, each picture is read twice.
        pictures: as `open_argument` gives them.
        number: 0 to 9.
    """
    sources = [source for _, source in pictures if not isinstance(source, ImageError | Paths)]
    by_model = zip(*(adder.predict_each(sources, number) for adder in adders), strict=True)
    for _, source in pictures:
        if isinstance(source, ImageError):
            yield source
            continue
        pairs = list(zip(adders, next(by_model), strict=True))
        refused = [(adder, each) for adder, each in pairs if isinstance(each, AdderError)]
        read = [(adder, each) for adder, each in pairs if isinstance(each, Answer)]
        if refused and read:
            (one, error), (other, answer) = refused[0], read[0]
            told = f"{other} answers {answer.digit}, and {answer.sum} as the sum: they DISAGREE"
            yield NothingToReadError(f"{error}; so says {one}, but {told}")
        else:
            yield refused[0][1] if refused else [answer for _, answer in read]


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
