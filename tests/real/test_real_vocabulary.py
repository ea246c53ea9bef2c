"""GloVe's own vectors come in, and near words are near."""

import gzip
import zipfile

import numpy as np
import pytest
import torch

from data.vocabularies.cache_vocabulary import cache_vocabulary
from filterscope import tables
from filterscope.data.vocabularies.vector_files import VocabularySettings, read_vectors
from filterscope.data.vocabularies.vocabulary import Vocabulary

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def path(realdata):
    return realdata / "glove" / "glove.6B.100d.subset.txt.gz"


def test_every_line_is_read_as_it_stands(path):
    words, vectors = read_vectors(path, VocabularySettings("glove"))
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        lines = [line.rstrip("\n").split(" ") for line in stream]
    assert words == [line[0] for line in lines]
    assert vectors.shape == (len(lines), 100)
    for row in range(0, len(lines), 97):
        assert np.array_equal(vectors[row], np.array(lines[row][1:], np.float64).astype(np.float32))


def test_near_words_are_near_also_out_of_a_zip(path, tmp_path):
    with zipfile.ZipFile(tmp_path / "glove.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("glove.6B.50d.txt", "the 1\n")
        archive.writestr("glove.6B.100d.txt", gzip.decompress(path.read_bytes()))
    entry = {"source": "glove", "member": "glove.6B.100d.txt", "remove_components": 1}
    cache_vocabulary(tmp_path / "glove.zip", tmp_path / "vocabulary.parquet", entry)
    words = Vocabulary.from_table(tables.read(tmp_path / "vocabulary.parquet", "vocabulary"))
    animals = words.restricted(["dog", "cat", "horse", "car", "truck", "bus", "pizza", "sandwich", "cake"])
    queries = words.vectors[torch.from_numpy(words.rows(["dog", "car", "pizza"]))]
    _, rows = animals.nearest(queries, k=3)
    near = [{animals.words[row] for row in found} for found in rows.tolist()]
    assert near == [{"dog", "cat", "horse"}, {"car", "truck", "bus"}, {"pizza", "sandwich", "cake"}]
    _, rows = words.nearest(queries, k=6)
    assert {"dogs", "cat"} <= {words.words[row] for row in rows[0].tolist()}
    assert rows[:, 0].tolist() == words.rows(["dog", "car", "pizza"]).tolist()
