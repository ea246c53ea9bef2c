"""Files of word vectors: GloVe text, word2vec text and binary; plain, .gz or a member of a .zip.

Text is parsed block by block in compiled code; a block that does not parse is gone through line by line, so
that a wrong line is named and a word with spaces (GloVe 840B has them) is understood.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from filterscope.data import strangers
from filterscope.job import LOGGER

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

BLOCK = 1 << 24  # bytes of text that are parsed at once
LONGEST_LINE = 1 << 26  # bytes
SAMPLE = 100  # lines that tell the dimension of a file without a header
# Keys of a vocabulary in the config that other rules read: where vectors come from and how they are learnt.
ELSEWHERE = ("dataset", "dimension", "sentences", "epochs", "file", "mirror", "verify")


class VocabularyError(ValueError):
    """Word vectors are wrong: says the file, line and word, what was found and what would be right."""


@dataclass(frozen=True)
class VocabularySettings:
    """How the file of a vocabulary is read; rules/config.schema.yaml says what the fields mean."""

    source: str
    member: str | None = None
    binary: bool = False
    limit: int | None = None
    remove_components: int = -1

    def __post_init__(self):
        if self.source not in READERS:
            raise VocabularyError(f"source is {self.source!r}, should be one of {', '.join(READERS)}")
        if self.binary and self.source != "word2vec":
            raise VocabularyError(f"binary is for the source word2vec only, not {self.source}")
        if self.limit is not None and self.limit < 1:
            raise VocabularyError(f"limit is {self.limit}, should be at least 1")

    @classmethod
    def from_mapping(cls, mapping: Mapping) -> VocabularySettings:
        """From an entry of the config's `vocabularies`. Raises VocabularyError for a key nothing reads."""
        known = [each.name for each in fields(cls)]
        unknown = [key for key in mapping if key not in known and key not in ELSEWHERE]
        if unknown:
            raise VocabularyError(f"{unknown[0]!r} is not a key of a vocabulary; known are {', '.join(known)}")
        return cls(**{key: value for key, value in mapping.items() if key in known})


def read_vectors(path: str | Path, settings: VocabularySettings) -> tuple[list[str], np.ndarray]:
    """Words and their vectors [n, D] float32, in the order of the file.

    Raises VocabularyError naming file, line and word: a wrong number of values, something that is no number,
    NaN, a word that comes twice; or saying that the file is absent, damaged or of another format.
    """
    if not Path(path).is_file():
        raise VocabularyError(f"{path}: there is no such file of word vectors")
    _refuse_strangers(Path(path))
    words, vectors = READERS[settings.source](Path(path), settings)
    if not words:
        raise VocabularyError(f"{path}: holds no word vectors")
    return words, vectors


def _refuse_strangers(path: Path) -> None:
    """Raises VocabularyError for a file that is something else by its first bytes."""
    if path.suffix not in (".zip", ".gz"):
        with path.open("rb") as stream:
            start = stream.read(strangers.START)
        what = strangers.recognised(start)
        if start.startswith(b"PK\x03\x04"):
            what = "a zip archive: give it a name that ends in .zip"
        elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            what = f"text in UTF-16: `iconv -f utf-16 -t utf-8 {path.name} > new` makes it UTF-8"
        if what:
            raise VocabularyError(f"{path}: {what}")


@contextlib.contextmanager
def _opened(path: Path, member: str | None) -> Iterator[BinaryIO]:
    """The bytes of a file: as it is, out of .gz, or of a member of a .zip."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive, member)) as stream:
                yield stream
        elif path.suffix == ".gz":
            with gzip.open(path, "rb") as stream:
                yield stream
        else:
            with path.open("rb") as stream:
                yield stream
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise VocabularyError(f"{path}: damaged, cut off, or no {path.suffix} archive ({error})") from error


def _member(path: Path, archive: zipfile.ZipFile, member: str | None) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if member is None and len(names) == 1:
        return names[0]
    if member not in names:
        found = "member is not given" if member is None else f"there is no member {member!r}"
        raise VocabularyError(f"{path}: {found}; the archive holds {', '.join(names)}")
    return member


# --- text -----------------------------------------------------------------------------------------------


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream in pieces that end with a line."""
    rest = b""
    while piece := stream.read(BLOCK):
        head, newline, tail = piece.rpartition(b"\n")
        if newline:
            yield rest + head + newline
            rest = tail
        else:
            rest += piece
            if len(rest) > LONGEST_LINE:
                raise VocabularyError(f"{stream.name}: a line of over {LONGEST_LINE} bytes; is it a binary file?")
    if rest:
        yield rest + b"\n"


def _first_lines(block: bytes, count: int) -> bytes:
    """The first lines of a block, all of it where it has no more."""
    end = 0
    for _ in range(count):
        end = block.find(b"\n", end) + 1
        if end == 0:
            return block
    return block[:end]


