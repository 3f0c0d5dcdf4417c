"""auto takes the best device; a named one is there or is an error."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest
import torch

from adder_runtime.errors import DeviceError
from adder_trainer.device import available, find_device, keep_memory
from adder_trainer.options import DeviceName


def machine(monkeypatch: pytest.MonkeyPatch, *, cuda: bool = False, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(False, False, "cpu"), (True, False, "cuda"), (False, True, "mps"), (True, True, "cuda")]
)
def test_auto_takes_the_best_that_is_there(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, best: str) -> None:
    machine(monkeypatch, cuda=cuda, mps=mps)
    assert find_device(DeviceName.AUTO) == torch.device(best)
    assert available()[0] == best
    assert available()[-1] == "cpu"


@pytest.mark.parametrize("asked", [DeviceName.CUDA, DeviceName.MPS])
def test_named_device_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch, asked: DeviceName) -> None:
    machine(monkeypatch)
    with pytest.raises(
        DeviceError, match=f"^device {asked} is not there; this machine has cpu: use one of them"
    ) as met:
        find_device(asked)
    assert "\n" not in str(met.value)


def test_cpu_is_taken_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda=True)
    assert find_device(DeviceName.CPU) == torch.device("cpu")


def test_memory_is_kept_where_the_c_library_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda option, value: told.append((option, value)))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    keep_memory()
    assert dict(told).keys() == {-1, -3}


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def missing(_: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", missing)
    keep_memory()
