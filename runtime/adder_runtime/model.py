"""Holds a model file against the contract, and asks it."""

from __future__ import annotations

import operator
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from enum import StrEnum
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from adder_runtime.contract import (
    BOX,
    DIGIT,
    IMAGE,
    INK,
    NUMBER,
    NUMBERS,
    UNREAD,
    Approach,
    Precision,
    check_contract,
    model_name,
    outputs,
)
from adder_runtime.errors import (
    AdderError,
    ModelError,
    NothingToReadError,
    NumberError,
    UsageError,
    reason,
)
from adder_runtime.image_file import ImageSource, Read, check_several, name_of, read_enough
from adder_runtime.manifest import check_content
from adder_runtime.reading import naming, read_ahead
from adder_runtime.session import Provider, ProviderName, find_model, read_model, start_session

if TYPE_CHECKING:
    import onnxruntime

MAX_RUN = 64
"""Pictures that go through the network in one run, at most."""

MAX_RUN_BYTES = 2_000_000
"""Bytes of pictures that one run takes, unless a single picture has more; the graph takes up to some 80 MB beside."""

PrecisionName = Literal["fp32", "fp16", "int8"]

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class Answer:
    """What the model says about one picture and one number."""

    digit: int
    """0 to 9."""
    sum: int
    """number to number + 9."""
    confidence: float
    """Calibrated probability that `sum` is right, 0 to 1."""
    consistent: bool
    """The two heads agree: sum == digit + number."""
    digit_probabilities: tuple[float, ...]
    """Of the digits 0 to 9."""
    sum_scores: tuple[float, ...]
    """classify: probabilities of the sums 0 to 18. regress: the one unrounded sum."""
    box: tuple[float, float, float, float]
    """Where the ink was found: top, left, bottom, right in pixels of the picture."""
    ink: NDArray[np.float32] = field(compare=False, repr=False)
    """(28, 28) what the network saw, 0 = paper, 1 = full stroke."""

    def to_dict(self) -> dict[str, Any]:
        """The fields in the order of the contract, without the ink, ready for JSON."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != INK.name}


class Adder:
    """A loaded model file. Safe to ask from several threads at once."""

    path: Path
    """The file that was loaded."""
    approach: Approach
    precision: Precision
    provider: Provider
    """What runs it, never `auto`."""
    metadata: Mapping[str, str]
    """The file's metadata; the keys are `contract.Key`."""

    def __init__(self, session: onnxruntime.InferenceSession, path: Path, provider: Provider) -> None:
        """Use `Adder.load`."""
        self.path = path
        self.provider = provider
        self.metadata = dict(session.get_modelmeta().custom_metadata_map)
        self.approach, self.precision = check_contract(
            session.get_inputs(), session.get_outputs(), self.metadata, str(path)
        )
        self._session = session

    def __str__(self) -> str:
        """What answers, for people: `classify on cpu`, `classify.int8 on cpu`."""
        return f"{model_name(self.approach, self.precision)} on {self.provider}"

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = Approach.CLASSIFY,
        *,
        precision: Precision | PrecisionName | None = None,
        provider: Provider | ProviderName = Provider.AUTO,
        threads: int = 1,
    ) -> Adder:
        """Load a shipped model or a model file.

        Args:
            model: `classify`, `regress`, or the path of a model file (`./classify` for a file of such a name).
            precision: which of the shipped files, `fp32` unless given; a file named by its path has to be of it.
            provider: `auto` takes CUDA where it starts and the CPU elsewhere; a named one must start.
            threads: CPU threads that share one run, 1 or more.

        Raises:
            ModelError: the file is missing or cannot be loaded, or a shipped one is not the file that was proven.
            ContractError: it loads, but is not a file that this program understands.
            ProviderError: there is no ONNX Runtime, there are two, or the named provider cannot start.
            UsageError: `precision`, `provider` or `threads` is none of the above, or the file is of another precision.
        """
        wanted = _one_of(Provider, provider, "provider")
        arithmetic = None if precision is None else _one_of(Precision, precision, "precision")
        _check_whole(threads, least=1, name="threads")
        path = find_model(model, arithmetic or Precision.FP32)
        content = read_model(path)
        if model in list(Approach):
            check_content(path.parent, path.name, content)
        session, taken = start_session(path, content, wanted, threads)
        adder = cls(session, path, taken)
        if arithmetic not in (None, adder.precision):
            raise UsageError(f"{path} is of {adder.precision}, wanted {arithmetic}; leave the precision out")
        return adder

    def predict(self, image: ImageSource, number: int) -> Answer:
        """The digit in a picture, and its sum with a number.

        Args:
            image: a path, the bytes of a picture file, a file open in binary, a Pillow image, or a uint8 array
                (height, width) or (height, width, 1 to 4).
            number: 0 to 9.

        Raises:
            ImageError: the picture cannot be read; NothingToReadError: it can, and shows no stroke.
            NumberError: the number is not a whole number from 0 to 9.
        """
        asked = np.array([check_number(number)], np.int32)
        read = read_enough(image)
        values = self.run(read.pixels[None], asked)
        answer = _answer({key: value[0] for key, value in values.items()}, name_of(image), read.scale)
        if isinstance(answer, AdderError):
            raise answer
        return answer

    def predict_batch(self, images: Iterable[ImageSource], number: int | Sequence[int]) -> list[Answer]:
        """The answers for many pictures, of different sizes too.

        Args:
            images: as for `predict`.
            number: one for all, or one for each.

        Raises:
            ImageError, NumberError: as for `predict`, for the first picture that fails. `predict_each` goes on instead.
            UsageError: there are not as many numbers as pictures, or `images` is a single one.
        """
        answers = []
        for answer in self.predict_each(images, number):
            if isinstance(answer, AdderError):
                raise answer
            answers.append(answer)
        return answers

    def predict_each(
        self, images: Iterable[ImageSource], number: int | Sequence[int], *, readers: int = 0
    ) -> Iterator[Answer | AdderError]:
        """The same one by one, in order, with an error in the place of each picture that fails.

        Pictures are read and answered some at a time, so that their number is not bounded by memory: those that wait
        take no more than `reading.AHEAD_BYTES`, or a single one what it needs, and each run MAX_RUN_BYTES. Where there
        is a number for each, an iterator of pictures is made a list first, to count them.

        Args:
            images: as for `predict`.
            number: one for all, or one for each.
            readers: threads that read pictures, and as many that answer them; 0 reads each when its turn comes.

        Raises:
            NumberError, UsageError: as for `predict_batch`; `readers` is less than 0, or `images` is a single picture.
        """
        _check_whole(readers, least=0, name="readers")
        check_several(images)
        if isinstance(number, np.ndarray):
            number = number.tolist()
        if isinstance(number, Sequence) and not isinstance(number, str):
            images = list(images)
            if len(number) != len(images):
                raise UsageError(
                    f"{len(number)} numbers for {len(images)} pictures, wanted one for each, or one for all"
                )
            numbers: Iterable[int] = [check_number(each) for each in number]
        else:
            numbers = repeat(check_number(number))
        names: deque[str] = deque()
        reads = zip(read_ahead(naming(images, names), readers), numbers, strict=False)
        return self.answer_read(((names.popleft(), read, each) for read, each in reads), at_once=readers)

    def run(self, image: NDArray[np.uint8], number: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
        """The model's own outputs, by name, unchecked: -1 where there is no answer.

        Args:
            image: (batch, height, width, 1 to 4) uint8.
            number: (batch) int32.

        Raises:
            ModelError: the runtime gave up, as it does where memory is short.
        """
        names = [spec.name for spec in outputs(self.approach)]
        try:
            values = self._session.run(names, {IMAGE.name: image, NUMBER.name: number})
        except Exception as error:  # ONNX Runtime's errors have no base of their own
            raise ModelError(f"{self.path} failed on pixels of shape {image.shape}: {reason(error)}") from error
        return dict(zip(names, values, strict=True))

    def see(self, image: ImageSource) -> NDArray[np.float32]:
        """What the network sees of a picture, also of one with nothing to read: (28, 28), 0 = paper, 1 = full stroke.

        Args:
            image: as for `predict`.

        Raises:
            ImageError: the picture cannot be read.
        """
        ink: NDArray[np.float32] = self.run(read_enough(image).pixels[None], np.zeros(1, np.int32))[INK.name][0]
        return ink

    def answer_read(
        self, asked: Iterable[tuple[str, Read | AdderError, int]], at_once: int = 1
    ) -> Iterator[Answer | AdderError]:
        """The answers to pictures that are read already, as for `predict_each`.

        Args:
            asked: of each picture what to call it, its pixels or why there are none, and the number, 0 to 9.
            at_once: runs of the network that go on beside each other, each in a thread of its own.
        """
        runs = _runs(asked)
        if at_once <= 1:
            for some in runs:
                yield from self._answer_some(some)
            return
        # a run leaves the interpreter to others
        waiting: deque[Future[list[Answer | AdderError]]] = deque()
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="adder-run")
        try:
            for some in runs:
                waiting.append(pool.submit(self._answer_some, some))
                if len(waiting) > at_once:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _answer_some(self, asked: Sequence[tuple[str, Read | AdderError, int]]) -> list[Answer | AdderError]:
        answers: dict[int, Answer | AdderError] = {}
        shapes: dict[tuple[int, ...], list[tuple[int, str, Read, int]]] = {}
        for place, (name, read, number) in enumerate(asked):
            if isinstance(read, AdderError):
                answers[place] = read
            else:
                shapes.setdefault(read.pixels.shape, []).append((place, name, read, number))
        for alike in shapes.values():
            image = np.stack([read.pixels for _, _, read, _ in alike])
            try:
                values = self.run(image, np.array([number for *_, number in alike], np.int32))
            except ModelError as error:
                answers |= {place: error for place, *_ in alike}
                continue
            for row, (place, name, read, _) in enumerate(alike):
                answers[place] = _answer({key: value[row] for key, value in values.items()}, name, read.scale)
        return [answers[place] for place in range(len(asked))]


