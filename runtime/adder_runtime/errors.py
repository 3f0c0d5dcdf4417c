"""Everything that a user can cause, as one family of errors.

AdderError
├── UsageError (ValueError)           options that are unknown or do not go together
├── ImageError (ValueError)           a picture cannot be read, or is no picture of the wanted shape
│   ├── NothingToReadError            the picture was read, but no ink was found in it
│   └── LabelError                    nothing says which digits the pictures show, or two labels disagree
├── NumberError (ValueError)          the number is not a whole number from 0 to 9
├── ModelError (RuntimeError)         the model file is missing or cannot be loaded
│   └── ContractError (ValueError)    it loads, but is not the file that this program wants
├── ProviderError (RuntimeError)      no ONNX Runtime, two of them, or a provider that cannot start
├── OutputError (OSError)             a result cannot be written
├── DataError (RuntimeError)          the training data is missing or damaged
├── CheckpointError (RuntimeError)    a checkpoint is missing, damaged or of another kind
├── DeviceError (RuntimeError)        a named training device is not there
├── ParityError (RuntimeError)        an exported file does not answer as PyTorch does
└── ConformanceError (RuntimeError)   the vectors are missing or damaged, or a file fails them

Each message is one line: what was got, what is wanted, and the way out. Each class carries the exit code with which a
command ends when it meets the error.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_SOME_FAILED = 1
"""Some pictures were answered and some were not."""

EXIT_PIPE_CLOSED = 1
"""Whoever read the answers has gone."""

EXIT_USAGE = 2
"""The command line could not be understood."""

EXIT_UNSURE = 12
"""All pictures were answered, some less sure than was wanted."""

EXIT_INTERRUPTED = 130
"""Ctrl-C, or asked to end (SIGTERM)."""


class AdderError(Exception):
    """Base of all errors that a user can cause."""

    exit_code: ClassVar[int] = 1


class UsageError(AdderError, ValueError):
    """The command line could not be understood."""

    exit_code = EXIT_USAGE


class ImageError(AdderError, ValueError):
    """A picture cannot be read, or is no picture of the wanted shape."""

    exit_code = 3


class NothingToReadError(ImageError):
    """The picture was read, but no ink was found in it."""

    exit_code = 4


class LabelError(ImageError):
    """Nothing says which digits the pictures show, or two labels disagree."""


class NumberError(AdderError, ValueError):
    """The number is not a whole number from 0 to 9."""

    exit_code = EXIT_USAGE


class ModelError(AdderError, RuntimeError):
    """The model file is missing or cannot be loaded."""

    exit_code = 5


class ContractError(ModelError, ValueError):
    """The model file loads, but is not the file that this program wants."""


class ProviderError(AdderError, RuntimeError):
    """No ONNX Runtime, two of them, or an execution provider that cannot start."""

    exit_code = 6


class OutputError(AdderError, OSError):
    """A result cannot be written."""

    exit_code = 7


class DataError(AdderError, RuntimeError):
    """The training data is missing or damaged."""

    exit_code = 8


class CheckpointError(AdderError, RuntimeError):
    """A checkpoint is missing, damaged or of another kind."""

    exit_code = 9


class DeviceError(AdderError, RuntimeError):
    """A named training device is not there."""

    exit_code = 10


class ConformanceError(AdderError, RuntimeError):
    """The conformance vectors are missing or damaged, or a model file fails them."""

    exit_code = 13


class ParityError(AdderError, RuntimeError):
    """An exported file does not answer as PyTorch does."""

    exit_code = 11


def reason(error: Exception) -> str:
    """What an error says, in one line of no more than 200 characters."""
    return " ".join((str(error) or type(error).__name__).split())[:200]
