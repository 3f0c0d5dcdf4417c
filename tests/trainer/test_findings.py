"""All that is measured of a network has its place in the facts."""

from __future__ import annotations

import json

import pytest
import torch

from adder_runtime.contract import Approach
from adder_trainer import abstention
from adder_trainer.approaches import build
from adder_trainer.data import Digits
from adder_trainer.evaluation import evaluate
from adder_trainer.findings import figures, find
from adder_trainer.kinds import MEASURED
from adder_trainer.unchanged import FRAMES


@pytest.mark.usefixtures("few_pictures")
def test_findings_are_all_that_facts_keep(drawn: Digits) -> None:
    torch.manual_seed(1)
    facts = find(build(Approach.REGRESS), drawn, 1.5).to_facts()
    assert list(facts) == ["validation", "unchanged", "rendered", "unknown"]
    assert (facts["validation"]["images"], facts["validation"]["pairs"]) == (240, 2400)
    assert list(facts["rendered"]) == [*(kind.name for kind in MEASURED), "all"]
    assert list(facts["unchanged"]) == list(FRAMES)
    assert list(facts["unknown"]) == [name for name in abstention.ORDER if name != abstention.TEST]
    assert facts["unknown"]["MNIST's digits"]["pictures"] == 240
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.usefixtures("few_pictures")
def test_test_images_are_told_apart_if_they_are_given(validation: Digits, train: Digits) -> None:
    torch.manual_seed(1)
    network = build(Approach.CLASSIFY)
    found = find(network, validation, 1.5, test=train)
    facts = found.to_facts()
    assert list(facts) == ["validation", "test", "unchanged", "rendered", "unknown"]
    assert facts["test"] == figures(evaluate(network, train, 1.5))
    assert (facts["test"]["images"], facts["validation"]["images"]) == (200, 40)


def test_share_that_is_taken_for_blank_is_counted(validation: Digits) -> None:
    torch.manual_seed(1)
    ink = validation.ink.clone()
    ink[:10] = 0
    sure = build(Approach.CLASSIFY)
    with torch.no_grad():
        for weight in sure.parameters():
            weight.mul_(3)  # of fresh weights no digit is likely enough to be read
    assert figures(evaluate(sure, validation))["unread"] == 0
    assert figures(evaluate(sure, Digits(ink, validation.digit)))["unread"] == 10 / 40
