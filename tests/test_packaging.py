"""What a user gets: the wheel and the sdist, and the runtime's tests from an installed wheel without torch."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)], check=True, capture_output=True)
    return out


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_wheel_holds_the_three_packages_and_both_models(built: Path) -> None:
    with zipfile.ZipFile(only(built, "*.whl")) as wheel:
        names = set(wheel.namelist())
        for approach in ("classify", "regress"):
            inside = hashlib.sha256(wheel.read(f"adder_runtime/models/{approach}.onnx")).hexdigest()
            assert inside == hashlib.sha256((ROOT / "artifacts" / f"{approach}.onnx").read_bytes()).hexdigest()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"adder_runtime", "adder_trainer", "adder_export"}
    sources = {str(path.relative_to(path.parents[1])) for path in ROOT.glob("*/adder_*/*.py")}
    assert sources <= names
    for package in ("adder_runtime", "adder_trainer", "adder_export"):
        assert f"{package}/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert only(built, "*.whl").stat().st_size < 2_500_000


def test_sdist_builds_the_same_wheel(built: Path) -> None:
    with tarfile.open(only(built, "*.tar.gz")) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = ("pyproject.toml", "hatch_build.py", "README.md", "CHANGELOG.md", "LICENSE", "artifacts/classify.onnx")
    assert set(wanted) <= names
    # `build` makes the wheel from the sdist, so a wheel with the models in it shows that nothing is missing
    assert not [name for name in names if name.startswith(("build/", "dist/", ".venv"))]


def test_runtime_tests_pass_from_the_wheel_without_torch_and_onnx(built: Path, tmp_path: Path) -> None:
    home = tmp_path / "light"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    python = home / "bin" / "python"
    wheel = f"{only(built, '*.whl')}[cpu]"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, wheel, "pytest"], check=True)
    listed = subprocess.run([str(python), "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert not {"torch", "torchvision", "onnx"} & {line.split()[0] for line in listed.splitlines()}
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ended = subprocess.run(
        [
            str(python),
            "-m",
            "pytest",
            "-q",
            "-m",
            "not slow",
            "-c",
            str(ROOT / "pyproject.toml"),
            str(ROOT / "tests/runtime"),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]
    where = "import adder_runtime; print(adder_runtime.__file__)"
    found = subprocess.run([str(python), "-c", where], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert Path(found).is_relative_to(home)
