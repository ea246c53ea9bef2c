"""prepare_clip, embed_images, embed_words, dissect_with_clip and score_words: CLIP-Dissect from a model to its scores.

The model is one that sees mean colours and reads names of colours, so that its right answers are known.
"""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.nn import functional

from filterscope import tables
from filterscope.data.rejection import RejectionError
from filterscope.words.rivals import clips
from filterscope.words.rivals.open_clip_models import ClipError, OpenClip, OpenClipSettings
from filterscope.words.rivals.soft_wpmi import ClipDissectSettings
from words.rivals.dissect_with_clip import dissect_with_clip
from words.rivals.embed_images import embed_images
from words.rivals.embed_words import embed_words
from words.rivals.prepare_clip import prepare_clip

SETTINGS = ClipDissectSettings(top_images=4, most=1.0, summary="mean", scale=20.0)
CHANNELS = {"red": 0, "green": 1, "blue": 2}


class Colours:
    """Pictures are the shares of saturated pixels of each colour, names of colours are their channel."""

    @classmethod
    def unpacked(cls, packed):
        return cls()

    def to(self, device):
        return self

    def prepare(self, picture):
        strong = picture.float() / 255
        return torch.stack([(strong[c] > 0.6).float().mean() for c in range(3)])

    def embed_pictures(self, pictures):
        return functional.normalize(torch.cat([pictures, torch.full((len(pictures), 1), 0.05)], 1), dim=1)

    def embed_texts(self, texts):
        vectors = torch.zeros(len(texts), 4)
        for row, text in enumerate(texts):
            vectors[row, CHANNELS.get(text, 3)] = 1
        return vectors

    def reads(self, text):
        return not text.startswith("noise1")


@pytest.fixture(scope="module")
def embedded(study, tmp_path_factory):
    """Folder with the embeddings of the study's images, words and tokens, and CLIP-Dissect's words."""
    folder = tmp_path_factory.mktemp("clip")
    clips.KINDS["colours"] = Colours
    try:
        from filterscope.data.networks.weights import write_packed

        write_packed({"kind": "colours"}, folder / "weights.pt")
        embed_images(study.images, folder / "weights.pt", folder / "images.parquet", study.pictures, 5, 0, 0.0)
        embed_words(study.vocabulary, None, folder / "weights.pt", folder / "words.parquet", ["{}"])
        embed_words(None, study.categories, folder / "weights.pt", folder / "tokens.parquet", ["{}"])
    finally:
        del clips.KINDS["colours"]
    dissect(study, folder, folder / "clip_words.parquet")
    return folder


def dissect(study, folder, path, **changed):
    arguments = {
        "path_to_image_embeddings": folder / "images.parquet",
        "path_to_word_embeddings": folder / "words.parquet",
        "path_to_token_embeddings": folder / "tokens.parquet",
        "paths_to_image_activations": study.shards("image"),
        "path_to_categories": study.categories,
        "path_to_allowed": None,
        "path_to_words": path,
        "settings": SETTINGS,
        "kept": 3,
    }
    dissect_with_clip(**{**arguments, **changed})
    return tables.read(path, "clip_words").to_pandas()


def test_only_training_images_are_embedded_each_once(study, embedded):
    images = tables.read(embedded / "images.parquet", "image_embeddings")
    wanted = study.table("images").query("split == 'train'")
    assert images["image_id"].to_pylist() == wanted["image_id"].tolist()
    for path, vector in zip(wanted["path"], tables.matrix(images["vector"]), strict=True):
        pixels = np.asarray(Image.open(study.pictures / path)).astype(np.float32) / 255
        expected = np.array([*(pixels > 0.6).mean((0, 1)), 0.05])
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=1e-4, atol=1e-6)


def test_words_that_the_model_cannot_read_are_left_out(study, embedded):
    words = tables.read(embedded / "words.parquet", "word_embeddings")["word"].to_pylist()
    assert words == [word for word in study.table("vocabulary")["word"] if not word.startswith("noise1")]
    tokens = tables.read(embedded / "tokens.parquet", "word_embeddings")["word"].to_pylist()
    assert tokens == ["red", "green", "blue"]


def test_an_unreadable_picture_is_left_out_only_as_far_as_allowed(study, embedded, tmp_path, monkeypatch):
    monkeypatch.setitem(clips.KINDS, "colours", Colours)
    images = study.table("images")
    images.loc[2, "path"] = "nowhere.png"
    tables.write(images, "images", tmp_path / "images.parquet")
    arguments = (tmp_path / "images.parquet", embedded / "weights.pt", tmp_path / "found.parquet", study.pictures, 4, 0)
    with pytest.raises(RejectionError, match=r"image 2: .*nowhere.png: the file is missing"):
        embed_images(*arguments, 0.0)
    assert not (tmp_path / "found.parquet").exists()
    embed_images(*arguments, 0.2)
    found = tables.read(tmp_path / "found.parquet", "image_embeddings")["image_id"].to_pylist()
    assert found == [number for number in range(16) if number != 2]
    # The others are dissected by the images that there are.
    few = dissect(study, embedded, tmp_path / "few.parquet", path_to_image_embeddings=tmp_path / "found.parquet")
    assert set(few["filter"]) == {0, 1, 2, 3}


