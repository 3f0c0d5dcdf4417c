"""Pictures from anywhere as raw pixels, the way a person sees them. The only module that reads with Pillow."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from adder_runtime.contract import CHANNELS, LARGE_SIDE
from adder_runtime.errors import ImageError, UsageError

Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width, channels) uint8, 1 to 4 channels: grey, grey and alpha, RGB, RGBA."""

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image | Pixels
"""What a picture can come from."""

MAX_PIXELS = 80_000_000
"""Pixels above which a picture is refused undecoded: a phone takes 12 to 50 million, Pillow itself warns at 89."""

FULL_SCALES = (1, 255, 65535)
"""Usual values of white. A 32-bit picture does not state its own, so the smallest that holds its values is taken."""

HEIC_SUFFIXES = {".heic", ".heif"}

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
"""Bytes 8 to 12 of a HEIC file; bytes 4 to 8 are `ftyp`."""

# what Pillow's decoders raise on damaged files; MemoryError where a header lies about a length
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, struct.error, zlib.error, MemoryError)


class Read(NamedTuple):
    """The pixels of a picture, which may be fewer than it has."""

    pixels: Pixels
    scale: tuple[float, float]
    """Pixels of the picture for each of these, down and across."""


def read_image(source: ImageSource) -> Pixels:
    """The pixels of one picture, all of them.

    EXIF orientation is applied. 1-bit, palette, 16-bit, 32-bit and CMYK pictures become grey or RGB, transparency stays
    as alpha, and of several frames the first is taken. An array that fits is passed through without a copy.

    Args:
        source: a path, the bytes of a picture file, a file open in binary (it is read to its end), a Pillow image, or a
            uint8 array (height, width) or (height, width, 1 to 4).

    Raises:
        ImageError: it is missing, no picture, damaged, too large or thin, or an array of another shape or type.
    """
    return _read(source, _Way()).pixels


def read_enough(source: ImageSource, admit: Callable[[int], None] = lambda _: None) -> Read:
    """The pixels of one picture as a model needs them: a JPEG of twice LARGE_SIDE or more is decoded at a half of its
    size, or a quarter or an eighth, which takes a fraction of the time.

    Args:
        source: as for `read_image`.
        admit: told the bytes that the pixels will take before they are decoded; it may wait.

    Raises:
        ImageError: as for `read_image`.
    """
    return _read(source, _Way(LARGE_SIDE, admit))


@dataclass(frozen=True)
class _Way:
    """How a picture is decoded."""

    enough: int | None = None
    """Pixels on the longer side that are enough."""
    admit: Callable[[int], None] = lambda _: None
    """Told the bytes that are wanted."""


def _read(source: ImageSource, way: _Way) -> Read:
    if isinstance(source, np.ndarray):
        return _check_sides(Read(_check_array(source), (1.0, 1.0)), name_of(source))
    name = name_of(source)
    if isinstance(source, str | os.PathLike):
        with _open(name) as stream:
            return _decode(stream if stream.seekable() else io.BytesIO(stream.read()), name, way)
    if isinstance(source, Image.Image):
        return _decode(source, name, way)
    try:
        content = io.BytesIO(memoryview(source.read() if hasattr(source, "read") else source))
    except (OSError, TypeError, ValueError) as error:
        wanted = "wanted a path, bytes, a file open in binary, a Pillow image or a uint8 array"
        raise ImageError(f"{name} cannot be read: {_reason(error)}; {wanted}") from error
    return _decode(content, name, way)


def to_png(pixels: Pixels) -> bytes:
    """The pixels of one picture as a PNG file.

    Args:
        pixels: (height, width, 1 to 4) uint8.
    """
    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def to_jpeg(pixels: Pixels, quality: int = 92) -> bytes:
    """The pixels of one picture as a JPEG file.

    Args:
        pixels: (height, width, 1 or 3) uint8.
        quality: 1 to 95.
    """
    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def check_several(images: object) -> None:
    """A picture is no list of pictures, though its rows, lines or letters may be taken for one each.

    Raises:
        UsageError: it is a single picture.
    """
    held = isinstance(images, bytes | bytearray | memoryview | Image.Image)
    one = held or isinstance(images, str | os.PathLike) or hasattr(images, "read")
    if isinstance(images, np.ndarray):  # pictures of up to 4 pixels across show no digit: those are channels
        one = images.ndim == 2 or (images.ndim == 3 and images.shape[2] in CHANNELS)
    if one:
        raise UsageError(f"the {type(images).__name__} given is one picture, wanted several; predict answers one")


def size_held(source: ImageSource) -> int:
    """Bytes that a picture takes before it is read: none of a file's."""
    if isinstance(source, Image.Image):
        return source.width * source.height * len(source.getbands())
    return len(source) if isinstance(source, bytes | bytearray) else getattr(source, "nbytes", 0)


