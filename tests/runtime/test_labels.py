"""Which digit a picture shows, by its name, its folder or a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from adder_runtime.errors import LabelError
from adder_runtime.labels import find_labelled


def make(top: Path, *names: str) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()


def found(source: Path) -> dict[str, tuple[int, str]]:
    return {each.path.name: (each.digit, each.group) for each in find_labelled(source)[0]}


def test_name_begins_with_the_digit(tmp_path: Path) -> None:
    make(tmp_path, "3_ann.png", "4-bob.JPG", "5.png", "ink/7_x.png", "ink/thin/0_y.png")
    assert found(tmp_path) == {
        "3_ann.png": (3, "."),
        "4-bob.JPG": (4, "."),
        "5.png": (5, "."),
        "7_x.png": (7, "ink"),
        "0_y.png": (0, "ink/thin"),
    }


def test_folder_is_the_digit_and_no_group(tmp_path: Path) -> None:
    make(tmp_path, "3/a.png", "ann/8/b.png", "ann/9/1.png")
    assert found(tmp_path) == {"a.png": (3, "."), "b.png": (8, "ann"), "1.png": (9, "ann")}
    assert found(tmp_path / "3") == {"a.png": (3, ".")}


def test_what_has_no_label_is_told_apart_from_what_is_no_picture(tmp_path: Path) -> None:
    make(tmp_path, "3_a.png", "a.png", "12.png", "30_x.png", "4_notes.txt", ".5_hidden.png", ".cache/6_a.png")
    labelled, unlabelled = find_labelled(tmp_path)
    assert [each.path.name for each in labelled] == ["3_a.png"]
    assert [path.name for path in unlabelled] == ["12.png", "30_x.png", "a.png"]


def test_name_and_folder_that_disagree_are_refused(tmp_path: Path) -> None:
    make(tmp_path, "3/7_ann.png")
    with pytest.raises(LabelError, match=r"7_ann\.png is 7 by its name and 3 by its folder; rename one, or use a CSV"):
        find_labelled(tmp_path)
    make(tmp_path / "same", "7/7_ann.png")
    assert found(tmp_path / "same") == {"7_ann.png": (7, ".")}


def test_table_names_pictures_relative_to_itself(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("\ufeffwho,image,digit\nann,some/a.png,3\nbob,b.png,9\n", encoding="utf-8")
    labelled, unlabelled = find_labelled(table)
    assert [each.path for each in labelled] == [tmp_path / "some" / "a.png", tmp_path / "b.png"]
    assert found(table) == {"a.png": (3, "some"), "b.png": (9, ".")}
    assert unlabelled == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"picture,label\na.png,3\n", "has the columns picture,label, wanted image,digit"),
        (b"image,digit\na.png,12\n", "line 2: got image 'a.png' and digit '12', wanted a path and a digit from 0 to 9"),
        (b"image,digit\na.png,3\nb.png\n", "line 3: got image 'b.png' and digit None"),
        (b"image,digit\n,3\n", "line 2: got image ''"),
        (b"image,digit\n", "has no labelled pictures"),
        (b"", "has the columns , wanted image,digit"),
        (b"image,digit,digit\na.png,3,4\n", "has the columns image,digit,digit, wanted image,digit, once each"),
        (b"image,digit\na,3,b.png,3\n", "line 2: more cells than there are columns, wanted a name with"),
        (b"image,digit\na.png,3\na.png,4\n", "line 3: a.png is 4 here and 3 above"),
        (b"image,digit\n\xff\xfe,3\n", "is no CSV file in UTF-8"),
    ],
)
def test_bad_table_is_refused_with_what_is_wanted(tmp_path: Path, content: bytes, message: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_bytes(content)
    with pytest.raises(LabelError, match="wanted") as caught:
        find_labelled(table)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_labels_say_what_naming_is_wanted(tmp_path: Path) -> None:
    make(tmp_path, "a.png")
    wanted = r"wanted names such as 3_anything\.png, or a folder for each digit such as 3/anything\.png, or a CSV"
    with pytest.raises(LabelError, match=rf"has no labelled pictures; {wanted}"):
        find_labelled(tmp_path)
    with pytest.raises(LabelError, match=rf"is no folder and no CSV file; {wanted}"):
        find_labelled(tmp_path / "a.png")
    with pytest.raises(LabelError, match="not found"):
        find_labelled(tmp_path / "none")
    with pytest.raises(LabelError, match="cannot be read"):
        find_labelled(tmp_path / "none.csv")