def _runs(asked: Iterable[tuple[str, Read | AdderError, int]]) -> Iterator[list[tuple[str, Read | AdderError, int]]]:
    """The same in lists of what is answered together: no more than MAX_RUN, nor than MAX_RUN_BYTES of pixels."""
    waiting: list[tuple[str, Read | AdderError, int]] = []
    size = 0
    for name, read, number in asked:
        more = 0 if isinstance(read, AdderError) else read.pixels.nbytes
        if waiting and (len(waiting) == MAX_RUN or size + more > MAX_RUN_BYTES):
            yield waiting
            waiting, size = [], 0
        waiting.append((name, read, number))
        size += more
    if waiting:
        yield waiting


def _answer(values: Mapping[str, NDArray[Any]], name: str, scale: tuple[float, float]) -> Answer | NothingToReadError:
    if values[DIGIT.name] == UNREAD:
        return NothingToReadError(
            f"{name} shows nothing to read; wanted a digit that stands out from its ground and looks like one"
        )
    plain: dict[str, Any] = {
        key: tuple(value.tolist()) if value.ndim else value.item() for key, value in values.items() if key != INK.name
    }
    top, left, bottom, right = plain[BOX.name]
    down, across = scale
    plain[BOX.name] = top * down, left * across, bottom * down, right * across
    return Answer(**plain, ink=values[INK.name])


def check_number(number: object) -> int:
    """The number as a Python int.

    Raises:
        NumberError: it is not a whole number from 0 to 9.
    """
    try:
        whole = operator.index(number)  # type: ignore[arg-type]  # whatever it is, it is refused below
    except TypeError:
        whole = -1
    if whole not in NUMBERS or isinstance(number, bool):
        raise NumberError(f"number is {number!r}, must be a whole number from {NUMBERS[0]} to {NUMBERS[-1]}")
    return whole


def _check_whole(value: object, *, least: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(f"{name} is {value!r}, must be a whole number, {least} or more")


def _one_of(choices: type[Choice], value: object, name: str) -> Choice:
    try:
        return choices(str(value))
    except ValueError as error:
        raise UsageError(f"{name} is {value!r}, must be one of {', '.join(choices)}") from error
