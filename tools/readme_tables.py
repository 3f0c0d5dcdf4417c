"""Writes the tables of the README and of the model card from what lies under artifacts/: no figure is typed by hand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

from adder_runtime.bench_text import many_rows, model_rows, ratio_rows
from adder_runtime.contract import (
    CONTRACT_VERSION,
    INPUTS,
    KEY_MEANINGS,
    Approach,
    Key,
    outputs,
    sum_scores,
)

ROOT = Path(__file__).parents[1]
ARTIFACTS = ROOT / "artifacts"
APPROACHES = ("classify", "regress")

FOLDERS = ("folder: drawn", "folder: sheet", "folder: paint")
"""Kinds of the certificates that are handwriting."""


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


def variants() -> str:
    """The files of each precision: what is smaller, and what it costs."""
    rows = []
    for approach in APPROACHES:
        whole = read(f"{approach}.certificate.json")["model"]["bytes"]
        for suffix in ("", ".fp16", ".int8"):
            certificate = read(f"{approach}{suffix}.certificate.json")
            kinds = certificate["providers"]["cpu"]
            flips = [sum(kind["label_flips"][label] for kind in kinds.values()) for label in ("digit", "sum")]
            folders = [f"{kinds[name]['sum_accuracy']:.2%}" if name in kinds else "-" for name in FOLDERS]
            size = certificate["model"]["bytes"]
            right = f"{kinds['mnist_test']['sum_accuracy']:.2%}"
            cells = [f"{size / 1000:.0f} KB", f"{size / whole:.0%}", right, *folders]
            rows.append([f"`{certificate['model']['file']}`", *cells, *map(str, flips)])
    heads = " | ".join(name.partition(": ")[2] for name in FOLDERS)
    head = f"file | size | of float32's | sum right on MNIST | {heads} | digits that differ | sums that differ"
    return table(head, rows)


def seeds() -> str:
    """How much the seed decides."""
    rows = []
    for approach, runs in read("reports/runs.json")["runs"].items():
        share = read(f"reports/{approach}/facts.json")["settings"]["photo_share"]
        alike = [run for run in runs if run["photo_share"] == share]
        cells = []
        for split in ("validation", "test"):
            found = [run[split]["sum_accuracy"] for run in alike]
            cells += [" ".join(f"{each:.2%}" for each in found), f"{sum(found) / len(found):.2%}"]
            cells.append(f"{max(found) - min(found):.2%}" if len(found) > 1 else "-")
        rows.append([approach, " ".join(str(run["seed"]) for run in alike), *cells])
    head = "approach | seeds | sum right, validation | mean | spread | sum right, test | mean | spread"
    return table(head, rows)


def by_share(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of one seed, the one with most runs, by their share of rendered pictures."""
    seed, _ = Counter(run["seed"] for run in runs).most_common(1)[0]
    return sorted((run for run in runs if run["seed"] == seed), key=lambda run: run["photo_share"])


def trade() -> str:
    """What the share of rendered pictures costs on MNIST and gains on pictures of paper."""
    rows = [
        [
            f"{run['photo_share']:.0%}",
            *(f"{run[split]['sum_accuracy']:.2%}" for split in ("validation", "test")),
            f"{run['rendered']['digit_accuracy']:.1%}",
            f"{run['blank']['unread']:.1%}",
        ]
        for run in by_share(read("reports/runs.json")["runs"]["classify"])
    ]
    head = (
        "share of each batch | sum right, MNIST validation | sum right, MNIST test | digit right, rendered validation"
    )
    return table(f"{head} | blank paper refused", rows)


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


def side_by_side(part: Callable[[dict[str, Any]], dict[str, Any]], *figures: tuple[str, str, str]) -> str:
    """A part of both reports' facts, a row for each kind of picture.

    Args:
        part: of facts, figures by kind.
        figures: of each the key, the format, and the heading.
    """
    first, second = (part(read(f"reports/{approach}/facts.json")) for approach in APPROACHES)
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
    """What the runtime costs beside bare means, and whether that is what is wanted."""
    rows = [
        [*row[:-1], "**missed**" if row[-1] == "missed" else row[-1]] for row in ratio_rows(read("bench/report.json"))
    ]
    return table("ratio | median | quartiles | runs | wanted | which is", rows)


