"""Live progress of a training run on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from adder_runtime.progress import console

if TYPE_CHECKING:
    from adder_trainer.training import Epoch
    from adder_trainer.training import Progress as Step


@contextmanager
def training_bar(
    name: str, epochs: int, photos: int
) -> Iterator[tuple[Callable[[int], None], Callable[[Step], None], Callable[[Epoch], None]]]:
    """A bar over a whole run with loss, accuracies and time left, and a line for each finished epoch."""
    figures = "loss {task.fields[loss]:.4f}  digit {task.fields[digit]:.2%}  sum {task.fields[sum]:.2%}"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(figures),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, speed_estimate_period=120, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None, loss=0.0, digit=0.0, sum=0.0)

        rendered = 0

        def on_photos(more: int) -> None:
            nonlocal rendered
            rendered = (rendered + more) % photos
            progress.update(task, description=f"{name} rendering {rendered:,}/{photos:,}")

        def on_step(step: Step) -> None:
            progress.update(
                task,
                description=f"{name} epoch {step.epoch + 1}/{epochs}",
                total=epochs * step.steps,
                completed=step.epoch * step.steps + step.step,
                loss=step.loss,
                digit=step.digit_accuracy,
                sum=step.sum_accuracy,
            )

        def on_epoch(epoch: Epoch) -> None:
            progress.console.print(
                f"{name} epoch {epoch.epoch}/{epochs}: "
                f"train loss {epoch.train_loss:.4f}, digit {epoch.train_digit_accuracy:.2%}, "
                f"sum {epoch.train_sum_accuracy:.2%}; validation loss {epoch.validation_loss:.4f}, "
                f"digit {epoch.validation_digit_accuracy:.2%}, sum {epoch.validation_sum_accuracy:.2%}; "
                f"{epoch.seconds:.1f} s",
                highlight=False,
                soft_wrap=True,
            )

        yield on_photos, on_step, on_epoch
