"""What adder-infer prints of an answer: a line for a person, or one object for a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from adder_runtime.errors import AdderError
from adder_runtime.model import Adder, Answer
from adder_runtime.speech import falls_short, how_sure, one_line, say

Show = Callable[[str, int, Sequence[Adder], Sequence[Answer] | AdderError, float | None], None]
"""Prints what was answered."""


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
    say(one_line(f"{name}: {warning}{'; '.join(parts)}"))


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
