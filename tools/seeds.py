"""Gathers what runs with other seeds came to, for the README's table. Usage: python tools/seeds.py FOLDER...

Each folder is one that `adder-train --seed N --test --out FOLDER` has filled, with both approaches.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "artifacts" / "reports" / "seeds.json"

APPROACHES = ("classify", "regress")


def gather(folders: list[Path]) -> dict[str, Any]:
    """Of each approach the seed and what was measured, a run for each folder that holds one."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for approach in APPROACHES:
        for folder in folders:
            path = folder / "reports" / approach / "facts.json"
            if path.exists():
                facts = json.loads(path.read_text())
                kept = {
                    split: {key: facts[split][key] for key in ("digit_accuracy", "sum_accuracy", "calibration_error")}
                    for split in ("validation", "test")
                }
                runs.setdefault(approach, []).append({"seed": facts["seed"], "revision": facts["revision"], **kept})
    return {"runs": {approach: sorted(found, key=lambda run: run["seed"]) for approach, found in runs.items()}}


if __name__ == "__main__":
    OUT.write_text(json.dumps(gather([Path(name) for name in sys.argv[1:]]), indent=2) + "\n")
