"""Writes the README's tables from what lies under artifacts/: no figure in them is typed by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ARTIFACTS = ROOT / "artifacts"
APPROACHES = ("classify", "regress")


def read(name: str) -> dict[str, Any]:
    """A JSON file of the artifacts."""
    return dict(json.loads((ARTIFACTS / name).read_text()))


def table(header: str, rows: list[list[str]]) -> str:
    """A Markdown table; `header` separates its columns by `|`."""
    columns = header.split("|")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def results() -> str:
    """Both approaches by both recipes."""
    rows = []
    for approach in APPROACHES:
        for recipe in ("ours", "source"):
            stem = approach if recipe == "ours" else f"{approach}-source"
            facts = read(f"reports/{stem}/facts.json")
            test = facts["test"]
            rows.append(
                [
                    approach,
                    recipe,
                    f"{facts['parameters']:,}",
                    str(facts["epochs"]),
                    f"{facts['seconds']:,.0f}",
                    f"{test['loss']:.3f}",
                    f"{test['digit_accuracy']:.2%}",
                    f"{test['sum_accuracy']:.2%}",
                ]
            )
    return table("approach | recipe | parameters | epochs | seconds | loss | digit right | sum right", rows)


def files() -> str:
    """The model files and what their certificates say."""
    rows = []
    for approach in APPROACHES:
        certificate = read(f"{approach}.certificate.json")
        kinds = certificate["providers"]["cpu"]
        pairs = sum(kind["pairs"] for kind in kinds.values())
        flips = sum(sum(kind["label_flips"].values()) for kind in kinds.values())
        difference = max(max(kind["largest_difference"].values()) for kind in kinds.values())
        share = max(kind["largest_difference_by_margin"] for kind in kinds.values())
        rows.append(
            [
                f"`{approach}.onnx`",
                f"{certificate['model']['bytes'] / 1000:.0f} KB",
                f"{kinds['mnist_test']['sum_accuracy']:.2%}",
                f"{pairs:,}",
                str(flips),
                f"{difference:.1e}",
                f"{share:.2%}",
            ]
        )
    head = "file | size | sum right on MNIST's test pairs | pairs compared | labels that differ"
    return table(f"{head} | largest difference | largest share of what would flip a label", rows)


def stacking() -> str:
    """What is stacked beside the number, and how right the sum then is."""
    facts = read("reports/regress/stacking.json")
    rows = [
        [kind["stack"], f"{kind['sum_accuracy']:.2%}", f"{kind['mean_squared_error']:.3f}"] for kind in facts["kinds"]
    ]
    return table("stacked beside the number | sum right | mean squared error", rows)


def sureness() -> str:
    """How far the confidence of both approaches can be believed, over the test pairs."""

    def percent(share: float | None) -> str:
        return "-" if share is None else f"{share:.2%}"

    rows = []
    for approach in APPROACHES:
        test = read(f"reports/{approach}/facts.json")["test"]
        shares = ("sum_accuracy", "sum_accuracy_at_99", "calibration_error", "error_consistent", "error_inconsistent")
        inconsistent = None if test["consistent_share"] is None else 1 - test["consistent_share"]
        rows.append([approach, *(percent(test[share]) for share in shares), percent(inconsistent)])
    head = "approach | sum right | of the surest 99% | calibration error | wrong where consistent | wrong where not"
    return table(f"{head} | not consistent", rows)


def side_by_side(part: str, *figures: tuple[str, str, str]) -> str:
    """A part of both reports' facts, a row for each kind of picture.

    Args:
        part: key of the facts.
        figures: of each the key, the format, and the heading.
    """
    first, second = (read(f"reports/{approach}/facts.json")[part] for approach in APPROACHES)
    rows = []
    for kind in first:
        cells = [
            format(facts[kind][key], style) if key in facts[kind] else "-"
            for key, style, _ in figures
            for facts in (first, second)
        ]
        rows.append([kind, f"{first[kind]['pictures']:,}", *cells])
    heads = [f"{head}, {approach}" for _, _, head in figures for approach in APPROACHES]
    return table(" | ".join(["kind", "pictures", *heads]), rows)


def ratios() -> str:
    """What the runtime costs beside bare means."""
    facts = read("bench/report.json")
    rows = [
        [
            each["name"],
            f"{each['ratio']:.2f}",
            f"{each['low']:.2f} to {each['high']:.2f}",
            str(each["runs"]),
            f"{'at most' if each['at_most'] else 'at least'} {each['wanted']:.2f}",
        ]
        for each in facts["ratios"]
    ]
    peak = facts["peak_of_12_megapixels"]
    rows.append(["peak memory on 12 megapixels RGB / the array", f"{peak:.2f}", "-", "1", "at most 4.00"])
    return table("ratio | median | quartiles | runs | wanted", rows)


def models() -> str:
    """Size and speed of each model file."""
    rows = [
        [
            f"{each['approach']} {each['precision']}",
            each["provider"],
            f"{each['bytes'] / 1000:.0f} KB",
            f"{each['accuracy']['sum_accuracy']:.2%}",
            f"{each['load_ms']:.0f} ms",
            f"{each['p50_ms']:.2f} / {each['p99_ms']:.2f} ms",
            *(f"{speed:,.0f}" for speed in each["pictures_per_second"].values()),
            f"{each['peak_bytes'] / 1e6:.0f} MB",
        ]
        for each in read("bench/report.json")["models"]
    ]
    batches = " | ".join(f"a second, {batch} at a time" for batch in (1, 8, 64, 256))
    return table(f"model | provider | size | sum right | load | p50 / p99 | {batches} | peak of the process", rows)


def rendered() -> str:
    """Validation digits written and photographed by the program."""
    return side_by_side("rendered", ("digit_accuracy", ".1%", "digit right"))


def unknown() -> str:
    """Pictures that show no digit."""
    return side_by_side("unknown", ("unread", ".2%", "nothing read"), ("auroc", ".4f", "AUROC"))


def handwriting() -> str:
    """Collections of other people's digits, as `adder-measure --json` found them."""
    rows = []
    for approach in APPROACHES:
        facts = read(f"reports/handwriting/{approach}.json")
        for name, group in facts["groups"].items():
            rows.append(
                [
                    approach,
                    name,
                    f"{group['pictures']:,}",
                    f"{group['digit_accuracy']:.2%}",
                    f"{group['sum_accuracy']:.2%}",
                    f"{group['calibration_error']:.2%}",
                ]
            )
    return table("approach | pictures | how many | digit right | sum right | calibration error", rows)


TABLES = {
    "results": results,
    "files": files,
    "handwriting": handwriting,
    "rendered": rendered,
    "sureness": sureness,
    "unknown": unknown,
    "stacking": stacking,
    "ratios": ratios,
    "models": models,
}


def filled(text: str) -> str:
    """The README with each table between its markers made anew."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
        assert pattern.search(text), f"the README has no {begin}"
        text = pattern.sub(f"{begin}\n{make()}\n{end}".replace("\\", r"\\"), text)
    return text


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text()))
