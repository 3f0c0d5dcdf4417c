"""adder-train as a user meets it: what it prints, where, what it leaves, and how it ends."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from adder_runtime import Approach
from adder_runtime.errors import DataError
from adder_trainer import cli, data, finder_run, finding, runs
from adder_trainer.checkpoint import load_checkpoint
from adder_trainer.data import Digits
from adder_trainer.finding import FinderRecipe
from adder_trainer.normalize.finder import Finder
from adder_trainer.options import RecipeName
from adder_trainer.training import RECIPES

pytestmark = pytest.mark.usefixtures("few_pictures")

Result = tuple[int, str, str]
Train = Callable[..., Result]

OPTIONS = {
    "--approach", "--recipe", "--epochs", "--batch-size", "--lr", "--photo-share", "--seed", "--device", "--data",
    "--out", "--resume", "--force", "--test", "--validate-only", "--explain-stacking", "--finder", "--autocast",
    "--no-autocast",
    "--channels-last", "--no-channels-last", "--compile", "--no-compile", "--json", "--version", "--help",
}  # fmt: skip

REPORT = {
    "README.md", "confusion_digits.png", "confusion_sums.png", "curves.png", "facts.json", "history.csv",
    "mistakes.png", "reliability.png", "risk_coverage.png", "rendered.png", "unknown.png", "augmentations.png",
}  # fmt: skip

OF_TEST = "reliability_test.png"
"""What is beside it where the test images were measured too."""

FACTS = "reports/finder/facts.json"

QUICK = ("--approach", "regress", "--epochs", 1, "--batch-size", 32, "--device", "cpu", "--json")

MEASURE = ("--validate-only", "--approach", "regress", "--device", "cpu", "--json")


@pytest.fixture
def adder_train(command: Callable[..., Result]) -> Train:
    """Runs the command in this process: exit code, standard output, standard error."""
    return lambda *words: command(cli.main, "adder-train", *words)


@pytest.fixture
def drawn_mnist(drawn: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawn digits in MNIST's place, 60 of them to choose by."""

    def load(folder: Path, *, train: bool, download: bool = False) -> tuple[Tensor, Tensor]:
        some = slice(None) if train else slice(0, 50)
        return (drawn.ink[some] * 255).to(torch.uint8).permute(0, 2, 3, 1), drawn.digit[some]

    monkeypatch.setattr(runs, "load_mnist", load)
    monkeypatch.setattr(data, "VALIDATION", 60)


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pictures take a second for each run, and not every test looks at them."""
    monkeypatch.setattr(runs, "write_report", lambda *_, **__: None)


def in_a_process(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from adder_trainer.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def complaint(err: str) -> str:
    """The one line that says what went wrong; before it stands at most the device."""
    *before, last = err.splitlines()
    assert last.startswith("adder-train: ")
    assert all(line.startswith("device: ") for line in before)
    assert len(before) <= 1
    return last.removeprefix("adder-train: ")


def test_help_lists_every_option_and_exit_code(adder_train: Train) -> None:
    code, out, err = adder_train("--help")
    assert (code, err) == (0, "")
    assert set(re.findall(r"--[a-z-]+", out.split("Options:")[1])) >= OPTIONS
    assert set(re.findall(r"^ +(--[a-z-]+)", out, re.MULTILINE)) <= OPTIONS
    assert re.findall(r"^ +(\d+)  \S", out, re.MULTILINE) == ["0", "2", "7", "8", "9", "10", "130"]


def test_help_does_not_wait_for_torch() -> None:
    code = "import sys, adder_trainer.cli; print(sorted({'torch', 'torchvision', 'matplotlib'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ended.stdout == "[]\n"


BAD_OPTIONS = {
    "--epochs 0": "--epochs",
    "--epochs many": "--epochs",
    "--batch-size 0": "--batch-size",
    "--lr -1": "--lr",
    "--lr nan": "--lr",
    "--lr inf": "--lr is inf, must be a number from 0",
    "--photo-share 1": "--photo-share",
    "--photo-share nan": "--photo-share",
    "--photo-share 0.1 --recipe source": "--photo-share goes with --recipe ours",
    "--finder --resume": "--finder and --resume do not go together",
    "--finder --test": "--finder and --test do not go together",
    "--finder --photo-share 0.1": "--finder and --photo-share do not go together",
    "--finder --recipe source": "--finder and --recipe do not go together",
    "--finder --compile": "--finder and --compile do not go together",
    "--validate-only --epochs 2": "--validate-only and --epochs do not go together",
    "--validate-only --finder": "--finder and --validate-only do not go together",
    "--explain-stacking --approach classify": "--explain-stacking and --approach do not go together",
    "--explain-stacking --json": "--explain-stacking and --json do not go together",
    "--seed -1": "--seed",
    "--seed 4294967296": "--seed",
    "--approach guess": "'classify', 'regress', 'all'",
    "--recipe theirs": "'ours', 'source'",
    "--device tpu": "'auto', 'cpu', 'cuda', 'mps'",
    "--resume --force": "--resume and --force do not go together",
    "--josn": "no such option: --josn",
    "classify": "classify",
}


@pytest.mark.parametrize("options", BAD_OPTIONS)
def test_bad_option_is_one_line_and_exit_code_2(options: str, adder_train: Train) -> None:
    code, out, err = adder_train(*options.split())
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert BAD_OPTIONS[options].lower() in complaint(err).lower()
    assert "adder-train --help" in err


def test_missing_data_is_told_without_a_traceback(tmp_path: Path) -> None:
    ended = in_a_process("--data", tmp_path / "none", "--out", tmp_path / "out", "--device", "cpu")
    assert (ended.returncode, ended.stdout) == (8, "")
    assert complaint(ended.stderr).startswith("MNIST's train-images-idx3-ubyte not found in ")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_named_device_that_is_missing_ends_with_its_code(
    device: str, adder_train: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    code, out, err = adder_train("--device", device, "--out", tmp_path)
    assert (code, out) == (10, "")
    assert complaint(err).startswith(f"device {device} is not there")


def test_device_that_auto_takes_is_told(adder_train: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert adder_train("--validate-only", "--out", tmp_path)[2].splitlines()[0] == "device: cpu (auto)"


def test_folder_that_cannot_be_written_is_told_before_the_data_is_read(adder_train: Train, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, _, err = adder_train(*QUICK, "--out", tmp_path / "file", "--data", tmp_path / "none")
    assert code == 7
    assert complaint(err).startswith(f"{tmp_path}/file cannot be written: ")


@pytest.mark.parametrize(("options", "message"), [("--resume", "no interrupted run"), ("--validate-only", "not found")])
def test_nothing_to_go_on_with_ends_with_its_code(
    options: str, message: str, adder_train: Train, tmp_path: Path
) -> None:
    code, out, err = adder_train("--approach", "regress", "--device", "cpu", options, "--out", tmp_path)
    assert (code, out) == (9, "")
    assert message in complaint(err)


@pytest.mark.usefixtures("drawn_mnist")
def test_run_leaves_a_checkpoint_and_a_report(adder_train: Train, tmp_path: Path) -> None:
    code, out, err = adder_train(*QUICK, "--seed", 4, "--test", "--out", tmp_path)
    assert (code, out.count("\n")) == (0, 1)
    assert "regress epoch 1/1: train loss " in err
    assert "Traceback" not in err
    facts = json.loads(out)
    assert {path.name for path in tmp_path.iterdir()} == {"regress.safetensors", "reports"}
    assert load_checkpoint(tmp_path / "regress.safetensors").facts == facts
    assert (facts["approach"], facts["recipe"], facts["seed"], facts["epochs"]) == ("regress", "ours", 4, 1)
    assert facts["settings"]["batch_size"] == 32
    assert (facts["validation"]["images"], facts["validation"]["pairs"]) == (60, 600)
    assert (facts["test"]["images"], facts["test"]["pairs"]) == (50, 500)
    report = tmp_path / "reports" / "regress"
    assert {path.name for path in report.iterdir()} == {*REPORT, OF_TEST}
    assert f"]({OF_TEST})" in (report / "README.md").read_text()
    assert json.loads((report / "facts.json").read_text()) == facts
    with (report / "history.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]


@pytest.mark.usefixtures("drawn_mnist")
def test_validate_only_writes_the_same_report_and_leaves_the_checkpoint(adder_train: Train, tmp_path: Path) -> None:
    trained = json.loads(adder_train(*QUICK, "--test", "--out", tmp_path)[1])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    report = tmp_path / "reports" / "regress"
    for name in REPORT - {"history.csv", "curves.png"}:
        (report / name).write_text("spoiled")
    code, out, _ = adder_train(*MEASURE, "--out", tmp_path)
    assert code == 0
    assert json.loads(out) == {name: value for name, value in trained.items() if name != "test"}
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    # a checkpoint's facts are sorted by name
    assert json.loads(after.pop(report / "facts.json")) == json.loads(before.pop(report / "facts.json"))
    assert after == before


@pytest.mark.usefixtures("drawn_mnist", "no_report")
def test_checkpoint_that_is_there_is_replaced_only_with_force(adder_train: Train, tmp_path: Path) -> None:
    adder_train(*QUICK, "--out", tmp_path)
    before = (tmp_path / "regress.safetensors").read_bytes()
    code, out, err = adder_train(*QUICK, "--seed", 7, "--out", tmp_path)
    assert (code, out) == (7, "")
    assert complaint(err) == (
        f"{tmp_path}/regress.safetensors is there; replace it with --force, or give another --out"
    )
    assert (tmp_path / "regress.safetensors").read_bytes() == before
    assert adder_train(*QUICK, "--seed", 7, "--force", "--out", tmp_path)[0] == 0
    assert load_checkpoint(tmp_path / "regress.safetensors").facts["seed"] == 7


def interrupt(*_: object) -> None:
    """What Ctrl-C does in the place of a call."""
    raise KeyboardInterrupt


@pytest.mark.usefixtures("drawn_mnist", "no_report")
def test_interrupted_run_is_kept_until_it_is_resumed(
    adder_train: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(runs, "save_checkpoint", interrupt)
        code, out, err = adder_train(*QUICK, "--seed", 2, "--out", tmp_path)
    assert (code, out) == (130, "")
    assert err.endswith("adder-train: interrupted\n")
    code, _, err = adder_train(*QUICK, "--seed", 2, "--out", tmp_path)
    assert code == 7
    assert "holds an interrupted run; go on with --resume, drop it with --force" in complaint(err)
    code, _, err = adder_train(*QUICK, "--resume", "--seed", 7, "--out", tmp_path)
    assert code == 9
    assert "belongs to another run (seed 2)" in err
    assert adder_train(*QUICK, "--resume", "--seed", 2, "--out", tmp_path)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["regress.safetensors"]


@pytest.mark.usefixtures("drawn_mnist", "no_report")
def test_resume_tells_which_finished_runs_it_leaves(
    adder_train: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    both = ("--recipe", "source", "--epochs", 1, "--device", "cpu", "--json", "--out", tmp_path)
    assert adder_train(*both)[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr(runs, "save_checkpoint", interrupt)
        assert adder_train(*both, "--force")[0] == 130
    code, out, err = adder_train(*both, "--resume")
    assert code == 0
    assert json.loads(out)["approach"] == "classify"
    assert (
        f"regress-source: {tmp_path}/regress-source.safetensors is finished and stays as it is; "
        "train it again with --force\n"
    ) in err


@pytest.mark.usefixtures("drawn_mnist", "no_report")
@pytest.mark.parametrize(("approach", "recipe"), [("regress", "ours"), ("classify", "source")])
def test_checkpoint_of_another_run_is_not_measured_under_its_name(
    approach: str, recipe: str, adder_train: Train, tmp_path: Path
) -> None:
    adder_train(*QUICK, "--recipe", "source", "--out", tmp_path)
    path = tmp_path / f"{approach}{'-source' if recipe == 'source' else ''}.safetensors"
    (tmp_path / "regress-source.safetensors").rename(path)
    words = ("--validate-only", "--approach", approach, "--recipe", recipe, "--device", "cpu", "--out", tmp_path)
    code, out, err = adder_train(*words)
    assert (code, out) == (9, "")
    assert complaint(err) == (
        f"{path} holds regress-source, wanted {path.stem}; rename it to regress-source.safetensors"
    )
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("drawn_mnist")
def test_damaged_test_images_are_told_before_the_training(
    adder_train: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    load: Callable[..., tuple[Tensor, Tensor]] = vars(runs)["load_mnist"]

    def damaged(folder: Path, *, train: bool, download: bool = False) -> tuple[Tensor, Tensor]:
        if not train:
            raise DataError("damaged")
        return load(folder, train=train, download=download)

    monkeypatch.setattr(runs, "load_mnist", damaged)
    code, out, err = adder_train(*QUICK, "--test", "--out", tmp_path)
    assert (code, out) == (8, "")
    assert complaint(err) == "damaged"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("drawn_mnist", "no_report")
def test_no_bar_is_drawn_where_nobody_looks(adder_train: Train, tmp_path: Path) -> None:
    _, _, err = adder_train(*QUICK, "--out", tmp_path)
    device, epoch = err.splitlines()
    assert device == "device: cpu"
    assert epoch.startswith("regress epoch 1/1: train loss ")


@pytest.mark.usefixtures("drawn_mnist", "no_report")
def test_both_approaches_and_a_table_for_a_person(adder_train: Train, tmp_path: Path) -> None:
    code, out, _ = adder_train("--epochs", 1, "--recipe", "source", "--device", "cpu", "--out", tmp_path)
    assert code == 0
    rows = [line.split() for line in out.splitlines() if "validation" in line]
    assert [[row[0], *row[3:5]] for row in rows] == [
        ["classify-source", "validation", "600"],
        ["regress-source", "validation", "600"],
    ]
    assert {path.name for path in tmp_path.glob("*.safetensors")} == {
        "classify-source.safetensors",
        "regress-source.safetensors",
    }


@pytest.mark.usefixtures("drawn_mnist")
def test_training_that_runs_away_is_told(adder_train: Train, tmp_path: Path) -> None:
    code, out, err = adder_train(*QUICK, "--lr", "1e9", "--out", tmp_path)
    assert (code, out) == (2, "")
    assert err.endswith("train with a lower --lr\n")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_finder_that_runs_away_is_told_and_not_kept(
    drawn: Digits, adder_train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = (drawn.ink * 255).to(torch.uint8).permute(0, 2, 3, 1)
    monkeypatch.setattr(finder_run, "load_mnist", lambda *_, **__: (pixels, drawn.digit))
    monkeypatch.setattr(data, "VALIDATION", 60)
    monkeypatch.setattr(finding, "FinderRecipe", partial(FinderRecipe, pictures=40))
    words = ("--finder", "--epochs", 1, "--batch-size", 10, "--lr", "1e9", "--device", "cpu", "--data", tmp_path)
    code, out, err = adder_train(*words, "--out", tmp_path, "--json")
    assert (code, out) == (2, "")
    assert complaint(err) == "the training has run away, its weights are no numbers; train with a lower --lr"
    assert list(tmp_path.glob("*.safetensors")) == []


@pytest.mark.slow
def test_one_epoch_of_mnist_from_end_to_end(
    adder_train: Train, mnist_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = RecipeName.OURS, Approach.REGRESS
    monkeypatch.setitem(RECIPES, key, replace(RECIPES[key], photos=1_000))  # 20,000 take minutes
    asked = (*QUICK, "--batch-size", 500, "--data", mnist_folder)
    code, out, err = adder_train(*asked, "--out", tmp_path)
    assert code == 0
    assert "Traceback" not in err
    facts = json.loads(out)
    assert (facts["validation"]["images"], facts["validation"]["pairs"]) == (5_000, 50_000)
    assert facts["validation"]["digit_accuracy"] > 0.9
    assert {path.name for path in (tmp_path / "reports" / "regress").iterdir()} == REPORT
    code, out, _ = adder_train(*MEASURE, "--data", mnist_folder, "--test", "--out", tmp_path)
    assert code == 0
    measured = json.loads(out)
    assert measured["validation"] == facts["validation"]
    assert (measured["test"]["images"], measured["test"]["pairs"]) == (10_000, 100_000)
    assert (tmp_path / "reports" / "regress" / OF_TEST).exists()
    assert adder_train(*asked, "--out", tmp_path)[0] == 7


def test_finder_is_trained_and_leaves_weights_and_a_sheet(
    drawn: Digits, adder_train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = (drawn.ink * 255).to(torch.uint8).permute(0, 2, 3, 1)
    monkeypatch.setattr(finder_run, "load_mnist", lambda *_, **__: (pixels, drawn.digit))
    monkeypatch.setattr(finder_run, "VALIDATION", range(1, 3))
    monkeypatch.setattr(data, "VALIDATION", 60)
    monkeypatch.setattr(finding, "FinderRecipe", partial(FinderRecipe, pictures=40))
    words = ("--finder", "--epochs", 1, "--batch-size", 10, "--device", "cpu", "--data", tmp_path, "--out", tmp_path)
    code, out, _ = adder_train(*words, "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["validation"]["pictures"] == 20
    assert facts["settings"]["pictures"] == 40
    Finder().load_state_dict(load_file(tmp_path / "finder.safetensors"))
    with safe_open(tmp_path / "finder.safetensors", "pt") as file:
        assert json.loads(file.metadata()["facts"]) == facts == json.loads((tmp_path / FACTS).read_text())
    assert (tmp_path / "reports/finder/found.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "reports/finder/README.md").read_text()
    assert set(re.findall(r"\]\(([^)]+)\)", text)) == {"found.png", "facts.json"}
    assert f"    adder-train --finder --seed {facts['seed']} --epochs 1 --batch-size 10\n" in text
    assert f"by {facts['validation']['overlap_whole']:.1%} in the look at the whole picture" in text
    before = (tmp_path / "finder.safetensors").read_bytes()
    code, _, err = adder_train(*words)
    assert (code, complaint(err).partition("; ")[2]) == (7, "replace it with --force, or give another --out")
    assert (tmp_path / "finder.safetensors").read_bytes() == before
    code, out, _ = adder_train(*words, "--force")
    assert code == 0
    assert "overlap" in out
