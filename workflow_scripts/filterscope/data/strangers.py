"""Files that are not what their place promises, told by their first bytes, with what to do about it."""

from __future__ import annotations

START = 512  # bytes that tell

HEIC, JPEG_XL = PICTURES = ("a HEIC picture, as phones take them", "a JPEG XL picture")
# First bytes, and what such a file is. Bytes are compared without regard to case where they are text.
_STARTS = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: `git lfs pull` fetches it"),
    (b"/annex/objects/", "a pointer of git-annex, not the file itself: `git annex get` fetches it"),
    (b"<!doctype html", "a web page, not the file: fetch it again, by its direct address"),
    (b"<html", "a web page, not the file: fetch it again, by its direct address"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras, MATLAB)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x8b", "compressed by gzip: unpack it (gunzip)"),
    (b"BZh", "compressed by bzip2: unpack it (bunzip2)"),
    (b"\xfd7zXZ\x00", "compressed by xz: unpack it (unxz)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"Rar!\x1a\x07", "a RAR archive: unpack it"),
    (b"%PDF", "a PDF document"),
    (b"GGUF", "a GGUF file of a language model"),
    (b"\xba\x16\x4f\x2f", "fastText's own binary format: its text format, .vec, can be read"),
    (b"\xff\x0a", JPEG_XL),
    (b"\x00\x00\x00\x0cJXL ", JPEG_XL),
)
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def recognised(start: bytes) -> str | None:
    """What a file is that begins so, None where it is nothing known."""
    lower = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for begin, what in _STARTS:
        if start.startswith(begin) or lower.startswith(begin.lower()):
            return what
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF:
        return HEIC
    if start[4:8] == b"ftyp":
        return "a film or another file of the MPEG-4 family"
    if start[257:262] == b"ustar":
        return "a tar archive: unpack it"
    if start[4:8] == b"TFL3":
        return "a TensorFlow Lite network"
    if start[8:10] == b'{"' and int.from_bytes(start[:8], "little") < 1 << 27:
        return "a safetensors file"
    return None


def recoding(name: str) -> str:
    """What to do about a text that is not in UTF-8."""
    return f"it may be in Latin-1, then `iconv -f latin1 -t utf-8 {name} > new` makes it UTF-8; else it is damaged"
