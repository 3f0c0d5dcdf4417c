"""Loading and asking the shipped models."""

from __future__ import annotations

import io
import json
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from threading import Barrier
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from adder_runtime import (
    Adder,
    Answer,
    Approach,
    ContractError,
    ImageError,
    ModelError,
    NothingToReadError,
    NumberError,
    ProviderError,
    UsageError,
    model,
    reading,
    session,
)
from adder_runtime.contract import CONTRACT_VERSION, DIGITS, INK, NUMBERS, SIDE, UNREAD, Key, outputs
from adder_runtime.image_file import ImageSource, Pixels, Read
from adder_runtime.model import MAX_RUN
from adder_runtime.pictures import draw_digit, generate, paint
from adder_runtime.session import find_model

Patch = Callable[[bytes, bytes], Path]

BATCH_TOLERANCE = 1e-5
"""Largest difference of a probability between a picture alone and in a batch: the kernels add in another order."""

BOX_TOLERANCE = 0.02
"""Distance of the box from the ink's own, as a share of the picture's longer side: a soft edge begins somewhere, and a
picture is looked at in some fifty cells a side."""


BESIDE = 9
"""Pictures that may be held beside those that wait: what is asked for, what each of some threads runs or has run."""


def digit_pixels(digit: int, side: int = 80) -> Pixels:
    return paint(draw_digit(digit, side, side), 1)


def test_every_drawn_digit_is_read_and_added(adder: Adder) -> None:
    for digit in DIGITS:
        for number in NUMBERS:
            answer = adder.predict(digit_pixels(digit), number)
            assert (answer.digit, answer.sum, answer.consistent) == (digit, digit + number, True)


def test_every_generated_picture_is_read(adder: Adder) -> None:
    pictures = list(generate(60, seed=1, sides=(20, 120)))
    answers = adder.predict_batch([picture.pixels for picture in pictures], 4)
    assert [answer.digit for answer in answers] == [picture.digit for picture in pictures]


def test_every_kind_of_source_gives_the_same_answer(adder: Adder, three: Path) -> None:
    sources: list[ImageSource] = [three, str(three), three.read_bytes(), io.BytesIO(three.read_bytes())]
    sources += [Image.open(three), digit_pixels(3), digit_pixels(3)[:, :, 0]]
    answers = {adder.predict(source, 7) for source in sources}
    assert len(answers) == 1


def test_answer_is_frozen_and_ready_for_json(adder: Adder, three: Path) -> None:
    answer = adder.predict(three, 7)
    with pytest.raises(FrozenInstanceError):
        answer.sum = 3  # type: ignore[misc]  # on purpose
    told = json.loads(json.dumps(answer.to_dict()))
    assert list(told) == [spec.name for spec in outputs(adder.approach) if spec is not INK]
    assert (told["digit"], told["sum"]) == (3, 10)
    assert len(told["digit_probabilities"]) == 10
    assert len(told["sum_scores"]) == (19 if adder.approach is Approach.CLASSIFY else 1)
    assert sum(told["digit_probabilities"]) == pytest.approx(1, abs=1e-5)  # ten float32
    assert 0.9 < told["confidence"] <= 1


@pytest.mark.parametrize(
    ("height", "width", "top", "left"), [(100, 100, 0, 0), (300, 200, 150, 60), (120, 400, 10, 290)]
)
def test_box_is_where_the_ink_lies(adder: Adder, height: int, width: int, top: int, left: int) -> None:
    drawn = draw_digit(5, 100, 100)
    ink = np.zeros((height, width))
    ink[top : top + 100, left : left + 100] = drawn
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    wanted = top + rows[0], left + columns[0], top + rows[-1] + 1, left + columns[-1] + 1
    for dark, light in ((0.1, 0.9), (0.9, 0.1)):
        answer = adder.predict(paint(ink, 3, dark=dark, light=light), 2)
        assert answer.box == pytest.approx(wanted, abs=BOX_TOLERANCE * max(height, width))


