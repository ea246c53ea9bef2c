"""All probes are checked by one job, which says of each what is wrong with it."""

import logging

import pandas as pd
import pytest

from data.networks.check_probes import check_probes
from filterscope import job
from filterscope.activations import probing
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import OWN, MemoryLimitError, Pass, parts
from filterscope.activations.probing import ProbeError, ProbeSettings
from filterscope.data.datasets.counting import Photographs
from filterscope.data.networks import building
from filterscope.data.networks.settings import NetworkSettings

FACTORY = """
from torch import nn


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


def broken():
    raise RuntimeError("my own mistake")
"""


@pytest.fixture
def probe(tmp_path):
    (tmp_path / "mine.py").write_text(FACTORY)

    def build(layer, function="network", crop=16):
        network = {"source": "factory", "factory": f"{tmp_path}/mine.py:{function}", "file": None}
        network["input"] = {"resize": crop, "crop": crop}
        return ProbeSettings(NetworkSettings.from_mapping(network), layer)

    return build


def test_one_line_per_probe_in_their_order(probe, tmp_path, caplog):
    with caplog.at_level(logging.INFO, job.LOGGER.name):
        check_probes(tmp_path / "checked.csv", {"b": probe("1"), "a": probe("0", crop=32), "c": probe("2")}, {})
    table = pd.read_csv(tmp_path / "checked.csv", keep_default_na=False)
    assert table["probe"].tolist() == ["b", "a", "c"]
    assert table["layer"].astype(str).tolist() == ["1", "0", "2"]
    assert table["height"].tolist() == [7, 15, 1]
    assert table["remark"].tolist() == ["", "", "maps of one cell tell what excites a filter, not where"]
    assert "b: 1: 4 channels first of 7 x 7 cells" in caplog.messages


def test_lines_are_those_of_probes_checked_alone(probe):
    """A network that is built once for several probes is as each of them finds it."""
    probes = {name: probe(name) for name in ("0", "1", "2")}
    alone = [probing.checked(each, name, building.build(each.network)) for name, each in probes.items()]
    assert probing.all_checked(probes) == alone


def test_a_network_is_built_once_for_probes_of_it(probe, monkeypatch):
    built, build = [], building.build
    monkeypatch.setattr(building, "build", lambda network: built.append(network) or build(network))
    probing.all_checked({"a": probe("0"), "b": probe("1"), "other": probe("0", crop=32)})
    assert [each.input.crop for each in built] == [16, 32]


def test_every_wrong_probe_is_named_and_nothing_is_written(probe, tmp_path):
    probes = {"good": probe("0"), "misspelt": probe("first"), "mine": probe("0", "broken"), "late": probe("9")}
    with pytest.raises(ProbeError) as stopped:
        check_probes(tmp_path / "checked.csv", probes, {})
    lines = str(stopped.value).split("; probe ")
    assert lines[0].startswith("probe misspelt: the network has no layer 'first'")
    assert any(line.startswith("mine: ") and "my own mistake" in line for line in lines)
    assert any(line.startswith("late: the network has no layer '9'") for line in lines)
    assert "good" not in str(stopped.value)
    assert not (tmp_path / "checked.csv").exists()


def test_a_pass_is_of_the_largest_dataset_that_it_is_shown():
    given = {"probes": ["a"], "activations": {"batch_size": 8}, "datasets": ["coco", "album"]}
    sizes = {
        "coco": Photographs(30, 9, 7.3),
        "album": Photographs(0, 40, 0.0, guessed=True),
        "other": Photographs(99, 9, 1),
    }
    assert Pass.from_mapping(given, sizes) == Pass(["a"], ExtractionSettings(batch_size=8), 40, guessed=True)
    assert Pass.from_mapping(given | {"datasets": ["coco"]}, sizes).pictures == 30


def test_more_than_max_memory_is_refused_and_writes_nothing(tmp_path):
    """Of layers that are read in one pass it is what they need together that counts."""
    network = NetworkSettings.from_mapping({"source": "scenes_cnn", "input": {"resize": 32, "crop": 32}})
    probes = {"cnn.first": ProbeSettings(network, "features.2"), "cnn.last": ProbeSettings(network, "features")}
    settings = ExtractionSettings(batch_size=8)
    lines = probing.all_checked(probes)
    assert [line["largest"] for line in lines] == [16 * 16 * 16] * 2
    assert lines[0]["weights"] > 4 * 64 * 64 * 9 * 3
    alone, both = (OWN + sum(part.bytes for part in parts(some, settings, 100)) for some in (lines[:1], lines))
    assert alone < both
    most = (alone + both) / 2e9
    path = tmp_path / "checked.csv"
    apart = {name: Pass([name], settings, 100) for name in probes}
    check_probes(path, probes, apart, max_memory=most)
    assert len(pd.read_csv(path)) == 2
    path.unlink()
    with pytest.raises(MemoryLimitError, match=r"probe cnn, 2 layers: needs about .* max_memory allows 1.20"):
        check_probes(path, probes, {"cnn": Pass(list(probes), settings, 100)}, max_memory=most)
    assert not path.exists()
    check_probes(path, probes, {"cnn": Pass(list(probes), settings, 100)})
    assert path.exists()
