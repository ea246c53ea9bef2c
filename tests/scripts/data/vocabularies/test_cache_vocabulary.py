"""cache_vocabulary writes a table of unit vectors, or none."""

import numpy as np
import pytest
from gensim.models import KeyedVectors

from data.vocabularies.cache_vocabulary import cache_vocabulary
from filterscope import tables
from filterscope.data.vocabularies.vector_files import VocabularyError
from filterscope.data.vocabularies.vocabulary import Vocabulary


def test_captions_vectors_become_the_same_table_every_time(tmp_path):
    trained = KeyedVectors(3)
    vectors = np.array([[3, 4, 0], [0, 1, 1], [2, 0, 0]], np.float32)
    trained.add_vectors(["red", "square", "dotted"], vectors)
    trained.save_word2vec_format(str(tmp_path / "trained.txt"))
    entry = {"source": "captions", "dimension": 3, "remove_components": -1}
    for name in ("a.parquet", "b.parquet"):
        cache_vocabulary(tmp_path / "trained.txt", tmp_path / name, entry)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    table = tables.read(tmp_path / "a.parquet", "vocabulary")
    assert table["row"].to_pylist() == [0, 1, 2]
    assert table["word"].to_pylist() == ["red", "square", "dotted"]
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(tables.matrix(table["vector"]), expected, atol=1e-6)


def test_the_common_component_goes_where_asked(tmp_path):
    (tmp_path / "glove.txt").write_text("a 5 1\nb 5 -1\nc 8 0\n")
    cache_vocabulary(tmp_path / "glove.txt", tmp_path / "v.parquet", {"source": "glove", "remove_components": 0})
    words = Vocabulary.from_table(tables.read(tmp_path / "v.parquet", "vocabulary"))
    expected = np.array([[-1, 1], [-1, -1], [1, 0]]) / np.sqrt([[2], [2], [1]])
    np.testing.assert_allclose(words.vectors.numpy(), expected, atol=1e-6)


def test_writes_nothing_when_a_line_is_wrong(tmp_path):
    (tmp_path / "glove.txt").write_text("a 5 1\nb 5\nc 8 0\n")
    with pytest.raises(VocabularyError, match=r"glove\.txt: line 2, word 'b': 1 values, should be 2"):
        cache_vocabulary(tmp_path / "glove.txt", tmp_path / "results" / "v.parquet", {"source": "glove"})
    assert not (tmp_path / "results").exists()