def read_text(path: Path, member: str | None, limit: int | None, header: bool) -> tuple[list[str], np.ndarray]:
    """Text of one word and its D values a line, divided by single spaces; values may end with a space.

    header: whether the first line gives the number of words and D (word2vec), else D is what most of the
    first lines have (GloVe).
    """
    words: list[str] = []
    parts: list[np.ndarray] = []
    dimension, promised, line = 0, None, 1
    with _opened(path, member) as stream:
        for block in _blocks(stream):
            if line == 1:
                block = _without_mark(block, path)
            if line == 1 and header:
                promised, dimension = _header(block, path)
                block, line = block[block.find(b"\n") + 1 :], 2
            elif line == 1:
                dimension = _dimension(block, path)
            if header and not words and b"\0" in block[: 1 << 16]:
                raise VocabularyError(f"{path}: zero bytes after line 1, so it is no text: set binary: true")
            if limit is not None:
                block = _first_lines(block, limit - len(words))
            if not block:
                continue
            new_words, vectors = _parsed(block, dimension, line, path)
            words += new_words
            parts.append(vectors)
            line += len(new_words)
            if len(words) == limit:
                break
    expected = promised if limit is None or promised is None else min(promised, limit)
    if expected is not None and len(words) != expected:
        what = "it is not whole" if len(words) < expected else "its count is too low, and would cut the others off"
        raise VocabularyError(f"{path}: line 1 promises {promised} words, the file holds {len(words)}: {what}")
    _check_unique(words, path, 2 if header else 1)
    return words, np.concatenate(parts) if parts else np.zeros((0, dimension), np.float32)


def _without_mark(block: bytes, path: Path) -> bytes:
    """The first block without the byte order mark of some editors; one that is a word of its own stays."""
    if not block.startswith(codecs.BOM_UTF8) or block[len(codecs.BOM_UTF8) :].startswith(b" "):
        return block
    LOGGER.info("%s begins with a byte order mark, which is no part of the first word", path)
    return block[len(codecs.BOM_UTF8) :]


def _header(block: bytes, path: Path) -> tuple[int, int]:
    first = block.partition(b"\n")[0].split()
    if len(first) != 2 or not all(each.isdigit() for each in first) or int(first[1]) < 1:
        shown = b" ".join(first)[:40].decode("utf-8", "replace")
        raise VocabularyError(
            f"{path}: line 1 is {shown!r}, should be the number of words and of dimensions (word2vec)"
        )
    return int(first[0]), int(first[1])


def _dimension(block: bytes, path: Path) -> int:
    sample = [line.rstrip(b" \r").split(b" ") for line in _first_lines(block, SAMPLE).split(b"\n")[:-1]]
    counts = Counter(len(line) - 1 for line in sample)
    dimension = counts.most_common(1)[0][0]
    if dimension > 1 and len(sample[0]) == 2 and sample[0][1] == b"%d" % dimension:
        raise VocabularyError(f"{path}: line 1 counts words and dimensions: its source is word2vec, not glove")
    if dimension < 1:
        raise VocabularyError(f"{path}: line 1 has no values; a line should be a word and its vector")
    return dimension


def _parsed(block: bytes, dimension: int, line: int, path: Path) -> tuple[list[str], np.ndarray]:
    """Words and vectors of whole lines, of which `line` is the number of the first."""
    parsed = _parsed_at_once(block, dimension)
    return _parsed_by_line(block, dimension, line, path) if parsed is None else parsed


def _parsed_at_once(block: bytes, dimension: int) -> tuple[list[str], np.ndarray] | None:
    """None where the block has anything unusual."""
    names = [str(index) for index in range(dimension + 1)]
    types = {"0": pa.string(), **dict.fromkeys(names[1:], pa.float32())}
    if block.startswith(b"\xef\xbb\xbf"):  # a word may start with what Arrow takes for a byte order mark
        return None
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(block),
            pa_csv.ReadOptions(column_names=names),
            pa_csv.ParseOptions(delimiter=" ", quote_char=False, ignore_empty_lines=False),
            pa_csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    vectors = np.empty((table.num_rows, dimension), np.float32)
    for index in range(dimension):
        vectors[:, index] = table.column(index + 1).to_numpy()
    words = table.column(0).to_pylist()
    return None if "" in words or not np.isfinite(vectors).all() else (words, vectors)


