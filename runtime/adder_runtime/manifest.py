"""What ships, with its hashes: so that a damaged or exchanged file is refused, and never answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adder_runtime.errors import ModelError

MANIFEST = "manifest.json"
"""Lies beside the files."""

WAY_OUT = "install adder-edge again, or make it with: adder-export --precision all"


@dataclass(frozen=True)
class Verified:
    """What was found of one file that ships."""

    file: str
    bytes: int
    sha256: str
    """As the manifest has it."""
    state: str
    """ok, missing, or differs."""


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder: by file name its size, hash, contract, precision, accuracy and origin.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {each["file"]: each for each in files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or f"no list of files ({error})"
        raise ModelError(f"{path} cannot be read: {reason}; {WAY_OUT}") from error


def check_content(folder: Path, name: str, content: bytes) -> None:
    """Refuse a shipped file that is not the one that was proven; it takes less time than reading it.

    Raises:
        ModelError: its hash is another, or the manifest does not know it.
    """
    files = read_manifest(folder)
    wanted = files[name]["sha256"] if name in files else None
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        known = "is in no manifest" if wanted is None else f"wanted {wanted[:12]}…"
        raise ModelError(f"{folder / name} is not the file that ships: sha256 {found[:12]}…, {known}; {WAY_OUT}")


def verify(folder: Path) -> list[Verified]:
    """Every file that the manifest of a folder names, and whether it is there as it was.

    Raises:
        ModelError: there is no manifest.
    """
    found = []
    for name, told in read_manifest(folder).items():
        try:
            digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            state = "ok" if digest == told["sha256"] else "differs"
        except OSError:
            state = "missing"
        found.append(Verified(name, told["bytes"], told["sha256"], state))
    return found
