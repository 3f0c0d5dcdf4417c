"""A watched folder: each new picture once, when it is written."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from adder_runtime.errors import ImageError, UsageError
from adder_runtime.image_file import to_png
from adder_runtime.pictures import draw_digit, paint
from adder_runtime.watch import Told, new_pictures

pytest.importorskip("watchdog")

CONTENT = to_png(paint(draw_digit(3, 30, 30), 1))


class Watching:
    """What `new_pictures` tells, gathered in a thread."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.folder = folder
        threading.Thread(target=self._gather, daemon=True).start()
        time.sleep(0.5)

    def _gather(self) -> None:
        for path in new_pictures(self.folder):
            self.told.append(Path(path).name)

    def wait_for(self, *names: str) -> None:
        """Until all were told, and then a little longer in which nothing else may come."""
        end = time.monotonic() + 20
        while len(self.told) < len(names) and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.4)
        assert sorted(self.told) == sorted(names)


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    (tmp_path / "before.png").write_bytes(CONTENT)
    return Watching(tmp_path)


def test_new_pictures_are_told_once(watching: Watching) -> None:
    (watching.folder / "a.png").write_bytes(CONTENT)
    (watching.folder / "notes.txt").write_bytes(b"no picture")
    (watching.folder / ".hidden.png").write_bytes(CONTENT)
    watching.wait_for("a.png")
    os.utime(watching.folder / "a.png", ns=(1, (watching.folder / "a.png").stat().st_mtime_ns))  # looked at
    watching.wait_for("a.png")


def test_what_comes_before_the_first_is_asked_for_is_told(tmp_path: Path) -> None:
    pictures = new_pictures(tmp_path)
    (tmp_path / "early.png").write_bytes(CONTENT)
    assert Path(next(pictures)).name == "early.png"


def test_a_picture_that_is_being_written_is_waited_for(watching: Watching) -> None:
    with (watching.folder / "slow.png").open("wb") as file:
        file.write(CONTENT[:40])
        file.flush()
        time.sleep(0.6)
        assert watching.told == []
        file.write(CONTENT[40:])
    watching.wait_for("slow.png")


def test_a_picture_that_is_renamed_into_its_place_is_told(watching: Watching) -> None:
    beside = watching.folder / ".b.png.part"
    beside.write_bytes(CONTENT)
    beside.rename(watching.folder / "b.png")
    watching.wait_for("b.png")


def test_pictures_that_come_from_another_folder_are_told(
    watching: Watching, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("moved.png", "hard.png", "soft.png"):
        (elsewhere / name).write_bytes(CONTENT)
    (elsewhere / "moved.png").rename(watching.folder / "moved.png")
    try:
        (watching.folder / "hard.png").hardlink_to(elsewhere / "hard.png")
        (watching.folder / "soft.png").symlink_to(elsewhere / "soft.png")
    except OSError:
        pytest.skip("this file system has no links")
    watching.wait_for("moved.png", "hard.png", "soft.png")


def test_a_picture_that_is_gone_is_forgotten_and_told_when_it_comes_again(watching: Watching) -> None:
    for times in (1, 2):
        beside = watching.folder / ".b.png.part"
        beside.write_bytes(CONTENT)
        os.utime(beside, ns=(1, 1))  # so that it is the same to the nanosecond
        beside.rename(watching.folder / "b.png")
        watching.wait_for(*["b.png"] * times)
        (watching.folder / "b.png").unlink()
        time.sleep(0.4)


def test_what_was_told_holds_no_more_than_the_folder(tmp_path: Path) -> None:
    told = Told()
    path = tmp_path / "a.png"
    path.write_bytes(CONTENT)
    assert [told.is_new(str(path)) for _ in range(2)] == [True, False]
    told.forget(str(path))  # written anew before it was heard of that it had gone
    assert (told.is_new(str(path)), len(told)) == (False, 1)
    path.unlink()
    told.forget(str(path))
    assert len(told) == 0


def test_a_folder_that_is_gone_ends_the_watch(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    pictures = new_pictures(folder)
    folder.rename(tmp_path / "other")
    folder.mkdir()  # another one in its place
    with pytest.raises(ImageError, match=r"folder is gone"):
        next(pictures)


def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match="cannot be watched: Permission denied"):
        new_pictures(tmp_path)


def test_a_picture_written_once_more_is_told_again(watching: Watching) -> None:
    (watching.folder / "a.png").write_bytes(CONTENT)
    watching.wait_for("a.png")
    (watching.folder / "a.png").write_bytes(to_png(paint(draw_digit(4, 31, 30), 1)))
    watching.wait_for("a.png", "a.png")
