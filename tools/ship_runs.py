"""Makes the best of several runs what ships.

python tools/ship_runs.py FOLDER...

Each folder is one that `adder-train --out FOLDER` has filled, with one approach or both. Of each approach the run that
was right most often on the validation split, of two as good the first, is copied over artifacts/: its checkpoint and
its report. What is to stand in `options.SEEDS` is printed; a test holds the two together.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

ARTIFACTS = Path(__file__).parents[1] / "artifacts"

APPROACHES = ("classify", "regress")


def best(folders: list[Path], approach: str) -> tuple[Path, int, float] | None:
    """Folder, seed and validation accuracy of the sums (0 to 1) of the best run; None where no folder holds one."""
    found = []
    for folder in folders:
        path = folder / "reports" / approach / "facts.json"
        if path.exists():
            facts = json.loads(path.read_text())
            found.append((folder, facts["seed"], facts["validation"]["sum_accuracy"]))
    return max(found, key=lambda run: run[2], default=None)


def ship(folder: Path, approach: str) -> None:
    """Copy a run's checkpoint and report; what else lies in the report's folder stays."""
    shutil.copy2(folder / f"{approach}.safetensors", ARTIFACTS)
    shutil.copytree(folder / "reports" / approach, ARTIFACTS / "reports" / approach, dirs_exist_ok=True)


if __name__ == "__main__":
    for name in APPROACHES:
        run = best([Path(argument) for argument in sys.argv[1:]], name)
        if run is None:
            sys.stdout.write(f"{name}: no folder holds a run; what is there stays\n")
            continue
        ship(run[0], name)
        sys.stdout.write(f"{name}: seed {run[1]}, {run[2]:.2%} of the validation sums, from {run[0]}\n")