def test_box_of_a_blank_picture_is_all_of_it(adder: Adder) -> None:
    blank = adder.run(np.full((2, 30, 50, 1), 200, np.uint8), np.zeros(2, np.int32))
    assert blank["box"].tolist() == [[0, 0, 30, 50]] * 2


def test_ink_is_what_the_network_saw(adder: Adder) -> None:
    answer, other = (adder.predict(paint(draw_digit(digit, 90, 60), 4), 2) for digit in (4, 7))
    assert (answer.ink.shape, str(answer.ink.dtype)) == ((SIDE, SIDE), "float32")
    assert (answer.ink.min(), answer.ink.max()) == (0, 1)
    inked = np.argwhere(answer.ink > 0.5)
    assert (np.ptp(inked, 0) + 1).max() in (19, 20)
    assert np.abs(answer.ink - other.ink).max() > 0.5
    assert np.abs(adder.see(paint(draw_digit(4, 90, 60), 4)) - answer.ink).max() <= BATCH_TOLERANCE
    assert adder.see(np.full((40, 40), 9, np.uint8)).shape == (SIDE, SIDE)


def test_ink_takes_no_part_in_equality(classify: Adder, three: Path) -> None:
    answer = classify.predict(three, 7)
    assert replace(answer, ink=np.zeros((SIDE, SIDE), np.float32)) == answer
    assert "ink" not in repr(answer)


def test_batch_of_mixed_sizes_answers_in_order_as_one_by_one(adder: Adder) -> None:
    digits = [index * 7 % 10 for index in range(2 * MAX_RUN + 5)]
    images = [digit_pixels(digit, 30 + index % 3) for index, digit in enumerate(digits)]
    numbers = [index % 10 for index in range(len(digits))]
    answers = adder.predict_batch(images, numbers)
    assert [(answer.digit, answer.sum) for answer in answers] == [
        (digit, digit + number) for digit, number in zip(digits, numbers, strict=True)
    ]
    for answer, image, number in list(zip(answers, images, numbers, strict=True))[::16]:
        alone = adder.predict(image, number)
        assert alone.digit_probabilities == pytest.approx(answer.digit_probabilities, abs=BATCH_TOLERANCE)


def test_empty_batch_has_no_answers(classify: Adder) -> None:
    assert classify.predict_batch([], 3) == []


def test_pictures_are_read_only_as_they_are_answered(classify: Adder) -> None:
    read = 0

    def images() -> Iterator[Pixels]:
        nonlocal read
        while True:
            read += 1
            yield digit_pixels(read % 10, 28)

    answers = classify.predict_each(images(), 1)
    assert [next(answers).digit for _ in range(3)] == [1, 2, 3]  # type: ignore[union-attr]  # no errors among them
    assert read <= MAX_RUN + 1


@pytest.mark.parametrize("readers", [0, 2])
def test_pictures_that_are_held_already_wait_within_the_budget(
    classify: Adder, monkeypatch: pytest.MonkeyPatch, readers: int
) -> None:
    monkeypatch.setattr(model, "MAX_RUN", 1)
    monkeypatch.setattr(reading, "AHEAD_BYTES", 3 * 60 * 60)
    alive: list[weakref.ref[Pixels]] = []
    most = 0

    def images() -> Iterator[Pixels]:
        nonlocal most
        for place in range(100):
            pixels = digit_pixels(place % 10, 60)
            alive.append(weakref.ref(pixels))
            most = max(most, sum(each() is not None for each in alive))
            yield pixels
            del pixels

    assert len(list(classify.predict_each(images(), 1, readers=readers))) == 100
    assert most <= 3 + BESIDE


def test_predict_each_puts_an_error_in_the_place_of_a_bad_picture(classify: Adder, three: Path) -> None:
    found = list(classify.predict_each([three, three.with_name("none.png"), np.zeros((9, 9), np.uint8), three], 2))
    assert [type(each) for each in found] == [Answer, ImageError, NothingToReadError, Answer]


