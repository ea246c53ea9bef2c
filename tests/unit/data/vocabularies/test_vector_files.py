"""Files of word vectors are read as they are meant; a wrong line is named, with its word."""

import gzip
import re
import zipfile

import numpy as np
import pytest
import yaml
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filterscope.data.vocabularies import vector_files
from filterscope.data.vocabularies.vector_files import VocabularyError, VocabularySettings, read_vectors

GLOVE = VocabularySettings("glove")
WORD2VEC = VocabularySettings("word2vec")
LINES = ["the 0.1 -0.2 0.3", "dog 1 2e-3 -.5", "cat 4 5 6"]
VECTORS = np.array([[0.1, -0.2, 0.3], [1, 2e-3, -0.5], [4, 5, 6]], np.float32)


def text(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    return path


def test_plain_gz_and_zip_hold_the_same(tmp_path):
    plain = text(tmp_path / "vectors.txt", LINES)
    (tmp_path / "vectors.txt.gz").write_bytes(gzip.compress(plain.read_bytes()))
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.write(plain, "glove.3d.txt")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("glove.1d.txt", "a 1\n")
        archive.write(plain, "glove.3d.txt")
    read = [read_vectors(tmp_path / name, GLOVE) for name in ("vectors.txt", "vectors.txt.gz", "one.zip")]
    read.append(read_vectors(tmp_path / "two.zip", VocabularySettings("glove", member="glove.3d.txt")))
    for words, vectors in read:
        assert words == ["the", "dog", "cat"]
        assert np.array_equal(vectors, VECTORS)
    for member in (None, "glove.2d.txt"):
        with pytest.raises(VocabularyError, match=r"the archive holds glove\.1d\.txt, glove\.3d\.txt"):
            read_vectors(tmp_path / "two.zip", VocabularySettings("glove", member=member))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dog 1 2", r"line 2, word 'dog': 2 values, should be 3"),
        ("dog 1 2 3 4", r"line 2, word 'dog 1': 4 values, should be 3"),
        ("dog", r"line 2, word 'dog': 0 values, should be 3"),
        ("dog 1 two 3", r"line 2, word 'dog': 'two' is not a number"),
        ("dog 1 2_0 3", r"line 2, word 'dog': '2_0' is not a number"),
        ("dog 1 nan 3", r"line 2, word 'dog': value 2 is nan, should be finite"),
        ("dog 1 2 1e39", r"line 2, word 'dog': value 3 is 1e39, should be finite"),
        ("the 1 2 3", r"line 2, word 'the': line 1 has the same word"),
        (" 1 2 3", r"line 2, word '': a space too many, or no word"),
        ("dog  1 2 3", r"line 2, word 'dog ': a space too many"),
        ("", r"line 2 is empty"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    path = text(tmp_path / "vectors.txt", [LINES[0], line, LINES[2]])
    with pytest.raises(VocabularyError, match=rf"vectors\.txt: {message}"):
        read_vectors(path, GLOVE)
    path = text(tmp_path / "vectors.txt", ["3 3", LINES[0], line, LINES[2]])
    shifted = message.replace("line 2", "line 3").replace("line 1", "line 2")
    with pytest.raises(VocabularyError, match=rf"vectors\.txt: {shifted}"):
        read_vectors(path, WORD2VEC)


def test_a_word_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "vectors.txt").write_bytes(b"the 1 2\ncaf\xe9 1 2\n")
    with pytest.raises(VocabularyError, match=r"line 2, word 'caf.': the word is not UTF-8"):
        read_vectors(tmp_path / "vectors.txt", GLOVE)


def test_unusual_words_and_ends_of_lines_are_read(tmp_path):
    words = [
        ". . .",
        "to name@domain.com",
        '"',
        "null",
        "nan",
        "3",
        "\ufeff",
        "caf\u00e9",
        "a\u00a0b",
        "\x85",
        "#",
    ]
    lines = [f"{word} {row} 2" for row, word in enumerate(words)]
    for end in ("", " ", "\r"):
        read, vectors = read_vectors(text(tmp_path / "vectors.txt", [f"{line}{end}" for line in lines]), GLOVE)
        assert read == words
        assert vectors[:, 0].tolist() == list(range(len(words)))
    (tmp_path / "vectors.txt").write_text("\n".join(LINES))  # no end of the last line
    assert read_vectors(tmp_path / "vectors.txt", GLOVE)[0] == ["the", "dog", "cat"]


def test_files_that_are_absent_damaged_or_of_another_format_say_so(tmp_path):
    with pytest.raises(VocabularyError, match="no such file"):
        read_vectors(tmp_path / "absent.txt", GLOVE)
    for name in ("page.zip", "page.gz"):
        (tmp_path / name).write_text("<html>404</html>")
        with pytest.raises(VocabularyError, match=r"damaged, cut off, or no \.(zip|gz) archive"):
            read_vectors(tmp_path / name, GLOVE)
    whole = gzip.compress(text(tmp_path / "vectors.txt", [f"w{i} {i} 1" for i in range(999)]).read_bytes())
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VocabularyError, match=r"cut\.gz: damaged, cut off"):
        read_vectors(tmp_path / "cut.gz", GLOVE)
    with pytest.raises(VocabularyError, match="line 1 counts words and dimensions: its source is word2vec"):
        read_vectors(text(tmp_path / "vectors.txt", ["3 3", *LINES]), GLOVE)
    with pytest.raises(VocabularyError, match=r"line 1 is 'the 0\.1 -0\.2 0\.3', should be the number of words"):
        read_vectors(text(tmp_path / "vectors.txt", LINES), WORD2VEC)
    with pytest.raises(VocabularyError, match="line 1 promises 4 words, the file holds 3"):
        read_vectors(text(tmp_path / "vectors.txt", ["4 3", *LINES]), WORD2VEC)
    with pytest.raises(VocabularyError, match="holds no word vectors"):
        read_vectors(text(tmp_path / "vectors.txt", []), GLOVE)


