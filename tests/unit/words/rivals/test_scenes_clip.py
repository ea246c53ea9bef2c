"""The CLIP model of scenes: its captions, its loss, what it learns and how it is kept."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from filterscope.data.networks.checkpoints import read_packed
from filterscope.data.networks.weights import write_packed
from filterscope.data.scenes import dataset
from filterscope.words.rivals.scenes_clip import (
    Pairs,
    ScenesClip,
    ScenesClipSettings,
    contrast,
    pairs,
    retrieval,
    train_scenes_clip,
)


def drawn(indices, size=48):
    """Pairs of scenes drawn with one seed."""
    found = [dataset.draw(3, index, 64, (1, 2)) for index in indices]
    annotations = [
        pd.DataFrame(dataset.annotation_rows(index, scene, 0)) for index, scene in zip(indices, found, strict=True)
    ]
    return pairs([torch.from_numpy(each.image).permute(2, 0, 1) for each in found], annotations, size)


@pytest.fixture(scope="module")
def training() -> Pairs:
    return drawn(range(160))


@pytest.fixture(scope="module")
def trained(training):
    torch.set_num_threads(1)
    return train_scenes_clip(training, ScenesClipSettings(size=48, dimension=24, epochs=4, batch_size=16), seed=0)


def test_objects_lie_where_the_resized_picture_shows_them():
    """A picture of 40 x 60 px is cropped at its sides and made half as large."""
    rows = pd.DataFrame({"tokens": [["red", "plain", "ring"]], "x": [28.0], "y": [8.0], "w": [4.0], "h": [8.0]})
    picture = torch.zeros(3, 40, 60, dtype=torch.uint8)
    picture[:, 8:16, 28:32] = 255
    found = pairs([picture], [rows], 20)
    assert found.objects == [[{"colour": "red", "texture": "plain", "shape": "ring"}]]
    np.testing.assert_allclose(found.centres[0], [[6, 10]])
    places = torch.nonzero(found.pictures[0, 0] > 127).float().add(0.5).mean(0)
    np.testing.assert_allclose(places, [6, 10], atol=0.3)


def test_a_picture_without_objects_is_refused():
    with pytest.raises(ValueError, match="picture 0 has no objects"):
        pairs([torch.zeros(3, 40, 40, dtype=torch.uint8)], [pd.DataFrame({"tokens": []})], 20)


def test_contrast_is_the_mean_of_both_directions():
    chance = torch.Generator().manual_seed(0)
    images, texts = (functional.normalize(torch.randn(4, 3, generator=chance), dim=1) for _ in range(2))
    expected = 0.0
    for one, other in ((images, texts), (texts, images)):
        for i in range(4):
            logits = [5 * float(one[i] @ other[j]) for j in range(4)]
            expected += np.log(sum(map(np.exp, logits))) - logits[i]
    assert contrast(images, texts, torch.tensor(5.0)).item() == pytest.approx(expected / 8, rel=1e-5)


def test_it_learns_and_finds_the_right_words_for_scenes_that_it_has_not_seen(trained):
    model, history = trained
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["view_loss"].iloc[-1] < history["view_loss"].iloc[0]
    found = retrieval(model, drawn(range(1000, 1060))).set_index("kind")
    assert found.loc["colour", "right"] > found.loc["colour", "chance"] + 0.25
    torch.manual_seed(1)
    untrained = retrieval(ScenesClip(model.read, 48, 24).eval(), drawn(range(1000, 1060))).set_index("kind")
    assert found.loc["colour", "right"] > untrained.loc["colour", "right"] + 0.2


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(training, tmp_path):
    settings = ScenesClipSettings(size=48, dimension=8, epochs=1, batch_size=64)
    state = torch.get_rng_state()
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        write_packed(train_scenes_clip(training, settings, seed)[0].packed(), tmp_path / name)
    one, again, other = ((tmp_path / name).read_bytes() for name in ("one", "again", "other"))
    assert one == again != other
    assert torch.equal(torch.get_rng_state(), state)


def test_it_is_kept_and_read_again(trained, tmp_path):
    model, _ = trained
    write_packed(model.packed(), tmp_path / "weights.pt")
    again = ScenesClip.unpacked(read_packed(tmp_path / "weights.pt"))
    picture = again.prepare(torch.from_numpy(dataset.draw(3, 7, 64).image).permute(2, 0, 1))[None]
    assert picture.shape == (1, 3, 48, 48)
    with torch.no_grad():
        assert torch.equal(again.embed_pictures(picture), model.embed_pictures(picture))
        assert torch.equal(again.embed_texts(["red ring"]), model.embed_texts(["red ring"]))


def test_vectors_have_unit_length_and_unknown_words_are_passed_over(trained):
    model, _ = trained
    with torch.no_grad():
        texts = model.embed_texts(["red", "a red ring", "red zzz", "zzz", ""])
    np.testing.assert_allclose(texts.norm(dim=1), 1, rtol=1e-5)
    assert torch.equal(texts[0], texts[2])
    assert torch.equal(texts[3], texts[4])
    assert model.reads("red ring")
    assert not model.reads("red zzz")


def test_retrieval_counts_the_right_words():
    """A model that always says red, plain and ring, in that order of the lists."""

    class Stubborn(ScenesClip):
        def embed_pictures(self, pictures):
            return torch.ones(len(pictures), 1)

        def embed_texts(self, texts):
            return torch.tensor([[2.0 if text in ("red", "plain", "ring") else -1.0] for text in texts])

    objects = [
        [{"colour": "red", "texture": "plain", "shape": "star"}],
        [
            {"colour": "red", "texture": "dotted", "shape": "ring"},
            {"colour": "blue", "texture": "dotted", "shape": "ring"},
        ],
    ]
    held_out = Pairs(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), objects, [np.zeros((1, 2)), np.zeros((2, 2))])
    model = Stubborn(["red", "orange", "plain", "ring"])
    model.reads = lambda text: True
    found = retrieval(model, held_out).set_index("kind")
    assert found["right"].to_dict() == {"colour": 0.75, "texture": 0.5, "shape": 0.5}
    assert found["chance"].to_dict() == pytest.approx({"colour": 1.5 / 8, "texture": 1 / 6, "shape": 1 / 8})
    model.reads = lambda text: text != "red"
    assert retrieval(model, held_out).set_index("kind").loc["colour", "right"] == 0


@pytest.mark.parametrize(
    ("pictures", "said"),
    [(torch.zeros(2, 3, 8, 8), "should be uint8"), (torch.zeros(3, 3, 8, 8, dtype=torch.uint8), "have 2 lists")],
)
def test_pairs_that_do_not_belong_together_are_refused(pictures, said):
    with pytest.raises(ValueError, match=said):
        Pairs(pictures, [[], []], [np.zeros((0, 2))] * 2)


def test_one_picture_is_too_few(training):
    one = Pairs(training.pictures[:1], training.objects[:1], training.centres[:1])
    with pytest.raises(ValueError, match="1 training pictures are too few"):
        train_scenes_clip(one, ScenesClipSettings(), 0)
