"""Maps for whoever needs them in an order of their own: those that were kept, or the same of a further look."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from filterscope.activations.again import maps_at_hand, pair_at_hand
from filterscope.activations.extraction import ActivationError, ExtractionSettings
from filterscope.activations.maps import MapsWriter
from filterscope.activations.probing import ProbeSettings
from filterscope.data.networks import planting
from filterscope.data.networks.embedded import build_planted
from filterscope.data.networks.weights import write_weights

INPUT = {"resize": 32, "crop": 32, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
PROBE = ProbeSettings.from_mapping({"network": {"source": "planted", "input": INPUT}, "layer": "detectors"})
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    network = build_planted()
    planting.plant(network, PROBE.inputs)
    write_weights(network, tmp_path / "weights.pt")
    for number, colour in enumerate([(220, 20, 20), (20, 200, 40), (30, 40, 210)]):
        Image.fromarray(np.full((32, 32, 3), colour, np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


def images(*numbers):
    paths = [f"{number}.png" for number in numbers]
    return pd.DataFrame(
        {"image_id": numbers, "path": paths, "width": 32, "height": 32, "turned": False, "split": "val"}
    )


def at_hand(folder, shown, paths=(), most=1.0):
    return maps_at_hand(PROBE, paths, shown, folder, folder / "weights.pt", ExtractionSettings(2, 0), most, CPU)


def test_a_further_look_gives_what_would_have_been_kept(folder):
    with at_hand(folder, images(0, 1, 2)) as looked:
        found = looked.of([2, 0])
        assert (looked.layer, looked.filters) == ("detectors", found.shape[1])
        with MapsWriter(folder / "maps.parquet", "detectors", tuple(found.shape[1:])) as writer:
            writer.add(np.array([2, 0]), found)
    assert not torch.equal(found[0], found[1])
    for number in (0, 2):
        (folder / f"{number}.png").unlink()
    with at_hand(folder, images(0, 2), [folder / "maps.parquet"]) as kept:
        assert torch.equal(kept.of([2, 0]), found), "no picture was needed"


def test_images_of_which_one_was_not_kept_are_all_looked_at(folder):
    with at_hand(folder, images(0, 1)) as looked:
        found = looked.of([0, 1])
        with MapsWriter(folder / "maps.parquet", "detectors", tuple(found.shape[1:])) as writer:
            writer.add(np.array([0]), torch.zeros_like(found[:1]))
    with at_hand(folder, images(0, 1), [folder / "maps.parquet"]) as again:
        assert torch.equal(again.of([0, 1]), found)


def test_maps_that_take_too_much_disk_are_refused_with_what_to_do(folder):
    said = "layer detectors: maps of 3 images take more than 0 GB of disk: ask for fewer filters or images, or raise"
    with pytest.raises(ActivationError, match=said), at_hand(folder, images(0, 1, 2), most=0):
        pass


def test_two_layers_of_a_network_are_at_hand_or_one_that_is_both(folder):
    look = images(0, 1), folder, folder / "weights.pt", ExtractionSettings(2, 0), 1.0, CPU
    other = ProbeSettings.from_mapping({"network": {"source": "planted", "input": INPUT}, "layer": "detectors.colours"})
    with pair_at_hand(PROBE, None, (), (), *look) as (own, same):
        assert same is own
    with pair_at_hand(PROBE, other, (), (), *look) as (own, others):
        assert (own.layer, others.layer) == ("detectors", "detectors.colours")
        assert len(own.of([1, 0])) == len(others.of([1, 0])) == 2
