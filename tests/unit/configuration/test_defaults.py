"""Defaults are filled in from the schema, and agree with the library's."""

from __future__ import annotations

import copy
import dataclasses

import yaml
from tests.unit.configuration.entries import (
    CAFFE,
    COCO,
    FACETS,
    FOLDER,
    GENOME,
    RESNET,
)

from filterscope.apt.scheduling import METHODS, ScheduleSettings
from filterscope.data.samples.sources import SOURCES
from filterscope.pictures.facets.clustering import FacetSettings
from filterscope.pictures.recipes.registry import RECIPES, recipe
from filterscope.temperature.building import Choice
from filterscope.temperature.duel import read_published
from filterscope.temperature.networks import NETWORKS
from filterscope.words.proofs.responses import ProofSettings
from filterscope.words.rivals.scenes_clip import ScenesClipSettings
from filterscope.words.rivals.soft_wpmi import ClipDissectSettings


class TestDefaults:
    def test_of_entries_are_filled_in(self, default_config, check):
        vocabularies = {"glove": {"source": "glove", "file": "vectors.txt"}}
        datasets = {**COCO, **FOLDER}
        config = check(default_config({"networks": RESNET, "datasets": datasets, "vocabularies": vocabularies}))
        network = config["networks"]["resnet18"]
        assert network["weights"] == "DEFAULT"
        assert network["input"] == dict.fromkeys(("resize", "crop", "mean", "std"))  # as the weights say
        planted = config["networks"]["planted"]["input"]
        assert planted["mean"] == [0.485, 0.456, 0.406]
        assert planted["std"] == [0.229, 0.224, 0.225]
        assert config["datasets"]["coco"]["max_bad_fraction"] == 0
        assert config["vocabularies"]["glove"]["limit"] is None

    def test_of_visual_genome_are_filled_in_mirror_by_mirror(self, default_config, check):
        mine = ["http://mine/objects.zip"]
        found = check(default_config({"datasets": {"vg": {**GENOME, "mirrors": {"objects": mine}}}}))["datasets"]["vg"]
        assert found["mirrors"]["objects"] == mine
        assert found["mirrors"]["images"] == ["https://cs.stanford.edu/people/rak248/VG_100K_2/images.zip"]
        assert found["lock"] == "visual_genome.lock.yaml"
        assert (found["passes"], found["min_count"], found["train"], found["supervised"]) == ("paper", 100, 0.9, 0.7)

    def test_of_part_of_an_input_are_filled_in(self, default_config, check):
        config = check(default_config({"networks": {"resnet18": {**RESNET["resnet18"], "input": {"crop": 200}}}}))
        assert config["networks"]["resnet18"]["input"]["crop"] == 200
        assert config["networks"]["resnet18"]["input"]["resize"] is None

    def test_of_a_caffe_network_are_its_mean_and_size(self, default_config, check):
        mine = {"a": dict(CAFFE), "b": {**CAFFE, "input": {"resize": 300}}}
        found = check(default_config({"networks": mine}))["networks"]
        assert (found["a"]["mean"], found["a"]["scale"]) == ([104, 117, 123], 1)
        assert (found["a"]["input"]["resize"], found["a"]["input"]["crop"]) == (256, 227)
        assert (found["b"]["input"]["resize"], found["b"]["input"]["crop"]) == (300, 227)

    def test_call_of_a_probe_is_the_last(self, default_config, check):
        probes = {"first": {"network": "planted", "layer": "detectors", "call": 0}}
        config = check(default_config({"probes": probes}))
        assert config["probes"]["first"]["call"] == 0
        assert config["probes"]["planted"]["call"] == -1

    def test_of_facets_are_the_published_ones(self, default_config, check):
        config = check(
            default_config({"facets": [dict(FACETS), {**FACETS, "probe": "cnn_units", "codes": "features"}]})
        )
        found = [[entry[key] for key in ("facets", "nearest", "codes")] for entry in config["facets"]]
        assert found == [[10, 15, None], [10, 15, "features"]]
        assert FacetSettings(**config["facetting"]) == FacetSettings()

    def test_of_proofs_are_those_of_the_library(self, default_config, check):
        proofs = check(default_config())["proofs"]
        assert dataclasses.asdict(ProofSettings()) == {key: proofs[key] for key in proofs if key != "picture_words"}

    def test_of_recipes_are_those_of_the_library(self, default_config, check):
        """The schema's defaults and the library's are the same numbers in two places: they must agree."""
        config = check(default_config({"recipes": {f"plain_{name}": {"method": name} for name in RECIPES}}))
        for name in RECIPES:
            assert recipe(config["recipes"][f"plain_{name}"]) == recipe({"method": name})

    def test_of_schedules_are_what_their_method_takes(self, default_config, check):
        """And what is searched is a part of it."""
        plain = {f"plain_{name}": {"method": name} for name in METHODS}
        schedules = check(default_config({"temperature": {"schedules": plain}}))["temperature"]["schedules"]
        for name, method in METHODS.items():
            found = {key: value for key, value in schedules[f"plain_{name}"].items() if key != "search"}
            assert set(found) == {"method", "momentum", *method.takes}
            assert ScheduleSettings.from_mapping(found).method == name
        for entry in schedules.values():
            assert set(entry["search"]) <= set(METHODS[entry["method"]].takes) | {"momentum"}

    def test_of_clip_models_are_the_librarys(self, default_config, check):
        updates = {"clips": {"own": {"source": "scenes", "dataset": "scenes"}}}
        config = default_config(updates)
        written = config.pop("clip_dissect")  # what config.yaml says
        clips = check(config)["clips"]
        assert ScenesClipSettings.from_mapping(clips["own"]) == ScenesClipSettings()
        assert clips["own"]["prompts"] == ["{}"]
        assert ClipDissectSettings(**config["clip_dissect"]) == ClipDissectSettings() == ClipDissectSettings(**written)

    def test_no_clip_model_need_be_told_of(self, default_config, check):
        explanation = {"dataset": "scenes", "probe": "planted", "vocabulary": "captions"}
        config = default_config({"explanations": [explanation]})
        del config["clips"]
        config = check(config)
        assert config["clips"] == {}
        assert config["explanations"][0]["clip"] is None

    def test_are_not_shared_between_entries(self, default_config, check):
        one = {"a": {"source": "planted"}, "b": {"source": "planted"}}
        config = check(default_config({"networks": one}))
        config["networks"]["a"]["input"]["mean"][0] = 0
        assert config["networks"]["b"]["input"]["mean"][0] == 0.485

    def test_filling_in_twice_changes_nothing(self, default_config, check):
        config = check(default_config({"networks": RESNET}))
        assert check(copy.deepcopy(config)) == config


