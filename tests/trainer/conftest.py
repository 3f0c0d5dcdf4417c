"""Fixtures of the trainer's tests: digits that are drawn, so that nothing waits for MNIST."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from adder_runtime.pictures import generate
from adder_trainer import abstention, rendered
from adder_trainer.data import Digits
from adder_trainer.device import keep_memory
from adder_trainer.normalize import Normalizer

TRAIN = 200
"""Drawn digits to train on; the other 40 are to choose by."""


@pytest.fixture(scope="session", autouse=True)
def memory_is_kept() -> None:
    """As the commands keep it: large batches take less time so."""
    keep_memory()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """How a sum is shared among threads changes its last bits; some tests compare all of them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def drawn() -> Digits:
    """240 drawn digits, 24 of each."""
    pictures = list(generate(240, seed=1, sides=(28, 28)))
    normalizer = Normalizer()
    ink = torch.cat([normalizer(torch.from_numpy(picture.pixels)[None]).ink for picture in pictures])
    return Digits(ink, torch.tensor([picture.digit for picture in pictures]))


@pytest.fixture(scope="session")
def train(drawn: Digits) -> Digits:
    return Digits(drawn.ink[:TRAIN], drawn.digit[:TRAIN])


@pytest.fixture(scope="session")
def validation(drawn: Digits) -> Digits:
    return Digits(drawn.ink[TRAIN:], drawn.digit[TRAIN:])


@pytest.fixture(scope="module")
def few_pictures() -> Iterator[None]:
    """The report's measurements on few made pictures, where a test is not about how many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendered, "PICTURES", 4)
        patch.setattr(abstention, "BLANKS", 4)
        patch.setattr(abstention, "STROKES", 4)
        patch.setattr(abstention, "LETTERS", "aX")
        yield
