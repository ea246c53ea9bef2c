"""Codes of filters' images: means where the filter fires most, above the background, from maps that were kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from filterscope.activations.maps import MapsWriter, StoredMaps
from filterscope.pictures.senses.codes import Background, Strongest, codes_of, image_codes


@pytest.fixture
def kept(tmp_path):
    """Maps of two layers in six images: 4 filters of 3 x 3 cells, 5 of 6 x 6."""
    maps, chance = {}, torch.Generator().manual_seed(0)
    for name, shape in (("fired", (4, 3, 3)), ("seen", (5, 6, 6))):
        given = torch.rand(6, *shape, generator=chance)
        given[:, 3] = 0
        with MapsWriter(tmp_path / f"{name}.parquet", name, shape) as writer:
            writer.add(np.arange(6), given)
        maps[name] = given
    with StoredMaps([tmp_path / "fired.parquet"]) as fired, StoredMaps([tmp_path / "seen.parquet"]) as seen:
        yield fired, seen, maps


def test_codes_are_what_is_seen_where_the_filter_fires_most():
    maps = torch.arange(18.0).reshape(2, 3, 3)
    fired = torch.zeros(2, 3, 3)
    fired[0, 1, 2], fired[0, 0, 0] = 5.0, 1.0
    fired[1] = 2.0
    found = image_codes(maps, fired)
    assert torch.allclose(found[0], maps[:, 1, 2], atol=1e-3), "the weaker place hardly counts"
    assert torch.allclose(found[1], maps.flatten(1).mean(1))
    assert image_codes(maps, torch.zeros(1, 3, 3)).tolist() == [[0, 0]], "a silent filter sees nothing"
    assert image_codes(maps, torch.ones(1, 6, 8)).shape == (1, 2), "its map may be of another size"


def test_background_is_of_all_places(kept):
    _, seen, maps = kept
    found = Background.of(seen, [0, 2, 5])
    own = maps["seen"][[0, 2, 5]]
    assert torch.allclose(found.mean, own.mean((0, 2, 3)), atol=1e-6)
    assert torch.allclose(found.deviation[:3], own.std((0, 2, 3), unbiased=False)[:3], atol=1e-5)
    assert found.deviation[3] == 1, "the same everywhere"


def test_codes_of_filters_in_their_images(kept):
    fired, seen, maps = kept
    strongest = Strongest(np.array([2, 3]), np.array([[4, 1], [0, 1]]), np.ones((2, 2)))
    background = Background.of(seen, list(range(6)))
    found = codes_of(strongest, fired, seen, background)
    assert found.values.shape == (2, 2, 5)
    assert found.fired.tolist() == [[True, True], [False, False]]
    wanted = (image_codes(maps["seen"][4], maps["fired"][4][[2]])[0] - background.mean) / background.deviation
    assert found.values[0, 0] == pytest.approx(wanted.numpy(), abs=1e-5)
    row, column = divmod(int(maps["fired"][4][2].argmax()), 3)
    assert found.peaks[0, 0] == pytest.approx([(row + 0.5) / 3, (column + 0.5) / 3])
    own = codes_of(strongest, fired, fired, Background.of(fired, list(range(6))))
    assert own.values[0, :, 2].tolist() == [0, 0], "of the same layer without itself"


def test_blocks_hold_every_filter_once():
    strongest = Strongest(np.arange(7), np.zeros((7, 100), int), np.zeros((7, 100)))
    assert np.concatenate(list(strongest.blocks(10**6))).tolist() == list(range(7))
    assert len(list(strongest.blocks(10**6))) == 7
    assert len(list(strongest.blocks(10))) == 1
