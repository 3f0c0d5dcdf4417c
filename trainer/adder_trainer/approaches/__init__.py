"""The two networks. Both take ink and numbers, and give digit logits and what they say of the sum."""

from __future__ import annotations

from typing import Any

from torch import nn

from adder_runtime.contract import Approach
from adder_trainer.approaches.classify import Classify
from adder_trainer.approaches.regress import Regress
from adder_trainer.approaches.targets import digit_targets, labels_of_sum

__all__ = ["Classify", "Network", "Regress", "build", "count_parameters", "digit_targets", "labels_of_sum"]

Network = Classify | Regress


def build(approach: Approach, **options: Any) -> Network:
    """A new network with random weights.

    Args:
        approach: which of the two.
        options: of its constructor, as a checkpoint's facts keep them.
    """
    match approach:
        case Approach.CLASSIFY:
            return Classify(**options)
        case Approach.REGRESS:
            return Regress(**options)


def count_parameters(network: nn.Module) -> int:
    """Trainable parameters, batch normalisation's included."""
    return sum(parameter.numel() for parameter in network.parameters())
