"""MNIST as ink on the device: 55,000 images to train on, 5,000 to choose by, 10,000 to publish."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torchvision.datasets.mnist import MNIST, read_image_file, read_label_file

from adder_runtime.contract import DIGITS
from adder_runtime.errors import DataError
from adder_trainer.normalize import Normalizer

DATA_VARIABLE = "ADDER_DATA"
"""Environment variable that names the folder, where no option does."""

VALIDATION = 5_000
"""Training images that are never trained on; every choice is made on them."""

SPLIT_SEED = 20_240
"""Seed of the validation split, the same whatever the seed of a run."""

NO_DIGIT = -1
"""Label of a picture that shows no digit."""

NORMALIZE_BATCH = 100
"""Images that pass through the normaliser at once."""

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The four files of MNIST, unpacked."""


@dataclass(frozen=True)
class Digits:
    """Images and their labels on one device."""

    ink: Tensor
    """(n, 1, 28, 28) float32, out of the normaliser: 0 = paper, 1 = full stroke."""
    digit: Tensor
    """(n) int64, 0 to 9, or NO_DIGIT."""

    def __len__(self) -> int:
        return len(self.digit)


def data_folder(option: Path | None) -> tuple[Path, bool]:
    """The folder of the data, and whether what is missing there may be downloaded.

    The option, else ADDER_DATA, else a folder in the user's cache; only the last is downloaded to.
    """
    named = option or os.environ.get(DATA_VARIABLE)
    if named:
        return Path(named), False
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adder-edge", True


def load_mnist(folder: Path, *, train: bool, download: bool = False) -> tuple[Tensor, Tensor]:
    """Raw MNIST: pixels (n, 28, 28, 1) uint8 and digits (n) int64.

    Args:
        folder: torchvision's root, which holds `MNIST/raw`.
        train: the 60,000 training images, else the 10,000 test images.
        download: fetch what is missing, with torchvision's progress bar.

    Raises:
        DataError: a file is missing and not to be fetched, cannot be fetched, or is not MNIST's.
    """
    raw = folder / "MNIST" / "raw"
    try:
        missing = [name for name in SHA256 if not (raw / name).is_file()]
    except OSError as error:
        raise DataError(
            f"{raw} cannot be read: {error.strerror}; name another folder with --data or {DATA_VARIABLE}"
        ) from error
    if missing and download:
        try:
            MNIST(str(folder), download=True)
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"MNIST could not be downloaded to {folder}: {_first_line(error)}; "
                f"put its four files under {raw}, or name their folder with --data or {DATA_VARIABLE}"
            ) from error
    elif missing:
        packed = " (it is there as .gz: unpack it with gunzip)" if (raw / f"{missing[0]}.gz").is_file() else ""
        raise DataError(
            f"MNIST's {missing[0]} not found in {raw}{packed}; "
            f"name another folder with --data or {DATA_VARIABLE}, or neither to download it"
        )
    images, labels = [raw / name for name in SHA256 if name.startswith("train" if train else "t10k")]
    _check(images)
    _check(labels)
    # not through MNIST: where an older torchvision left its own copy it reads that, which nothing has checked
    return read_image_file(str(images))[..., None], read_label_file(str(labels))


def _check(path: Path) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}; mend it, or name another folder with --data"
        ) from error
    if found != SHA256[path.name]:
        raise DataError(
            f"{path} is damaged: sha256 {found[:12]}…, wanted {SHA256[path.name][:12]}…; delete it and fetch it again"
        )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(":")


def to_ink(pixels: Tensor, device: torch.device, on_progress: Callable[[int], None] = lambda _: None) -> Tensor:
    """Pixels (n, height, width, channels) through the normaliser that ships, (n, 1, 28, 28) on the device."""
    normalizer = Normalizer()
    batches = []
    with torch.no_grad():
        for batch in pixels.split(NORMALIZE_BATCH):
            batches.append(normalizer(batch.to(device)).ink)
            on_progress(len(batch))
    return torch.cat(batches)


def split_indices(digit: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the images to train on and of those to choose by.

    Args:
        digit: (n) labels of the training images.

    Returns:
        (n - 5000) and (5000) sorted; each digit has the same share of both.
    """
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    ranks = torch.empty(len(digit), dtype=torch.float64)
    for label in DIGITS:
        own = (digit == label).nonzero()[:, 0]
        order = torch.randperm(len(own), generator=generator).double()
        ranks[own] = (order + 0.5) / len(own)  # the lowest share of each digit's ranks is a stratified sample
    chosen = torch.zeros(len(digit), dtype=torch.bool)
    chosen[ranks.argsort(stable=True)[:VALIDATION]] = True
    return (~chosen).nonzero()[:, 0], chosen.nonzero()[:, 0]
