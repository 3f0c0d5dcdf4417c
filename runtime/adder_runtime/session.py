"""Where the model files lie, and ONNX Runtime's session on one."""

from __future__ import annotations

import os
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from adder_runtime.contract import Approach, Precision, model_file_name
from adder_runtime.errors import ModelError, ProviderError, reason

if TYPE_CHECKING:
    import onnxruntime

SHIPPED = (Path(__file__).parent / "models", Path(__file__).parents[2] / "artifacts")
"""Where the shipped model files lie: in an installed package, in a clone."""

WHEELS = ("onnxruntime", "onnxruntime-gpu")
"""Distributions that bring ONNX Runtime. Both write the same folder, so the later one breaks the earlier."""


class Provider(StrEnum):
    """What runs the model."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


ProviderName = Literal["auto", "cpu", "cuda"]

_EXECUTION_PROVIDERS: dict[Provider, tuple[str, dict[str, str]]] = {
    Provider.CPU: ("CPUExecutionProvider", {}),
    # TF32 keeps 10 bits of a factor's 23, and the answers are to be PyTorch's
    Provider.CUDA: ("CUDAExecutionProvider", {"use_tf32": "0"}),
}


def find_model(model: str | os.PathLike[str], precision: Precision = Precision.FP32) -> Path:
    """The file of a shipped model, by its approach and precision, or the path itself.

    Raises:
        ModelError: there is no such file.
    """
    if model in list(Approach):
        approach = Approach(str(model))
        name = model_file_name(approach, precision)
        path = next((folder / name for folder in SHIPPED if folder.is_dir()), SHIPPED[-1])
    else:
        approach, path = Approach.CLASSIFY, Path(model)
    try:
        state = "" if path.is_file() else "is no file" if path.exists() else "not found"
    except OSError as error:
        state = f"cannot be read ({error.strerror})"
    if state:
        raise ModelError(
            f"{path} {state}; name {' or '.join(Approach)}, or a model file, "
            f"or make it with: adder-export --approach {approach} --precision {precision}"
        )
    return path


def read_model(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def import_onnxruntime() -> Any:
    """The module onnxruntime, with its telemetry off.

    Raises:
        ProviderError: it is not installed, or both of its wheels are.
    """
    # from 1.29 on it sends usage data and keeps a device id in the user's cache, unless this is set before the import
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    installed = [wheel for wheel in WHEELS if _is_installed(wheel)]
    if len(installed) > 1:
        raise ProviderError(
            f"{' and '.join(installed)} are both installed and overwrite each other; "
            f"put it right with: pip uninstall -y {' '.join(installed)} && "
            'pip install "adder-edge[cpu]" (or [gpu])'
        )
    try:
        import onnxruntime
    except ImportError as error:
        raise ProviderError(
            f'ONNX Runtime cannot be imported ({reason(error)}); install it with: pip install "adder-edge[cpu]" '
            "(or [gpu], for CUDA)"
        ) from error
    return onnxruntime


def start_session(
    path: Path, content: bytes, wanted: Provider, threads: int
) -> tuple[onnxruntime.InferenceSession, Provider]:
    """A session on a model file, and the provider that it really has.

    Args:
        path: what to call the file in an error.
        content: its bytes.
        wanted: the provider.
        threads: that share one run.

    Raises:
        ModelError: the file cannot be loaded.
        ProviderError: the named provider is not there or cannot start.
    """
    ort = import_onnxruntime()
    there = [each for each, (name, _) in _EXECUTION_PROVIDERS.items() if name in ort.get_available_providers()]
    if wanted is not Provider.AUTO and wanted not in there:
        raise ProviderError(
            f"provider {wanted} is not in this ONNX Runtime {ort.__version__}, which has {', '.join(there)}; "
            'use one of them, or auto; for CUDA: pip install "adder-edge[gpu]" in place of [cpu]'
        )
    asked = [Provider.CUDA, Provider.CPU] if wanted is Provider.AUTO else [wanted]
    asked = [each for each in asked if each in there]
    if Provider.CUDA in asked and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    named = [_EXECUTION_PROVIDERS[each] for each in asked]
    try:
        session = ort.InferenceSession(content, session_options(ort, threads), named, enable_fallback=False)
    except Exception as error:  # ONNX Runtime's errors have no base of their own
        raise ModelError(
            f"{path} cannot be loaded by ONNX Runtime {ort.__version__}: {reason(error)}; "
            "wanted a model file that adder-export made"
        ) from error
    runs_on = session.get_providers()[0]
    taken = next(each for each, (name, _) in _EXECUTION_PROVIDERS.items() if name == runs_on)
    if wanted not in (taken, Provider.AUTO):
        raise ProviderError(
            f"provider {wanted} cannot start, ONNX Runtime would use {taken}; "
            "it wants a driver, CUDA and cuDNN of its own versions: see its requirements, or use auto"
        )
    return session, taken


def session_options(ort: Any, threads: int) -> onnxruntime.SessionOptions:
    """How the runtime runs a file; the benchmark's report says what each option changes.

    Args:
        ort: the module onnxruntime.
        threads: that share one run.
    """
    options: onnxruntime.SessionOptions = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # threads that spin between runs take the core from everything else: p99 was 25 times worse on a shared machine
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what matters comes as an exception, and is told in one line
    return options


def _is_installed(distribution: str) -> bool:
    # importlib.metadata tells it too, and its import takes a tenth of a short call's time
    spec = find_spec("onnxruntime")
    places = (spec and spec.submodule_search_locations) or ()
    pattern = f"{distribution.replace('-', '_')}-*.dist-info"
    return any(True for place in places for _ in Path(place).parent.glob(pattern))