def test_several_runs_at_once_answer_in_order_as_one(classify: Adder, three: Path, tmp_path: Path) -> None:
    digits = [index * 7 % 10 for index in range(3 * MAX_RUN + 5)]
    images: list[Pixels | Path] = [digit_pixels(digit, 30 + index % 3) for index, digit in enumerate(digits)]
    images[MAX_RUN] = tmp_path / "none.png"
    alone, beside = (list(classify.predict_each(images, 4, readers=readers)) for readers in (0, 3))
    assert isinstance(alone[MAX_RUN], ImageError)
    assert [str(answer) for answer in beside] == [str(answer) for answer in alone]


def test_several_runs_at_once_read_no_more_than_they_need(classify: Adder) -> None:
    pixels = digit_pixels(4, 28)
    read = 0

    def asked() -> Iterator[tuple[str, Read, int]]:
        nonlocal read
        while True:
            read += 1
            yield "four", Read(pixels, (1.0, 1.0)), 3

    answers = classify.answer_read(asked(), at_once=2)
    assert next(answers).sum == 7  # type: ignore[union-attr]  # no errors among them
    assert read <= 3 * MAX_RUN + 1
    answers.close()  # type: ignore[attr-defined]  # a generator


def test_runs_at_once_go_on_beside_each_other(classify: Adder, monkeypatch: pytest.MonkeyPatch) -> None:
    meet = Barrier(2, timeout=60)
    run = Adder.run

    def together(*given: object) -> object:
        meet.wait()  # breaks unless two come
        return run(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Adder, "run", together)
    asked = [("four", Read(digit_pixels(4, 28), (1.0, 1.0)), 3)] * (2 * MAX_RUN)
    assert {answer.sum for answer in classify.answer_read(asked, at_once=2)} == {7}  # type: ignore[union-attr]


def test_predict_batch_raises_the_first_error(classify: Adder, three: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.png not found"):
        classify.predict_batch([three, three.with_name("none.png")], 2)


def test_numbers_must_be_as_many_as_pictures(classify: Adder, three: Path) -> None:
    with pytest.raises(UsageError, match="1 numbers for 2 pictures"):
        classify.predict_batch([three, three], [1])


def test_numpy_number_of_no_dimension_is_one_for_all(classify: Adder, three: Path) -> None:
    assert [answer.sum for answer in classify.predict_batch([three, three], np.array(4))] == [7, 7]  # type: ignore[arg-type]


def test_one_picture_in_place_of_several_is_refused(classify: Adder, three: Path) -> None:
    one: list[ImageSource] = [
        three,
        str(three),
        three.read_bytes(),
        io.BytesIO(three.read_bytes()),
        Image.fromarray(digit_pixels(3)[:, :, 0]),
        digit_pixels(3),
        digit_pixels(3)[:, :, 0],
        np.repeat(digit_pixels(3), 3, 2),
    ]
    for image in one:
        with pytest.raises(UsageError, match="is one picture, wanted several; predict answers one"):
            classify.predict_batch(image, 7)  # type: ignore[arg-type]  # on purpose


def test_stack_of_pictures_is_several(classify: Adder) -> None:
    stack = np.stack([digit_pixels(digit) for digit in (3, 4)])
    for images in (stack, stack[..., 0]):
        assert [answer.sum for answer in classify.predict_batch(images, 7)] == [10, 11]


@pytest.mark.parametrize("number", [-1, 10, 12, 2.5, 7.0, "7", "seven", None, True, 2**40])
def test_bad_number_is_refused(classify: Adder, three: Path, number: object) -> None:
    with pytest.raises(NumberError, match="must be a whole number from 0 to 9"):
        classify.predict(three, number)  # type: ignore[arg-type]  # on purpose


def test_numpy_integer_is_a_number(classify: Adder, three: Path) -> None:
    assert classify.predict(three, np.int64(4)).sum == 7  # type: ignore[arg-type]  # works as an int does


@pytest.mark.parametrize("shape", [(1, 3000), (2000, 2), (4, 3000, 3)])
def test_picture_too_thin_for_the_file_is_refused_as_a_picture(adder: Adder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"is \d+ x \d+, too thin to show a digit"):
        adder.predict(np.zeros(shape, np.uint8), 3)


@pytest.mark.parametrize("shape", [(1, 1023), (1535, 2), (5, 3000, 3)])
def test_picture_that_is_barely_not_too_thin_is_answered(adder: Adder, shape: tuple[int, ...]) -> None:
    with pytest.raises(NothingToReadError):
        adder.predict(np.zeros(shape, np.uint8), 3)


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (200, 100, 3), (50, 50, 4)])
def test_blank_picture_is_nothing_to_read(adder: Adder, shape: tuple[int, ...]) -> None:
    for value in (0, 128, 255):
        with pytest.raises(NothingToReadError, match="nothing to read"):
            adder.predict(np.full(shape, value, np.uint8), 3)


