"""Planted filters: each fires on its own property, whatever the input's normalisation, and on nothing else."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from filterscope import tables
from filterscope.data.networks import planting
from filterscope.data.networks.building import normalise
from filterscope.data.networks.embedded import FILTERS, STRIDE, build_planted
from filterscope.data.networks.settings import InputSettings
from filterscope.data.scenes import dataset
from filterscope.data.scenes.words import COLOURS, SYNONYMS, TEXTURES

INPUTS = InputSettings(96, 96)
# Which of an object's tokens a filter answers to.
TOKEN = {"colour": 0, "orientation": 1, "texture": 1}


def maps_of(pictures: torch.Tensor, inputs: InputSettings) -> np.ndarray:
    network = build_planted().eval()
    planting.plant(network, inputs)
    with torch.no_grad():
        return network.detectors(normalise(pictures, inputs)).numpy()


def on_map(mask: np.ndarray) -> np.ndarray:
    """Share of every cell that a mask covers."""
    height, width = mask.shape
    return mask.reshape(height // STRIDE, STRIDE, width // STRIDE, STRIDE).mean((1, 3))


def seen(size: int, count: int) -> tuple[torch.Tensor, list[dataset.DrawnScene]]:
    drawn = [dataset.draw(11, index, size) for index in range(count)]
    return torch.from_numpy(np.stack([each.image for each in drawn])).permute(0, 3, 1, 2).contiguous(), drawn


def objects_of(maps: np.ndarray, drawn: list[dataset.DrawnScene]) -> tuple[np.ndarray, np.ndarray]:
    """Mean activations within every object's mask, [objects, filters], and its tokens, [objects, 3]."""
    means, tokens = [], []
    for map_, scene in zip(maps, drawn, strict=True):
        for each in scene.objects:
            cover = on_map(each.mask)
            means.append((map_ * cover).sum((1, 2)) / cover.sum())
            tokens.append(each.tokens)
    return np.stack(means), np.array(tokens)


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, list[dataset.DrawnScene]]:
    pictures, drawn = seen(96, 240)
    return maps_of(pictures, INPUTS), drawn


def answers(means: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Activations per property; filters for the same property answer together."""
    found: dict[tuple[str, str], np.ndarray] = {}
    for channel, name in enumerate(FILTERS):
        found[name] = np.maximum(found.get(name, 0), means[:, channel])
    return found


def test_every_filter_fires_in_objects_of_its_property(world):
    maps, drawn = world
    assert maps.shape == (240, len(FILTERS), 24, 24)
    means, tokens = objects_of(maps, drawn)
    for (kind, token), activation in answers(means).items():
        own = tokens[:, TOKEN[kind]] == token
        assert roc_auc_score(own, activation) > (0.999 if kind == "colour" else 0.98), token
        assert activation[own].mean() > 20 * activation[~own].mean(), token


def test_the_strongest_activations_lie_on_the_property(world):
    """The cells above the upper 0.5 % quantile, the region that scores compare with masks."""
    maps, drawn = world
    for channel, (kind, token) in enumerate(FILTERS):
        threshold = np.quantile(maps[:, channel], 0.995)
        inside = total = 0
        for map_, scene in zip(maps[:, channel], drawn, strict=True):
            own = sum(
                (on_map(each.mask) for each in scene.objects if each.tokens[TOKEN[kind]] == token), np.zeros((24, 24))
            )
            inside += (own[map_ > threshold] > 0.5).sum()
            total += (map_ > threshold).sum()
        assert total > 0
        assert inside > 0.97 * total, token


def test_maxima_do_not_tie(world):
    """Top images are ranked by their maxima, so equal ones would be ranked by chance."""
    maxima = world[0].max((2, 3))
    for channel in range(len(FILTERS)):
        positive = maxima[maxima[:, channel] > 0, channel]
        assert len(positive) > 30
        assert len(np.unique(positive)) == len(positive)


def test_colour_and_texture_can_be_read_off_the_masked_means(world):
    means, tokens = objects_of(*world)
    half = len(means) // 2
    scaled = (means - means.mean(0)) / means.std(0)
    for column, names in ((0, COLOURS), (1, TEXTURES)):
        model = LogisticRegression(max_iter=1000).fit(scaled[:half], tokens[:half, column])
        assert set(model.classes_) == set(names)
        assert model.score(scaled[half:], tokens[half:, column]) > 0.97


@pytest.mark.parametrize(
    "inputs",
    [
        InputSettings(96, 96, mean=(0, 0, 0), std=(1, 1, 1)),
        InputSettings(96, 96, mean=(0.1, 0.9, 0.4), std=(2, 0.3, 1)),
    ],
)
def test_the_inputs_normalisation_changes_nothing(inputs):
    pictures, _ = seen(96, 6)
    np.testing.assert_allclose(maps_of(pictures, inputs), maps_of(pictures, INPUTS), atol=2e-3)


@pytest.mark.parametrize("size", [64, 128])
def test_detectors_follow_the_size_of_the_pictures(size):
    pictures, drawn = seen(size, 80)
    means, tokens = objects_of(maps_of(pictures, InputSettings(size, size)), drawn)
    for (kind, token), activation in answers(means).items():
        assert roc_auc_score(tokens[:, TOKEN[kind]] == token, activation) > 0.93, token


def test_right_names_start_with_the_token():
    rows = tables.checked(planting.planted_words(), "known_words").to_pylist()
    assert [row["filter"] for row in rows] == list(range(len(FILTERS)))
    for row, (kind, token) in zip(rows, FILTERS, strict=True):
        assert row["detects"] == kind
        assert row["words"] == [token, *SYNONYMS[token]]
    assert [token for kind, token in FILTERS if kind == "colour"] == list(COLOURS)
    assert {token for kind, token in FILTERS if kind != "colour"} == set(TEXTURES)


def test_a_crop_that_cells_do_not_divide_is_refused():
    with pytest.raises(ValueError, match=r"input.crop is 90 px.*multiple of 4"):
        planting.plant(build_planted(), InputSettings(96, 90))
