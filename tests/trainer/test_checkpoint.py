"""Checkpoints: what is written is what is read, whole or not at all, and nothing foreign is believed."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import adder_runtime
import adder_trainer
from adder_runtime.contract import Approach
from adder_runtime.errors import CheckpointError, OutputError
from adder_trainer import checkpoint as checkpoint_module
from adder_trainer.approaches import Network, build
from adder_trainer.checkpoint import (
    FORMAT,
    STATE_FORMAT,
    load_checkpoint,
    load_state,
    save_checkpoint,
    save_state,
)

KNOWN: dict[str, Any] = dict.fromkeys(checkpoint_module.FACTS, 0) | {"recipe": "ours", "more": 1}
"""What a checkpoint must know, and one fact more."""

FACTS: dict[str, dict[str, Any]] = {
    Approach.CLASSIFY: KNOWN | {"approach": "classify", "options": {}, "temperature": 1.25},
    Approach.REGRESS: KNOWN | {"approach": "regress", "options": {"sharpness": 2.0}, "temperature": 0.5},
}

SETTINGS = {"approach": "regress", "seed": 1}
SAID = torch.zeros(1, 10)


def network_of(approach: Approach, seed: int = 1) -> Network:
    torch.manual_seed(seed)
    return build(approach, **FACTS[approach]["options"])


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "regress.safetensors"
    save_checkpoint(path, network_of(Approach.REGRESS), FACTS[Approach.REGRESS])
    return path


def error_of(path: Path) -> str:
    with pytest.raises(CheckpointError) as met:
        load_checkpoint(path)
    assert "\n" not in str(met.value)
    assert str(path) in str(met.value)
    return str(met.value)


def rewrite(path: Path, *, facts: object = None, form: str | None = FORMAT, drop: str | None = None) -> None:
    """The same tensors, but `drop`, with other metadata."""
    tensors = {name: tensor for name, tensor in load_file(path).items() if name != drop}
    metadata = {} if form is None else {"format": form, "facts": json.dumps(facts)}
    save_file(tensors, path, metadata)


@pytest.mark.parametrize("approach", Approach)
def test_what_is_written_is_read(approach: Approach, tmp_path: Path) -> None:
    path, network = tmp_path / "new" / "folder" / "model.safetensors", network_of(approach)
    save_checkpoint(path, network, FACTS[approach])
    found = load_checkpoint(path)
    assert found.approach is approach
    assert found.facts == FACTS[approach]
    assert found.temperature == FACTS[approach]["temperature"]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not found.network.training
    assert found.network.state_dict().keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], tensor)


def test_options_of_the_network_are_kept(checkpoint: Path) -> None:
    assert load_checkpoint(checkpoint).network.sharpness == 2.0


def test_network_in_another_memory_format_is_read_the_same(tmp_path: Path) -> None:
    network = network_of(Approach.CLASSIFY)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    path = tmp_path / "classify.safetensors"
    save_checkpoint(path, network.to(memory_format=torch.channels_last), FACTS[Approach.CLASSIFY])
    assert all(torch.equal(tensor, before[name]) for name, tensor in load_checkpoint(path).network.state_dict().items())


def test_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    assert error_of(tmp_path / "none.safetensors").endswith("none.safetensors not found; make it with: adder-train")


def test_path_that_cannot_be_looked_at_is_a_checkpoint_error(tmp_path: Path) -> None:
    assert "cannot be read" in error_of(tmp_path / ("a" * 300))


@pytest.mark.parametrize("left", [0, 4, 100, 5000, -1])
def test_truncated_file_is_refused(checkpoint: Path, left: int) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:left])
    assert "cannot be read" in error_of(checkpoint)


BREAKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "other project's safetensors": (lambda path: rewrite(path, form=None), "holds 'something else', wanted"),
    "newer format": (lambda path: rewrite(path, form="adder-edge checkpoint 2"), "holds 'adder-edge checkpoint 2'"),
    "facts are a list": (lambda path: rewrite(path, facts=[1]), "does not fit"),
    "facts lack the approach": (lambda path: rewrite(path, facts={"options": {}}), "does not fit: 'approach'"),
    "unknown approach": (lambda path: rewrite(path, facts={"approach": "guess"}), "'guess' is not a valid Approach"),
    "unknown option": (
        lambda path: rewrite(path, facts=FACTS[Approach.REGRESS] | {"options": {"x": 1}}),
        "unexpected keyword argument 'x'",
    ),
    "temperature is no number": (
        lambda path: rewrite(path, facts=FACTS[Approach.REGRESS] | {"temperature": None}),
        "does not fit",
    ),
    "temperature is 0": (
        lambda path: rewrite(path, facts=FACTS[Approach.REGRESS] | {"temperature": 0.0}),
        "does not fit: its temperature is 0.0, must be a number above 0; train it again",
    ),
    "temperature is not a number": (
        lambda path: rewrite(path, facts=FACTS[Approach.REGRESS] | {"temperature": float("nan")}),
        "does not fit: its temperature is nan",
    ),
    "facts lack what a report tells": (
        lambda path: rewrite(path, facts={"approach": "regress", "options": {}, "temperature": 1.0, "seed": 1}),
        "does not fit: its facts lack cores, device, epochs, ",
    ),
    "unknown recipe": (
        lambda path: rewrite(path, facts=FACTS[Approach.REGRESS] | {"recipe": "theirs"}),
        "'theirs' is not a valid RecipeName",
    ),
    "weights of the other approach": (
        lambda path: rewrite(path, facts=FACTS[Approach.CLASSIFY]),
        "does not fit: Error(s) in loading state_dict",
    ),
    "a tensor is missing": (
        lambda path: rewrite(path, facts=FACTS[Approach.REGRESS], drop="digit.bias"),
        "digit.bias",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_foreign_or_damaged_content_is_one_line(name: str, checkpoint: Path) -> None:
    break_it, message = BREAKS[name]
    break_it(checkpoint)
    assert message in error_of(checkpoint)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(checkpoint: Path, value: float) -> None:
    tensors = load_file(checkpoint)
    tensors["digit.bias"][3] = value
    save_file(tensors, checkpoint, {"format": FORMAT, "facts": json.dumps(FACTS[Approach.REGRESS])})
    assert "holds weights that are no numbers, in digit.bias; train it again" in error_of(checkpoint)


def test_state_and_checkpoint_are_not_taken_for_each_other(checkpoint: Path, tmp_path: Path) -> None:
    network, state = network_of(Approach.REGRESS), tmp_path / "state.safetensors"
    optimizer = torch.optim.AdamW(network.parameters())
    save_state(state, SETTINGS, [], network, network_of(Approach.REGRESS), optimizer, SAID)
    assert f"holds {STATE_FORMAT!r}, wanted {FORMAT!r}" in error_of(state)
    with pytest.raises(CheckpointError, match=f"holds '{FORMAT}', wanted '{STATE_FORMAT}'"):
        load_state(checkpoint, SETTINGS, network, network, optimizer, SAID)


@pytest.mark.parametrize("settings", [None, "{"])
def test_state_without_its_settings_is_refused(tmp_path: Path, settings: str | None) -> None:
    network, state = network_of(Approach.REGRESS), tmp_path / "state.safetensors"
    optimizer = torch.optim.AdamW(network.parameters())
    save_file({"x": torch.zeros(1)}, state, {"format": STATE_FORMAT} | ({"settings": settings} if settings else {}))
    with pytest.raises(CheckpointError, match=r"does not fit: .*; drop it with --force"):
        load_state(state, SETTINGS, network, network, optimizer, SAID)


def test_truncated_state_is_refused_with_a_way_out_that_the_command_takes(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    network = network_of(Approach.REGRESS)
    with pytest.raises(CheckpointError, match=r"cannot be read: .*; drop it with --force, which begins anew$"):
        load_state(checkpoint, SETTINGS, network, network, torch.optim.AdamW(network.parameters()), SAID)


def test_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    path, mark = tmp_path / "regress.safetensors", tmp_path / "mark"

    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (mark,)

    path.write_bytes(pickle.dumps(Hostile()))
    assert "cannot be read" in error_of(path)
    torch.save({"digit.bias": torch.zeros(10), "hostile": Hostile()}, path)
    assert "cannot be read" in error_of(path)
    assert not mark.exists()


@pytest.mark.parametrize("package", [adder_runtime, adder_trainer])
def test_no_source_reads_a_pickle(package: Any) -> None:
    sources = list(Path(package.__file__).parent.rglob("*.py"))
    assert len(sources) > 5
    pattern = re.compile(r"torch\.load\b|import (pickle|dill|joblib|shelve)|pickle\.loads?\b|allow_pickle")
    assert [str(source) for source in sources if pattern.search(source.read_text())] == []


def test_full_disk_leaves_the_earlier_file_and_nothing_else(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = checkpoint.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        save_checkpoint(checkpoint, network_of(Approach.REGRESS, seed=2), FACTS[Approach.REGRESS])
    assert checkpoint.read_bytes() == before
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]
