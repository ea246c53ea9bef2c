"""Pictures: decoded to RGB, measured and hashed.

torchvision decodes JPEG, WebP and PNG of 16 bits; Pillow decodes the rest, and whatever torchvision does not know
(animated WebP). Both refuse a picture that is cut short; what neither notices, a JPEG whose end was overwritten, is
noticed here. Of a PNG of 8 bits both make the same pixels, and torch and torchvision take seconds to load: jobs that
only draw pictures of such files do without.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from filterscope.data import strangers

if TYPE_CHECKING:
    import torch

JPEG, PNG, WEBP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"
ORIENTATION = 0x0112  # tag of EXIF
SIDEWAYS = (5, 6, 7, 8)  # orientations that swap width and height
# Axes of [3, height, width] that are turned around after the swap, for all orientations but upright.
TURNS = {2: (2,), 3: (1, 2), 4: (1,), 5: (), 6: (2,), 7: (1, 2), 8: (1,)}

# What Pillow raises for files that it cannot read; SyntaxError and struct.error come from broken headers.
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error),
    Image.DecompressionBombError,
)

_AT_ONCE = 64  # files per task of the thread pool


class ImageError(ValueError):
    """A picture cannot be read: names the file and the cause, which `cause` has alone."""

    def __init__(self, path: str | Path, cause: str):
        super().__init__(f"{path}: {cause}")
        self.cause = cause


@dataclass(frozen=True)
class Inspection:
    """What is in a file: width and height in px as it is stored, its EXIF orientation (1 to 8) and its digest."""

    width: int
    height: int
    orientation: int
    sha256: str

    def row(self, turned: bool) -> dict:
        """Columns of the images table. turned: whether it is read as its orientation asks."""
        turned = turned and self.orientation in TURNS
        size = (self.height, self.width) if turned and self.orientation in SIDEWAYS else (self.width, self.height)
        return {"width": size[0], "height": size[1], "turned": turned, "sha256": self.sha256}


def read_image(path: str | Path, apply_exif: bool = False) -> torch.Tensor:
    """The picture of `read_pixels` as a tensor."""
    import torch

    return torch.from_numpy(read_pixels(path, apply_exif))


def read_pixels(path: str | Path, apply_exif: bool = False) -> np.ndarray:
    """The picture, uint8 [3, height, width], RGB; not always contiguous.

    Greyscale, palette, CMYK and 16-bit pictures are converted; transparency is laid on white, as a viewer
    shows it. `apply_exif` turns the picture as its camera asks; whether it must is in the images table.

    Raises ImageError for files that are missing, empty, cut short or no pictures, and for pictures of too many pixels,
    which their header tells before anything is decoded.
    """
    data = _bytes(path)
    _opened(data, path)  # torchvision would decode any number of pixels
    picture = _decode(data, path)
    return _turned(picture, _orientation(data)) if apply_exif else picture


def load_decoder(paths: Iterable[str | Path]) -> None:
    """Load what decodes these files, if their names tell that they need it: before processes are forked to read them,
    lest each loads it anew."""
    if any(Path(path).suffix.lower() != ".png" for path in paths):
        import torchvision.io  # noqa: F401


def image_size(path: str | Path, apply_exif: bool = False) -> tuple[int, int]:
    """Width and height in px from the file's header. Raises ImageError."""
    return _size(_bytes(path), path, apply_exif)


def inspect(path: str | Path, decode: bool = False) -> Inspection:
    """Size, orientation and digest from one read of the file. Raises ImageError.

    The header is parsed and a JPEG must have its end; with `decode` the whole picture is decoded.
    """
    data = _bytes(path)
    if data.startswith(JPEG):
        _require_end(data, path)
    width, height = _size(data, path, apply_exif=False)
    if decode:
        _decode(data, path)
    return Inspection(width, height, _orientation(data), hashlib.sha256(data).hexdigest())


def inspect_all(paths: Iterable[str | Path], threads: int, decode: bool = False) -> Iterator[Inspection | ImageError]:
    """`inspect` for many files in a thread pool, in their order; a failure is handed back, not raised."""

    def attempt(some: list[str | Path]) -> list[Inspection | ImageError]:
        found: list[Inspection | ImageError] = []
        for path in some:
            try:
                found.append(inspect(path, decode))
            except ImageError as error:
                found.append(error)
        return found

    paths = list(paths)
    pool = ThreadPoolExecutor(max(1, threads))
    try:
        for found in pool.map(attempt, (paths[i : i + _AT_ONCE] for i in range(0, len(paths), _AT_ONCE))):
            yield from found
    finally:
        pool.shutdown(cancel_futures=True)  # who stops listening need not wait for the rest