def name_of(source: ImageSource) -> str:
    """What to call a picture in an error: its path or file name, else its type."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    named = getattr(source, "filename", None) or getattr(source, "name", None)
    return str(named or f"the {type(source).__name__} given")


def is_picture_name(path: str | os.PathLike[str]) -> bool:
    """The name ends as that of a picture which can be read."""
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122  # a Path would keep the name of each of a million
    return Image.registered_extensions().get(suffix) in Image.OPEN or suffix in HEIC_SUFFIXES


def file_state(path: str) -> tuple[int, int] | None:
    """Size and time of the last change of a file, None where there is none: a picture that was changed is another."""
    try:
        found = os.stat(path)  # noqa: PTH116  # as above
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


def is_folder(path: Path) -> bool:
    """It is a folder; what cannot be looked at is none, and reading it then tells why."""
    try:
        return path.is_dir()
    except OSError:
        return False


def pictures_in(folder: Path) -> Iterator[str]:
    """The pictures directly in a folder, sorted, without hidden files and files of other kinds.

    Raises:
        ImageError: when the first is asked for, there are none, or the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if _is_listed(entry)]
    except OSError as error:
        raise ImageError(f"{folder} cannot be read: {error.strerror}") from error
    if not found:
        raise ImageError(f"{folder} has no pictures in it, wanted files such as three.png or three.jpg")
    # texts put together, not paths: there may be a million, and Python keeps a table of all parts of paths
    top = str(folder / "-")[:-1]
    for name in sorted(found):
        yield top + name


def _is_listed(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or not is_picture_name(entry.name):
        return False
    try:
        return entry.is_file() or (entry.is_symlink() and not entry.is_dir())
    except OSError:
        return True  # a link that leads in a circle: reading it tells so


def _open(name: str) -> IO[bytes]:
    if not name:
        raise ImageError("the path is empty, wanted that of a picture file")
    try:
        return Path(name).open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{name} not found, wanted a picture file") from error
    except IsADirectoryError as error:
        raise ImageError(f"{name} is a folder, wanted a picture file") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{name} cannot be opened: {_reason(error)}") from error


def _decode(source: IO[bytes] | Image.Image, name: str, way: _Way) -> Read:
    # catch_warnings, since Pillow's own limit is a global that belongs to the user's program
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = source if isinstance(source, Image.Image) else _identify(source, name)
            if image.width * image.height <= MAX_PIXELS:
                return _check_sides(_load(image, way), name)
        except ImageError:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            pass
        except _DAMAGE as error:
            raise ImageError(f"{name} is cut off or damaged: {_reason(error)}; wanted a whole picture") from error
    raise ImageError(f"{name} has more than {MAX_PIXELS // 10**6} million pixels; scale it down first")


def _identify(stream: IO[bytes], name: str) -> Image.Image:
    head = stream.read(12)
    stream.seek(0)
    if not head:
        raise ImageError(f"{name} is empty, wanted a picture")
    try:
        return Image.open(stream)
    except UnidentifiedImageError as error:
        if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
            return _open_heic(stream, name)
        raise ImageError(f"{name} is no picture, wanted PNG, JPEG or another format that Pillow reads") from error


def _open_heic(stream: IO[bytes], name: str) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise ImageError(f'{name} is a HEIC picture; to read those: pip install "adder-edge[heic]"') from error
    stream.seek(0)
    heic = pillow_heif.open_heif(stream)
    if heic.size[0] * heic.size[1] > MAX_PIXELS:
        raise Image.DecompressionBombError
    image: Image.Image = heic.to_pillow()
    return image


def _load(image: Image.Image, way: _Way) -> Read:
    whole = image.size
    if way.enough is not None and image.format == "JPEG":
        longer = max(whole)
        image.draft(None, (max(whole[0] * way.enough // longer, 1), max(whole[1] * way.enough // longer, 1)))
    way.admit(image.width * image.height * len(image.getbands()))
    upright = _upright(image)
    pixels = _check_array(_pixels(upright))
    if upright.size != image.size:  # turned by a quarter
        whole = whole[::-1]
    return Read(pixels, (whole[1] / pixels.shape[0], whole[0] / pixels.shape[1]))


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        # asked first: it copies the whole picture also where nothing is to be turned
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        return ImageOps.exif_transpose(image) if turned else image
    except _DAMAGE:
        return image  # a viewer too shows a picture whose EXIF is damaged


def _pixels(image: Image.Image) -> NDArray[Any]:
    if image.mode.startswith("I;16"):
        return ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.mode in ("I", "F"):
        return _stretch(np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0))
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"))
    if image.has_transparency_data:
        return _as(image, "LA" if image.mode in ("LA", "La") else "RGBA")
    return _as(image, "L" if image.mode in ("1", "L") else "RGB")


def _as(image: Image.Image, mode: str) -> NDArray[Any]:
    # Pillow copies a picture also where it has that mode
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _stretch(values: NDArray[np.float64]) -> Pixels:
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    white = next((scale for scale in FULL_SCALES if low >= 0 and high <= scale), high - low)
    return np.rint((values - low * (low < 0)) / white * 255).astype(np.uint8)


def _check_array(pixels: NDArray[Any]) -> Pixels:
    fits = pixels.dtype == np.uint8 and pixels.size > 0
    if fits and pixels.ndim == 2:
        return pixels[:, :, None]
    if fits and pixels.ndim == 3 and pixels.shape[2] in CHANNELS:
        return pixels
    raise ImageError(
        f"array is {pixels.dtype} of shape {pixels.shape}, "
        "wanted uint8 of shape (height, width) or (height, width, 1 to 4) with no axis empty"
    )


def _check_sides(read: Read, name: str) -> Read:
    # a model makes one pixel of so many, and would have none left
    height, width = read.pixels.shape[:2]
    if min(height, width) < max(height, width) // LARGE_SIDE:
        raise ImageError(f"{name} is {width} x {height}, too thin to show a digit; cut it to the digit")
    return read


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())
