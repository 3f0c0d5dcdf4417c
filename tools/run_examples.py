"""Installs and runs each example against the shipped files, and holds it to the conformance vectors.

python tools/run_examples.py            # all that can run here, as a table
python tools/run_examples.py --write    # and write artifacts/conformance/bindings.json, for the README's table

What an example needs comes from PyPI and npm into build/examples; a browser is Debian's chromium. What is missing is
named and passed over, unless --all says that nothing may be.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
BUILD = ROOT / "build" / "examples"
OUT = ROOT / "artifacts" / "conformance" / "bindings.json"

OPENCV_LARGEST = 1023
"""Pixels: OpenCV 5.0 fails on larger pictures, which the file reduces with whole numbers first."""

REFERENCE_EVERY = 60
"""The reference evaluator takes seconds for a case: of so many it is asked one."""


class MissingError(Exception):
    """What an example needs is not on this machine."""


def environment(place: Path, wanted: Path) -> None:
    """A virtual environment with what a file of requirements names."""
    if not (place / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        pip = [place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted]
        subprocess.run(pip, check=True)
        (place / "installed").touch()


def python(name: str, *words: str) -> dict[str, Any]:
    """Run a Python example in an environment of its own."""
    place = BUILD / name
    environment(place, EXAMPLES / name / "requirements.txt")
    if name == "python-bare":
        picture = BUILD / "three.pgm"
        picture.write_bytes(b"P5 28 28 255\n" + three())
        check_command([place / "bin" / "python", EXAMPLES / name / "adder.py"], picture, EXAMPLES / "three.png")
    told = last_line([place / "bin" / "python", EXAMPLES / name / "conformance.py", "--json", *words])
    return told | {"bytes": size_of(next((place / "lib").glob("python*/site-packages")))}


def in_cpp() -> dict[str, Any]:
    """OpenVINO from C++."""
    header = Path("/usr/include/nlohmann/json.hpp")
    for needed, there in (
        ("cmake", shutil.which("cmake")),
        ("a C++ compiler", shutil.which("c++")),
        (header, header.exists()),
    ):
        if not there:
            raise MissingError(str(needed))
    environment(BUILD / "cpp-wheel", EXAMPLES / "cpp" / "requirements.txt")
    site = next((BUILD / "cpp-wheel" / "lib").glob("python*/site-packages"))
    place = BUILD / "cpp"
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(
        ["cmake", "-S", EXAMPLES / "cpp", "-B", place, f"-DOpenVINO_DIR={site / 'openvino' / 'cmake'}"], **quiet
    )
    subprocess.run(["cmake", "--build", place], **quiet)
    picture = place / "three.pgm"
    picture.write_bytes(b"P5 28 28 255\n" + three())
    check_command([place / "adder"], picture, EXAMPLES / "cpp" / "CMakeLists.txt")
    told = last_line([place / "conformance", ROOT / "artifacts"])
    libraries = size_of(site / "openvino" / "libs")
    return told | {"bytes": libraries + (place / "adder").stat().st_size}


def three() -> bytes:
    """Pixels of an image of a three among the vectors, 28x28."""
    folder = ROOT / "artifacts" / "conformance"
    index, data = json.loads((folder / "index.json").read_text()), (folder / "vectors.bin").read_bytes()
    place = next(
        case["image"]
        for case in index["cases"]
        if case["kind"] == "mnist" and int.from_bytes(data[case["classify"] : case["classify"] + 4], "little") == 3
    )
    return data[place : place + 28 * 28]


def check_command(command: list[Any], picture: Path, no_file: Path) -> None:
    """A command line answers, and tells each kind of bad input in one line with an exit code that is not 0."""

    def run(*words: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(list(map(str, [*command, *words])), capture_output=True, text=True)

    answered = run(picture, 7)
    assert answered.stdout.startswith("3 + 7 = 10 ("), answered
    for words in ([picture, 12], [no_file, 7], ["missing.png", 7], []):
        bad = run(*words)
        assert bad.returncode == 1, words
        assert bad.stderr.startswith("adder: "), bad.stderr
        assert bad.stderr.count("\n") == 1, bad.stderr


def node(name: str) -> Path:
    """A copy of a Node example with what it needs."""
    if shutil.which("npm") is None:
        raise MissingError("npm")
    place = BUILD / "tree" / "examples" / name
    for part in ("examples", "artifacts"):
        shutil.copytree(
            ROOT / part,
            BUILD / "tree" / part,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("node_modules", "dist", "reports", "bench"),
        )
    if not (place / "node_modules").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=place, check=True)
    return place


def in_node() -> dict[str, Any]:
    """ONNX Runtime in Node."""
    place = node("node")
    check_command(["node", place / "cli.js"], EXAMPLES / "three.png", place / "package.json")
    return last_line(["node", place / "conformance.js", "--json"]) | {"bytes": size_of(place / "node_modules")}


def in_browser() -> dict[str, Any]:
    """The drawing pad in Chromium: its own tests, with the vectors among them."""
    if shutil.which("chromium") is None:
        raise MissingError("chromium")
    place = node("web")
    shots = ROOT / "build" / "web"
    subprocess.run(["node", "build.js"], cwd=place, check=True)
    subprocess.run(["node", "test/run.js", shots], cwd=place, check=True)
    told: dict[str, Any] = json.loads((shots / "conformance.json").read_text())
    return told | {"bytes": size_of(place / "dist")}


def last_line(command: list[Any]) -> dict[str, Any]:
    """What a command says last, as JSON; it may end with 1 where cases failed."""
    found = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    lines = found.stdout.strip().splitlines()
    if found.returncode not in (0, 1) or not lines:
        raise RuntimeError(
            f"{' '.join(map(str, command))} ended with {found.returncode}: {found.stderr.strip()[-500:]}"
        )
    told: dict[str, Any] = json.loads(lines[-1])
    return told


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder, without pip's own."""
    tools = {"pip", "setuptools", "pkg_resources", "_distutils_hack"}
    files = (path for path in folder.rglob("*") if path.is_file() and not tools & set(path.relative_to(folder).parts))
    return sum(path.stat().st_size for path in files)


RUNS: dict[str, Callable[[], dict[str, Any]]] = {
    "python-bare": lambda: python("python-bare"),
    "python-openvino": lambda: python("python-openvino"),
    "python-opencv": lambda: python("python-opencv", "--largest", str(OPENCV_LARGEST)),
    "cpp": in_cpp,
    "reference": lambda: python("reference", "--every", str(REFERENCE_EVERY)),
    "node": in_node,
    "web": in_browser,
}


def main() -> None:
    """Run the examples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="*", choices=[*RUNS, []], help="all unless named")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    found, failed = {}, []
    for name in options.examples or RUNS:
        try:
            told = RUNS[name]()
        except MissingError as error:
            sys.stdout.write(f"{name}: not run, {error} is missing\n")
            failed += [name] if options.all else []
            continue
        found[name] = told
        passed = f"{told['passed']} of {told['cases']} cases pass"
        sys.stdout.write(f"{name}: {told['runtime']} {told['version']}, {passed}, {told['ms']:.2f} ms a picture\n")
        if told["passed"] != told["cases"]:
            failed.append(name)
            sys.stdout.write(f"  {told['first_failure']}\n")
        sys.stdout.flush()
    if options.write:
        before = json.loads(OUT.read_text()) if OUT.exists() else {}
        kept = {name: (before | found)[name] for name in RUNS if name in before | found}
        OUT.write_text(json.dumps(kept, indent=2) + "\n")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
