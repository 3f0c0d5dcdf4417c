"""Which machine and which versions a report was measured with."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from adder_runtime.session import import_onnxruntime

CPUINFO = Path("/proc/cpuinfo")

VERSIONS = {
    "python": "Python",
    "onnxruntime": "ONNX Runtime",
    "numpy": "numpy",
    "pillow": "Pillow",
    "torch": "PyTorch",
}
"""What people call that whose version is told, in this order."""


def describe_machine() -> dict[str, Any]:
    """Processor, system and versions; `processor` is None where nothing tells it, `torch` is there where it is."""
    versions = {}
    for name in ("numpy", "pillow", "torch"):
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {
        "system": platform.system(),
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "onnxruntime": import_onnxruntime().__version__,
        **versions,
    }


def processor() -> str | None:
    """What the system calls its processor."""
    if platform.system() != "Linux":
        return platform.processor() or None
    with suppress(OSError):
        for line in CPUINFO.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return None


def machine_line(machine: dict[str, Any]) -> str:
    """All of it for people, in one line."""
    known = [machine[key] for key in ("processor", "architecture") if machine.get(key)]
    versions = [f"{title} {machine[key]}" for key, title in VERSIONS.items() if key in machine]
    return ", ".join([*known, f"{machine['cores']} cores", machine["system"], *versions])
