"""Conformance vectors: pictures, numbers and what PyTorch answers, for whatever runs a model file to be held to.

An index in JSON and one binary file, which any language reads without a library of ours:

- `index.json` names for each approach the `outputs` in order, each with its `type` and its `shape` for one picture, and
  for each precision the `tolerances`; and it lists the `cases`. Each has a `kind`, the `shape` of its image (batch,
  height, width, channels), and offsets in bytes into the binary file: of the `image`, of the `number`s, of the expected
  outputs for each approach, and for some cases of the expected `ink`.
- `vectors.bin` holds the image as uint8 in the order of its shape; all else in words of 4 bytes, least significant
  first: int32 for numbers, digit, sum and consistent (0 or 1), float32 for the others. Expected outputs follow one
  another in the index's order, each for all pictures of the batch. Each of these begins at a multiple of 4.

A case passes where every int32 is equal and no float is further off than its tolerance; of the box, as a share of the
picture's longer side.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adder_runtime.contract import BOX, CONTRACT_VERSION, INK, Approach, Precision, outputs
from adder_runtime.errors import ConformanceError

CONFORMANCE_VERSION = "1"
"""Raised when the files are laid out in another way."""

INDEX, DATA = "index.json", "vectors.bin"

WORD = {"int32": "<i4", "bool": "<i4", "float32": "<f4"}
"""How a value is stored, by the contract's type."""

Outputs = dict[str, NDArray[Any]]

Run = Callable[[NDArray[np.uint8], NDArray[np.int32]], Outputs]
"""Asks a model file: image (batch, height, width, channels) and number (batch) to the outputs by name."""


@dataclass(frozen=True)
class Case:
    """One run of a model file, and what is to come out."""

    place: int
    """In the index, from 0."""
    kind: str
    image: NDArray[np.uint8]
    """(batch, height, width, channels)."""
    number: NDArray[np.int32]
    """(batch)."""
    expected: Outputs
    """By name; the ink only in some cases."""


@dataclass
class Kind:
    """What was found over the cases of one kind."""

    cases: int = 0
    failed: list[str] = field(default_factory=list)
    """A line for each case that failed."""
    worst: float = 0.0
    """Largest difference, as a share of what is tolerated."""
    differences: dict[str, float] = field(default_factory=dict)
    """Largest, by output; of the box as a share of the picture's longer side."""