def test_graph_answers_minus_one_where_it_cannot_raise(adder: Adder) -> None:
    blank = adder.run(np.zeros((1, 28, 28, 1), np.uint8), np.array([3], np.int32))
    assert (blank["digit"][0], blank["sum"][0], blank["confidence"][0], blank["consistent"][0]) == (-1, -1, 0, False)
    image = paint(draw_digit(5, 40, 40), 1)[None]
    for number in (-1, 10, 2**31 - 1, -(2**31)):
        odd = adder.run(image, np.array([number], np.int32))
        assert (odd["digit"][0], odd["sum"][0], odd["confidence"][0], odd["consistent"][0]) == (5, -1, 0, False)


def test_outputs_have_the_types_and_shapes_of_the_contract(adder: Adder) -> None:
    found = adder.run(np.zeros((3, 30, 20, 2), np.uint8), np.zeros(3, np.int32))
    for spec in outputs(adder.approach):
        assert found[spec.name].dtype == spec.dtype
        assert found[spec.name].shape == tuple(3 if axis == "batch" else axis for axis in spec.shape)


def test_sum_never_leaves_what_the_number_allows(adder: Adder) -> None:
    # two digits on each other: hard to tell, and yet something to read
    image = np.stack([paint(np.maximum(draw_digit(one, 40, 40), draw_digit(9 - one, 40, 40)), 1) for one in range(5)])
    for number in NUMBERS:
        sums = adder.run(image, np.full(len(image), number, np.int32))["sum"]
        read = sums[sums != UNREAD]
        assert len(read) >= 2
        assert read.min() >= number
        assert read.max() <= number + 9


def test_metadata_tells_what_the_file_is(adder: Adder) -> None:
    assert set(Key) <= set(adder.metadata)
    assert adder.metadata[Key.CONTRACT] == CONTRACT_VERSION
    assert adder.metadata[Key.APPROACH] == adder.approach
    assert json.loads(adder.metadata[Key.ACCURACY])["pairs"] == 100_000
    assert len(adder.metadata[Key.CHECKPOINT]) == 64


def test_threads_give_the_same_answer(adder: Adder, three: Path) -> None:
    two = Adder.load(adder.approach, provider="cpu", threads=2).predict(three, 7)
    assert two.digit_probabilities == pytest.approx(adder.predict(three, 7).digit_probabilities, abs=BATCH_TOLERANCE)


def test_auto_names_the_provider_that_it_took() -> None:
    assert Adder.load("classify").provider in ("cpu", "cuda")


def test_unknown_provider_and_thread_count_are_refused() -> None:
    with pytest.raises(UsageError, match="provider is 'tpu', must be one of auto, cpu, cuda"):
        Adder.load("classify", provider="tpu")  # type: ignore[arg-type]  # on purpose
    for threads in (0, 1.5, "2", None, True):
        with pytest.raises(UsageError, match=f"threads is {threads!r}, must be a whole number, 1 or more"):
            Adder.load("classify", threads=threads)  # type: ignore[arg-type]  # on purpose
    for readers in (-1, 1.5):
        with pytest.raises(UsageError, match=f"readers is {readers}, must be a whole number, 0 or more"):
            Adder.load("classify").predict_each([], 7, readers=readers)  # type: ignore[arg-type]  # on purpose


