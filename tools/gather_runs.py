"""Gathers what runs with other seeds and other shares of photos came to, for the README's tables.

python tools/gather_runs.py FOLDER...

Each folder is one that `adder-train --test --out FOLDER` has filled, with a `--seed` or a `--photo-share` of its own,
and with one approach or both.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "artifacts" / "reports" / "runs.json"

APPROACHES = ("classify", "regress")


def gather(folders: list[Path], before: dict[str, Any]) -> dict[str, Any]:
    """Of each approach what decided a run and what was measured, a run for each folder that holds one.

    Args:
        folders: to look in.
        before: what was gathered earlier; a run by the same seed and share is replaced.
    """
    runs = {}
    for approach in APPROACHES:
        found = {(run["photo_share"], run["seed"]): run for run in before["runs"].get(approach, [])}
        for folder in folders:
            path = folder / "reports" / approach / "facts.json"
            if path.exists():
                run = describe(json.loads(path.read_text()))
                found[run["photo_share"], run["seed"]] = run
        runs[approach] = [found[key] for key in sorted(found)]
    return {"runs": runs}


def describe(facts: dict[str, Any]) -> dict[str, Any]:
    """A run in short."""
    figures = ("digit_accuracy", "sum_accuracy", "calibration_error")
    return {
        "seed": facts["seed"],
        "photo_share": facts["settings"]["photo_share"],
        "revision": facts["revision"],
        **{split: {key: facts[split][key] for key in figures} for split in ("validation", "test")},
        "rendered": facts["rendered"]["all"],
        "blank": facts["unknown"]["blank: all"],
    }


if __name__ == "__main__":
    gathered = json.loads(OUT.read_text()) if OUT.exists() else {"runs": {}}
    OUT.write_text(json.dumps(gather([Path(name) for name in sys.argv[1:]], gathered), indent=2) + "\n")
