"""The training loop, hyperparameters on top."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn

from adder_runtime.contract import NUMBERS, Approach
from adder_runtime.errors import UsageError
from adder_trainer import checkpoint
from adder_trainer.approaches import Network, build, digit_targets, labels_of_sum
from adder_trainer.augment import augment, warp
from adder_trainer.data import NO_DIGIT, Digits
from adder_trainer.evaluation import evaluate
from adder_trainer.normalize import NORMALIZER_VERSION
from adder_trainer.options import RecipeName
from adder_trainer.photo import photograph


@dataclass(frozen=True)
class Recipe:
    """All that decides a training run beside its seed and data."""

    epochs: int
    batch_size: int
    """Images in a batch."""
    learning_rate: float
    """Highest learning rate of AdamW."""
    weight_decay: float
    one_cycle: bool
    """Learning rate up over WARM_UP of the steps, then down to 0 along a cosine; else constant."""
    augment: bool
    all_numbers: bool
    """Each image with all ten numbers in every step; else with one number, drawn once for the whole run."""
    averaging: float
    """Decay per step of the moving average of the weights, which is what is kept; 0 keeps the last weights."""
    self_distillation: float = 0.0
    """Share, to which it grows from 0 over the epochs, of what the network said of an image before in what it is to say
    of it: a wrong label loses its weight, and a doubtful image stays one."""
    photo_share: float = 0.0
    """Share of each batch that is rendered as a picture and has gone through the normaliser."""
    photos: int = 0
    """Pictures rendered at a time; no more than there are images."""
    photo_epochs: int = 1
    """Epochs for which they serve; then fresh ones are rendered."""
    options: tuple[tuple[str, Any], ...] = ()
    """Of the network's constructor."""


RECIPES = {
    (RecipeName.OURS, Approach.CLASSIFY): Recipe(
        epochs=20,
        batch_size=128,
        learning_rate=4e-3,
        weight_decay=0.05,
        one_cycle=True,
        augment=True,
        all_numbers=True,
        averaging=0.999,
        self_distillation=0.25,
        photo_share=0.15,
        photos=20_000,
        photo_epochs=10,
    ),
    (RecipeName.OURS, Approach.REGRESS): Recipe(
        epochs=78,
        batch_size=128,
        learning_rate=3e-3,
        weight_decay=0.05,
        one_cycle=True,
        augment=True,
        all_numbers=True,
        averaging=0.999,
        self_distillation=0.25,
        photo_share=0.15,
        photos=20_000,
        photo_epochs=13,
    ),
    (RecipeName.SOURCE, Approach.CLASSIFY): Recipe(
        epochs=20,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=0.0,
        one_cycle=False,
        augment=False,
        all_numbers=False,
        averaging=0.0,
        options=(("dropout", 0.0),),
    ),
    (RecipeName.SOURCE, Approach.REGRESS): Recipe(
        epochs=20,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=0.0,
        one_cycle=False,
        augment=False,
        all_numbers=False,
        averaging=0.0,
        options=(("sharpness", 0.0), ("dropout", 0.0)),
    ),
}

MEMORY = 0.7
"""Share that what was said before keeps each time an image comes again."""

PHOTO_WARP = 0.4
"""Strength, beside that of the plain ink's, with which a rendered picture is bent each time it comes again."""

FILM = 50_021
"""Sets the seeds of what is rendered apart from those of the epochs."""

WARM_UP = 0.2
"""Share of the steps over which the learning rate rises."""


@dataclass(frozen=True)
class Speed:
    """How the arithmetic is done: no part of the recipe, since it is meant to change the time and not the result."""

    autocast: bool = False
    """bfloat16 where autocast allows it."""
    channels_last: bool = True
    """Memory format of the convolutions. On two CPU cores, with batches of 128: classify 0.70 of the time."""
    compiled: bool = False
    """torch.compile."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands after a step."""

    epoch: int
    """From 0."""
    step: int
    """Steps done in this epoch."""
    steps: int
    """Steps of an epoch."""
    loss: float
    """Mean over the epoch so far."""
    digit_accuracy: float
    """Over the epoch's augmented training pairs so far, 0 to 1."""
    sum_accuracy: float