def test_named_provider_that_is_not_there_is_an_error() -> None:
    ort = session.import_onnxruntime()
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA; the test wants one without")
    with pytest.raises(ProviderError, match="provider cuda is not in this ONNX Runtime"):
        Adder.load("classify", provider="cuda")


class FakeRuntime(ModuleType):
    """An ONNX Runtime that lists CUDA and then quietly runs on the CPU."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__("onnxruntime")
        self.real = real

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def get_available_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def preload_dlls(self) -> None:
        pass

    def InferenceSession(self, content: bytes, options: object, providers: object, **_: object) -> object:  # noqa: N802
        return self.real.InferenceSession(content, options, ["CPUExecutionProvider"])


def test_provider_that_falls_back_in_silence_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeRuntime(session.import_onnxruntime())
    monkeypatch.setattr(session, "import_onnxruntime", lambda: fake)
    with pytest.raises(ProviderError, match="provider cuda cannot start"):
        Adder.load("classify", provider="cuda")
    assert Adder.load("classify", provider="auto").provider == "cpu"


def test_both_wheels_are_an_error_with_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_is_installed", lambda _: True)
    with pytest.raises(ProviderError, match="pip uninstall -y onnxruntime onnxruntime-gpu"):
        Adder.load("classify")


def test_no_onnxruntime_is_an_error_with_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ProviderError, match=r'pip install "adder-edge\[cpu\]"'):
        Adder.load("classify")


def test_missing_model_says_how_to_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx not found"):
        Adder.load(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="is no file"):
        Adder.load(tmp_path)
    monkeypatch.setattr(session, "SHIPPED", (tmp_path,))
    with pytest.raises(ModelError, match="adder-export --approach regress"):
        Adder.load("regress")


def test_path_of_a_model_file_is_loaded(adder: Adder, three: Path) -> None:
    assert Adder.load(str(find_model(adder.approach))).predict(three, 7) == adder.predict(three, 7)


def test_truncated_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    whole = find_model("classify").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"this is text", whole[:10]):
        path = tmp_path / "bad.onnx"
        path.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            Adder.load(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def field(number: int, content: bytes | int) -> bytes:
    """One field of a protobuf message whose lengths stay under 128."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def test_another_onnx_file_is_refused(tmp_path: Path) -> None:
    kind = field(1, field(1, 1) + field(2, field(1, field(1, 3))))  # float32 of shape (3)
    node = field(1, b"x") + field(2, b"y") + field(4, b"Identity")
    graph = field(1, node) + field(2, b"g") + field(11, field(1, b"x") + field(2, kind))
    graph += field(12, field(1, b"y") + field(2, kind))
    path = tmp_path / "other.onnx"
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 18)))
    with pytest.raises(ContractError, match="is not an adder model"):
        Adder.load(path)


def test_another_contract_version_is_refused(patched: Patch) -> None:
    path = patched(f"adder.contract\x12\x01{CONTRACT_VERSION}".encode(), b"adder.contract\x12\x019")
    with pytest.raises(ContractError, match=f"keeps contract 9, this program wants {CONTRACT_VERSION}"):
        Adder.load(path)


def test_another_input_name_is_refused(patched: Patch) -> None:
    path = patched(b"number", b"nomber")
    with pytest.raises(ContractError, match="has the inputs image, nomber; wanted image, number"):
        Adder.load(path)


def test_unknown_approach_is_refused(patched: Patch) -> None:
    path = patched(b"adder.approach\x12\x08classify", b"adder.approach\x12\x08classifi")
    with pytest.raises(ContractError, match="'classifi' is not a valid Approach; wanted classify, regress"):
        Adder.load(path)
