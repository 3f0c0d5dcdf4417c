"""Puts the shipped model files into the wheel, beside the code that loads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShippedModels(BuildHookInterface):  # type: ignore[misc]  # hatchling has no type information
    """Adds `artifacts/*.onnx` and their manifest to a wheel as `adder_runtime/models/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to include; an editable install reads `artifacts/` itself, a copy would go stale."""
        if version == "editable":
            return
        artifacts = Path(self.root, "artifacts")
        for shipped in (*sorted(artifacts.glob("*.onnx")), artifacts / "manifest.json"):
            build_data["force_include"][str(shipped)] = f"adder_runtime/models/{shipped.name}"