@dataclass(frozen=True)
class Epoch:
    """One line of a run's history; accuracies from 0 to 1, the validation's of the averaged weights."""

    epoch: int
    """From 1."""
    learning_rate: float
    """At its last step."""
    train_loss: float
    train_digit_accuracy: float
    train_sum_accuracy: float
    validation_loss: float
    validation_digit_accuracy: float
    validation_sum_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """A finished training run."""

    network: Network
    """With the weights to keep, in evaluation mode."""
    history: tuple[Epoch, ...]

    @property
    def seconds(self) -> float:
        """Time over all epochs, interrupted ones left out."""
        return sum(epoch.seconds for epoch in self.history)


def fit(
    approach: Approach,
    recipe: Recipe,
    train: Digits,
    validation: Digits,
    *,
    seed: int,
    speed: Speed,
    state: Path,
    resume: bool = False,
    on_photos: Callable[[int], None] = lambda _: None,
    on_step: Callable[[Progress], None] = lambda _: None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Run:
    """Train one approach; the same seed on the same machine gives the same weights, interrupted or not.

    Args:
        approach: which network.
        recipe: the hyperparameters.
        train: what to train on.
        validation: what to measure after each epoch; nothing is chosen from it here.
        seed: of the weights, the order, the numbers and the augmentation.
        speed: how the arithmetic is done.
        state: file that holds the whole state after each epoch; written whole or not at all.
        resume: go on from that file.
        on_photos: told how many more of the recipe's `photos` are rendered.
        on_step: called after each step.
        on_epoch: called after each epoch, once its state is on disk.

    Raises:
        CheckpointError: there is nothing to resume, or it belongs to another run.
        OutputError: the state cannot be written.
        UsageError: the learning rate is so high that the weights run away, or the batches are so small that with the
            rendered pictures there is no place for another.
    """
    batch_size = min(recipe.batch_size, len(train))
    of_photos = round(recipe.photo_share * batch_size)
    if of_photos == batch_size:
        raise UsageError(
            f"batches of {batch_size} with a share of {recipe.photo_share:g} rendered have no place for MNIST's own; "
            "give a larger --batch-size or a lower --photo-share"
        )
    device = train.ink.device
    torch.manual_seed(seed)
    network = build(approach, **dict(recipe.options)).to(device)
    if speed.channels_last:
        network = network.to(memory_format=torch.channels_last)
    average = deepcopy(network).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    said = digit_targets(train.digit)  # of each image, a moving average of probabilities
    settings = {"approach": str(approach), "recipe": asdict(recipe), "seed": seed, "images": len(train)}
    settings |= {"speed": asdict(speed), "normalizer": NORMALIZER_VERSION}  # both change the weights
    history: list[Epoch] = []
    if resume:
        history = [Epoch(**line) for line in checkpoint.load_state(state, settings, network, average, optimizer, said)]
    forward = torch.compile(network) if speed.compiled else network
    drawn_once = draw_numbers(len(train), seed, device)

    steps = len(train) // batch_size
    photos: Digits | None = None
    for epoch in range(len(history), recipe.epochs):
        began = perf_counter()
        # one generator an epoch: a resumed run draws what an unbroken one does; dropout draws from PyTorch's own
        generator = torch.Generator(device).manual_seed(seed * 100_003 + epoch)
        torch.manual_seed(seed * 100_003 + epoch)
        if of_photos and (photos is None or epoch % recipe.photo_epochs == 0):
            film = torch.Generator(device).manual_seed(seed * 100_003 + FILM + epoch // recipe.photo_epochs)
            photos = photograph(train, min(recipe.photos, len(train)), film, on_photos)
        network.train()
        totals = torch.zeros(3, device=device)
        taken = batches(len(photos), of_photos, generator, steps) if photos else [None] * steps
        for step, (index, shot) in enumerate(
            zip(batches(len(train), batch_size - of_photos, generator, steps), taken, strict=True)
        ):
            ink, digit = train.ink[index], train.digit[index]
            wanted = digit_targets(digit).lerp(said[index], recipe.self_distillation * epoch / recipe.epochs)
            if recipe.augment:
                ink = augment(ink, generator)
            if photos is not None and shot is not None:
                ink = torch.cat([ink, warp(photos.ink[shot], generator, strength=PHOTO_WARP)])
                digit = torch.cat([digit, photos.digit[shot]])
                wanted = torch.cat([wanted, digit_targets(photos.digit[shot])])
            if speed.channels_last:
                ink = ink.contiguous(memory_format=torch.channels_last)
            every = torch.arange(len(NUMBERS), device=device).expand(len(digit), -1)
            number = every if recipe.all_numbers else drawn_once[index]
            with torch.autocast(device.type, torch.bfloat16) if speed.autocast else nullcontext():
                digit_logits, sum_output = forward(ink, number)
                loss = network.loss(digit_logits.float(), sum_output.float(), digit, number, wanted)
            done = epoch * steps + step
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, done, recipe.epochs * steps)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            update_average(average, network, recipe.averaging, done)
            said[index] = digit_logits[: len(index)].detach().float().softmax(2).mean(1).lerp(said[index], MEMORY)
            totals += measure(loss, digit_logits, sum_output, digit, labels_of_sum(digit, number))
            loss_mean, digit_mean, sum_mean = (totals / (step + 1)).tolist()
            on_step(Progress(epoch, step + 1, steps, loss_mean, digit_mean, sum_mean))
        measured = evaluate(average, validation)
        line = Epoch(
            epoch=epoch + 1,
            learning_rate=learning_rate(recipe, (epoch + 1) * steps - 1, recipe.epochs * steps),
            train_loss=loss_mean,
            train_digit_accuracy=digit_mean,
            train_sum_accuracy=sum_mean,
            validation_loss=measured.loss,
            validation_digit_accuracy=measured.digit_accuracy,
            validation_sum_accuracy=measured.sum_accuracy,
            seconds=perf_counter() - began,
        )
        history.append(line)
        checkpoint.save_state(state, settings, [asdict(done) for done in history], network, average, optimizer, said)
        on_epoch(line)
    return Run(average.to(memory_format=torch.contiguous_format), tuple(history))


def batches(count: int, size: int, generator: torch.Generator, steps: int) -> Iterator[Tensor]:
    """Indices of an epoch's batches in a random order; none comes again before all others have come."""
    rounds = -(-steps * size // count)
    order = torch.cat([torch.randperm(count, generator=generator, device=generator.device) for _ in range(rounds)])
    return iter(order[: steps * size].split(size))


def draw_numbers(count: int, seed: int, device: torch.device) -> Tensor:
    """One number from 0 to 9 for each image, (count, 1), the same for the whole run."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(len(NUMBERS), (count, 1), generator=generator).to(device)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate at a step (from 0) of all steps.

    Source: Smith and Topin 2018, "Super-Convergence".
    """
    if not recipe.one_cycle:
        return recipe.learning_rate
    warm = WARM_UP * steps
    if step < warm:
        return recipe.learning_rate * (step + 1) / (warm + 1)
    phase = torch.tensor((step - warm) / (steps - warm) * torch.pi, dtype=torch.float64)
    return recipe.learning_rate * 0.5 * (1 + phase.cos().item())


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights towards the present ones; early steps, while they are few, weigh more."""
    share = 1 - min(decay, (step + 1) / (step + 10)) if decay else 1.0
    old = [tensor for tensor in average.state_dict().values() if tensor.is_floating_point()]
    new = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
    torch._foreach_lerp_(old, new, share)


@torch.no_grad()
def measure(loss: Tensor, digit_logits: Tensor, sum_output: Tensor, digit: Tensor, truth: Tensor) -> Tensor:
    """Loss, digit accuracy and sum accuracy of a batch, (3); what shows no digit counts in the loss alone."""
    known = digit != NO_DIGIT
    total = sum_output.argmax(2) if sum_output.shape[2] > 1 else sum_output[:, :, 0].round()
    digits = (digit_logits.argmax(2) == digit[:, None])[known].float().mean()
    return torch.stack([loss.detach().float(), digits, (total == truth)[known].float().mean()])
