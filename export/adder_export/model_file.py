"""From a checkpoint to a proven model file: nothing appears at its place before it has answered as PyTorch does."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx
import torch

from adder_export.graph import OPSET, Pipeline, build_graph, write_metadata
from adder_export.parity import Tally, TestImages, describe, machine, passed, prove, tolerances
from adder_runtime.contract import NUMBERS, model_file_name
from adder_runtime.errors import OutputError, ParityError
from adder_runtime.image_file import to_png
from adder_runtime.model import Adder, Provider, import_onnxruntime
from adder_runtime.output_file import write_json, write_whole
from adder_trainer.checkpoint import Checkpoint

CERTIFICATE_VERSION = "1"
"""Raised when a key of the certificate changes its meaning."""

REFERENCE_BATCH = 500
"""Images that PyTorch answers at once where only it is asked."""


@dataclass(frozen=True)
class Exported:
    """A model file in its place, and the certificate beside it."""

    model: Path
    certificate: Path
    facts: dict[str, Any]
    """What the certificate holds."""


def export_model(
    checkpoint: Checkpoint,
    folder: Path,
    *,
    mnist: TestImages | None = None,
    opset: int = OPSET,
    force: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Write the model file of a checkpoint, once it is proven, and its certificate.

    Args:
        checkpoint: what to export.
        folder: where both go, as `<approach>.onnx` and `<approach>.certificate.json`.
        mnist: the test images, each asked with every number; generated pictures take their place when None.
        opset: ONNX operator set, one of `graph.OPSETS`.
        force: replace a model file that is there.
        on_progress: told the number of pairs that were compared, once for each provider of this machine.

    Raises:
        OutputError: a file is in the way or cannot be written.
        ParityError: the file does not answer as PyTorch does; the worst case is saved beside, what was there stays.
    """
    model = folder / model_file_name(checkpoint.approach)
    if model.exists() and not force:
        raise OutputError(f"{model} is there; replace it with --force, or give another --out")
    proto = build_graph(checkpoint, opset)
    pipeline = Pipeline(checkpoint).eval()
    write_metadata(proto, checkpoint, accuracy(checkpoint, pipeline, mnist))
    content = proto.SerializeToString(deterministic=True)
    candidate = folder / f".{model.name}.{os.getpid()}.onnx"
    try:
        write_whole(candidate, content)
        proofs = {
            provider: prove(pipeline, Adder.load(candidate, provider=provider), mnist, on_progress)
            for provider in providers()
        }
        facts = certify(checkpoint, proto, content, proofs, mnist is not None)
        for provider, tallies in proofs.items():
            check(provider, tallies, model)
        write_whole(model, content)
    finally:
        with suppress(OSError):
            candidate.unlink()
    certificate = folder / f"{checkpoint.approach}.certificate.json"
    write_json(certificate, facts)
    return Exported(model, certificate, facts)


def providers() -> list[Provider]:
    """The providers of this machine: each has to agree with PyTorch."""
    there = import_onnxruntime().get_available_providers()
    return [Provider.CPU, *([Provider.CUDA] if "CUDAExecutionProvider" in there else [])]


@torch.no_grad()
def accuracy(checkpoint: Checkpoint, pipeline: Pipeline, mnist: TestImages | None) -> dict[str, Any]:
    """What the file's metadata says of its accuracy: on MNIST's test images, else on the validation split."""
    if mnist is None:
        return {"split": "MNIST validation", **checkpoint.facts["validation"]}
    right_digits = right_sums = 0
    number = torch.arange(len(NUMBERS))
    for start in range(0, len(mnist[1]), REFERENCE_BATCH):
        image, digit = (torch.from_numpy(part[start : start + REFERENCE_BATCH]) for part in mnist)
        answers, _ = pipeline.answer_all(image, number.expand(len(image), -1))
        right_digits += int((answers.digit == digit[:, None]).sum())
        right_sums += int((answers.sum == digit[:, None] + number).sum())
    pairs = len(mnist[1]) * len(NUMBERS)
    return {
        "split": "MNIST test",
        "images": len(mnist[1]),
        "pairs": pairs,
        "digit_accuracy": right_digits / pairs,
        "sum_accuracy": right_sums / pairs,
    }


def certify(
    checkpoint: Checkpoint,
    proto: onnx.ModelProto,
    content: bytes,
    proofs: dict[Provider, dict[str, Tally]],
    with_mnist: bool,
) -> dict[str, Any]:
    """The certificate: which file, compared with what, where, on which pictures, and what was found."""
    return {
        "certificate": CERTIFICATE_VERSION,
        "approach": str(checkpoint.approach),
        "passed": all(passed(tally) for tallies in proofs.values() for tally in tallies.values()),
        "model": {
            "file": model_file_name(checkpoint.approach),
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "opset": proto.opset_import[0].version,
            "ir_version": proto.ir_version,
            "nodes": len(proto.graph.node),
            "parameters": checkpoint.facts["parameters"],
        },
        "checkpoint_sha256": checkpoint.sha256,
        "pictures": "MNIST test images, and generated ones" if with_mnist else "generated, MNIST was not at hand",
        "versions": {name: version(name) for name in ("torch", "onnx", "onnxscript", "numpy")}
        | {"onnxruntime": import_onnxruntime().__version__},
        "machine": machine(),
        "tolerances": tolerances(checkpoint.approach),
        "providers": {
            str(provider): {kind: describe(tally) for kind, tally in tallies.items()}
            for provider, tallies in proofs.items()
        },
    }


def check(provider: Provider, tallies: dict[str, Tally], model: Path) -> None:
    """Stop unless every kind of picture passed; the worst case is saved first, as a picture and as JSON.

    Raises:
        ParityError: one did not.
    """
    failed = {kind: tally for kind, tally in tallies.items() if not passed(tally)}
    if not failed:
        return
    kind, tally = max(failed.items(), key=lambda item: (sum(item[1].flips.values()), item[1].worst_ratio))
    worst = tally.worst
    picture, story = (model.with_name(f"{model.stem}.parity-failure.{suffix}") for suffix in ("png", "json"))
    write_whole(picture, to_png(worst["image"]))
    told = {key: value for key, value in worst.items() if key != "image"}
    write_json(story, {"kind": kind, "provider": str(provider), **told, "found": describe(tally)})
    raise ParityError(
        f"{model.name} on {provider} does not answer as PyTorch does: {kind}, "
        f"{sum(tally.flips.values())} labels of {tally.pairs} pairs differ; the worst, with number {worst['number']}: "
        f"digit {worst['file']['digit']} and sum {worst['file']['sum']}, "
        f"PyTorch {worst['pytorch']['digit']} and {worst['pytorch']['sum']}; see {picture} and {story.name}"
    )