class Vectors:
    """The vectors of a folder."""

    def __init__(self, folder: Path) -> None:
        """Read both files.

        Raises:
            ConformanceError: one is missing, damaged, or of another version.
        """
        try:
            self.index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            self._data = (folder / DATA).read_bytes()
            version, contract = self.index["conformance"], self.index["contract"]
            digest = self.index["sha256"]
        except OSError as error:
            raise ConformanceError(
                f"{error.filename} cannot be read: {error.strerror}; wanted a folder with {INDEX} and {DATA}, as "
                "adder-export --conformance writes it"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise ConformanceError(f"{folder / INDEX} is no index of vectors: {error}; write it again") from error
        if (version, contract) != (CONFORMANCE_VERSION, CONTRACT_VERSION):
            raise ConformanceError(
                f"{folder} holds vectors {version} of contract {contract}, wanted {CONFORMANCE_VERSION} of contract "
                f"{CONTRACT_VERSION}; write them again with: adder-export --conformance"
            )
        if hashlib.sha256(self._data).hexdigest() != digest:
            raise ConformanceError(f"{folder / DATA} is not the file that {INDEX} was written for; fetch both again")

    def cases(self, approach: Approach) -> Iterator[Case]:
        """Every case, with what a file of that approach is to answer."""
        for place, told in enumerate(self.index["cases"]):
            batch = told["shape"][0]
            expected: Outputs = {}
            at = told[approach]
            for spec in self.index["outputs"][approach]:
                shape = (batch, *spec["shape"])
                expected[spec["name"]] = self._read(at, WORD[spec["type"]], shape)
                at += 4 * int(np.prod(shape))
            if "ink" in told:
                expected[INK.name] = self._read(told["ink"], "<f4", (batch, *INK.shape[1:]))
            yield Case(
                place,
                told["kind"],
                self._read(told["image"], "u1", tuple(told["shape"])),
                self._read(told["number"], "<i4", (batch,)),
                expected,
            )

    def tolerances(self, approach: Approach, precision: Precision) -> dict[str, float]:
        """Largest difference of each output of floats."""
        return dict(self.index["tolerances"][approach][precision])

    def _read(self, offset: int, dtype: str, shape: tuple[Any, ...]) -> NDArray[Any]:
        return np.frombuffer(self._data, dtype, int(np.prod(shape)), offset).reshape(shape)


def differences(case: Case, got: Outputs) -> dict[str, float]:
    """Largest difference of each expected output; infinite where a label, a type's range or a shape is another."""
    found = {}
    for name, wanted in case.expected.items():
        value = np.asarray(got[name]) if name in got else np.empty(0)
        if value.shape != wanted.shape:
            found[name] = np.inf
        elif wanted.dtype.kind == "i":
            found[name] = 0.0 if np.array_equal(value.astype(np.int64), wanted) else np.inf
        else:
            largest = float(np.abs(value.astype(np.float64) - wanted).max(initial=0))
            found[name] = np.inf if np.isnan(largest) else largest
    if BOX.name in found:
        found[BOX.name] /= max(case.image.shape[1:3])
    return found


def conform(
    run: Run,
    vectors: Vectors,
    approach: Approach,
    precision: Precision,
    on_case: Callable[[int], None] = lambda _: None,
) -> dict[str, Kind]:
    """Run every case; what was found by kind.

    Args:
        run: asks the model file; what it raises fails the case.
        vectors: to ask.
        approach: of the file.
        precision: of the file.
        on_case: told how many more are done.
    """
    limits = vectors.tolerances(approach, precision)
    kinds: dict[str, Kind] = {}
    for case in vectors.cases(approach):
        kind = kinds.setdefault(case.kind, Kind())
        kind.cases += 1
        try:
            found = differences(case, run(case.image, case.number))
        except Exception as error:  # noqa: BLE001  # whatever a runtime raises, it did not answer
            kind.failed.append(f"case {case.place} {list(case.image.shape)}: {' '.join(str(error).split())[:200]}")
            kind.worst = np.inf
            on_case(1)
            continue
        shares = {name: _share(value, limits.get(name)) for name, value in found.items()}
        for name, value in found.items():
            kind.differences[name] = max(kind.differences.get(name, 0.0), value)
        worst = max(shares, key=lambda name: shares[name])
        kind.worst = max(kind.worst, shares[worst])
        if shares[worst] > 1:
            limit = limits.get(worst)
            wanted = "equal" if limit is None else f"at most {limit:g}"
            kind.failed.append(
                f"case {case.place} {list(case.image.shape)}, numbers {case.number.tolist()[:4]}: {worst} differs by "
                f"{found[worst]:g}, wanted {wanted}"
            )
        on_case(1)
    return kinds


def _share(value: float, limit: float | None) -> float:
    if not limit:
        return 0.0 if value == 0 else np.inf
    return value / limit


def expected_outputs(approach: Approach) -> list[dict[str, Any]]:
    """The outputs as the index tells them: all but the ink, which is the same for both approaches."""
    return [
        {"name": spec.name, "type": spec.dtype, "shape": list(spec.shape[1:])}
        for spec in outputs(approach)
        if spec is not INK
    ]


def pack(approach: Approach, expected: Outputs) -> bytes:
    """The expected outputs as the binary file holds them."""
    return b"".join(
        np.ascontiguousarray(expected[spec.name]).astype(WORD[spec.dtype]).tobytes()
        for spec in outputs(approach)
        if spec is not INK
    )
