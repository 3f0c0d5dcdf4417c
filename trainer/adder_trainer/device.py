"""Which device trains."""

from __future__ import annotations

import torch

from adder_runtime.errors import DeviceError
from adder_trainer.options import DeviceName


def available() -> list[DeviceName]:
    """Devices of this machine, the best first."""
    there = {
        DeviceName.CUDA: torch.cuda.is_available(),
        DeviceName.MPS: torch.backends.mps.is_available(),
        DeviceName.CPU: True,
    }
    return [name for name, is_there in there.items() if is_there]


def find_device(asked: DeviceName) -> torch.device:
    """The device to use.

    Raises:
        DeviceError: a named device is not there.
    """
    there = available()
    if asked is DeviceName.AUTO:
        return torch.device(there[0])
    if asked not in there:
        raise DeviceError(f"device {asked} is not there; this machine has {', '.join(there)}: use one of them, or auto")
    return torch.device(asked)
