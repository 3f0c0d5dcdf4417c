"""The report of a run holds what it says, and its page leads to all of it."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from adder_runtime.contract import Approach
from adder_trainer.approaches import build
from adder_trainer.data import Digits
from adder_trainer.evaluation import Evaluation, evaluate
from adder_trainer.report import write_report
from adder_trainer.training import Epoch

FILES = ("history.csv", "facts.json", "curves.png", "confusion_digits.png", "confusion_sums.png", "mistakes.png")

FACTS: dict[str, Any] = {
    "approach": "classify",
    "recipe": "ours",
    "seed": 3,
    "epochs": 2,
    "parameters": 126_829,
    "seconds": 12.3,
    "temperature": 1.25,
    "device": "cpu",
    "cores": 2,
    "versions": {"torch": "2.0"},
    "revision": "abc",
    "settings": {"epochs": 2, "batch_size": 128},
    "validation": {"pairs": 300, "loss": 0.5, "digit_accuracy": 0.75, "sum_accuracy": 0.5},
}

HISTORY = [Epoch(1, 0.1, 2.0, 0.5, 0.25, 1.0, 0.75, 0.5, 3.0), Epoch(2, 0.0, 1.0, 0.75, 0.5, 0.5, 1.0, 1.0, 3.5)]


@pytest.fixture(scope="module")
def digits() -> Digits:
    generator = torch.Generator().manual_seed(0)
    return Digits(torch.rand(30, 1, 28, 28, generator=generator), torch.arange(30) % 10)


@pytest.fixture(scope="module")
def evaluation(digits: Digits) -> Evaluation:
    torch.manual_seed(0)
    return evaluate(build(Approach.CLASSIFY), digits)


def test_report_holds_its_files_and_a_page_that_leads_to_them(
    tmp_path: Path, digits: Digits, evaluation: Evaluation
) -> None:
    write_report(tmp_path / "report", facts=FACTS, history=HISTORY, evaluation=evaluation, digits=digits)
    assert {path.name for path in (tmp_path / "report").iterdir()} == {*FILES, "README.md"}
    page = (tmp_path / "report" / "README.md").read_text()
    assert set(re.findall(r"\]\(([^)]+)\)", page)) == set(FILES)
    assert "| validation | 300 | 0.5000 | 75.00% | 50.00% |" in page
    assert "126,829 parameters, 2 epochs" in page
    for name in FILES[2:]:
        with Image.open(tmp_path / "report" / name) as image:
            assert image.width >= 400
    assert json.loads((tmp_path / "report" / "facts.json").read_text()) == FACTS


def test_history_has_a_row_for_each_epoch_under_its_names(
    tmp_path: Path, digits: Digits, evaluation: Evaluation
) -> None:
    write_report(tmp_path, facts=FACTS, history=HISTORY, evaluation=evaluation, digits=digits)
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [field.name for field in fields(Epoch)]
    assert [
        Epoch(int(row.pop("epoch")), **{key: float(value) for key, value in row.items()}) for row in rows
    ] == HISTORY


def test_run_without_mistakes_has_a_sheet_that_says_so(tmp_path: Path, digits: Digits, evaluation: Evaluation) -> None:
    right = (digits.digit[:, None] + torch.arange(10)).int()
    answers = evaluation.answers._replace(sum=right)
    perfect = Evaluation(
        **{**vars(evaluation), "answers": answers, "wrong_numbers": torch.zeros(30, dtype=torch.int64)}
    )
    write_report(tmp_path, facts=FACTS, history=HISTORY, evaluation=perfect, digits=digits)
    assert "0 of 30 pictures have a wrong sum" in (tmp_path / "README.md").read_text()
    with Image.open(tmp_path / "mistakes.png") as image:
        assert image.height <= 100
