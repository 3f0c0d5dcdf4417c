"""Tables that give each picture its number."""

from __future__ import annotations

from pathlib import Path

import pytest

from adder_runtime.errors import NumberError, UsageError
from adder_runtime.numbers_table import read_numbers


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_csv_gives_paths_and_numbers(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "number,image,more\n3,a.png,x\n0,sub/b.png,y\n")
    assert read_numbers(table) == ([str(tmp_path / "a.png"), str(tmp_path / "sub" / "b.png")], [3, 0])
    assert read_numbers(table, Path("in"))[0] == [str(Path("in/a.png")), str(Path("in/sub/b.png"))]


def test_parquet_is_read_alike(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"image": ["a.png", "b.png"], "number": [9, 1], "more": [None, 2.5]}), table)
    assert read_numbers(table) == ([str(tmp_path / "a.png"), str(tmp_path / "b.png")], [9, 1])


@pytest.mark.parametrize("number", ["10", "-1", "x", "", "1.5"])
def test_other_numbers_are_refused_with_their_row(tmp_path: Path, number: str) -> None:
    table = write(tmp_path / "t.csv", f"image,number\na.png,3\nb.png,{number}\n")
    with pytest.raises(NumberError, match=r"t\.csv row 2: number is .*whole number from 0 to 9"):
        read_numbers(table)


@pytest.mark.parametrize("number", [2.7, float("nan"), float("inf"), 10.0, True, None])
def test_other_numbers_of_a_parquet_are_refused_with_their_row(tmp_path: Path, number: float | None) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"image": ["a.png"], "number": [number]}), table)
    with pytest.raises(NumberError, match=r"t\.parquet row 1: number is .*whole number from 0 to 9"):
        read_numbers(table)


def test_whole_numbers_stored_as_floats_are_taken(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"image": ["a.png"], "number": [3.0]}), table)
    assert read_numbers(table)[1] == [3]


def test_parquet_of_other_columns_is_told_in_one_plain_line(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"image": ["a.png"], "digit": [3]}), table)
    with pytest.raises(UsageError, match=r"has other columns: there is no column number; wanted a CSV or Parquet"):
        read_numbers(table)


@pytest.mark.parametrize("text", ["", "image,digit\na.png,3\n", "image,number\n", "image,number\n,3\n"])
def test_other_tables_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"t\.csv .*wanted a CSV or Parquet file with the columns image,number"):
        read_numbers(write(tmp_path / "t.csv", text))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("image,number,number\na.png,3,4\n", "there are 2 columns number"),
        ("image,number\na,b.png,3\n", "row 1 has more cells than there are columns"),
    ],
)
def test_a_table_in_which_a_cell_could_be_mistaken_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=rf"t\.csv is damaged, or has other columns: {wrong}.*; wanted"):
        read_numbers(write(tmp_path / "t.csv", text))


def test_a_parquet_of_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = [pyarrow.array(each) for each in (["a.png"], [3], [4])]
    parquet.write_table(pyarrow.table(columns, names=["image", "number", "number"]), tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="there are 2 columns number"):
        read_numbers(tmp_path / "t.parquet")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_missing_and_damaged_tables_are_told(tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    with pytest.raises(UsageError, match="cannot be read"):
        read_numbers(tmp_path / name)
    (tmp_path / name).write_bytes(b"\xff\xfe\x00 damaged")
    with pytest.raises(UsageError, match=r"is damaged|cannot be read"):
        read_numbers(tmp_path / name)
