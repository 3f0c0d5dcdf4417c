"""Runs the conformance vectors through any function that asks a model file; Python's share of each example.

It needs numpy alone. What the files hold is told in artifacts/conformance/README.md.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
OUTPUTS = ["digit", "sum", "confidence", "consistent", "digit_probabilities", "sum_scores", "box", "ink"]
TYPES = {"int32": "<i4", "bool": "<i4", "float32": "<f4"}


def expected(index, case, approach, data):
    """What PyTorch answers to a case: arrays by name."""
    batch, at, found = case["shape"][0], case[approach], {}
    for output in index["outputs"][approach]:
        shape = (batch, *output["shape"])
        count = int(np.prod(shape))
        found[output["name"]] = np.frombuffer(data, TYPES[output["type"]], count, at).reshape(shape)
        at += 4 * count
    if "ink" in case:
        found["ink"] = np.frombuffer(data, "<f4", batch * 784, case["ink"]).reshape(batch, 28, 28)
    return found


def share(name, got, wanted, limits, shape):
    """How much of its tolerance an output uses up; above 1 it fails."""
    got = np.asarray(got)
    if got.shape != wanted.shape:
        return np.inf
    if name not in limits:
        return 0.0 if np.array_equal(got.astype(np.int64), wanted) else np.inf
    difference = np.abs(got.astype(np.float64) - wanted).max()
    if name == "box":
        difference /= max(shape[1:3])
    return np.inf if np.isnan(difference) else float(difference / limits[name])


def main(runtime, version, load):
    """Ask every case, print what was found, and leave with 0 where all pass.

    Args:
        runtime: its name.
        version: of it.
        load: a model file's path to a function of image (batch, height, width, channels) uint8 and number (batch)
            int32 that gives the outputs by name, or in the contract's order.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="classify", help="classify, regress, classify.int8 and so on")
    parser.add_argument("--vectors", type=Path, default=ARTIFACTS / "conformance")
    parser.add_argument("--every", type=int, default=1, help="ask every so manieth case alone")
    parser.add_argument("--largest", type=int, help="leave out pictures with a longer side than that, in pixels")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    path = Path(options.model) if options.model.endswith(".onnx") else ARTIFACTS / f"{options.model}.onnx"
    approach, _, precision = path.stem.partition(".")
    try:
        index = json.loads((options.vectors / "index.json").read_text())
        data = (options.vectors / index["data"]).read_bytes()
        limits = index["tolerances"][approach][precision or "fp32"]
    except (OSError, KeyError, ValueError) as error:
        sys.exit(
            f"{options.vectors}: no vectors for {path.name}: {error!r}; write them with adder-export --conformance"
        )
    try:
        ask = load(str(path))
    except Exception as error:  # noqa: BLE001  # each runtime has its own
        sys.exit(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}")
    worst, failed, cases = 0.0, [], index["cases"][:: options.every]
    cases = [case for case in cases if max(case["shape"][1:3]) <= (options.largest or float("inf"))]
    for place, case in enumerate(cases):
        shape = case["shape"]
        image = np.frombuffer(data, np.uint8, int(np.prod(shape)), case["image"]).reshape(shape)
        number = np.frombuffer(data, "<i4", shape[0], case["number"])
        try:
            got = ask(image, number)
        except Exception as error:  # noqa: BLE001  # each runtime has its own
            failed.append(f"case {place} {shape}: {' '.join(str(error).split())[:300]}")
            continue
        got = got if isinstance(got, dict) else dict(zip(OUTPUTS, got, strict=True))
        shares = {
            name: share(name, got[name], wanted, limits, shape)
            for name, wanted in expected(index, case, approach, data).items()
        }
        name = max(shares, key=shares.get)
        worst = max(worst, shares[name])
        if shares[name] > 1:
            failed.append(f"case {place} {shape}: {name} is {shares[name]:g} of what is tolerated")
    image, number = image_of(index, data), np.array([7], np.int32)
    times = []
    for _ in range(50):
        began = time.perf_counter()
        ask(image, number)
        times.append(time.perf_counter() - began)
    told = {
        "runtime": runtime,
        "version": version,
        "model": path.name,
        "cases": len(cases),
        "passed": len(cases) - len(failed),
        "worst": worst,
        "ms": 1e3 * float(np.median(times)),
        "first_failure": failed[0] if failed else None,
    }
    if options.json:
        print(json.dumps(told))  # noqa: T201
    else:
        print(f"{runtime} {version}, {path.name}: {told['passed']} of {len(cases)} cases pass, ", end="")  # noqa: T201
        print(f"{worst:.1%} of what is tolerated, {told['ms']:.2f} ms a picture of 28x28")  # noqa: T201
        print(*failed[:5], sep="\n", end="\n" if failed else "")  # noqa: T201
    sys.exit(1 if failed else 0)


def image_of(index, data):
    """The first picture of 28x28."""
    case = next(case for case in index["cases"] if case["shape"] == [1, 28, 28, 1])
    return np.frombuffer(data, np.uint8, 784, case["image"]).reshape(1, 28, 28, 1)
