"""All that is measured of a network has its place in the facts."""

from __future__ import annotations

import json

import pytest
import torch

from adder_runtime.contract import Approach
from adder_trainer import abstention
from adder_trainer.approaches import build
from adder_trainer.data import Digits
from adder_trainer.findings import find
from adder_trainer.kinds import MEASURED


@pytest.mark.usefixtures("few_pictures")
def test_findings_are_all_that_facts_keep(drawn: Digits) -> None:
    torch.manual_seed(1)
    facts = find(build(Approach.REGRESS), drawn, 1.5).to_facts()
    assert list(facts) == ["validation", "rendered", "unknown"]
    assert (facts["validation"]["images"], facts["validation"]["pairs"]) == (240, 2400)
    assert list(facts["rendered"]) == [*(kind.name for kind in MEASURED), "all"]
    assert list(facts["unknown"]) == list(abstention.ORDER)
    assert facts["unknown"]["MNIST's digits"]["pictures"] == 240
    assert json.loads(json.dumps(facts)) == facts