def test_the_limit_takes_the_first_words_and_looks_at_no_others(tmp_path):
    path = text(tmp_path / "vectors.txt", [*LINES, "broken 1"])
    words, vectors = read_vectors(path, VocabularySettings("glove", limit=2))
    assert words == ["the", "dog"]
    assert np.array_equal(vectors, VECTORS[:2])
    path = text(tmp_path / "vectors.txt", ["4 3", *LINES, "broken 1"])
    assert read_vectors(path, VocabularySettings("word2vec", limit=2))[0] == ["the", "dog"]


@pytest.fixture(scope="module")
def trained():
    vectors = KeyedVectors(7)
    generator = np.random.default_rng(0)
    words = [f"word{i}" for i in range(50)]
    vectors.add_vectors(words, generator.normal(size=(50, 7)).astype(np.float32))
    return vectors


def test_what_gensim_writes_is_read_as_gensim_reads_it(trained, tmp_path):
    for binary in (False, True):
        path = tmp_path / f"vectors-{binary}"
        trained.save_word2vec_format(str(path), binary=binary)
        expected = KeyedVectors.load_word2vec_format(str(path), binary=binary)
        words, vectors = read_vectors(path, VocabularySettings("word2vec", binary=binary))
        assert words == expected.index_to_key
        assert np.array_equal(vectors, expected.vectors)
        assert read_vectors(path, VocabularySettings("word2vec", binary=binary, limit=3))[0] == words[:3]
    with zipfile.ZipFile(tmp_path / "binary.zip", "w") as archive:
        archive.write(path, "vectors.bin")
    assert read_vectors(tmp_path / "binary.zip", VocabularySettings("word2vec", binary=True))[0] == words
    (tmp_path / "binary.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert read_vectors(tmp_path / "binary.gz", VocabularySettings("word2vec", binary=True))[0] == words


def test_damaged_binary_files_say_what_is_wrong(trained, tmp_path):
    path, binary = tmp_path / "vectors.bin", VocabularySettings("word2vec", binary=True)
    trained.save_word2vec_format(str(path), binary=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(VocabularyError, match="not whole, or no binary file of word2vec"):
        read_vectors(path, binary)
    path.write_bytes(whole.replace(b"word7 ", b"word6 "))
    with pytest.raises(VocabularyError, match=r"entry 8, word 'word6': entry 7 has the same word"):
        read_vectors(path, binary)
    at = whole.index(b"word7 ") + len(b"word7 ")
    path.write_bytes(whole[:at] + np.float32(np.nan).tobytes() + whole[at + 4 :])
    with pytest.raises(VocabularyError, match="entry 8, word 'word7': NaN"):
        read_vectors(path, binary)


@pytest.mark.parametrize("form", ["plain", "gz", "zip"])
def test_a_header_that_counts_too_few_cuts_nothing_off(trained, tmp_path, form):
    path, binary = tmp_path / "vectors.bin", VocabularySettings("word2vec", binary=True)
    trained.save_word2vec_format(str(path), binary=True)
    whole = path.read_bytes()
    assert whole.startswith(b"50 7\n")

    def stored(content):
        if form == "gz":
            (tmp_path / "vectors.gz").write_bytes(gzip.compress(content))
            return tmp_path / "vectors.gz"
        path.write_bytes(content)
        if form == "plain":
            return path
        with zipfile.ZipFile(tmp_path / "vectors.zip", "w") as archive:
            archive.write(path, "vectors.bin")
        return tmp_path / "vectors.zip"

    few = stored(b"40 7\n" + whole[5:])
    with pytest.raises(VocabularyError, match=r"line 1 promises 40 words of 7 dimensions, but .* bytes more follow"):
        read_vectors(few, binary)
    assert len(read_vectors(few, VocabularySettings("word2vec", binary=True, limit=30))[0]) == 30
    lines = b"".join(word.encode() + b" " + trained[word].tobytes() + b"\n" for word in trained.index_to_key)
    assert len(read_vectors(stored(b"50 7\n" + lines), binary)[0]) == 50  # as word2vec's own program writes it


def test_text_whose_header_counts_too_few_or_that_is_binary_says_so(trained, tmp_path):
    with pytest.raises(VocabularyError, match="promises 2 words, the file holds 3: its count is too low"):
        read_vectors(text(tmp_path / "vectors.txt", ["2 3", *LINES]), WORD2VEC)
    trained.save_word2vec_format(str(tmp_path / "vectors.bin"), binary=True)
    with pytest.raises(VocabularyError, match=r"zero bytes after line 1, so it is no text: set binary: true"):
        (tmp_path / "zeros.bin").write_bytes(b"1 2\nword " + bytes(8))
        read_vectors(tmp_path / "zeros.bin", WORD2VEC)


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path):
    for lines, kind in ((LINES, GLOVE), (["3 3", *LINES], WORD2VEC)):
        text(tmp_path / "vectors.txt", lines)
        path = tmp_path / "marked.txt"
        path.write_bytes(b"\xef\xbb\xbf" + (tmp_path / "vectors.txt").read_bytes())
        words, vectors = read_vectors(path, kind)
        assert words == ["the", "dog", "cat"]
        assert np.array_equal(vectors, VECTORS)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("v.txt", "the 1 2\n".encode("utf-16"), "text in UTF-16: `iconv"),
        ("v.txt", b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        ("v.txt", b"<!DOCTYPE html>", "a web page"),
        ("v.bin", b"\xba\x16\x4f\x2f" + bytes(20), r"fastText's own binary format.*\.vec"),
        ("v.txt", b"PK\x03\x04" + bytes(30), r"a zip archive: give it a name that ends in \.zip"),
        ("v.txt", gzip.compress(b"the 1 2\n", mtime=0), "compressed by gzip: unpack it"),
    ],
)
def test_files_that_are_something_else_are_told(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    for kind in (GLOVE, VocabularySettings("word2vec", binary=True)):
        with pytest.raises(VocabularyError, match=rf"{re.escape(name)}: {said}"):
            read_vectors(tmp_path / name, kind)


FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)
WORDS = st.lists(
    st.text("ab c\u00e9\"'#,", min_size=1, max_size=5).map(str.strip).filter(bool), unique=True, min_size=1
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), words=WORDS, dimension=st.integers(1, 4), block=st.integers(4, 200))
def test_any_words_in_blocks_of_any_size_come_back(tmp_path, monkeypatch, data, words, dimension, block):
    monkeypatch.setattr(vector_files, "BLOCK", block)
    vectors = data.draw(arrays(np.float32, (len(words), dimension), elements=FLOATS))
    rows = [f"{word} {' '.join(map(repr, map(float, row)))}" for word, row in zip(words, vectors, strict=True)]
    path = text(tmp_path / "vectors.txt", [f"{len(words)} {dimension}", *rows])
    read, found = read_vectors(path, WORD2VEC)
    assert read == words
    assert np.array_equal(found, vectors)


def test_every_key_that_the_config_allows_is_understood(repository):
    schema = yaml.safe_load((repository / "rules" / "config.schema.yaml").read_text())
    kinds = schema["$defs"]["vocabularies"]
    assert set(kinds) == set(vector_files.READERS)
    for source, kind in kinds.items():
        entry = {key: rules.get("default") for key, rules in kind["properties"].items()}
        found = VocabularySettings.from_mapping({**entry, "source": source})
        assert (found.source, found.remove_components) == (source, entry["remove_components"])


def test_settings_name_what_they_do_not_know():
    entry = {"source": "glove", "file": "x.zip", "mirror": "http://x", "verify": True, "limit": 5}
    assert VocabularySettings.from_mapping(entry) == VocabularySettings("glove", limit=5)
    for wrong, message in (
        ({"source": "fasttext"}, "source is 'fasttext', should be one of glove, word2vec, captions"),
        ({"source": "glove", "limits": 3}, "'limits' is not a key of a vocabulary"),
        ({"source": "glove", "binary": True}, "binary is for the source word2vec only"),
        ({"source": "glove", "limit": 0}, "limit is 0"),
    ):
        with pytest.raises(VocabularyError, match=message):
            VocabularySettings.from_mapping(wrong)