def missed() -> str:
    """Which of the wanted ratios are missed."""
    names = [f"*{row[0]}* ({row[1]}, {row[4]})" for row in ratio_rows(read("bench/report.json")) if row[-1] == "missed"]
    return "; ".join(names) or "none"


def models() -> str:
    """Size and speed of each model file."""
    head, *rows = model_rows(read("bench/report.json"))
    return table(" | ".join(head), rows)


def over_files() -> str:
    """A run over many files."""
    return table("a run over many files | figure", many_rows(read("bench/report.json")))


def bindings() -> str:
    """The examples, as the command that ran them found."""
    rows = [
        [
            f"[{name}](examples/{name})",
            f"{each['runtime']} {each['version']}",
            f"{each['passed']} of {each['cases']}",
            f"{each['worst']:.1%}",
            f"{each['ms']:.1f} ms",
            f"{each['bytes'] / 1e6:.0f} MB",
        ]
        for name, each in read("conformance/bindings.json").items()
    ]
    head = "program | runs on | cases passed | largest share of what is tolerated | a picture of 28x28 | size"
    return table(head, rows)


def rendered() -> str:
    """Validation digits written and photographed by the program."""
    return side_by_side(
        itemgetter("rendered"), ("digit_accuracy", ".1%", "digit right"), ("ink_alone", ".1%", "of its ink alone")
    )


def unknown() -> str:
    """Pictures that show no digit."""

    def part(facts: dict[str, Any]) -> dict[str, Any]:
        known, *groups = facts["unknown"].items()
        test = {"pictures": facts["test"]["images"], "unread": facts["test"]["unread"]}
        return dict([known, ("MNIST's test digits", test), *groups])

    return side_by_side(part, ("unread", ".2%", "nothing read"), ("auroc", ".4f", "AUROC"))


def unchanged() -> str:
    """Validation digits that pass through the normaliser."""
    return side_by_side(
        itemgetter("unchanged"), ("mean_difference", ".4f", "mean difference"), ("same_digit", ".2%", "same digit")
    )


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


def contract() -> str:
    """Inputs and outputs of a model file."""
    rows = []
    for specs, way in ((INPUTS, "in"), (outputs(Approach.CLASSIFY), "out")):
        for spec in specs:
            shapes, meaning = [spec.shape], spec.meaning
            if spec == sum_scores(Approach.CLASSIFY):  # the one output that hangs on the approach
                shapes = [sum_scores(approach).shape for approach in Approach]
                meaning = "; ".join(f"{approach}: {sum_scores(approach).meaning}" for approach in Approach)
            told = " or ".join(f"`[{', '.join(map(str, shape))}]`" for shape in shapes)
            rows.append([f"`{spec.name}` ({way})", f"{spec.dtype} {told}", meaning])
    return table("name | type and shape | meaning", rows)


def metadata() -> str:
    """Keys of a file's metadata."""
    return table("key | what", [[f"`{key}`", KEY_MEANINGS[key]] for key in Key])


TABLES = {
    "results": results,
    "files": files,
    "variants": variants,
    "seeds": seeds,
    "trade": trade,
    "handwriting": handwriting,
    "rendered": rendered,
    "sureness": sureness,
    "unknown": unknown,
    "unchanged": unchanged,
    "stacking": stacking,
    "ratios": ratios,
    "missed": missed,
    "models": models,
    "over_files": over_files,
    "bindings": bindings,
    "contract": contract,
    "metadata": metadata,
    "version": lambda: CONTRACT_VERSION,
}


DOCUMENTS = (ROOT / "README.md", ARTIFACTS / "README.md", ARTIFACTS / "CONTRACT.md")
"""The project's page, the model card, and the contract for those who write a binding."""


def filled(text: str) -> str:
    """A document with each table between its markers made anew."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
        if pattern.search(text):
            made = make()
            between = f"\n{made}\n" if made.startswith("|") else made  # a table, or a word in a sentence
            text = pattern.sub(f"{begin}{between}{end}".replace("\\", r"\\"), text)
    return text


if __name__ == "__main__":
    import contract_files  # its neighbour

    for path, content in contract_files.contents().items():
        path.write_text(content)
    for document in DOCUMENTS:
        document.write_text(filled(document.read_text()))
