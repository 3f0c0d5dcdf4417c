"""What ships fits together, and reaches what the README says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from adder_runtime import Approach
from adder_runtime.contract import Key
from adder_runtime.model import Adder
from adder_trainer.approaches import count_parameters
from adder_trainer.checkpoint import Checkpoint

ARTIFACTS = Path(__file__).parents[2] / "artifacts"

SUM_ACCURACY = {Approach.CLASSIFY: 0.995, Approach.REGRESS: 0.995}
"""Least share of right sums over the 100,000 test pairs."""

PARAMETERS = {Approach.CLASSIFY: 130_000, Approach.REGRESS: 90_000}


@pytest.fixture
def certificate(approach: Approach) -> dict[str, Any]:
    return dict(json.loads((ARTIFACTS / f"{approach}.certificate.json").read_text()))


def test_certificate_is_of_the_file_and_the_checkpoint_beside_it(
    approach: Approach, certificate: dict[str, Any], checkpoint: Checkpoint
) -> None:
    content = (ARTIFACTS / f"{approach}.onnx").read_bytes()
    assert certificate["model"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert certificate["checkpoint_sha256"] == checkpoint.sha256
    assert certificate["passed"] is True
    assert certificate["providers"]["cpu"]["mnist_test"]["pairs"] == 100_000


def test_accuracy_in_the_file_is_the_certificates(approach: Approach, certificate: dict[str, Any]) -> None:
    told = json.loads(Adder.load(approach, provider="cpu").metadata[Key.ACCURACY])
    found = certificate["providers"]["cpu"]["mnist_test"]
    assert told["split"] == "MNIST test"
    assert told["sum_accuracy"] == found["sum_accuracy"]
    assert told["digit_accuracy"] == found["digit_accuracy"]


def test_accuracy_is_what_was_promised(approach: Approach, certificate: dict[str, Any]) -> None:
    assert certificate["providers"]["cpu"]["mnist_test"]["sum_accuracy"] >= SUM_ACCURACY[approach]


def test_parameters_are_within_the_budget(approach: Approach, checkpoint: Checkpoint) -> None:
    assert count_parameters(checkpoint.network) == checkpoint.facts["parameters"] <= PARAMETERS[approach]


def test_report_is_of_the_checkpoint(approach: Approach, checkpoint: Checkpoint) -> None:
    facts = json.loads((ARTIFACTS / "reports" / str(approach) / "facts.json").read_text())
    of_training = set(checkpoint.facts) - MEASURED
    assert {name: facts[name] for name in of_training} == {name: checkpoint.facts[name] for name in of_training}
    assert set(facts) == of_training | MEASURED


MEASURED = {"validation", "test", "unchanged", "rendered", "unknown"}
"""What may be measured again after training, with a later normaliser."""


def test_report_measured_what_the_file_was_found_to_be(approach: Approach, certificate: dict[str, Any]) -> None:
    facts = json.loads((ARTIFACTS / "reports" / str(approach) / "facts.json").read_text())
    found = certificate["providers"]["cpu"]["mnist_test"]
    assert facts["test"]["digit_accuracy"] == pytest.approx(found["digit_accuracy"], abs=1e-9)
    assert facts["test"]["sum_accuracy"] == pytest.approx(found["sum_accuracy"], abs=1e-9)
