"""Pictures come in as a person sees them, and what is no picture is told in one line."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adder_runtime.errors import ImageError
from adder_runtime.image_file import MAX_PIXELS, ImageSource, pictures_in, read_image, to_png

GREY = np.tile(np.linspace(0, 255, 12, dtype=np.uint8), (8, 1))
"""(8, 12), a ramp from black to white."""

JPEG_TOLERANCE = 12
"""Largest difference of a pixel after JPEG at quality 95, in levels of 255."""


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_path_bytes_stream_image_and_array_give_the_same_pixels(tmp_path: Path) -> None:
    image = Image.fromarray(GREY)
    path = tmp_path / "ramp.png"
    path.write_bytes(encoded(image))
    content = path.read_bytes()
    sources: list[ImageSource] = [path, str(path), content, memoryview(content), io.BytesIO(content), image]
    for source in [*sources, GREY, GREY[:, :, None]]:
        assert np.array_equal(read_image(source), GREY[:, :, None])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "TGA", "PCX", "ICO"])
def test_lossless_formats_keep_every_pixel(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"sizes": [(12, 8)]} if kind == "ICO" else {}
    pixels = read_image(encoded(Image.fromarray(GREY), kind, **options))
    assert np.array_equal(pixels[:, :, 0], GREY)


def test_jpeg_keeps_pixels_nearly() -> None:
    pixels = read_image(encoded(Image.fromarray(GREY), "JPEG", quality=95))
    assert np.abs(pixels[:, :, 0].astype(int) - GREY).max() <= JPEG_TOLERANCE


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter clockwise to be seen upright
    pixels = read_image(encoded(Image.fromarray(GREY), "PNG", exif=exif))
    assert np.array_equal(pixels[:, :, 0], np.rot90(GREY, -1))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pixels_that_need_no_change_are_not_copied_by_pillow(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(Image.fromarray(GREY).convert(mode), "PNG")
    wanted = np.asarray(Image.open(io.BytesIO(content)))
    for name in ("copy", "convert", "transpose"):
        monkeypatch.delattr(Image.Image, name)
    assert np.array_equal(read_image(content).squeeze(), wanted)


def test_one_bit_becomes_black_and_white() -> None:
    image = Image.fromarray((GREY > 127).astype(np.uint8) * 255).convert("1")
    assert set(np.unique(read_image(encoded(image)))) == {0, 255}


def test_palette_becomes_its_colours() -> None:
    colours = Image.new("RGB", (2, 1), (200, 10, 30))
    pixels = read_image(encoded(colours.quantize(2)))
    assert pixels.shape == (1, 2, 3)
    assert pixels[0, 0].tolist() == [200, 10, 30]


def test_palette_with_a_transparent_colour_keeps_alpha() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.putpixel((1, 0), 1)
    pixels = read_image(encoded(image, transparency=0))
    assert pixels[0, :, 3].tolist() == [0, 255]


def test_sixteen_bit_is_scaled_to_eight() -> None:
    image = Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16))
    assert read_image(encoded(image))[0, :, 0].tolist() == [0, 100, 255]


@pytest.mark.parametrize(("white", "dtype"), [(1.0, np.float32), (255.0, np.float32), (65535, np.int32)])
def test_thirty_two_bit_is_scaled_by_the_smallest_usual_white(white: float, dtype: type) -> None:
    image = Image.fromarray(np.array([[0, white / 2, white]]).astype(dtype))
    pixels = read_image(encoded(image, "TIFF"))
    assert pixels[0, 0, 0] == 0
    assert pixels[0, 2, 0] == 255
    assert pixels[0, 1, 0] in (127, 128)


def test_cmyk_becomes_rgb() -> None:
    pixels = read_image(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG", quality=95))
    assert pixels.shape == (8, 8, 3)
    assert pixels.min() >= 255 - JPEG_TOLERANCE


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_channels_are_kept(mode: str, channels: int) -> None:
    assert read_image(encoded(Image.new(mode, (5, 4)))).shape == (4, 5, channels)


def test_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("L", (3, 3), value) for value in (10, 200)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    assert read_image(stream.getvalue())[0, 0, 0] == 10


def test_to_png_is_read_back_equal() -> None:
    for channels in (1, 2, 3, 4):
        pixels = np.arange(6 * channels, dtype=np.uint8).reshape(2, 3, channels)
        assert np.array_equal(read_image(to_png(pixels)), pixels)


def bomb() -> bytes:
    """A PNG of a few bytes that states 20,000 x 20,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8))


BAD_FILES = {
    "text.png": (b"this is no picture", "is no picture"),
    "empty.png": (b"", "is empty"),
    "half.png": (encoded(noise())[:3000], "cut off or damaged"),
    "half.jpg": (encoded(noise(), "JPEG")[:1200], "cut off or damaged"),
    "header.png": (b"\x89PNG\r\n\x1a\n", "is no picture|cut off or damaged"),
    "bomb.png": (bomb(), f"more than {MAX_PIXELS // 10**6} million pixels"),
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", r'pip install "adder-edge\[heic\]"|cut off or damaged'),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_is_one_line_that_names_it(name: str, tmp_path: Path) -> None:
    content, message = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.png not found"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((28, 28), np.float32),
        np.zeros((28, 28), np.int64),
        np.zeros((28, 28, 5), np.uint8),
        np.zeros((2, 28, 28, 1), np.uint8),
        np.zeros(28, np.uint8),
        np.zeros((0, 28), np.uint8),
        np.zeros((28, 28, 0), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{list(array.shape)}",
)
def test_array_of_another_shape_or_type_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ImageError, match="wanted uint8 of shape"):
        read_image(array)


def test_what_is_no_source_at_all_is_refused() -> None:
    for source in (None, 3, object()):
        with pytest.raises(ImageError, match="wanted a path, bytes, a file open in binary"):
            read_image(source)  # type: ignore[arg-type]  # on purpose


def test_closed_file_is_an_image_error(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(to_png(np.zeros((4, 4, 1), np.uint8)))
    with path.open("rb") as stream:
        pass
    with pytest.raises(ImageError, match=r"a\.png cannot be read: .*closed file; wanted a path"):
        read_image(stream)


def test_path_of_bytes_that_a_folder_gives_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(to_png(np.zeros((4, 4, 1), np.uint8)))
    with os.scandir(os.fsencode(tmp_path)) as entries:
        assert [read_image(entry).shape for entry in entries] == [(4, 4, 1)]  # type: ignore[arg-type]  # of bytes


def test_empty_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="the path is empty, wanted that of a picture file"):
        read_image("")


def test_folder_gives_its_pictures_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    assert [Path(path).name for path in pictures_in(tmp_path)] == ["a.JPG", "b.png"]


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="has no pictures in it"):
        list(pictures_in(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="wants named pipes")
def test_folder_lists_links_that_lead_nowhere_and_no_pipes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "nowhere.png").symlink_to("none")
    (tmp_path / "link.png").symlink_to("a.png")
    (tmp_path / "folder.png").symlink_to(".")
    os.mkfifo(tmp_path / "pipe.png")  # whoever opened it would wait for ever
    assert [Path(path).name for path in pictures_in(tmp_path)] == ["a.png", "link.png", "loop.png", "nowhere.png"]
    with pytest.raises(ImageError, match=r"loop\.png cannot be opened"):
        read_image(tmp_path / "loop.png")