def _bytes(path: str | Path) -> bytes:
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for ever
            raise ImageError(path, "not a file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageError(path, "a link that leads nowhere" if path.is_symlink() else "the file is missing") from None
    except OSError as error:
        raise ImageError(path, f"the file cannot be read ({error.strerror})") from error
    if not data:
        raise ImageError(path, "the file is empty")
    return data


def _opened(data: bytes, path: str | Path) -> Image.Image:
    """Pillow's picture of which only the header is parsed."""
    try:
        return Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        found = re.search(r"(\d+) pixels\)", str(error))
        size = f"{int(found[1]) / 1e6:.0f} million" if found else "too many"
        raise ImageError(
            path,
            f"the picture has {size} pixels; more than {2 * Image.MAX_IMAGE_PIXELS / 1e6:.0f} million are refused, "
            "lest a small file fill the memory: scale it down",
        ) from None
    except UNREADABLE as error:
        if isinstance(error, Image.UnidentifiedImageError):
            what = strangers.recognised(data[: strangers.START])
            if what is None:
                raise ImageError(path, f"not a picture or cut short (begins with {data[:12]!r})") from None
            known = what in strangers.PICTURES
            raise ImageError(path, f"{what}; save it as JPEG or PNG" if known else f"not a picture: {what}") from None
        raise ImageError(path, f"the picture is damaged or cut short ({error})") from error


def _size(data: bytes, path: str | Path, apply_exif: bool) -> tuple[int, int]:
    width, height = _opened(data, path).size
    return (height, width) if apply_exif and _orientation(data) in SIDEWAYS else (width, height)


def _orientation(data: bytes) -> int:
    try:
        return int(Image.open(io.BytesIO(data)).getexif().get(ORIENTATION, 1))
    except (*UNREADABLE, TypeError):
        return 1  # metadata that cannot be read ask for nothing


def _turned(picture: np.ndarray, orientation: int) -> np.ndarray:
    """The stored pixels [3, height, width] as EXIF's orientation 1-8 wants them shown."""
    if orientation not in TURNS:
        return picture
    if orientation in SIDEWAYS:
        picture = picture.transpose(0, 2, 1)
    return np.ascontiguousarray(np.flip(picture, TURNS[orientation]))  # a tensor has no strides below zero


def _decode(data: bytes, path: str | Path) -> np.ndarray:
    if data.startswith(JPEG):
        _require_end(data, path)
    try:
        decoded = _with_torchvision(data)
    except RuntimeError:
        decoded = None
    if decoded is None:
        decoded = _with_pillow(data, path)
    if decoded.dtype == np.uint16:
        decoded = ((decoded.astype(np.int32) * 255 + 32767) // 65535).astype(np.uint8)
    return _on_white(decoded) if len(decoded) == 4 else decoded


def _require_end(data: bytes, path: str | Path) -> None:
    """The marker that ends a JPEG must follow its scan; the one of a thumbnail does not count.

    A file whose rest was never written is full of zeros, which both decoders take for pixels.
    """
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        if data[place + 1] == 0xFF:  # fill byte
            place += 1
        elif data[place + 1] == 0x01 or 0xD0 <= data[place + 1] <= 0xD7:  # markers without a segment
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    if data.rfind(b"\xff\xd9", place) < 0:
        raise ImageError(path, "the JPEG is cut short (its end marker is missing)")


def _with_torchvision(data: bytes) -> np.ndarray | None:
    """[3 or 4, height, width], uint8 or uint16; None for what Pillow decodes."""
    if data.startswith(JPEG):
        known, alpha = True, False
    elif data.startswith(PNG):
        # torchvision ignores the tRNS chunk; of 16 bits in colour Pillow drops eight.
        known = data[24:25] == b"\x10" and b"tRNS" not in data[: max(data.find(b"IDAT"), 0)]
        alpha = data[25:26] in (b"\x04", b"\x06")
    else:
        known = alpha = data.startswith(WEBP)
    if not known:
        return None
    import torch
    from torchvision.io import ImageReadMode, decode_image

    encoded = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return decode_image(encoded, mode=ImageReadMode.RGB_ALPHA if alpha else ImageReadMode.RGB).numpy()


def _with_pillow(data: bytes, path: str | Path) -> np.ndarray:
    """[3 or 4, height, width], uint8 or uint16, of the first frame. Raises ImageError."""
    picture = _opened(data, path)
    try:
        picture.load()
        if picture.mode.startswith("I;16"):
            return np.stack([np.array(picture).astype(np.uint16)] * 3)
        if picture.mode in ("I", "F"):
            raise ImageError(path, "pixels of 32 bits have no agreed range; save it with 8 or 16 bits")
        pixels = np.array(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    except ImageError:
        raise
    except UNREADABLE as error:
        raise ImageError(path, f"the picture is damaged or cut short ({error})") from error
    return pixels.transpose(2, 0, 1)


def _on_white(picture: np.ndarray) -> np.ndarray:
    """[4, height, width] laid on white: [3, height, width]."""
    alpha = picture[3:]
    if (alpha == 255).all():
        return picture[:3]
    colour, alpha = picture[:3].astype(np.int32), alpha.astype(np.int32)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
