"""The README is true: its tables are those of the artifacts, its commands, options and links exist."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import typer

from adder_runtime import errors

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "artifacts" / "reports"
README = (ROOT / "README.md").read_text()
COMMANDS = (
    "adder_runtime.cli",
    "adder_runtime.measure_cli",
    "adder_runtime.bench_cli",
    "adder_trainer.cli",
    "adder_export.cli",
)


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_those_of_the_artifacts() -> None:
    made = tool("readme_tables")
    for document in made.DOCUMENTS:
        text = document.read_text()
        assert made.filled(text) == text, f"{document}: run: make readme"
        assert not re.search(r"<!-- (\w+) -->\n<!-- /\1 -->", text), "a table that nothing fills"
    whole = "".join(document.read_text() for document in made.DOCUMENTS)
    assert all(f"<!-- {name} -->" in whole for name in made.TABLES)


def test_contract_files_are_the_contract(tmp_path: Path) -> None:
    made = tool("contract_files")
    for path, content in made.contents().items():
        assert path.read_text() == content, "run: make readme"
    if compiler := shutil.which("cc"):
        source = tmp_path / "names.c"
        source.write_text(
            '#include "adder_edge.h"\n#include <stdio.h>\nint main(void) { puts(ADDER_DIGIT); return 0; }\n'
        )
        subprocess.run(
            [
                compiler,
                "-Wall",
                "-Werror",
                "-pedantic",
                "-std=c89",
                f"-I{made.ARTIFACTS}",
                source,
                "-o",
                tmp_path / "names",
            ],
            check=True,
        )
        assert subprocess.run([tmp_path / "names"], capture_output=True, text=True, check=True).stdout == "digit\n"


@pytest.mark.parametrize("module", COMMANDS)
def test_each_command_and_option_is_named(module: str) -> None:
    app = import_module(module).app
    section = README[README.index(f"`{app.info.name}") :]
    options = [option for each in typer.main.get_command(app).params for option in each.opts if option.startswith("--")]
    assert len(options) > 5
    assert [option for option in options if f"`{option}`" not in section] == []


def test_every_exit_code_is_in_the_table() -> None:
    found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.AdderError)]
    codes = {each.exit_code for each in found}
    codes |= {errors.EXIT_SOME_FAILED, errors.EXIT_USAGE, errors.EXIT_UNSURE, errors.EXIT_INTERRUPTED, 0}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)} == codes


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "artifacts/README.md", "artifacts/CONTRACT.md"]
    + [str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("examples/*/README.md"))]
    + [str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("artifacts/*/**/README.md"))],
)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    assert [
        link for link in links if not link.startswith("http") and not (ROOT / page).parent.joinpath(link).exists()
    ] == []


@pytest.mark.parametrize("folder", sorted(path.name for path in REPORTS.iterdir() if path.is_dir()))
def test_each_folder_of_reports_has_a_page_that_shows_all_its_pictures(folder: str) -> None:
    page = (REPORTS / folder / "README.md").read_text()
    shown = set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page))
    assert shown == {path.name for path in (REPORTS / folder).glob("*.png")}
    assert re.search(r"^    adder-(train|measure) ", page, re.MULTILINE), "what wrote it is not told"
    listed = README + (ROOT / "artifacts/README.md").read_text()
    assert folder.endswith("-source") or f"reports/{folder}/README.md)" in listed


@pytest.mark.parametrize(("refused", "lowest"), [(1.0, "none"), (0.995, "0.1%")])
def test_curve_says_where_nothing_is_wrong(refused: float, lowest: str) -> None:
    accuracy = {"digit_accuracy": 0.9, "sum_accuracy": 0.99}
    run = {"photo_share": 0.1, "rendered": accuracy, "validation": accuracy, "test": accuracy}
    (axes,) = tool("gather_runs").draw_trade([run | {"blank": {"unread": refused}}]).axes
    assert axes.get_yticklabels()[0].get_text() == lowest


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)\b", re.sub(r"```python.*?```", "", README, flags=re.DOTALL)))
    assert named & {"demo", "test"} == {"demo", "test"}
    assert named <= targets


def test_python_example_prints_what_its_comments_say(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example
    exec(example[1].replace("examples/three.png", str(ROOT / "examples" / "three.png")), {})
    digit_and_sum, confidence, consistent = capsys.readouterr().out.splitlines()
    assert digit_and_sum == "3 10"
    assert 0.9 < float(confidence) <= 1
    assert consistent == "True"


def test_program_that_drives_adder_infer_prints_what_its_comment_says() -> None:
    (example,) = [code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "subprocess" in code]
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    ended = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    missing = "missing.png not found, wanted a picture file"
    assert ended.stdout.splitlines() == ["10 None", f"None {missing}"]
    assert (ended.returncode, ended.stderr) == (0, f"adder-infer: {missing}\n")
    assert "# 10 None, then None and why" in example


def test_first_answer_is_what_the_command_prints() -> None:
    command, printed = re.findall(r"^\$ (adder-infer .*)\n(.+)$", README, re.MULTILINE)[0]
    words = [sys.executable, "-m", "adder_runtime", *command.split()[1:], "--provider", "cpu"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, text=True)
    assert ended.stdout == printed + "\n"
