"""The report of a run holds what it says, and its page leads to all of it."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from adder_runtime.contract import Approach
from adder_runtime.errors import OutputError
from adder_trainer.approaches import build
from adder_trainer.confidence import draw_reliability
from adder_trainer.data import Digits
from adder_trainer.evaluation import Evaluation, confusion, evaluate
from adder_trainer.findings import Findings, find
from adder_trainer.options import RecipeName
from adder_trainer.report import draw_confusion, draw_mistakes, write_report
from adder_trainer.report_page import command, page
from adder_trainer.training import RECIPES, Epoch, Speed

FILES = (
    "history.csv", "facts.json", "curves.png", "confusion_digits.png", "confusion_sums.png", "mistakes.png",
    "reliability.png", "risk_coverage.png", "rendered.png", "unknown.png", "augmentations.png",
)  # fmt: skip

USUAL = RECIPES[RecipeName.OURS, Approach.CLASSIFY]

FACTS: dict[str, Any] = {
    "approach": "classify",
    "recipe": "ours",
    "seed": 3,
    "epochs": USUAL.epochs,
    "parameters": 127_853,
    "seconds": 12.3,
    "temperature": 1.25,
    "device": "cpu",
    "cores": 2,
    "versions": {"torch": "2.0"},
    "revision": "abc",
    "settings": asdict(USUAL) | {"options": {}},
    "speed": asdict(Speed()),
    "rendered": {
        "photo": {"pictures": 200, "digit_accuracy": 0.9, "sum_accuracy": 0.8, "unread": 0.05, "ink_alone": 0.97},
        "all": {
            "pictures": 1400,
            "digit_accuracy": 0.95,
            "sum_accuracy": 0.85,
            "unread": 0.025,
            "ink_alone": 0.98,
            "calibration_error": 0.125,
        },
    },
    "unchanged": {
        "as they are": {
            "pictures": 30,
            "mean_difference": 0.0,
            "same_digit": 1.0,
            "digit_accuracy": 0.75,
            "unread": 0.0,
        },
    },
    "unknown": {
        "MNIST's digits": {"pictures": 5000, "unread": 0.0},
        "letters": {"pictures": 240, "unread": 0.5, "auroc": 0.875},
    },
    "validation": {
        "images": 30,
        "pairs": 300,
        "loss": 0.5,
        "digit_accuracy": 0.75,
        "sum_accuracy": 0.5,
        "unread": 0.0,
        "calibration_error": 0.0125,
        "sum_accuracy_at_99": 0.505,
        "consistent_share": 0.9,
        "error_consistent": 0.02,
        "error_inconsistent": 0.8,
    },
}

HISTORY = [Epoch(1, 0.1, 2.0, 0.5, 0.25, 1.0, 0.75, 0.5, 3.0), Epoch(2, 0.0, 1.0, 0.75, 0.5, 0.5, 1.0, 1.0, 3.5)]


@pytest.fixture(scope="module")
def digits() -> Digits:
    generator = torch.Generator().manual_seed(0)
    return Digits(torch.rand(30, 1, 28, 28, generator=generator), torch.arange(30) % 10)


@pytest.fixture(scope="module")
def found(digits: Digits, few_pictures: None) -> Findings:
    torch.manual_seed(0)
    return find(build(Approach.CLASSIFY), digits, 1.0)


@pytest.fixture(scope="module")
def evaluation(found: Findings) -> Evaluation:
    return found.validation


@pytest.fixture(scope="module")
def perfect(digits: Digits, evaluation: Evaluation) -> Evaluation:
    digit = digits.digit[:, None].expand(-1, 10)
    total = digit + torch.arange(10)
    return replace(
        evaluation,
        answers=evaluation.answers._replace(digit=digit.int(), sum=total.int()),
        right=torch.ones(30, 10, dtype=torch.bool),
        digit_confusion=confusion(digit, digit, 10),
        sum_confusion=confusion(total, total, 19),
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, digits: Digits, found: Findings) -> Path:
    folder = tmp_path_factory.mktemp("run") / "reports" / "classify"
    write_report(folder, facts=FACTS, history=HISTORY, found=found, digits=digits)
    return folder


def captions(evaluation: Evaluation, digits: Digits) -> list[str]:
    return [axes.get_title() for axes in draw_mistakes(evaluation, digits).axes if axes.get_title()]


def test_report_holds_its_files_and_a_page_that_leads_to_them(report: Path) -> None:
    assert {path.name for path in report.iterdir()} == {*FILES, "README.md"}
    text = (report / "README.md").read_text()
    assert set(re.findall(r"\]\(([^)]+)\)", text)) == set(FILES)
    assert "| validation | 30 | 300 | 0.5000 | 75.00% | 50.00% |" in text
    assert "| validation | 50.00% | 1.25% | 50.50% |" in text
    assert "| validation | 90.00% | 2.00% | 80.00% | 40 times |" in text
    assert "| photo | 200 | 90.00% | 97.00% | 80.00% | 5.00% | - |" in text
    assert "| all | 1,400 | 95.00% | 98.00% | 85.00% | 2.50% | 12.50% |" in text
    assert "| MNIST's digits | 5,000 | 0.00% | - |" in text
    assert "test digits" not in text
    assert "| letters | 240 | 50.00% | 0.8750 |" in text
    assert "| as they are | 30 | 0.0000 | 100.00% | 75.00% | 0.00% |" in text
    assert f"127,853 parameters, {USUAL.epochs} epochs" in text
    assert "| augment | yes |" in text
    assert "    adder-train --approach classify --recipe ours --seed 3\n" in text
    assert str(report.parents[1]) not in text
    for name in FILES[2:]:  # the pictures
        with Image.open(report / name) as image:
            assert image.format == "PNG"
            assert image.width >= 400
    assert json.loads((report / "facts.json").read_text()) == FACTS


def test_same_run_leaves_the_same_bytes(tmp_path: Path, report: Path, digits: Digits, found: Findings) -> None:
    # as a checkpoint's header gives them back: in another order
    again = json.loads(json.dumps(FACTS, sort_keys=True))
    write_report(tmp_path, facts=again, history=HISTORY, found=found, digits=digits)
    for name in {*FILES, "README.md"} - {"facts.json"}:
        assert (tmp_path / name).read_bytes() == (report / name).read_bytes()


def test_report_without_history_leaves_what_training_wrote(
    tmp_path: Path, report: Path, digits: Digits, found: Findings
) -> None:
    shutil.copytree(report, tmp_path / "again")
    kept = {"history.csv", "curves.png"}
    for name in kept:
        (tmp_path / "again" / name).write_text(f"the {name} of the training")
    (tmp_path / "again" / "unknown.png").unlink()
    anew = FACTS | {"rendered": {"scan": FACTS["rendered"]["photo"]}}
    write_report(tmp_path / "again", facts=anew, history=None, found=found, digits=digits)
    assert {(tmp_path / "again" / name).read_text() for name in kept} == {
        f"the {name} of the training" for name in kept
    }
    assert json.loads((tmp_path / "again" / "facts.json").read_text()) == anew
    for name in {*FILES} - kept - {"facts.json"}:
        assert (tmp_path / "again" / name).read_bytes() == (report / name).read_bytes()
    text = (report / "README.md").read_text()
    photo = "| photo | 200 | 90.00% | 97.00% | 80.00% | 5.00% | - |"
    total = "| all | 1,400 | 95.00% | 98.00% | 85.00% | 2.50% | 12.50% |"
    wanted = text.replace(f"{photo}\n{total}", photo.replace("photo", "scan"))
    assert (tmp_path / "again" / "README.md").read_text() == wanted


def test_page_leads_to_no_curves_where_there_are_none(tmp_path: Path, digits: Digits, found: Findings) -> None:
    write_report(tmp_path, facts=FACTS, history=None, found=found, digits=digits)
    linked = set(re.findall(r"\]\(([^)]+)\)", (tmp_path / "README.md").read_text()))
    assert linked == {path.name for path in tmp_path.iterdir()} - {"README.md"}
    assert linked.isdisjoint({"history.csv", "curves.png"})


def test_test_images_have_a_row_and_a_chart_where_they_were_measured(
    tmp_path: Path, digits: Digits, found: Findings
) -> None:
    facts = FACTS | {"test": FACTS["validation"] | {"images": 10_000, "unread": 0.0005}}
    write_report(tmp_path, facts=facts, history=None, found=replace(found, test=found.validation), digits=digits)
    text = (tmp_path / "README.md").read_text()
    known, test, *_ = re.findall(r"^\| MNIST's .*", text[text.index("## Pictures of no digit") :], re.MULTILINE)
    assert known == "| MNIST's digits | 5,000 | 0.00% | - |"
    assert test == "| MNIST's test digits | 10,000 | 0.05% | - |"
    assert "![how often answers of a confidence are right, test](reliability_test.png)" in text
    charts = [(tmp_path / f"{name}.png").read_bytes() for name in ("reliability", "reliability_test")]
    assert charts[0] != charts[1]  # their titles
    above, _ = draw_reliability(found.validation, "test images").axes
    assert above.get_title().endswith("300 answers of the test images")


def test_chart_of_an_earlier_networks_test_images_goes(tmp_path: Path, digits: Digits, found: Findings) -> None:
    chart = tmp_path / "reliability_test.png"
    chart.write_bytes(b"of an earlier network")
    write_report(tmp_path, facts=FACTS, history=HISTORY, found=found, digits=digits)
    assert not chart.exists()
    assert chart.name not in (tmp_path / "README.md").read_text()


def test_page_of_a_run_whose_stacking_is_explained_shows_it(evaluation: Evaluation) -> None:
    beside = {"stacking.png", "stacking.json"}
    shown, not_shown = (page(FACTS, evaluation, names) for names in (beside, set()))
    assert set(re.findall(r"\]\((stacking[^)]+)\)", shown)) == beside
    assert "--explain-stacking" in shown
    assert "stacking" not in not_shown


def test_checkpoint_of_before_a_setting_has_a_page_without_it(evaluation: Evaluation) -> None:
    settings = {name: value for name, value in FACTS["settings"].items() if name != "photo_share"}
    before, now = (page(facts, evaluation, set()) for facts in (FACTS | {"settings": settings}, FACTS))
    assert before == now.replace(f"| photo share | {USUAL.photo_share} |\n", "")
    assert before != now


def test_history_has_a_row_for_each_epoch_under_its_names(report: Path) -> None:
    with (report / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [field.name for field in fields(Epoch)]
    assert [
        Epoch(int(row.pop("epoch")), **{key: float(value) for key, value in row.items()}) for row in rows
    ] == HISTORY


def test_command_names_what_differs_from_the_recipe_and_the_defaults() -> None:
    facts = FACTS | {
        "settings": FACTS["settings"] | {"epochs": 2, "learning_rate": 0.5, "photo_share": 0.3},
        "speed": {"autocast": True, "channels_last": False, "compiled": True},
        "test": FACTS["validation"],
    }
    assert command(facts) == (
        "adder-train --approach classify --recipe ours --seed 3 --epochs 2 --lr 0.5 --photo-share 0.3 "
        "--autocast --no-channels-last --compile --test"
    )


def test_mistakes_come_by_wrong_numbers_and_then_by_confidence(digits: Digits, perfect: Evaluation) -> None:
    total, read = perfect.answers.sum.clone(), perfect.answers.digit.clone()
    total[3, 4], read[3, 4] = 12, 8  # one number wrong
    total[5, :2], read[5, :2] = torch.tensor([3, 4]), 3  # two numbers wrong, less sure
    total[7, 1:3], read[7, 1:3] = torch.tensor([2, 3]), 1  # two numbers wrong, surer
    confidence = torch.full_like(perfect.answers.confidence, 0.999)
    confidence[3, 4], confidence[5, :2], confidence[7, 1:3] = 0.98, torch.tensor([0.4, 0.5]), torch.tensor([0.9, 0.8])
    spoiled = replace(
        perfect,
        answers=perfect.answers._replace(digit=read, sum=total, confidence=confidence),
        right=total == perfect.answers.sum,
    )
    assert captions(spoiled, digits) == [
        "7 → 1, 2 of 10 wrong\n7+1=8, said 2 (90 %)",
        "5 → 3, 2 of 10 wrong\n5+1=6, said 4 (50 %)",
        "3 → 8, 1 of 10 wrong\n3+4=7, said 12 (98 %)",
    ]


def test_contact_sheet_ends_at_forty() -> None:
    generator = torch.Generator().manual_seed(1)
    many = Digits(torch.rand(60, 1, 28, 28, generator=generator), torch.arange(60) % 10)
    torch.manual_seed(0)
    measured = evaluate(build(Approach.CLASSIFY), many)
    assert (measured.wrong_numbers > 0).sum().item() > 40
    assert len(captions(measured, many)) == 40


def test_run_without_mistakes_has_a_sheet_that_says_so(
    tmp_path: Path, digits: Digits, found: Findings, perfect: Evaluation
) -> None:
    write_report(tmp_path, facts=FACTS, history=HISTORY, found=replace(found, validation=perfect), digits=digits)
    assert "0 of 30 pictures have a wrong sum" in (tmp_path / "README.md").read_text()
    assert [text.get_text() for text in draw_mistakes(perfect, digits).texts] == [
        "no picture of the validation split has a wrong sum"
    ]
    with Image.open(tmp_path / "mistakes.png") as image:
        assert image.height <= 100


def test_confusion_writes_each_count_in_the_cell_of_truth_and_answer() -> None:
    counts = np.diag(np.full(10, 500))
    counts[3, 8] = 7
    cells = {text.get_position(): text.get_text() for text in draw_confusion(counts, "digit").axes[0].texts}
    assert cells == {(label, label): "500" for label in range(10)} | {(8, 3): "7"}


def test_folder_that_cannot_be_made_is_named(tmp_path: Path, digits: Digits, found: Findings) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/report/history\.csv cannot be written"):
        write_report(tmp_path / "file" / "report", facts=FACTS, history=HISTORY, found=found, digits=digits)
