"""Probes of several layers: which layers a list or a pattern stands for, and what names the group."""

from __future__ import annotations

import json

import pytest

import configuration
from configuration import modules
from configuration.layers import expand, matches

KNOWN = {
    "readable": ["conv1", "layer1", "layer1.0", "layer1.0.conv1", "layer1.1", "layer2", "layer2.0", "fc"],
    "modules": ["conv1", "layer1", "layer1.0", "layer1.0.conv1", "layer1.1", "layer2", "layer2.0", "head.tuple", "fc"],
    "blocks": ["layer1", "layer2"],
}
GROUP = {"network": "planted", "layers": ["detectors", "readout"]}
ENTRY = {"dataset": "scenes", "probe": "group", "vocabulary": "captions"}


@pytest.fixture
def expanded(default_config, path_to_schema):
    """The checked config with a probe `group` that asks for these layers, and what was said."""

    def expanded(layers, updates=None, known=KNOWN):
        config = default_config({"probes": {"group": {"network": "planted", "layers": layers}}, **(updates or {})})
        remarks = configuration.check(config, path_to_schema, lambda network: known)
        return config, remarks

    return expanded


def own(config):
    return {name: entry["layer"] for name, entry in config["probes"].items() if name.startswith("group")}


def test_each_layer_of_a_list_is_a_probe_and_the_network_is_not_asked(default_config, path_to_schema):
    config = default_config({"probes": {"group": {**GROUP, "pool": "native"}}})
    remarks = configuration.check(config, path_to_schema, lambda network: pytest.fail("a list needs no network"))
    assert own(config) == {"group.detectors": "detectors", "group.readout": "readout"}
    assert config["probes"]["group.readout"] == {
        "network": "planted",
        "layer": "readout",
        "call": -1,
        "pool": "native",
    }
    assert remarks == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("layer?", ["layer1", "layer2"]),
        ("layer*.?", ["layer1.0", "layer1.1", "layer2.0"]),
        ("**.conv1", ["conv1", "layer1.0.conv1"]),
        ("layer1.**", ["layer1", "layer1.0", "layer1.0.conv1", "layer1.1"]),
        ("blocks", ["layer1", "layer2"]),
        (["fc", "layer[12]", "layer2"], ["fc", "layer1", "layer2"]),
    ],
)
def test_a_pattern_stands_for_the_layers_that_fit_and_says_which(expanded, asked, found):
    config, remarks = expanded(asked)
    assert list(own(config).values()) == found
    assert list(own(config)) == [f"group.{layer}" for layer in found]
    assert remarks == ([f"probes.group: {asked} stands for {', '.join(found)}"] if isinstance(asked, str) else [])


def test_what_names_the_group_names_every_layer(expanded):
    updates = {
        "explanations": [ENTRY],
        "pictures": [{"dataset": "scenes", "probe": "group", "recipe": "maco", "filters": [0]}],
        "occlusions": [{"dataset": "scenes", "probe": "group", "images": [1], "cover": "objects"}],
    }
    config, _ = expanded("layer?", updates)
    for section in updates:
        assert [entry["probe"] for entry in config[section]] == ["group.layer1", "group.layer2"]
    assert all(entry["filters"] == [0] for entry in config["pictures"])


def test_one_layer_of_a_group_can_be_named(expanded):
    config, _ = expanded("layer?", {"explanations": [{**ENTRY, "probe": "group.layer2"}]})
    assert [entry["probe"] for entry in config["explanations"]] == ["group.layer2"]


