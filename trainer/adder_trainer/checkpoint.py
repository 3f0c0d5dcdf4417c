"""Checkpoints as safetensors with their facts as JSON in the header. No pickle is ever read.

Two kinds: a *checkpoint* holds the weights to export; a *state* holds all that a run needs to go on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from adder_runtime.contract import Approach
from adder_runtime.errors import CheckpointError, reason
from adder_runtime.output_file import write_whole
from adder_trainer.approaches import Network, build
from adder_trainer.options import RecipeName

FORMAT = "adder-edge checkpoint 1"
STATE_FORMAT = "adder-edge training state 1"

FACTS = {
    "approach", "options", "recipe", "settings", "speed", "seed", "epochs", "parameters", "seconds", "temperature",
    "device", "cores", "versions", "revision", "validation",
}  # fmt: skip
"""What each checkpoint knows: reports and model files tell it."""

FROM_NEW = "train it again with: adder-train"
"""Way out of a checkpoint that is of no use."""

WITHOUT_STATE = "drop it with --force, which begins anew"
"""The same of a state."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and what is known of it."""

    approach: Approach
    network: Network
    """In evaluation mode, on the CPU."""
    facts: dict[str, Any]
    """At least FACTS."""
    sha256: str
    """Of the file."""

    @property
    def temperature(self) -> float:
        """Divides the logits behind the confidence."""
        return float(self.facts["temperature"])


def save_checkpoint(path: Path, network: Network, facts: dict[str, Any]) -> None:
    """Write weights and facts, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    write(path, dict(network.state_dict()), {"format": FORMAT, "facts": json.dumps(facts, sort_keys=True)})


def load_checkpoint(path: Path) -> Checkpoint:
    """Read weights and facts.

    Raises:
        CheckpointError: the file is missing, damaged, or no checkpoint of this project; or its weights are no numbers.
    """
    tensors, metadata = read(path, FORMAT)
    try:
        facts = json.loads(metadata["facts"])
        approach = Approach(facts["approach"])
        network = build(approach, **facts["options"])
        network.load_state_dict(tensors)
        if missing := sorted(FACTS - facts.keys()):
            raise ValueError(f"its facts lack {', '.join(missing)}")
        RecipeName(facts["recipe"])
        if not 0 < (temperature := float(facts["temperature"])) < math.inf:
            raise ValueError(f"its temperature is {temperature}, must be a number above 0")
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not fit: {reason(error)}; {FROM_NEW}") from error
    for name, tensor in network.state_dict().items():
        if not tensor.isfinite().all():
            raise CheckpointError(f"{path} holds weights that are no numbers, in {name}; {FROM_NEW}")
    return Checkpoint(approach, network.eval(), facts, hashlib.sha256(path.read_bytes()).hexdigest())


def save_state(
    path: Path,
    settings: dict[str, Any],
    history: Sequence[dict[str, Any]],
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    said: Tensor,
) -> None:
    """Write all that a run needs to go on, whole or not at all.

    Args:
        path: of the state.
        settings: what tells this run from others, ready for JSON.
        history: a line for each epoch, ready for JSON.
        network: as it is trained.
        average: of its weights.
        optimizer: of its weights.
        said: (images, 10), what the network said of each image before.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in average.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
    tensors["said"] = said
    metadata = {"format": STATE_FORMAT, "settings": json.dumps(settings), "history": json.dumps(list(history))}
    write(path, tensors, metadata)


def load_state(
    path: Path,
    settings: dict[str, Any],
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    said: Tensor,
) -> list[dict[str, Any]]:
    """Fill network, average, optimizer and what was said from a state, and return the history so far.

    Raises:
        CheckpointError: the file is missing or damaged, or belongs to a run with other settings.
    """
    tensors, metadata = read(path, STATE_FORMAT, way_out=WITHOUT_STATE)
    try:
        kept, wanted = json.loads(metadata["settings"]), json.loads(json.dumps(settings))
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path} does not fit: {reason(error)}; {WITHOUT_STATE}") from error
    if kept != wanted:
        differing = ", ".join(f"{key} {kept.get(key)}" for key in wanted if kept.get(key) != wanted[key])
        raise CheckpointError(
            f"{path} belongs to another run ({differing}); resume with the options it was started with"
        )
    try:
        network.load_state_dict(_part(tensors, "network."))
        average.load_state_dict(_part(tensors, "average."))
        said.copy_(tensors["said"])
        states: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
            index, _, key = name.partition(".")
            states.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict(optimizer.state_dict() | {"state": states})
        for parameter, values in optimizer.state.items():
            for key, value in values.items():
                if value.shape == parameter.shape:
                    # the file is contiguous, and the fused AdamW takes for granted that all lie in memory alike
                    values[key] = torch.empty_like(parameter).copy_(value)
        return list(json.loads(metadata["history"]))
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not fit: {reason(error)}; {WITHOUT_STATE}") from error


def write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file beside its place, then rename it there.

    Raises:
        OutputError: the file cannot be written.
    """
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata)
    write_whole(path, content)


def read(path: Path, wanted: str, *, way_out: str = FROM_NEW) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file of one kind.

    Args:
        path: of the file.
        wanted: its format.
        way_out: what the error advises where it is damaged.

    Raises:
        CheckpointError: the file is missing, damaged or of another kind.
    """
    try:
        if not path.is_file():
            raise CheckpointError(f"{path} not found; make it with: adder-train")
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read: {reason(error)}; {way_out}") from error
    if metadata.get("format") != wanted:
        raise CheckpointError(
            f"{path} holds {metadata.get('format', 'something else')!r}, wanted {wanted!r}; {way_out}"
        )
    return tensors, metadata


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
