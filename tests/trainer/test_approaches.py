"""The two networks are what their description says, as small as promised, and learn from the losses they name."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from adder_runtime.contract import DIGITS, NUMBERS, SUM_SCORES, SUMS, Approach
from adder_trainer.approaches import Classify, Network, Regress, build, count_parameters, labels_of_sum
from adder_trainer.data import Digits

MOST_PARAMETERS = {Approach.CLASSIFY: 130_000, Approach.REGRESS: 90_000}
"""Published models for the task have 6.4 million."""

SHARED = 1e-5
"""Numbers asked together and one at a time: matrix products of another shape sum in another order."""


def network_of(approach: Approach, **options: float) -> Network:
    torch.manual_seed(1)
    return build(approach, **options).eval()


def layers(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


def gradients(part: nn.Module) -> list[Tensor]:
    return [parameter.grad for parameter in part.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("approach", Approach)
def test_parameters_stay_under_the_limit(approach: Approach) -> None:
    count = count_parameters(build(approach))
    assert MOST_PARAMETERS[approach] * 0.9 < count <= MOST_PARAMETERS[approach]


def test_classify_has_eight_convolutions_two_fully_connected_layers_and_two_heads() -> None:
    network = Classify()
    assert len(layers(network, nn.Conv2d)) == 8
    assert len(layers(network, nn.Linear)) == 4
    assert network.first.in_features == 64 + len(NUMBERS)
    assert (network.digit.out_features, network.sum.out_features) == (len(DIGITS), len(SUMS))


def test_regress_has_two_convolutions_and_fully_connected_layers_of_120_and_60() -> None:
    network = Regress()
    assert len(layers(network, nn.Conv2d)) == 2
    sizes = [(layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert sizes == [(600, 120), (120, 60), (60, 10), (11, 32), (32, 1)]


@pytest.mark.parametrize("approach", Approach)
@pytest.mark.parametrize(("batch", "n"), [(1, 1), (3, 10), (2, 4)])
def test_heads_have_the_shapes_of_the_contract(approach: Approach, batch: int, n: int) -> None:
    number = torch.arange(n).expand(batch, -1)
    digit_logits, sum_output = network_of(approach)(torch.rand(batch, 1, 28, 28), number)
    assert tuple(digit_logits.shape) == (batch, n, 10)
    assert tuple(sum_output.shape) == (batch, n, SUM_SCORES[approach])


@pytest.mark.parametrize("approach", Approach)
@torch.no_grad()
def test_ten_numbers_at_once_give_what_one_at_a_time_gives(approach: Approach, drawn: Digits) -> None:
    network, ink = network_of(approach), drawn.ink[:12]
    together = network(ink, torch.arange(10).expand(12, -1))
    for number in NUMBERS:
        alone = network(ink, torch.full((12, 1), number))
        for many, one in zip(together, alone, strict=True):
            torch.testing.assert_close(many[:, number], one[:, 0], atol=SHARED, rtol=SHARED)


@pytest.mark.parametrize("approach", Approach)
@torch.no_grad()
def test_one_number_for_each_image_needs_no_axis_of_numbers(approach: Approach, drawn: Digits) -> None:
    network, ink, number = network_of(approach), drawn.ink[:12], torch.arange(12) % 10
    for plain, with_axis in zip(network(ink, number), network(ink, number[:, None]), strict=True):
        assert plain.dim() == 2
        torch.testing.assert_close(plain, with_axis[:, 0], atol=SHARED, rtol=SHARED)


@pytest.mark.parametrize("approach", Approach)
@torch.no_grad()
def test_number_changes_the_sum(approach: Approach, drawn: Digits) -> None:
    sums = network_of(approach)(drawn.ink[:1], torch.arange(10)[None])[1][0]  # (10, 19 or 1)
    assert len({tuple(row) for row in sums.tolist()}) == 10


def test_classify_loss_is_the_sum_of_both_cross_entropies() -> None:
    digit, number = torch.tensor([3, 8]), torch.tensor([[0, 9], [0, 9]])
    flat = Classify().loss(torch.zeros(2, 2, 10), torch.zeros(2, 2, 19), digit, number)
    assert flat.item() == pytest.approx(math.log(10) + math.log(19))
    digit_logits = torch.zeros(2, 2, 10)
    digit_logits[0, :, 3] = digit_logits[1, :, 8] = 2.0
    said = Classify().loss(digit_logits, torch.zeros(2, 2, 19), digit, number)
    assert said.item() == pytest.approx(math.log(1 + 9 * math.exp(-2)) + math.log(19))


def test_regress_loss_is_cross_entropy_plus_mean_squared_error() -> None:
    digit, number = torch.tensor([3, 8]), torch.tensor([[0, 9], [0, 9]])
    off = torch.tensor([[[0.0], [1.0]], [[-2.0], [3.0]]])
    loss = Regress().loss(torch.zeros(2, 2, 10), labels_of_sum(digit, number)[:, :, None] + off, digit, number)
    assert loss.item() == pytest.approx(math.log(10) + (0 + 1 + 4 + 9) / 4)


@pytest.mark.parametrize(("sharpness", "reaches"), [(16.0, False), (1.0, False), (0.0, True)])
def test_squared_error_trains_the_digit_only_where_raw_logits_are_stacked(sharpness: float, reaches: bool) -> None:
    network = network_of(Approach.REGRESS, sharpness=sharpness)
    network(torch.rand(4, 1, 28, 28), torch.tensor([[1], [2], [3], [4]]))[1].square().sum().backward()
    digit_part = nn.ModuleList([network.convolutions, network.fully_connected, network.digit])  # type: ignore[list-item]  # a module's attributes may be tensors
    assert any(gradient.abs().sum() > 0 for gradient in gradients(digit_part)) is reaches
    assert all(gradient.abs().sum() > 0 for gradient in gradients(network.sum)[:1])
    assert len(gradients(network.sum)) == 4


def test_stack_is_the_raw_logits_or_their_sharpened_softmax() -> None:
    logits = torch.tensor([[0.5, 0.25] + [0.0] * 8])
    assert torch.equal(Regress(sharpness=0.0).stack(logits), logits)
    weights = [math.exp(8), math.exp(4)] + [1.0] * 8
    wanted = [weight / sum(weights) for weight in weights]
    assert Regress(sharpness=16.0).stack(logits)[0].tolist() == pytest.approx(wanted)


def test_labels_of_sum_are_digit_plus_number() -> None:
    assert labels_of_sum(torch.tensor([3, 9]), torch.tensor([[0, 9], [5, 9]])).tolist() == [[3, 12], [14, 18]]
