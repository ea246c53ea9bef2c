"""Every kind of picture comes out as RGB, and nothing broken comes out at all."""

import hashlib
import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision.io import decode_image

from filterscope.data.images import ImageError, image_size, inspect, inspect_all, read_image

HEIGHT, WIDTH = 24, 40


def smooth(channels: int) -> np.ndarray:
    """A picture that JPEG keeps well: uint8 [24, 40, channels], different in every channel and corner."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = [40 + 4 * x, 200 - 3 * y, 30 + 2 * x + 3 * y, 255 - 2 * x - y]
    return np.stack(waves[:channels], -1).astype(np.uint8)


RGB = Image.fromarray(smooth(3))
RGBA = Image.fromarray(smooth(4))


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, kind, **options)
    return memory.getvalue()


def png16(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, 3 or 4 channels, written by hand because Pillow writes only grey ones."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def on_white(picture: Image.Image) -> np.ndarray:
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB"))


GREY, PALETTE = RGB.convert("L"), RGB.convert("P")
SIXTEEN = np.asarray(GREY).astype(np.uint16) * 257
KINDS = {  # name: (file, what must come out, largest difference allowed)
    "jpeg": (encoded(RGB, "JPEG", quality=95, subsampling=0), np.asarray(RGB), 6),
    "progressive jpeg": (
        encoded(RGB, "JPEG", quality=95, subsampling=0, progressive=True),
        np.asarray(RGB),
        6,
    ),
    "grey jpeg": (encoded(GREY, "JPEG", quality=95), np.asarray(GREY.convert("RGB")), 6),
    "cmyk jpeg": (encoded(RGB.convert("CMYK"), "JPEG", quality=95), np.asarray(RGB), 6),
    "png": (encoded(RGB, "PNG"), np.asarray(RGB), 0),
    "grey png": (encoded(GREY, "PNG"), np.asarray(GREY.convert("RGB")), 0),
    "one-bit png": (encoded(RGB.convert("1"), "PNG"), np.asarray(RGB.convert("1").convert("RGB")), 0),
    "palette png": (encoded(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB")), 0),
    "16-bit grey png": (encoded(Image.fromarray(SIXTEEN), "PNG"), np.asarray(GREY.convert("RGB")), 0),
    "16-bit png": (png16(smooth(3).astype(np.uint16) * 257), np.asarray(RGB), 0),
    "16-bit png with alpha": (png16(smooth(4).astype(np.uint16) * 257), on_white(RGBA), 1),
    "png with alpha": (encoded(RGBA, "PNG"), on_white(RGBA), 1),
    "grey png with alpha": (encoded(RGBA.convert("LA"), "PNG"), on_white(RGBA.convert("LA")), 1),
    "webp": (encoded(RGB, "WEBP", lossless=True), np.asarray(RGB), 0),
    "webp with alpha": (encoded(RGBA, "WEBP", lossless=True, exact=True), on_white(RGBA), 1),
    "animated webp": (
        encoded(RGB, "WEBP", lossless=True, save_all=True, append_images=[ImageOps.invert(RGB)]),
        np.asarray(RGB),
        0,
    ),
    "bmp": (encoded(RGB, "BMP"), np.asarray(RGB), 0),
}


@pytest.fixture
def stored(tmp_path):
    def store(data: bytes, name: str = "picture.jpg"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return store


@pytest.mark.parametrize("kind", KINDS)
def test_reads_every_kind_as_rgb(stored, kind):
    data, expected, tolerance = KINDS[kind]
    picture = read_image(stored(data))
    assert picture.dtype == torch.uint8
    assert picture.shape == (3, HEIGHT, WIDTH)
    difference = np.abs(picture.permute(1, 2, 0).numpy().astype(int) - expected)
    assert difference.max() <= tolerance


@pytest.mark.parametrize("kind", KINDS)
def test_size_of_every_kind(stored, kind):
    path = stored(KINDS[kind][0])
    assert image_size(path) == (WIDTH, HEIGHT)
    found = inspect(path, decode=True)
    assert (found.width, found.height) == (WIDTH, HEIGHT)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_transparent_pixels_are_white(stored):
    """A colour that PNG declares transparent, and alpha of one half on black: (0 * 128 + 255 * 127) / 255."""
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0] = (10, 20, 30)
    path = stored(encoded(Image.fromarray(pixels), "PNG", transparency=(10, 20, 30)))
    assert read_image(path)[:, 0, 0].tolist() == [255, 255, 255]
    assert read_image(path)[:, 1, 1].tolist() == [0, 0, 0]
    half = np.zeros((1, 1, 4), np.uint8)
    half[..., 3] = 128
    assert read_image(stored(encoded(Image.fromarray(half), "PNG"))).flatten().tolist() == [127, 127, 127]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_reads_a_single_pixel(stored, mode):
    path = stored(encoded(Image.new("RGB", (1, 1), (200, 200, 200)).convert(mode), "JPEG"))
    assert read_image(path).shape == (3, 1, 1)
    assert abs(int(read_image(path)[0, 0, 0]) - 200) < 4


WHOLE = KINDS["jpeg"][0]
BROKEN = {
    "empty": (b"", "empty"),
    "web page": (b"<html><body>Not found</body></html>", "not a picture"),
    "header only": (WHOLE[:20], "cut short|truncated|Truncated"),
    "half a jpeg": (WHOLE[: len(WHOLE) // 2], "cut short"),
    "half a progressive jpeg": (KINDS["progressive jpeg"][0][:-200], "cut short"),
    "jpeg whose rest is zeros": (WHOLE[: len(WHOLE) // 2].ljust(len(WHOLE), b"\0"), "cut short"),
    "half a png": (KINDS["png"][0][: len(KINDS["png"][0]) // 2], "cut short"),
    "half a webp": (KINDS["webp"][0][: len(KINDS["webp"][0]) // 2], "damaged|cut short|could not"),
    "half a bmp": (KINDS["bmp"][0][: len(KINDS["bmp"][0]) // 2], "cut short"),
    "phone's HEIC": (b"\0\0\0\x18ftypheic" + bytes(99), "a HEIC picture, as phones take them; save it as JPEG or PNG"),
    "JPEG XL": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "a JPEG XL picture; save it as JPEG or PNG"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid",
        "not a picture: a pointer of Git LFS.*git lfs pull",
    ),
    "film": (b"\0\0\0\x18ftypisom" + bytes(99), "not a picture: a film"),
    "32-bit grey": (encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"), "32 bits"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_refuses_broken_files_by_name(stored, fault):
    data, cause = BROKEN[fault]
    path = stored(data, "broken.jpg")
    with pytest.raises(ImageError, match=cause) as caught:
        read_image(path)
    assert "broken.jpg" in str(caught.value)
    assert str(path.parent) not in caught.value.cause
    with pytest.raises(ImageError):
        inspect(path, decode=True)


def test_a_picture_of_too_many_pixels_is_not_called_damaged(stored):
    """187 megapixels, as scanners of herbaria and slides make them; only the header is needed to tell."""
    header = struct.pack(">IIBBBBB", 17000, 11000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    whole = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path = stored(whole + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))
    for read in (inspect, read_image):
        with pytest.raises(ImageError, match=r"has 187 million pixels; more than 179 million are refused.*scale it"):
            read(path)


def test_refuses_missing_files_and_folders(tmp_path):
    for path, cause in ((tmp_path / "absent.jpg", "missing"), (tmp_path, "not a file")):
        with pytest.raises(ImageError, match=cause):
            read_image(path)


@given(length=st.integers(0, len(WHOLE) - 1))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cut_jpeg_is_read(stored, length):
    """Wherever a JPEG is cut, it is an error and never grey bars, with or without decoding."""
    path = stored(WHOLE[:length])
    with pytest.raises(ImageError):
        read_image(path)
    with pytest.raises(ImageError):
        inspect(path)


@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_gives_a_picture_or_an_image_error(stored, data, kind):
    damaged = bytearray(KINDS[kind][0])
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=6)):
        damaged[place] = data.draw(st.integers(0, 255))
    # A header may ask for gigabytes; whether a machine has them is not what is tested.
    try:
        width, height = Image.open(io.BytesIO(damaged)).size
    except (OSError, SyntaxError, ValueError):
        width = height = 0
    except Image.DecompressionBombError:
        return
    if width * height > 10**6:
        return
    try:
        picture = read_image(stored(bytes(damaged)))
    except ImageError:
        return
    assert picture.dtype == torch.uint8
    assert picture.shape[0] == 3


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture(stored):
    thumbnail = encoded(RGB.resize((8, 8)), "JPEG")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = WHOLE[:2] + segment + WHOLE[2:]
    assert read_image(stored(whole)).shape == (3, HEIGHT, WIDTH)
    with pytest.raises(ImageError, match="cut short"):
        inspect(stored(whole[:-40].ljust(len(whole), b"\0")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_only_where_asked(stored, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = stored(encoded(RGB, kind, exif=exif))
    with Image.open(path) as opened:
        plain = np.asarray(opened.convert("RGB")).astype(int)
        turned = np.asarray(ImageOps.exif_transpose(opened).convert("RGB")).astype(int)
    for apply_exif, expected in ((False, plain), (True, turned)):
        picture = read_image(path, apply_exif=apply_exif).permute(1, 2, 0).numpy()
        assert picture.shape == expected.shape
        assert np.abs(picture - expected).max() <= 3  # decoders may round differently
        assert image_size(path, apply_exif=apply_exif) == expected.shape[1::-1]


def test_inspecting_many_keeps_their_order_and_hands_back_failures(tmp_path):
    paths = []
    for number in range(150):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(b"" if number % 10 == 3 else encoded(Image.new("RGB", (number + 1, 2)), "PNG"))
    alone, together = (list(inspect_all(paths, threads=threads)) for threads in (1, 4))
    assert [type(found) for found in alone] == [type(found) for found in together]
    for number, (one, other) in enumerate(zip(alone, together, strict=True)):
        if number % 10 == 3:
            assert isinstance(other, ImageError)
            assert f"{number}.png" in str(other)
        else:
            assert one == other
            assert (other.width, other.height) == (number + 1, 2)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_has_the_same_pixels_by_both_decoders(stored, mode, interlaced):
    noise = np.random.default_rng(0).integers(0, 256, (61, 83, 3), np.uint8)
    path = stored(encoded(Image.fromarray(noise).convert(mode), "PNG", interlace=interlaced), "noise.png")
    assert torch.equal(read_image(path), decode_image(str(path), mode="RGB"))


def test_only_other_pictures_than_png_load_torchvision(stored):
    """In a process of its own: here the tests themselves have loaded it."""
    program = "; ".join(
        [
            "import sys",
            "from filterscope.data import images",
            f"images.read_pixels({str(stored(encoded(RGB, 'PNG'), 'a.png'))!r})",
            "print('torch' in sys.modules)",
            "images.load_decoder(['a.png', 'b.PNG'])",
            f"images.read_image({str(stored(encoded(RGB, 'PNG'), 'a.png'))!r})",
            "print('torchvision' in sys.modules)",
            "images.load_decoder(['a.png', 'b.jpg'])",
            "print('torchvision' in sys.modules)",
        ]
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False", "True"]
