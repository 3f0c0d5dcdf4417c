"""From a checkpoint to proven model files: nothing appears at its place before it has answered as PyTorch does."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx

from adder_export.graph import OPSET, Pipeline, build_graph, write_metadata
from adder_export.parity import (
    MNIST_LOSS,
    OTHER_LOSS,
    SEEN,
    Tally,
    describe,
    machine,
    passed,
    prove,
    tolerances,
)
from adder_export.parity_cases import MNIST_TEST, TestImages
from adder_export.variants import TrainingImages, calibration_images, to_fp16, to_fp32, to_int8
from adder_runtime.contract import CONTRACT_VERSION, Approach, Precision, model_file_name, model_name
from adder_runtime.errors import DataError, OutputError, ParityError, reason
from adder_runtime.image_file import to_png
from adder_runtime.labels import Labelled
from adder_runtime.manifest import MANIFEST
from adder_runtime.model import Adder
from adder_runtime.output_file import write_json, write_whole
from adder_runtime.session import Provider, import_onnxruntime
from adder_trainer.checkpoint import Checkpoint

CERTIFICATE_VERSION = "1"
"""Raised when a key of the certificate changes its meaning."""

Proofs = dict[Provider, dict[str, Tally]]
"""What was found on each provider for each kind of picture."""


@dataclass(frozen=True)
class Pictures:
    """What the files are calibrated and proven on."""

    test: TestImages | None = None
    """MNIST's test images, each asked with every number; generated pictures take their place when None."""
    training: TrainingImages | None = None
    """MNIST's training images, over which int8 measures its ranges."""
    labelled: Sequence[Labelled] = ()
    """The user's own pictures with their digits."""


GENERATED_ONLY = Pictures()
"""What is at hand everywhere."""


@dataclass(frozen=True)
class Exported:
    """A model file in its place, and the certificate beside it."""

    model: Path
    certificate: Path
    facts: dict[str, Any]
    """What the certificate holds."""


def export_models(
    checkpoint: Checkpoint,
    folder: Path,
    *,
    precisions: Sequence[Precision] = (Precision.FP32,),
    pictures: Pictures = GENERATED_ONLY,
    opset: int = OPSET,
    force: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Exported]:
    """Write the model files of a checkpoint, each once it is proven, with its certificate.

    Args:
        checkpoint: what to export.
        folder: where all go, as `<approach>.onnx` and `<approach>.certificate.json`, `<approach>.int8.onnx` and so on.
        precisions: which files to write, one for each.
        pictures: what they are calibrated and proven on.
        opset: ONNX operator set, one of `graph.OPSETS`.
        force: replace model files that are there.
        on_step: told what comes next.
        on_progress: told the number of pairs that PyTorch and all files have answered.

    Raises:
        OutputError: a file is in the way or cannot be written.
        DataError: int8 is wanted and there are no training images.
        ParityError: a file does not answer as PyTorch does; the worst case is saved beside, what was there stays.
    """
    paths = places(folder, checkpoint.approach, precisions)
    check_places(paths, force=force)
    if Precision.INT8 in precisions and pictures.training is None:
        raise DataError("int8 is calibrated on MNIST's training images; name their folder with --data or ADDER_DATA")
    pipeline = Pipeline(checkpoint).eval()
    on_step("building the graph")
    plain = build_graph(checkpoint, opset)
    protos = {}
    for precision in precisions:
        on_step(f"making {precision} of it")
        protos[precision] = to_precision(plain, precision, pictures.training)
    on_step("asking PyTorch and each file the same")
    candidates = {precision: model.with_name(f".{model.name}.{os.getpid()}.onnx") for precision, model in paths.items()}
    try:
        for precision, candidate in candidates.items():
            write_metadata(protos[precision], checkpoint, {}, precision)
            write_whole(candidate, protos[precision].SerializeToString(deterministic=True))
        pairs = [(precision, provider) for precision in precisions for provider in providers()]
        adders = [Adder.load(candidates[precision], provider=provider) for precision, provider in pairs]
        found = prove(pipeline, adders, pictures.test, pictures.labelled, on_progress)
    finally:
        for candidate in candidates.values():
            with suppress(OSError):
                candidate.unlink()
    for precision, model in paths.items():
        proofs = {
            provider: tallies for (each, provider), tallies in zip(pairs, found, strict=True) if each is precision
        }
        yield put_in_place(checkpoint, protos[precision], precision, model, proofs)
        write_manifest(folder)


def places(folder: Path, approach: Approach, precisions: Sequence[Precision]) -> dict[Precision, Path]:
    """Where the model file of each precision goes."""
    return {precision: folder / model_file_name(approach, precision) for precision in precisions}


def check_places(paths: Mapping[Precision, Path], *, force: bool) -> None:
    """Make sure that no file is lost.

    Raises:
        OutputError: one is in the way.
    """
    for model in paths.values():
        if model.exists() and not force:
            raise OutputError(f"{model} is there; replace it with --force, or give another --out")


def to_precision(plain: onnx.ModelProto, precision: Precision, training: TrainingImages | None) -> onnx.ModelProto:
    """The graph with its network in another arithmetic.

    Args:
        plain: in float32; not changed.
        precision: the one that is wanted.
        training: for int8.
    """
    match precision:
        case Precision.FP32:
            return to_fp32(plain)
        case Precision.FP16:
            return to_fp16(plain)
        case Precision.INT8:
            assert training is not None
            return to_int8(plain, calibration_images(training))


