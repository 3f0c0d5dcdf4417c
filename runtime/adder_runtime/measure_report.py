"""What measuring leaves: facts for programs, and a folder with charts and a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from adder_runtime.charts import draw_confusion, draw_mistakes, draw_reliability, draw_risk
from adder_runtime.contract import Key
from adder_runtime.drawing import encode
from adder_runtime.errors import OutputError
from adder_runtime.measure import (
    COLUMN_NAMES,
    Failed,
    Measured,
    answers_of,
    confusion,
    mistakes_of,
    summarise,
    summarise_groups,
    table_rows,
)
from adder_runtime.model import Adder
from adder_runtime.output_file import write_json, write_whole
from adder_runtime.speech import one_line

FACTS = "report.json"

CHARTS = ("confusion.png", "reliability.png", "risk_coverage.png")

EXPLAINED = (
    "An answer is a picture with a number. A picture in which nothing was found to read counts as wrong, with a "
    "confidence of 0; one that could not be opened counts in no share. *ECE*, the expected calibration error, is how "
    "far the confidence of the answers is from the share of them that is right. *Risk at 95%* is the share of wrong "
    "sums among the surest 95% of the answers."
)


def gather_facts(
    adder: Adder,
    source: Path,
    numbers: Sequence[int],
    found: Sequence[Measured | Failed],
    unlabelled: Sequence[Path],
) -> dict[str, Any]:
    """All that was measured, ready for JSON.

    Args:
        adder: what was measured.
        source: the folder or table of the pictures.
        numbers: each picture was asked with.
        found: of each labelled picture.
        unlabelled: pictures that were left out.
    """
    measured = [each for each in found if isinstance(each, Measured)]
    return {
        "source": str(source),
        "model": {
            "file": adder.path.name,
            "approach": str(adder.approach),
            "precision": str(adder.precision),
            "provider": str(adder.provider),
            "checkpoint_sha256": adder.metadata[Key.CHECKPOINT],
        },
        "numbers": list(numbers),
        "all": summarise(found).to_dict(),
        "groups": {name: summary.to_dict() for name, summary in summarise_groups(found).items()},
        "confusion": confusion(measured).tolist(),
        "mistakes": [_mistake(each) for each in mistakes_of(measured)],
        "failed": [
            {"image": str(each.picture.path), "error": str(each.error)} for each in found if isinstance(each, Failed)
        ],
        "unlabelled": [str(path) for path in unlabelled],
    }


def _mistake(mistake: Measured) -> dict[str, Any]:
    worst = mistake.worst
    return {
        "image": str(mistake.picture.path),
        "shown": mistake.picture.digit,
        "number": int(mistake.number[worst]),
        "digit": int(mistake.digit[worst]),
        "sum": int(mistake.sum[worst]),
        "confidence": float(mistake.confidence[worst]),
        "wrong_answers": int(mistake.wrong.sum()),
    }


def check_folder(folder: Path, *, force: bool) -> None:
    """Make sure that a report can go to a folder, before the work is done.

    Raises:
        OutputError: a file is in the way, or a report is there and not to be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, wanted a folder; give another folder with --out")
    if (folder / FACTS).exists() and not force:
        raise OutputError(f"{folder / FACTS} is there; replace it with --force, or give another --out")


def write_report(folder: Path, adder: Adder, facts: dict[str, Any], found: Sequence[Measured | Failed]) -> None:
    """Write the folder: report.json, README.md, charts, and pages of all mistakes; each file whole or not at all.

    Args:
        folder: made where it is missing; what an earlier report had drawn and this one has not is removed.
        adder: what was measured.
        facts: as `gather_facts` gives them.
        found: of each labelled picture.

    Raises:
        OutputError: a file cannot be written.
    """
    write_json(folder / FACTS, facts)
    names = []
    for name, picture in draw_all(adder, [each for each in found if isinstance(each, Measured)]):
        write_whole(folder / name, picture)
        names.append(name)
    for earlier in (*folder.glob("mistakes-[0-9]*.png"), *(folder / name for name in CHARTS)):
        if earlier.name not in names:
            with suppress(OSError):
                earlier.unlink()
    # a name may be no text
    write_whole(folder / "README.md", page_of(facts, table_of(found), names).encode(errors="backslashreplace"))


def draw_all(adder: Adder, measured: Sequence[Measured]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the pictures in a report."""
    if not measured:
        return
    answers = answers_of(measured)
    images = draw_confusion(confusion(measured)), draw_reliability(*answers), draw_risk(*answers)
    yield from zip(CHARTS, map(encode, images), strict=True)
    for page, image in enumerate(draw_mistakes(adder, mistakes_of(measured)), 1):
        yield f"mistakes-{page}.png", encode(image)


def table_of(found: Sequence[Measured | Failed]) -> list[list[str]]:
    """The table that people read, its head first."""
    return [list(COLUMN_NAMES), *table_rows(summarise(found), summarise_groups(found))]


def page_of(facts: dict[str, Any], table: Sequence[Sequence[str]], names: Sequence[str]) -> str:
    """The page that joins the figures and the pictures, in Markdown."""
    head, *rows = table
    lines = [head, ["---"] * len(head), *rows]
    model, numbers = facts["model"], facts["numbers"]
    asked = "each of the ten numbers" if len(numbers) > 1 else f"the number {numbers[0]}"
    parts = [
        f"# {model['approach']} measured on {facts['source']}",
        f"`{model['file']}` on {model['provider']}, each picture asked with {asked}.",
        "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines),
        EXPLAINED,
        *(f"![{name.removesuffix('.png')}]({name})" for name in names),
    ]
    for title, key in (("Could not be read", "failed"), ("Left out, no label", "unlabelled")):
        if facts[key]:
            items = [each["error"] if isinstance(each, dict) else each for each in facts[key]]
            parts.append(f"## {title}\n\n" + "\n".join(f"- {one_line(item)}" for item in items))
    return "\n\n".join(parts) + "\n"
