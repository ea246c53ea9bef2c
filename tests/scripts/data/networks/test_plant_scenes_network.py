"""plant_scenes_network: weights that the other rules load, names of the filters, the same bytes every time."""

import pytest
import torch

from data.networks.plant_scenes_network import plant_scenes_network
from filterscope import tables
from filterscope.data.networks import building, planting
from filterscope.data.networks.embedded import build_planted
from filterscope.data.networks.settings import NetworkSettings

CONFIG = {"source": "planted", "input": {"resize": 96, "crop": 96}}


def test_the_planted_network_is_loaded_back(tmp_path):
    settings = NetworkSettings.from_mapping(CONFIG)
    plant_scenes_network(tmp_path / "weights.pt", tmp_path / "words.parquet", settings)
    loaded = building.load(settings, tmp_path / "weights.pt")
    planted = build_planted().eval()
    planting.plant(planted, settings.input)
    pictures = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(loaded(pictures), planted(pictures))
        channels = loaded.detectors(pictures).shape[1]
    assert tables.read(tmp_path / "words.parquet", "known_words").num_rows == channels

    plant_scenes_network(tmp_path / "again.pt", tmp_path / "words.parquet", settings)
    assert (tmp_path / "again.pt").read_bytes() == (tmp_path / "weights.pt").read_bytes()


def test_nothing_is_written_for_an_impossible_crop(tmp_path):
    settings = NetworkSettings.from_mapping({**CONFIG, "input": {"resize": 96, "crop": 94}})
    with pytest.raises(ValueError, match=r"input\.crop is 94 px"):
        plant_scenes_network(tmp_path / "weights.pt", tmp_path / "words.parquet", settings)
    assert list(tmp_path.iterdir()) == []