def _parsed_by_line(block: bytes, dimension: int, line: int, path: Path) -> tuple[list[str], np.ndarray]:
    words, vectors = [], []
    for number, text in enumerate(block.removesuffix(b"\n").split(b"\n"), start=line):
        word, *values = text.rstrip(b" \r").rsplit(b" ", dimension)
        shown = word[:40].decode("utf-8", "replace")
        place = f"{path}: line {number}, word {shown!r}"
        if not text.strip():
            raise VocabularyError(f"{path}: line {number} is empty")
        if len(values) < dimension:
            raise VocabularyError(f"{place}: {len(values)} values, should be {dimension}")
        if word != word.strip(b" ") or not word:
            raise VocabularyError(f"{place}: a space too many, or no word at all")
        try:
            words.append(word.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise VocabularyError(f"{place}: the word is not UTF-8 ({error})") from error
        vectors.append(_numbers(values, place))
        if b" " in word and _is_number(word.rpartition(b" ")[2]):
            found = len(text.split()) - 1
            raise VocabularyError(f"{place}: {found} values, should be {dimension}")
    return words, np.stack(vectors)


def _numbers(values: list[bytes], place: str) -> np.ndarray:
    for value in values:
        if not _is_number(value):
            raise VocabularyError(f"{place}: {value[:40].decode('utf-8', 'replace')!r} is not a number")
    with np.errstate(over="ignore"):
        vector = np.array([float(value) for value in values]).astype(np.float32)
    if not np.isfinite(vector).all():
        index = int(np.flatnonzero(~np.isfinite(vector))[0])
        raise VocabularyError(f"{place}: value {index + 1} is {values[index].decode()}, should be finite")
    return vector


def _is_number(value: bytes) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return b"_" not in value  # Python's own 1_000


def _check_unique(words: list[str], path: Path, first_line: int) -> None:
    lines: dict[str, int] = {}
    for line, word in enumerate(words, start=first_line):
        before = lines.setdefault(word, line)
        if before != line:
            raise VocabularyError(f"{path}: line {line}, word {word!r}: line {before} has the same word")


# --- binary ---------------------------------------------------------------------------------------------


def read_binary(path: Path, member: str | None, limit: int | None) -> tuple[list[str], np.ndarray]:
    """word2vec's binary format, through gensim."""
    from gensim.models import KeyedVectors

    with tempfile.TemporaryDirectory() as folder:
        if path.suffix == ".zip":  # gensim opens .gz itself, but no member of a .zip
            unpacked = Path(folder, "vectors.bin")
            with _opened(path, member) as stream, unpacked.open("wb") as target:
                copyfileobj(stream, target)
        else:
            unpacked = path
        with _opened(unpacked, None) as stream:
            promised, _ = _header(stream.readline(1 << 10), path)
        try:
            found = KeyedVectors.load_word2vec_format(str(unpacked), binary=True, limit=limit)
        except (ValueError, EOFError, AssertionError, OSError, zlib.error) as error:
            raise VocabularyError(f"{path}: not whole, or no binary file of word2vec ({error})") from error
        entries = promised if limit is None else min(promised, limit)
        if entries == promised and len(found.key_to_index) == promised:
            _refuse_more(unpacked, path, found)
        if len(found.key_to_index) != entries:  # gensim has only warned, and left a row of zeros at the end
            repeated = _first_repeated(unpacked, entries, found.vectors.itemsize * found.vector_size)
            raise VocabularyError(f"{path}: {repeated}")
    words = found.index_to_key
    wrong = np.flatnonzero(~np.isfinite(found.vectors).all(1))
    if len(wrong):
        raise VocabularyError(f"{path}: entry {wrong[0] + 1}, word {words[wrong[0]]!r}: NaN or infinite values")
    return words, found.vectors


def _refuse_more(unpacked: Path, path: Path, found: KeyedVectors) -> None:
    """gensim reads as many entries as the header counts, and does not look whether more follow.

    Raises VocabularyError for a file that is longer than its words and vectors by a vector or more.
    """
    length = found.vectors.itemsize * found.vector_size
    words = [len(word.encode()) + 1 for word in found.index_to_key]  # a blank follows each
    with _opened(unpacked, None) as stream:
        expected = len(stream.readline()) + sum(words) + found.vectors.nbytes
        stream.read(words[0] + length)
        if stream.read(1) == b"\n":  # word2vec's own program ends a line after each vector, gensim does not
            expected += len(words)
        if unpacked.suffix == ".gz":
            while stream.read(BLOCK):
                pass
            size = stream.tell()
        else:
            size = unpacked.stat().st_size
    if size - expected >= length:
        raise VocabularyError(
            f"{path}: line 1 promises {len(words)} words of {found.vector_size} dimensions, but {size - expected} "
            "bytes more follow: its count is too low, and would cut the others off"
        )


def _first_repeated(path: Path, entries: int, vector_bytes: int) -> str:
    """What comes twice in a whole binary file; gensim silently keeps the first."""
    seen: dict[bytes, int] = {}
    with _opened(path, None) as stream:
        stream.readline()
        for entry in range(1, entries + 1):
            word = b"".join(iter(lambda: stream.read(1), b" ")).lstrip(b"\n")
            before = seen.setdefault(word, entry)
            if before != entry:
                return f"entry {entry}, word {word.decode()!r}: entry {before} has the same word"
            stream.seek(vector_bytes, 1)
    return "words come twice"


def _read_glove(path: Path, settings: VocabularySettings) -> tuple[list[str], np.ndarray]:
    return read_text(path, settings.member, settings.limit, header=False)


def _read_word2vec(path: Path, settings: VocabularySettings) -> tuple[list[str], np.ndarray]:
    if settings.binary:
        return read_binary(path, settings.member, settings.limit)
    return read_text(path, settings.member, settings.limit, header=True)


# The captions' vectors are written by gensim, in word2vec's text format.
READERS: dict[str, Callable[[Path, VocabularySettings], tuple[list[str], np.ndarray]]] = {
    "glove": _read_glove,
    "word2vec": _read_word2vec,
    "captions": _read_word2vec,
}
