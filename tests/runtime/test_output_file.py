"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
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


@pytest.mark.skipif(sys.platform == "win32", reason="asked to end in another way")
def test_command_that_is_asked_to_end_leaves_nothing_half_written(earlier: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from adder_runtime import output_file, speech\n"
        "def call():\n"
        "    with output_file.whole_file(Path(sys.argv[1])) as file:\n"
        "        file.write(b'half'); print('ready', flush=True); time.sleep(60)\n"
        "speech.leave('adder', call)"
    )
    command = [sys.executable, "-c", code, str(earlier)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(10) == 130
        assert process.stderr.read() == "adder: interrupted\n"
    assert [path.name for path in earlier.parent.iterdir()] == [earlier.name]
    assert earlier.read_bytes() == b"earlier"