@pytest.mark.parametrize(
    ("layers", "updates", "said"),
    [
        ("lyaer?", {}, r"probes.group.layers: 'lyaer\?' fits no layer; the nearest are layer"),
        ("head.*", {}, r"'head.\*' fits only modules that put out no maps of filters, such as head.tuple"),
        (["fc", "fc"], {}, "probes.group.layers names 'fc' twice"),
        (["a b", "a_b"], {}, "probes.group.layers: a b, a_b would have the same folders"),
        ("blocks", {"probes": {"group": {"layer": "fc", **GROUP}}}, "probes.group has both layer and layers"),
        ("layer?", {"explanations": [{**ENTRY, "probe": "group.layer3"}]}, "did you mean group.layer"),
        (
            "layer?",
            {"explanations": [ENTRY, {**ENTRY, "probe": "group.layer1"}]},
            r"explanations\[2\] repeats an earlier entry",
        ),
        (
            "layer?",
            {"facets": [{"dataset": "scenes", "probe": "group", "classes": {"circle": 0}, "recipe": "mean"}]},
            r"facets\[0\].probe is 'group', which stands for several layers: name one of group.layer1, group.layer2",
        ),
    ],
)
def test_mistakes_name_the_key_and_what_would_be_right(expanded, layers, updates, said):
    with pytest.raises(configuration.ConfigError, match=said):
        expanded(layers, updates)


def test_no_stages_are_said(expanded):
    with pytest.raises(configuration.ConfigError, match="the ends of the network's stages cannot be told"):
        expanded("blocks", known={**KNOWN, "blocks": []})


@pytest.mark.parametrize(
    ("layer", "pattern", "fits"),
    [
        ("layer1.0", "layer*.?", True),
        ("layer1.0.conv1", "layer*.?", False),
        ("layer1", "layer*.?", False),
        ("layer1.10", "layer*.?", False),
        ("a.b.c", "**", True),
        ("a.b.c", "a.**.c", True),
        ("a.c", "a.**.c", True),
        ("a.b", "a.**.c", False),
    ],
)
def test_a_star_stays_within_a_part_of_the_path(layer, pattern, fits):
    assert matches(layer, pattern) == fits


class TestAsking:
    """The process that builds a network is asked once."""

    FACTORY = "from torch import nn\n\n\ndef build():\n    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())\n"

    @pytest.fixture
    def network(self, tmp_path):
        (tmp_path / "factory.py").write_text(self.FACTORY)
        inputs = {"resize": 32, "crop": 32}
        return {"source": "factory", "factory": f"{tmp_path / 'factory.py'}:build", "input": inputs}

    def test_the_answer_is_kept_until_the_network_changes(self, network, tmp_path, monkeypatch):
        folder = tmp_path / "answers"
        found = modules.layers_of(network, folder)
        assert found["readable"] == ["0", "1"]
        (kept,) = folder.iterdir()
        assert json.loads(kept.read_text()) == found
        with monkeypatch.context() as patched:
            patched.setattr(modules.subprocess, "run", lambda *_, **__: pytest.fail("asked again"))
            assert modules.layers_of(dict(network), folder) == found
        (tmp_path / "factory.py").write_text(self.FACTORY.replace("nn.ReLU()", "nn.ReLU(), nn.Conv2d(4, 2, 3)"))
        assert modules.layers_of(network, folder)["readable"] == ["0", "1", "2"]

    def test_a_wrong_name_of_a_network_is_not_said_to_be_a_matter_of_layers(self):
        config = {
            "networks": {"net": {"source": "torchvision", "architecture": "resnet81"}},
            "probes": {"deep": {"network": "net", "layers": "blocks"}},
        }

        def unknown(network):
            raise modules.UnknownLayersError("NetworkError: 'resnet81' is no architecture of torchvision")

        (mistake,), _ = expand(config, unknown)
        assert mistake.startswith(
            "probes.deep.layers: the network cannot be built here to see its layers: NetworkError"
        )
        assert "no architecture of torchvision. Where it can be built when the study runs, name its layers" in mistake

    def test_a_network_that_cannot_be_built_says_why(self, network, tmp_path):
        (tmp_path / "factory.py").write_text("def build():\n    raise OSError('no such plan')\n")
        with pytest.raises(modules.UnknownLayersError, match="OSError: no such plan"):
            modules.layers_of(network, tmp_path / "answers")
        assert not (tmp_path / "answers").exists()
