"""What adder-infer tells of a model file without asking it a picture: what it is, if it is whole, if it conforms."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adder_runtime.conformance import Vectors, conform
from adder_runtime.contract import INPUTS, Key, describe_contract, outputs
from adder_runtime.errors import ConformanceError, ModelError
from adder_runtime.manifest import verify
from adder_runtime.model import Adder
from adder_runtime.session import SHIPPED
from adder_runtime.speech import say, show_table

JSON_KEYS = (Key.TRAINING, Key.ACCURACY)
"""Keys whose value is JSON."""


def tell_about(adder: Adder, as_json: bool) -> int:
    """Print a file's metadata and its contract; the exit code."""
    metadata: dict[str, Any] = {
        key: json.loads(value) if key in list(JSON_KEYS) else value for key, value in adder.metadata.items()
    }
    if as_json:
        told = {"file": str(adder.path), "provider": str(adder.provider), "metadata": metadata}
        say(json.dumps(told | {"contract": describe_contract(adder.approach)}))
        return 0
    say(f"{adder.path}: {adder}, {adder.path.stat().st_size / 1000:.0f} KB")
    for key, value in metadata.items():
        if key != Key.TRAINING:
            say(f"{key}: {', '.join(f'{name} {each}' for name, each in value.items()) if key in JSON_KEYS else value}")
    for kind, specs in (("takes", INPUTS), ("gives", outputs(adder.approach))):
        for spec in specs:
            say(f"{kind} {spec}: {spec.meaning}")
    return 0


def tell_files(as_json: bool) -> int:
    """Check the files that ship against their manifest and print what was found; the exit code.

    Raises:
        ModelError: one is missing or differs, or there is no manifest.
    """
    folder = next((each for each in SHIPPED if each.is_dir()), SHIPPED[-1])
    found = verify(folder)
    if as_json:
        say(json.dumps({"folder": str(folder), "files": [asdict(each) for each in found]}))
    else:
        rows = [[each.file, f"{each.bytes:,}", f"{each.sha256[:12]}…", each.state] for each in found]
        show_table([["file", "bytes", "sha256", "state"], *rows])
    bad = [f"{each.file} {each.state}" for each in found if each.state != "ok"]
    if bad:
        raise ModelError(f"{folder}: {', '.join(bad)}; install adder-edge again")
    return 0


def run_vectors(adder: Adder, folder: Path | None, as_json: bool) -> int:
    """Run the conformance vectors of a folder and tell what was found; the exit code.

    Raises:
        ConformanceError: some case failed, or the vectors cannot be read.
    """
    assert folder is not None
    kinds = conform(adder.run, Vectors(folder), adder.approach, adder.precision)
    cases = sum(kind.cases for kind in kinds.values())
    failed = [line for kind in kinds.values() for line in kind.failed]
    if as_json:
        told: dict[str, Any] = {"model": str(adder.path), "provider": str(adder.provider), "cases": cases}
        by_kind = {name: asdict(kind) for name, kind in kinds.items()}
        say(json.dumps(told | {"passed": cases - len(failed), "kinds": by_kind}, allow_nan=True))
    else:
        rows = [[name, str(kind.cases), str(len(kind.failed)), f"{kind.worst:.1%}"] for name, kind in kinds.items()]
        show_table([["kind", "cases", "failed", "largest share of what is tolerated"], *rows])
        say(f"{adder}: {cases - len(failed)} of {cases} cases pass")
    if failed:
        raise ConformanceError(f"{adder.path.name}: {len(failed)} of {cases} cases fail; the first: {failed[0]}")
    return 0
