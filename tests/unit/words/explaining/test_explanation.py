"""Words for top images: all filters at once equal one filter and one image at a time (LaViSE, 3.2)."""

import numpy as np
import pytest
import torch
from torch import nn

from filterscope.activations.streaming import Batch, Look
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.attention import METHODS
from filterscope.words.explaining.candidates import candidates, read_allowed
from filterscope.words.explaining.explainer import Explainer
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, explain
from filterscope.words.explaining.proposals import nearest_words
from filterscope.words.firing import Thresholds
from filterscope.words.heatmaps import upsample

CPU, SIDE, FILTERS, DIMENSION = torch.device("cpu"), 16, 5, 6
INPUTS = InputSettings(SIDE, SIDE)
NAMES = [f"word{number}" for number in range(30)]
TOKENS = ["word7", "word3", "word11"]


@pytest.fixture(scope="module")
def world():
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = nn.Sequential(nn.Conv2d(3, FILTERS, 3, 2, 1), nn.ReLU(), nn.Conv2d(FILTERS, FILTERS, 1), nn.ReLU())
        explainers = {name: Explainer(FILTERS, DIMENSION).eval() for name in ("words", "null")}
    pictures = torch.randint(0, 256, (7, 3, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    vocabulary = Vocabulary(NAMES, torch.randn(len(NAMES), DIMENSION, generator=generator))
    return network.eval().requires_grad_(False), explainers, pictures, vocabulary


def batches(pictures, size=3):
    looks = [Look(40 + n, picture, np.zeros(0, np.int64), {}) for n, picture in enumerate(pictures)]
    return [Batch(looks[start : start + size]) for start in range(0, len(looks), size)]


def mined(network, pictures, p=3):
    """Top images by a full sort; the last filter is silent in its last one."""
    maxima = network(normalise(pictures, INPUTS)).amax((2, 3)).numpy().T
    order = np.argsort(-maxima, axis=1, kind="stable")[:, :p]
    top = np.take_along_axis(maxima, order, 1).astype(np.float64)
    top[-1, -1] = 0.0
    return 40 + order, top


def shown(method, network, pictures, index, u, thresholds):
    """The explainer's input for one filter and image, the slow way."""
    maps = network(normalise(pictures[index : index + 1], INPUTS))[0]
    if method == "image":
        region = upsample(maps[u : u + 1], (SIDE, SIDE)) > thresholds[u]
        return network(normalise(pictures[index : index + 1], INPUTS) * region).mean((2, 3))
    return METHODS[method](maps, torch.tensor([u]), Thresholds.of(thresholds), "mean")


@pytest.mark.parametrize("method", [*METHODS, "image"])
def test_equals_one_at_a_time(world, method):
    network, explainers, pictures, vocabulary = world
    ids, maxima = mined(network, pictures)
    thresholds = torch.from_numpy(np.quantile(maxima, 0.4, axis=1)).float()
    sought = nearest_words(candidates(vocabulary, TOKENS), FILTERS, CPU)
    with Reader(network, "3", input_size=SIDE) as reader:
        found = explain(
            batches(pictures), reader, INPUTS, explainers, TopPairs(ids, maxima), thresholds.numpy(),
            dict.fromkeys(explainers, sought), ExplanationSettings(method=method, per_image=4, batch_size=2), CPU,
        )  # fmt: skip
    directions, found = found.directions, found.words
    assert set(found) == {(name, where) for name in explainers for where in ("vocabulary", "categories")}
    assert found["words", "categories"].rows.shape == (FILTERS, 3, 3)  # no more than there are
    for name, model in explainers.items():
        for u in range(FILTERS):
            points = []
            for rank in range(3):
                rows = found[name, "vocabulary"].rows[u, rank]
                if maxima[u, rank] <= 0:
                    assert (rows == -1).all()
                    assert not found[name, "vocabulary"].cosines[u, rank].any()
                    continue
                point = model(shown(method, network, pictures, ids[u, rank] - 40, u, thresholds))
                points.append(torch.nn.functional.normalize(point, dim=1)[0].detach())
                cosines = torch.cosine_similarity(point, vocabulary.vectors)
                best = cosines.argsort(descending=True)[:4]
                assert rows.tolist() == best.tolist()
                np.testing.assert_allclose(
                    found[name, "vocabulary"].cosines[u, rank], cosines[best].detach(), atol=1e-5
                )
                own = sorted(vocabulary.rows(TOKENS), key=lambda row: -cosines[row])
                assert found[name, "categories"].rows[u, rank].tolist() == own
            np.testing.assert_allclose(directions[name][u], torch.stack(points).mean(0), atol=1e-5)


def test_batches_do_not_matter(world):
    network, explainers, pictures, vocabulary = world
    ids, maxima = mined(network, pictures)
    results = []
    for size in (1, 7):
        with Reader(network, "3", input_size=SIDE) as reader:
            found = explain(
                batches(pictures, size), reader, INPUTS, explainers, TopPairs(ids, maxima), np.zeros(FILTERS),
                dict.fromkeys(explainers, nearest_words(candidates(vocabulary, TOKENS), FILTERS, CPU)),
                ExplanationSettings(), CPU,
            )  # fmt: skip
        results.append(found.words["words", "vocabulary"].rows)
    assert np.array_equal(*results)


def test_native_pool_shows_whole_maps(world):
    network, _, pictures, vocabulary = world
    ids, maxima = mined(network, pictures)
    explainer = {"words": Explainer(FILTERS * 64, DIMENSION).eval()}
    with Reader(network, "3", input_size=SIDE) as reader:
        found = explain(
            batches(pictures), reader, INPUTS, explainer, TopPairs(ids, maxima), np.zeros(FILTERS),
            {"words": nearest_words(candidates(vocabulary, TOKENS), FILTERS, CPU)},
            ExplanationSettings().faithful(Faithful.only("unpooled")), CPU,
        )  # fmt: skip
    maps = network(normalise(pictures[ids[2, 0] - 40][None], INPUTS))[0]
    inputs = METHODS["attention"](maps, torch.tensor([2]), Thresholds.of(torch.zeros(FILTERS)), "native")
    best = vocabulary.nearest(explainer["words"](inputs), 20)[1][0]
    assert found.words["words", "vocabulary"].rows[2, 0].tolist() == best.tolist()


def test_pairs_are_those_in_which_a_filter_fires():
    pairs = TopPairs(np.array([[5, 9], [9, 5]]), np.array([[2.0, 0.0], [1.0, 3.0]]))
    assert pairs.image_ids.tolist() == [5, 9]
    filters, ranks = pairs.of(5)
    assert list(zip(filters, ranks, strict=True)) == [(0, 0), (1, 1)]
    filters, ranks = pairs.of(9)
    assert list(zip(filters, ranks, strict=True)) == [(1, 0)]
    assert len(pairs.of(7)[0]) == 0


def test_words_may_be_restricted(world):
    vocabulary = world[3]
    assert set(candidates(vocabulary, TOKENS)) == {"vocabulary", "categories"}
    held_out, rows = candidates(vocabulary, TOKENS, None, TOKENS[-1:])["unsupervised"]
    assert held_out.words == TOKENS[-1:]
    assert rows.tolist() == vocabulary.rows(TOKENS[-1:]).tolist()
    found = candidates(vocabulary, TOKENS, ["word9", "absent", "word2", "word9"])
    whole, rows = found["vocabulary"]
    assert whole.words == ["word9", "word2"]
    assert rows.tolist() == [9, 2]
    assert found["categories"][0].words == TOKENS
    assert found["categories"][1].tolist() == [7, 3, 11]
    with pytest.raises(ValueError, match=r"words\.allowed lists 1 words, none of which has a vector"):
        candidates(vocabulary, TOKENS, ["absent"])
    with pytest.raises(ValueError, match="no vector for 'unicorn'"):
        candidates(vocabulary, ["word1", "unicorn"])


def test_allowed_words_are_one_a_line(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("red\n\n  blue \n", encoding="utf-8")
    assert read_allowed(path) == ["red", "blue"]
    assert read_allowed(None) is None


def test_settings():
    assert ExplanationSettings().faithful(Faithful.only("projection")).method == "projection"
    assert ExplanationSettings().faithful(Faithful()) == ExplanationSettings()
    with pytest.raises(ValueError, match=r"words\.method is 'gradcam', should be one of attention, .*image"):
        ExplanationSettings(method="gradcam")


def test_a_filter_that_fires_nowhere_has_no_direction(world):
    network, explainers, pictures, vocabulary = world
    ids, maxima = mined(network, pictures)
    maxima[2] = 0
    with Reader(network, "3", input_size=SIDE) as reader:
        found = explain(
            batches(pictures), reader, INPUTS, explainers, TopPairs(ids, maxima), np.zeros(FILTERS),
            dict.fromkeys(explainers, nearest_words(candidates(vocabulary, TOKENS), FILTERS, CPU)),
            ExplanationSettings(), CPU,
        )  # fmt: skip
    for directions in found.directions.values():
        assert directions.any(1).tolist() == [True, True, False, True, True]
        assert np.isfinite(directions).all()
    assert (found.words["words", "vocabulary"].rows[2] == -1).all()