def put_in_place(
    checkpoint: Checkpoint, proto: onnx.ModelProto, precision: Precision, model: Path, proofs: Proofs
) -> Exported:
    """Write a graph that was proven, with what the proof found, and its certificate; as for `export_models`."""
    for provider, tallies in proofs.items():
        check(provider, tallies, precision, model)
    # the metadata alone changes: the graph stays the one that was proven
    write_metadata(proto, checkpoint, accuracy(checkpoint, proofs), precision)
    content = proto.SerializeToString(deterministic=True)
    certificate = model.with_name(f"{model_name(checkpoint.approach, precision)}.certificate.json")
    facts = certify(checkpoint, proto, precision, content, proofs)
    write_whole(model, content)
    write_json(certificate, facts)
    return Exported(model, certificate, facts)


def write_manifest(folder: Path) -> None:
    """Write what a folder ships: each file that has a certificate, with its size, hash, origin and accuracy.

    Raises:
        OutputError: it cannot be written, or a certificate in the folder is damaged.
    """
    files = [listed(path) for path in sorted(folder.glob("*.certificate.json"))]
    write_json(folder / MANIFEST, {"manifest": "1", "files": files})


def listed(path: Path) -> dict[str, Any]:
    """What the manifest says of the file that a certificate is of.

    Raises:
        OutputError: the certificate is damaged, or none of this project.
    """
    try:
        told = json.loads(path.read_text())
        mnist = told["providers"]["cpu"].get(MNIST_TEST, {})
        return {
            "file": told["model"]["file"],
            "bytes": told["model"]["bytes"],
            "sha256": told["model"]["sha256"],
            "contract": CONTRACT_VERSION,
            "approach": told["approach"],
            "precision": told["precision"],
            "sum_accuracy": mnist.get("sum_accuracy"),
            "certificate": path.name,
            "checkpoint": f"{told['approach']}.safetensors",
            "checkpoint_sha256": told["checkpoint_sha256"],
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(
            f"{path} is no certificate that the manifest can list: {reason(error)}; "
            "move it away, or export its file again"
        ) from error


def providers() -> list[Provider]:
    """The providers of this machine: each has to agree with PyTorch."""
    there = import_onnxruntime().get_available_providers()
    return [Provider.CPU, *([Provider.CUDA] if "CUDAExecutionProvider" in there else [])]


def accuracy(checkpoint: Checkpoint, proofs: Proofs) -> dict[str, Any]:
    """What the file's metadata says of its accuracy: its own on MNIST's test images, else the validation split's."""
    tally = proofs[Provider.CPU].get(MNIST_TEST)
    if tally is None:
        return {"split": "MNIST validation", **checkpoint.facts["validation"]}
    return {
        "split": "MNIST test",
        "images": tally.pictures,
        "pairs": tally.pairs,
        "digit_accuracy": tally.right_digits / tally.known,
        "sum_accuracy": tally.right / tally.known,
    }


def certify(
    checkpoint: Checkpoint, proto: onnx.ModelProto, precision: Precision, content: bytes, proofs: Proofs
) -> dict[str, Any]:
    """The certificate: which file, compared with what, where, on which pictures, and what was found."""
    exact = precision is Precision.FP32
    with_mnist = MNIST_TEST in proofs[Provider.CPU]
    return {
        "certificate": CERTIFICATE_VERSION,
        "approach": str(checkpoint.approach),
        "precision": str(precision),
        "passed": all(passed(tally, precision) for tallies in proofs.values() for tally in tallies.values()),
        "model": {
            "file": model_file_name(checkpoint.approach, precision),
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
        "tolerances": tolerances(checkpoint.approach) if exact else {spec.name: limit for spec, limit in SEEN},
        "labels": "none may differ"
        if exact
        else f"sums right less than PyTorch's by at most {MNIST_LOSS:.1%} on MNIST and {OTHER_LOSS:.1%} elsewhere",
        "providers": {
            str(provider): {kind: describe(tally, precision) for kind, tally in tallies.items()}
            for provider, tallies in proofs.items()
        },
    }


def check(provider: Provider, tallies: dict[str, Tally], precision: Precision, model: Path) -> None:
    """Stop unless every kind of picture passed; the worst case is saved first, as a picture and as JSON.

    Raises:
        ParityError: one did not.
    """
    failed = {kind: tally for kind, tally in tallies.items() if not passed(tally, precision)}
    if not failed:
        return
    kind, tally = max(failed.items(), key=lambda item: (sum(item[1].flips.values()), item[1].worst_ratio))
    worst = tally.worst
    picture, story = (model.with_name(f"{model.stem}.parity-failure.{suffix}") for suffix in ("png", "json"))
    write_whole(picture, to_png(worst["image"]))
    told = {key: value for key, value in worst.items() if key != "image"}
    write_json(story, {"kind": kind, "provider": str(provider), **told, "found": describe(tally, precision)})
    raise ParityError(
        f"{model.name} on {provider} does not answer as PyTorch does: {kind}, "
        f"{sum(tally.flips.values())} labels of {tally.pairs} pairs differ; the worst, with number {worst['number']}: "
        f"digit {worst['file']['digit']} and sum {worst['file']['sum']}, "
        f"PyTorch {worst['pytorch']['digit']} and {worst['pytorch']['sum']}; see {picture} and {story.name}"
    )
