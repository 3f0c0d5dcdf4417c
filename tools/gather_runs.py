"""Gathers what runs with other seeds and other shares of photos came to, for the README's tables and its curve.

python tools/gather_runs.py FOLDER...

Each folder is one that `adder-train --test --out FOLDER` has filled, with a `--seed` or a `--photo-share` of its own,
and with one approach or both.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter

from adder_runtime.output_file import write_whole
from adder_trainer.report import to_png

OUT = Path(__file__).parents[1] / "artifacts" / "reports" / "runs.json"

CURVE = OUT.with_name("trade.png")

APPROACHES = ("classify", "regress")

LEAST = 5e-4
"""Where nothing is wrong it is drawn here, at half a picture of 1,000, with a tick that says "none": no error has no
place on a logarithmic axis."""


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


def draw_trade(runs: list[dict[str, Any]]) -> Figure:
    """What is wrong of MNIST and of rendered pictures, over the share of each batch that is rendered."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    shares = [run["photo_share"] for run in runs]
    is_none = False
    for name, colour, wrong in (
        ("digit, rendered validation pictures", "#c44e22", [1 - run["rendered"]["digit_accuracy"] for run in runs]),
        ("blank paper that is answered", "#6f6f6f", [1 - run["blank"]["unread"] for run in runs]),
        ("sum, MNIST validation", "#7fb2e0", [1 - run["validation"]["sum_accuracy"] for run in runs]),
        ("sum, MNIST test", "#0b5fa5", [1 - run["test"]["sum_accuracy"] for run in runs]),
    ):
        axes.plot(shares, [max(share, LEAST) for share in wrong], "o-", color=colour, label=name)
        is_none |= min(wrong) == 0
    axes.set(yscale="log", xlabel="share of each batch that is rendered", ylabel="wrong")
    axes.set_xticks(shares)
    axes.set_yticks([0.001, 0.003, 0.01, 0.03, 0.1])
    for axis, decimals in ((axes.xaxis, 0), (axes.yaxis, 1)):
        axis.set_major_formatter(PercentFormatter(1, decimals))
    axes.yaxis.set_minor_formatter(NullFormatter())
    if is_none:
        ticks = axes.get_yticks().tolist()
        axes.set_yticks([LEAST, *ticks], ["none", *(f"{share:.1%}" for share in ticks)])
        axes.axhline(LEAST, color="#b0b0b0", linestyle=":", linewidth=1, zorder=0)
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    from readme_tables import by_share  # its neighbour

    gathered = json.loads(OUT.read_text()) if OUT.exists() else {"runs": {}}
    gathered = gather([Path(name) for name in sys.argv[1:]], gathered)
    OUT.write_text(json.dumps(gathered, indent=2) + "\n")
    write_whole(CURVE, to_png(draw_trade(by_share(gathered["runs"]["classify"]))))
