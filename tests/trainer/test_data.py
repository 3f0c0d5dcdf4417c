"""Where the data comes from, how it is checked, and the one split of it."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from adder_runtime.contract import DIGITS
from adder_runtime.errors import DataError
from adder_trainer import data
from adder_trainer.data import DATA_VARIABLE, SHA256, VALIDATION, data_folder, load_mnist, split_indices, to_ink
from adder_trainer.normalize import Normalizer

IMAGES = 60_000
"""Training images of MNIST."""

SPLIT_OF_DRAWN_LABELS = "f3afcc87f1818132ebf4c465861c3e13202ba0183bb796eff87ecd092f47c8d3"
SPLIT_OF_MNIST = "07c051b48ea4ac7a2d94d1a015c0af5f570c45a56723ab9ab0f90757bf38835b"
"""sha256 of the validation indices as int64: who trains again leaves out the same images as we did."""

TRAIN_IMAGES = "train-images-idx3-ubyte"


def sha256_of(index: torch.Tensor) -> str:
    return hashlib.sha256(index.numpy().astype("<i8").tobytes()).hexdigest()


def drawn_labels() -> torch.Tensor:
    """Labels as uneven as MNIST's: the digit d in (10 + d) of 145."""
    return torch.bucketize(torch.arange(IMAGES) * 89 % 145, torch.arange(10, 20).cumsum(0), right=True)


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with MNIST's four files, three images in each, whose sha256 the module holds for right."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    known = {}
    for name in SHA256:
        if "images" in name:
            content = struct.pack(">4i", 2051, 3, 28, 28) + bytes(value % 256 for value in range(3 * 784))
        else:
            content = struct.pack(">2i", 2049, 3) + bytes([7, 2, 1])
        (raw / name).write_bytes(content)
        known[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(data, "SHA256", known)
    return tmp_path


def message_of(folder: Path, *, download: bool = False) -> str:
    """The one line with which loading the training images fails."""
    with pytest.raises(DataError) as met:
        load_mnist(folder, train=True, download=download)
    assert "\n" not in str(met.value)
    return str(met.value)


def test_split_is_55000_and_5000_and_leaves_nothing_out() -> None:
    train, validation = split_indices(drawn_labels())
    assert (len(train), len(validation)) == (IMAGES - VALIDATION, VALIDATION) == (55_000, 5_000)
    assert torch.equal(torch.cat([train, validation]).sort().values, torch.arange(IMAGES))
    assert torch.equal(train, train.sort().values)
    assert torch.equal(validation, validation.sort().values)


def test_split_takes_the_same_share_of_each_digit() -> None:
    labels = drawn_labels()
    chosen = labels[split_indices(labels)[1]]
    for digit in DIGITS:
        share = (labels == digit).sum().item() * VALIDATION / IMAGES
        assert abs((chosen == digit).sum().item() - share) < 1


def test_split_is_always_the_same() -> None:
    torch.manual_seed(7)
    assert sha256_of(split_indices(drawn_labels())[1]) == SPLIT_OF_DRAWN_LABELS


def test_split_of_mnist_is_always_the_same(mnist_folder: Path) -> None:
    _, digit = load_mnist(mnist_folder, train=True)
    assert sha256_of(split_indices(digit)[1]) == SPLIT_OF_MNIST


def test_option_goes_before_variable_before_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "variable"))
    assert data_folder(tmp_path / "option") == (tmp_path / "option", False)
    assert data_folder(None) == (tmp_path / "variable", False)
    monkeypatch.delenv(DATA_VARIABLE)
    assert data_folder(None) == (tmp_path / "cache" / "adder-edge", True)


def test_cache_is_in_the_home_folder_unless_the_system_names_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder(None) == (tmp_path / ".cache" / "adder-edge", True)


@pytest.mark.parametrize("train", [True, False])
def test_pixels_and_digits_are_read_as_they_are(small_mnist: Path, train: bool) -> None:
    pixels, digit = load_mnist(small_mnist, train=train)
    assert (pixels.shape, pixels.dtype) == ((3, 28, 28, 1), torch.uint8)
    assert np.array_equal(pixels.flatten(), np.arange(3 * 784) % 256)
    assert (digit.tolist(), digit.dtype) == ([7, 2, 1], torch.int64)


@pytest.mark.parametrize("name", SHA256)
def test_missing_file_is_named_with_the_way_out(small_mnist: Path, name: str) -> None:
    (small_mnist / "MNIST" / "raw" / name).unlink()
    assert message_of(small_mnist) == (
        f"MNIST's {name} not found in {small_mnist}/MNIST/raw; "
        "name another folder with --data or ADDER_DATA, or neither to download it"
    )


def test_packed_file_is_told_to_be_unpacked(small_mnist: Path) -> None:
    path = small_mnist / "MNIST" / "raw" / TRAIN_IMAGES
    path.rename(path.with_name(path.name + ".gz"))
    assert f"{TRAIN_IMAGES} not found in {path.parent} (it is there as .gz: unpack it with gunzip)" in message_of(
        small_mnist
    )


def test_one_damaged_byte_is_found(small_mnist: Path) -> None:
    path = small_mnist / "MNIST" / "raw" / TRAIN_IMAGES
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert message_of(small_mnist).startswith(f"{path} is damaged: sha256 {hashlib.sha256(content).hexdigest()[:12]}…")
    assert message_of(small_mnist).endswith("delete it and fetch it again")


def test_file_that_cannot_be_read_is_named(small_mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    path = small_mnist / "MNIST" / "raw" / TRAIN_IMAGES
    assert message_of(small_mnist) == (
        f"{path} cannot be read: Permission denied; mend it, or name another folder with --data"
    )


def test_folder_that_cannot_be_looked_into_is_named(tmp_path: Path) -> None:
    assert "cannot be read: File name too long" in message_of(tmp_path / ("a" * 300))


def test_older_copy_that_torchvision_prefers_is_not_read(small_mnist: Path) -> None:
    processed = small_mnist / "MNIST" / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(5, 28, 28, dtype=torch.uint8), torch.zeros(5)), processed / name)
    assert load_mnist(small_mnist, train=True)[1].tolist() == [7, 2, 1]


@pytest.mark.parametrize(
    "error", [RuntimeError("Error downloading train-images:\nTried a mirror, got:\nno"), URLError("no route to host")]
)
def test_failed_download_names_the_folder_to_fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(root: str, **_: bool) -> None:
        raise error

    monkeypatch.setattr(data, "MNIST", fail)
    message = message_of(tmp_path, download=True)
    assert message.startswith(f"MNIST could not be downloaded to {tmp_path}: ")
    assert message.endswith(
        f"put its four files under {tmp_path}/MNIST/raw, or name their folder with --data or ADDER_DATA"
    )


def test_nothing_is_downloaded_where_it_is_not_asked_for_or_all_is_there(
    small_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MNIST", lambda *_, **__: pytest.fail("it went to download"))
    assert load_mnist(small_mnist, train=True, download=True)[1].tolist() == [7, 2, 1]
    message_of(tmp_path / "empty")


def test_ink_is_that_of_the_normaliser_and_progress_counts_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "NORMALIZE_BATCH", 4)
    pixels = torch.randint(0, 256, (10, 28, 28, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    told: list[int] = []
    ink = to_ink(pixels, torch.device("cpu"), told.append)
    assert told == [4, 4, 2]
    assert torch.equal(ink[8:], Normalizer()(pixels[8:]).ink)
    assert ink.shape == (10, 1, 28, 28)
