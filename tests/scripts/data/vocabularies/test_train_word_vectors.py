"""train_word_vectors: a sentence a line, vectors that the vocabulary's rule reads, the same bytes for the same seed."""

from data.vocabularies.cache_vocabulary import cache_vocabulary
from data.vocabularies.train_word_vectors import train_word_vectors
from filterscope import tables
from filterscope.data.scenes.captions import CaptionsSettings
from filterscope.data.scenes.words import TOKENS

CONFIG = {"source": "captions", "dimension": 12, "sentences": 1500, "epochs": 2}


def train(folder, seed=0):
    folder.mkdir()
    train_word_vectors(folder / "trained.txt", folder / "captions.txt", CaptionsSettings(**CONFIG), seed)
    return (folder / "trained.txt").read_bytes(), (folder / "captions.txt").read_bytes()


def test_captions_and_vectors_belong_together(tmp_path):
    _, captions = train(tmp_path / "a")
    sentences = captions.decode().splitlines()
    assert len(sentences) == 1500
    cache_vocabulary(tmp_path / "a" / "trained.txt", tmp_path / "vocabulary.parquet", CONFIG)
    table = tables.read(tmp_path / "vocabulary.parquet", "vocabulary")
    assert table["vector"].type.list_size == 12
    assert set(table["word"].to_pylist()) == {word for sentence in sentences for word in sentence.split()}
    assert set(TOKENS) <= set(table["word"].to_pylist())


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    one, again, other = (train(tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert one == again
    assert one[0] != other[0]
    assert one[1] != other[1]
