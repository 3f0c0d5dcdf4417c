"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adder_runtime.errors import OutputError
from adder_runtime.output_file import write_whole


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A file that is there already."""
    path = tmp_path / "made" / "file.bin"
    write_whole(path, b"earlier")
    return path


def test_file_is_replaced_and_its_folder_made(earlier: Path) -> None:
    write_whole(earlier, b"new")
    assert earlier.read_bytes() == b"new"
    assert list(earlier.parent.iterdir()) == [earlier]


def test_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot be written: .*; give another folder with --out$"):
        write_whole(tmp_path / "file" / "model.safetensors", b"new")


def test_folder_in_the_place_of_the_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "picture.png").mkdir()
    with pytest.raises(OutputError, match="cannot be written: Is a directory; name another file"):
        write_whole(tmp_path / "picture.png", b"new", way_out="name another file")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into any folder; run the tests as another user")
def test_read_only_folder_is_an_output_error(earlier: Path) -> None:
    earlier.parent.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        write_whole(earlier, b"new")
    assert earlier.read_bytes() == b"earlier"


def test_full_disk_leaves_the_earlier_file_and_nothing_else(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        write_whole(earlier, b"new")
    assert earlier.read_bytes() == b"earlier"
    assert list(earlier.parent.iterdir()) == [earlier]