def test_samples_get_the_defaults_of_their_source(default_config, check):
    mine = {"plane": {"source": "moon"}, "mnist": {"source": "mnist", "limit": {"train": 100}}}
    samples = check(default_config({"samples": mine}))["samples"]
    plane = {"source": "moon", "points": 100, "test_points": 0, "noise": 23}
    assert samples["plane"] == {**plane, "limit": {"train": None, "test": None}}
    assert samples["mnist"]["limit"] == {"train": 100, "test": None}
    assert len(samples["mnist"]["mirrors"]) == 2


def test_names_of_the_temperature_room_are_in_one_place_or_agree(path_to_schema, repository):
    room = yaml.safe_load(path_to_schema.read_text())["properties"]["temperature"]["properties"]
    described = room["networks"]["additionalProperties"]["properties"]
    assert set(described["architecture"]["enum"]) == {None, *NETWORKS}
    assert set(described) == {field.name for field in dataclasses.fields(Choice)}
    published = read_published(repository / "studies/published_training.csv")["experiment"]
    assert set(room["duels"]["items"]["properties"]["experiment"]["enum"]) == {None, *published}


def test_every_source_of_samples_is_described_and_read(path_to_schema):
    described = yaml.safe_load(path_to_schema.read_text())["$defs"]["samples"]
    assert set(described) == {*SOURCES, "objects"}
    assert all(kind["properties"]["source"] == {"const": name} for name, kind in described.items())
