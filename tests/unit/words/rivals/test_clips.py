"""CLIP models as the workflow uses them: pictures and words embedded, files that hold a model or none."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.nn import functional

from filterscope.data.networks.weights import write_packed
from filterscope.data.rejection import RejectionError, stop
from filterscope.words.rivals.clips import embedded_pictures, embedded_words, load
from filterscope.words.rivals.open_clip_models import ClipError


class Mean:
    """A model whose pictures are their mean colours and whose texts are counts of three letters."""

    def prepare(self, picture):
        return picture.float().mean((1, 2))

    def embed_pictures(self, pictures):
        return functional.normalize(pictures + 1, dim=1)

    def embed_texts(self, texts):
        counts = [[text.count(letter) + 0.1 for letter in "ab "] for text in texts]
        return functional.normalize(torch.tensor(counts), dim=1)

    def reads(self, text):
        return "z" not in text


@pytest.fixture
def pictures(tmp_path):
    for number in range(5):
        Image.fromarray(np.full((9, 7, 3), (40 * number, 9, 200), np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes(b"not a picture")
    return pd.DataFrame({"image_id": [10, 11, 12, 13, 14], "path": [f"{number}.png" for number in range(5)]})


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_every_readable_picture_has_its_vector(pictures, tmp_path, batch_size):
    rejected = []
    parts = list(
        embedded_pictures(
            Mean(), tmp_path, pictures, batch_size, 0, torch.device("cpu"), lambda *each: rejected.append(each)
        )
    )
    ids, vectors = (np.concatenate(each) for each in zip(*parts, strict=True))
    assert ids.tolist() == [10, 11, 12, 14]
    for number, vector in zip((0, 1, 2, 4), vectors, strict=True):
        colour = np.array([40 * number, 9, 200]) + 1
        np.testing.assert_allclose(vector, colour / np.linalg.norm(colour), rtol=1e-5)
    assert [each[0] for each in rejected] == [13]
    assert "3.png" in rejected[0][1]


def test_who_rejects_decides_whether_to_go_on(pictures, tmp_path):
    with pytest.raises(RejectionError, match="image 13"):
        list(embedded_pictures(Mean(), tmp_path, pictures, 2, 0, torch.device("cpu"), stop))


def test_words_are_the_mean_of_their_prompts_and_compounds_are_spelt():
    vectors, has = embedded_words(Mean(), ["aab", "zoo", "a_b"], ["{}", "b b {}"])
    assert has.tolist() == [True, False, True]
    for word, vector in zip(("aab", "a b"), vectors, strict=True):
        parts = Mean().embed_texts([word, f"b b {word}"])
        np.testing.assert_allclose(vector, functional.normalize(parts.mean(0), dim=0), rtol=1e-5)


def test_many_words_are_embedded_like_few():
    words = [f"a{'b' * (number % 7)}" + "a" * (number // 7) for number in range(600)]
    vectors, _ = embedded_words(Mean(), words, ["{}"])
    np.testing.assert_allclose(vectors, Mean().embed_texts(words), rtol=1e-5)


def test_words_of_which_none_can_be_read_have_no_vectors():
    vectors, has = embedded_words(Mean(), ["zoo"], ["{}"])
    assert len(vectors) == 0
    assert has.tolist() == [False]


def test_a_file_without_a_model_is_named(tmp_path):
    write_packed({"layer.weight": torch.zeros(1)}, tmp_path / "weights.pt")
    with pytest.raises(ClipError, match=r"weights.pt: holds no CLIP model, but layer.weight"):
        load(tmp_path / "weights.pt", torch.device("cpu"))