def test_colour_filters_get_their_colour_and_dead_ones_no_word(study, embedded):
    found = tables.read(embedded / "clip_words.parquet", "clip_words").to_pandas()
    first = found[found["rank"] == 0].set_index(["candidates", "filter"])["word"]
    for where in ("categories", "vocabulary"):
        assert (first[where, 0], first[where, 1]) == ("red", "blue")
    assert set(found["filter"]) == {0, 1, 2, 3}  # the last is dead
    assert found.groupby(["candidates", "filter"]).size().eq(3).all()


def test_a_model_that_can_read_nothing_is_told(study, embedded, tmp_path):
    table = tables.read(embedded / "words.parquet", "word_embeddings")
    tables.write(table.slice(0, 0), "word_embeddings", tmp_path / "none.parquet")
    with pytest.raises(ClipError, match="can read no word of the vocabulary and no category's name"):
        none = dict.fromkeys(("path_to_word_embeddings", "path_to_token_embeddings"), tmp_path / "none.parquet")
        dissect(study, embedded, tmp_path / "words.parquet", **none)


def test_settings_and_allowed_words_count(study, embedded, tmp_path):
    (tmp_path / "allowed.txt").write_text("green\nnoise0\n")
    found = dissect(study, embedded, tmp_path / "words.parquet", path_to_allowed=tmp_path / "allowed.txt", kept=5)
    assert set(found.loc[found["candidates"] == "vocabulary", "word"]) == {"green", "noise0"}
    assert set(found.loc[found["candidates"] == "categories", "word"]) == {"red", "green", "blue"}
    summed = dissect(
        study,
        embedded,
        tmp_path / "maxima.parquet",
        settings=ClipDissectSettings(top_images=4, most=1.0, summary="maximum"),
    )
    default = tables.read(embedded / "clip_words.parquet", "clip_words").to_pandas()
    assert not np.allclose(summed["similarity"], default["similarity"])


def test_too_few_training_images_are_told(study, embedded, tmp_path, caplog):
    dissect(study, embedded, tmp_path / "words.parquet", settings=ClipDissectSettings())
    assert "the 1 images most exciting take part, not 100: 16 training images are too few" in caplog.text


def test_it_is_scored_as_one_more_row_and_changes_no_other(study, embedded, tmp_path):
    study.score(written=study.scored_at(tmp_path), path_to_clip_words=embedded / "clip_words.parquet")
    found = tables.read(tmp_path / "measurements.parquet", "measurements")
    before = tables.read(study.measurements, "measurements")
    keys = ["row", "metric", "candidates", "k"]

    def values(table):
        frame = table.select([*keys, "n"]).to_pandas().assign(value=tables.matrix(table["resamples"])[:, 0])
        return frame.set_index(keys)

    own = values(found).loc["clip_dissect"]
    assert set(own.index) == set(values(before).loc["words"].index)
    assert own.loc[("iou", "categories", 1), "value"] > 0.1
    others = values(found).drop(index="clip_dissect", level="row")
    pd.testing.assert_frame_equal(others, values(before).loc[others.index], rtol=1e-5)
    pd.testing.assert_frame_equal(
        tables.read(tmp_path / "filter_claims.parquet", "filter_claims").to_pandas(),
        study.table("filter_claims"),
        rtol=1e-5,
    )


def test_a_local_checkpoint_of_open_clip_goes_all_the_way(study, tmp_path):
    """Random weights know nothing, but every step takes them."""
    open_clip = pytest.importorskip("open_clip", reason="needs the extra filterscope[clip]")
    tower = {"layers": 1, "width": 32}
    settings = {
        "embed_dim": 16,
        "vision_cfg": {**tower, "image_size": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {**tower, "context_length": 16, "vocab_size": 49408, "heads": 2},
    }
    (tmp_path / "smallest.json").write_text(json.dumps(settings))
    open_clip.add_model_config(tmp_path / "smallest.json")
    torch.save(open_clip.create_model("smallest").state_dict(), tmp_path / "smallest.pt")
    config = {"source": "open_clip", "model": "smallest", "file": str(tmp_path / "smallest.pt"), "prompts": ["{}"]}
    prepare_clip(tmp_path / "weights.pt", OpenClipSettings.from_mapping(config))
    assert isinstance(clips.load(tmp_path / "weights.pt", torch.device("cpu")), OpenClip)
    embed_images(study.images, tmp_path / "weights.pt", tmp_path / "images.parquet", study.pictures, 8, 0, 0.0)
    embed_words(study.vocabulary, None, tmp_path / "weights.pt", tmp_path / "words.parquet", ["{}", "a photo of {}"])
    embed_words(None, study.categories, tmp_path / "weights.pt", tmp_path / "tokens.parquet", ["{}", "a photo of {}"])
    found = dissect(study, tmp_path, tmp_path / "clip_words.parquet")
    assert set(found["filter"]) == {0, 1, 2, 3}


def test_a_missing_checkpoint_is_named_and_nothing_is_written(tmp_path):
    pytest.importorskip("open_clip", reason="needs the extra filterscope[clip]")
    with pytest.raises(ClipError, match=r"nowhere\.pt"):
        prepare_clip(tmp_path / "weights.pt", OpenClipSettings("ViT-B-32", file=str(tmp_path / "nowhere.pt")))
    assert not (tmp_path / "weights.pt").exists()
