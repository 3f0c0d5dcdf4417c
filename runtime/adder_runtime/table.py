"""What adder-infer does with --out: many pictures into a table, with a bar, and what it tells of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from adder_runtime.errors import EXIT_SOME_FAILED, EXIT_UNSURE
from adder_runtime.job import run_job
from adder_runtime.model import Adder
from adder_runtime.progress import bar
from adder_runtime.sources import NAME
from adder_runtime.speech import say

READERS = 2
"""Threads that read pictures, and as many that answer them, unless told otherwise."""


def write_table(
    adder: Adder,
    names: Sequence[str],
    numbers: Sequence[int],
    out: Path,
    least: float | None,
    readers: int | None,
    force: bool,
    as_json: bool,
) -> int:
    """Answer many pictures into a table, with a bar, and tell what it holds; the exit code."""
    with bar(NAME, len(names)) as advance:
        totals = run_job(
            adder,
            names,
            numbers,
            out,
            least=least,
            readers=readers or READERS,
            force=force,
            on_progress=advance,
            on_found=advance.found,
        )
    failed = totals.failed.total()
    if as_json:
        told = {"out": str(out), "pictures": totals.pictures, "answered": totals.answered, "unsure": totals.unsure}
        say(json.dumps(told | {"failed": totals.failed, "digits": dict(sorted(totals.digits.items()))}))
    else:
        say(f"{out}: {totals.pictures:,} pictures, {totals.answered:,} answered, {totals.unsure:,} unsure")
        if totals.digits:
            say("digits: " + ", ".join(f"{count:,} of {digit}" for digit, count in sorted(totals.digits.items())))
        if failed:
            codes = ", ".join(f"{count:,} with exit code {code}" for code, count in sorted(totals.failed.items()))
            say(f"failed: {failed:,} ({codes}), each with its reason in the column error")
    if failed:
        return EXIT_SOME_FAILED if totals.answered else int(min(totals.failed))
    return EXIT_UNSURE if totals.unsure else 0
