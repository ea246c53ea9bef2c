"""A wrong config is refused before anything runs, with the key, what was found and what would be right."""

from __future__ import annotations

import copy
import dataclasses
import functools
import os
import re

import pytest
import yaml

import configuration
from configuration import study
from filterscope.data.sample_sources import SOURCES
from filterscope.pictures.facets import FacetSettings
from filterscope.pictures.recipes import RECIPES, recipe
from filterscope.temperature.building import Choice
from filterscope.temperature.duel import read_published
from filterscope.temperature.networks import NETWORKS
from filterscope.temperature.scheduling import METHODS, ScheduleSettings

COCO = {"coco": {"source": "coco", "folder": "photographs"}}
FOLDER = {"holiday": {"source": "folder", "folder": "photographs", "reference": "scenes"}}
GENOME = {"source": "visual_genome", "vocabulary": "captions"}
EXPLANATION = {"dataset": "scenes", "probe": "planted", "vocabulary": "captions"}
PICTURES = {"dataset": "scenes", "probe": "planted", "recipe": "fourier", "filters": [0, 1]}
FACETS = {"dataset": "scenes", "probe": "planted", "classes": {"circle": 0}, "recipe": "mean"}
DUEL = {"network": "convnet", "samples": "digits", "schedules": ["constant"], "seeds": [0]}
RANGE = {"network": "convnet", "samples": "digits", "schedule": "constant", "moments": [0.0]}
CAFFE = {"source": "caffe", "prototxt": "deploy.prototxt", "caffemodel": "net.caffemodel"}
RESNET = {"resnet18": {"source": "torchvision", "architecture": "resnet18"}}


@pytest.fixture(scope="session")
def path_to_schema(repository):
    return repository / "rules" / "config.schema.yaml"


@pytest.fixture
def check(path_to_schema):
    def check(config):
        configuration.check(config, path_to_schema)
        return config

    return check


@pytest.fixture
def mistakes(check):
    """The lines of the complaint about a config."""

    def mistakes(config):
        with pytest.raises(configuration.ConfigError) as error:
            check(config)
        return [line.removeprefix("  - ") for line in str(error.value).splitlines()[1:]]

    return mistakes


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "lib"), ("", "lib"), ("a:b", "lib:a:b"), ("a:lib:b", "lib:a:b"), ("lib", "lib")],
)
def test_library_is_first_on_the_path_of_jobs_and_there_once(before, after, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    configuration.share_library("lib")
    assert os.environ["PYTHONPATH"] == after


def test_default_config_is_right(default_config, check):
    check(default_config())


def test_small_config_of_the_tests_is_right(small_config, check):
    check(small_config())


def test_every_study_is_right(repository, default_config, check):
    studies = sorted((repository / "studies").glob("*.yaml"))
    assert studies
    for path in studies:
        check(default_config(yaml.safe_load(path.read_text())))


def test_every_key_of_the_default_config_is_described_by_the_schema(path_to_schema, default_config):
    """Sections are closed: a key that the schema forgot could not be in the config."""
    schema = yaml.safe_load(path_to_schema.read_text())
    assert set(schema["required"]) == set(schema["properties"]) == set(default_config())
    for name, section in schema["properties"].items():
        if "properties" in section:
            assert section["additionalProperties"] is False, name
            assert set(section["required"]) == set(section["properties"]), name


class TestDefaults:
    def test_of_entries_are_filled_in(self, default_config, check):
        vocabularies = {"glove": {"source": "glove", "file": "vectors.txt"}}
        datasets = {**COCO, **FOLDER}
        config = check(default_config({"networks": RESNET, "datasets": datasets, "vocabularies": vocabularies}))
        network = config["networks"]["resnet18"]
        assert network["weights"] == "DEFAULT"
        assert network["input"] == {
            "resize": 256,
            "crop": 224,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        }
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
        assert config["networks"]["resnet18"]["input"]["resize"] == 256

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

    def test_of_facets_are_the_seeds(self, default_config, check):
        config = check(
            default_config({"facets": [dict(FACETS), {**FACETS, "probe": "cnn_units", "codes": "features"}]})
        )
        found = [[entry[key] for key in ("facets", "nearest", "codes")] for entry in config["facets"]]
        assert found == [[10, 15, None], [10, 15, "features"]]
        assert FacetSettings(**config["facetting"]) == FacetSettings()

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

    def test_are_not_shared_between_entries(self, default_config, check):
        one = {"a": copy.deepcopy(RESNET["resnet18"]), "b": copy.deepcopy(RESNET["resnet18"])}
        config = check(default_config({"networks": one}))
        config["networks"]["a"]["input"]["mean"][0] = 0
        assert config["networks"]["b"]["input"]["mean"][0] == 0.485

    def test_filling_in_twice_changes_nothing(self, default_config, check):
        config = check(default_config({"networks": RESNET}))
        assert check(copy.deepcopy(config)) == config


def within(config, key):
    """What stands under a key, whose dots lead into sections."""
    return functools.reduce(lambda section, part: section[part], key.split("."), config)


class TestStudyOfYourOwn:
    def test_that_asks_for_anything_computes_nothing_of_the_embedded_one(self, default_config):
        own = {"seed": 3, "pictures": [dict(PICTURES)]}
        config = default_config(own)
        configuration.leave_out_embedded(config, own)
        assert config["pictures"] == [PICTURES]
        assert not any(within(config, key) for key in study.ENTRIES if key != "pictures")

    def test_that_only_turns_knobs_is_the_embedded_one(self, default_config):
        own = {"seed": 3, "words": {"top_images": 5}}
        config = default_config(own)
        configuration.leave_out_embedded(config, own)
        assert config == default_config(own)

    def test_that_says_everything_is_left_as_it_is(self, default_config):
        config = default_config()
        configuration.leave_out_embedded(config, default_config())
        assert config == default_config()

    def test_names_of_entries_are_in_the_default_config(self, default_config):
        config = default_config()
        assert all(isinstance(within(config, key), list) for key in study.ENTRIES)


@pytest.mark.parametrize(
    ("updates", "said"),
    [
        # unknown keys
        ({"sede": 1}, "sede is not known; did you mean seed"),
        ({"words": {"top_image": 9}}, "words.top_image is not known; did you mean top_images"),
        ({"faithful": {"mask_scaling": True}}, "faithful.mask_scaling is not known; did you mean mask_scale"),
        ({"words": {"zzz": 9}}, "words.zzz is not known; known are split, top_images"),
        ({"datasets": {"scenes": {"trian": 9}}}, "datasets.scenes.trian is not known; did you mean train"),
        (
            {"networks": {"planted": {"input": {"crp": 9}}}},
            "networks.planted.input.crp is not known; did you mean crop",
        ),
        ({"probes": {"planted": {"layr": "x"}}}, "probes.planted.layr is not known; did you mean layer"),
        (
            {"explanations": [{"dataset": "scenes", "probe": "planted", "vocabulary": "captions", "dataste": "x"}]},
            "explanations.0.dataste is not known; did you mean dataset",
        ),
        # wrong types and values
        ({"seed": "zero"}, "seed is 'zero': 'zero' is not of type 'integer'"),
        ({"seed": -1}, "seed is -1: -1 is less than the minimum of 0"),
        ({"seed": True}, "seed is True: True is not of type 'integer'"),
        ({"shards": 0}, "shards is 0: 0 is less than the minimum of 1"),
        ({"training": {"learning_rate": "1e-3"}}, "training.learning_rate is '1e-3': .*; write it as 0.001"),
        (
            {"training": {"learning_rate": "fast"}},
            "training.learning_rate is 'fast': 'fast' is not of type 'number'$",
        ),
        (
            {"training": {"optimiser": "sgd"}},
            r"training.optimiser is 'sgd': 'sgd' is not one of \['adamw', 'dadapt_adam'\]",
        ),
        (
            {"activations": {"quantile": 1}},
            "activations.quantile is 1: 1 is greater than or equal to the maximum of 1",
        ),
        ({"scores": {"filters": "some"}}, r"scores.filters is 'some': .*\(all, or a list of channels\)"),
        (
            {"datasets": {"scenes": {"size": 20}}},
            r"datasets.scenes.size is 20: 20 is less than the minimum of 48 \(px",
        ),
        ({"datasets": []}, r"datasets is \[\]: \[\] is not of type 'object'"),
        (
            {"datasets": {"scenes": None}},
            "datasets.scenes.source is None, should be one of scenes, coco, visual_genome, folder",
        ),
        ({"words": None}, "words is None: None is not of type 'object'"),
        ({"explanations": {}}, "explanations is {}: {} is not of type 'array'"),
        # unknown sources
        (
            {"datasets": {"scenes": {"source": "imagenet"}}},
            "datasets.scenes.source is 'imagenet', should be one of scenes",
        ),
        (
            {"networks": {"planted": {"source": "timm"}}},
            "networks.planted.source is 'timm', should be one of scenes_cnn",
        ),
        (
            {"vocabularies": {"captions": {"source": "bert"}}},
            "vocabularies.captions.source is 'bert', should be one of",
        ),
        # missing keys
        (
            {"datasets": {"mine": {"source": "folder", "folder": "x"}}},
            "datasets.mine: 'reference' is missing",
        ),
        ({"networks": {"mine": {"source": "torchvision"}}}, "networks.mine: 'architecture' is missing"),
        ({"probes": {"mine": {"network": "planted"}}}, "probes.mine: 'layer' is missing"),
        # names
        (
            {"probes": {"my-probe": {"network": "planted", "layer": "x"}}},
            "probes: 'my-probe' is not a name of letters",
        ),
        ({"datasets": {"2017": COCO["coco"]}}, "datasets: '2017' is not a name of letters"),
        ({"datasets": {2017: COCO["coco"]}}, "datasets: 2017 is not a name of letters"),
        (
            {"networks": {"mine": {"source": "factory", "factory": "build"}}},
            "networks.mine.factory is 'build': .*module:function",
        ),
        (
            {"networks": {"mine": {"source": "caffe", "prototxt": "deploy.prototxt"}}},
            "networks.mine: 'caffemodel' is missing",
        ),
        ({"networks": {"mine": {**CAFFE, "mean": [104, 117]}}}, r"networks.mine.mean is \[104, 117\]: .*too short"),
        ({"networks": {"mine": {**CAFFE, "scale": 0}}}, "networks.mine.scale is 0: 0 is less than or equal to"),
        ({"networks": {"mine": {**CAFFE, "input": {"resize": 224}}}}, "networks.mine.input.crop is 227, larger than"),
        ({"datasets": {"vg": {"source": "visual_genome"}}}, "datasets.vg: 'vocabulary' is missing"),
        (
            {"datasets": {"vg": {**GENOME, "passes": ["rare", "rara"]}}},
            r"datasets.vg.passes is \['rare', 'rara'\]: .*\(paper, reproduction, or a list of passes in your order\)",
        ),
        ({"datasets": {"vg": {**GENOME, "mirrors": {"image": ["x"]}}}}, "datasets.vg.mirrors.image is not known; did"),
        ({"datasets": {"vg": {**GENOME, "mirrors": {"images": []}}}}, r"datasets.vg.mirrors.images is \[\]: "),
        ({"datasets": {"vg": {**GENOME, "supervised": 0}}}, "datasets.vg.supervised is 0: 0 is less than or equal to"),
        # names that nothing defines
        (
            {"datasets": {"vg": {**GENOME, "vocabulary": "caption"}}},
            "datasets.vg.vocabulary is 'caption', .* did you mean captions",
        ),
        (
            {"probes": {"mine": {"network": "plantd", "layer": "x"}}},
            "probes.mine.network is 'plantd', .* did you mean planted",
        ),
        (
            {"explanations": [{**EXPLANATION, "dataset": "scene"}]},
            r"explanations\[0\].dataset is 'scene', which datasets does not define; did you mean scenes",
        ),
        (
            {"explanations": [{**EXPLANATION, "probe": "nothing"}]},
            r"explanations\[0\].probe is 'nothing', .* known are cnn_last, cnn_units, judge_units, planted",
        ),
        (
            {"defects": [{**EXPLANATION, "vocabulary": "caption"}]},
            r"defects\[0\].vocabulary is 'caption', which vocabularies does not define; did you mean caption",
        ),
        (
            {"networks": {"scenes_cnn": {"dataset": "scens"}}},
            "networks.scenes_cnn.dataset is 'scens', .* did you mean scenes",
        ),
        (
            {"datasets": {"holiday": {**FOLDER["holiday"], "reference": "coco"}}},
            "datasets.holiday.reference is 'coco', which",
        ),
        (
            {"reproduction": {"datasets": {"coco": "scens"}, "recall": []}},
            "reproduction.datasets.coco is 'scens', which is no annotated dataset; did you mean scenes",
        ),
        (
            {
                "reproduction": {
                    "datasets": {},
                    "recall": [{"experiment": "alexnet_features_coco", **EXPLANATION, "probe": "p"}],
                }
            },
            r"reproduction.recall\[0\] is not among the explanations: .*'probe': 'p'",
        ),
        (
            {"reproduction": {"datasets": {}, "recall": [{"experiment": "vgg", **EXPLANATION}]}},
            r"reproduction.recall.0.experiment is 'vgg'",
        ),
        # names of the wrong kind
        (
            {"datasets": COCO, "networks": {"scenes_cnn": {"dataset": "coco"}}},
            "networks.scenes_cnn.dataset is 'coco', whose source is coco; should be scenes",
        ),
        (
            {"datasets": {**FOLDER, "again": {**FOLDER["holiday"], "reference": "holiday"}}},
            "datasets.again.reference is 'holiday', which has no annotations itself",
        ),
        (
            {
                "datasets": FOLDER,
                "defects": [{**EXPLANATION, "dataset": "holiday"}],
            },
            r"defects\[0\].dataset is 'holiday', which has no annotations",
        ),
        (
            {"explanations": [EXPLANATION] * 2},
            r"explanations\[1\] repeats an earlier entry",
        ),
        # labelled samples
        ({"samples": {"mine": {"source": "emnist"}}}, "samples.mine.source is 'emnist', should be one of xor, circle"),
        ({"samples": {"mine": {"source": "arrays"}}}, "samples.mine: 'file' is missing"),
        ({"samples": {"mine": {"source": "xor", "point": 9}}}, "samples.mine.point is not known; did you mean points"),
        ({"samples": {"mine": {"source": "moon", "test_points": 1}}}, "samples.mine.test_points is 1: "),
        ({"samples": {"mine": {"source": "digits", "test": 1}}}, "samples.mine.test is 1: .*becomes the test split"),
        ({"samples": {"mine": {"source": "mnist", "limit": 100}}}, "samples.mine.limit is 100: .*drawn by class"),
        ({"samples": {"mine": {"source": "mnist", "limit": {"val": 9}}}}, "samples.mine.limit.val is not known"),
        ({"samples": {"my-own": {"source": "digits"}}}, "samples: 'my-own' is not a name of letters"),
        (
            {"samples": {"scene_shapes": {"dataset": "scens"}}},
            "samples.scene_shapes.dataset is 'scens', which datasets does not define; did you mean scenes",
        ),
        (
            {"datasets": FOLDER, "samples": {"mine": {"source": "objects", "dataset": "holiday", "size": 32}}},
            "samples.mine.dataset is 'holiday', which has no annotations, so no objects",
        ),
        (
            {"datasets": COCO, "samples": {"scene_shapes": {"dataset": "coco"}}},
            "samples.scene_shapes.by is 'shape', which only scenes have; 'coco' is of source coco",
        ),
        # temperature
        (
            {"networks": {"scenes_cnn": {"schedule": "one_cicle"}}},
            "networks.scenes_cnn.schedule is 'one_cicle', which temperature.schedules does not define; did",
        ),
        (
            {"training": {"schedule": "one_cicle"}},
            "training.schedule is 'one_cicle', which is neither constant, cosine nor in .* did you mean one_cycle",
        ),
        (
            {"training": {"schedule": "one_cycle", "optimiser": "dadapt_adam"}},
            "training.schedule is 'one_cycle', which only adamw follows; training.optimiser is 'dadapt_adam'",
        ),
        (
            {"temperature": {"schedules": {"mine": {"method": "warmup"}}}},
            "temperature.schedules.mine.method is 'warmup', should be one of constant, step, cosine",
        ),
        (
            {"temperature": {"schedules": {"constant": {"learning_rates": 1}}}},
            "temperature.schedules.constant.learning_rates is not known; did you mean learning_rate",
        ),
        (
            {"temperature": {"schedules": {"actcoolr": {"link": 2}}}},
            "temperature.schedules.actcoolr.link is 2: .*base that turns temperatures into probabilities",
        ),
        (
            {"temperature": {"schedules": {"constant": {"search": {"learning_rate": [1.0, 0.1]}}}}},
            r"temperature.schedules.constant.search.learning_rate is \[1.0, 0.1\]: the lowest comes first",
        ),
        (
            {"temperature": {"networks": {"mine": {}}}},
            "temperature.networks.mine needs either an architecture or a factory",
        ),
        (
            {"temperature": {"networks": {"mine": {"architecture": "resnet34"}}}},
            "temperature.networks.mine.architecture is 'resnet34': .*a network of seed 003",
        ),
        (
            {"temperature": {"training_of": {"digits": {"epoch": 3}}}},
            "temperature.training_of.digits.epoch is not known; did you mean epochs",
        ),
        (
            {"temperature": {"training_of": {"digit": {"epochs": 3}}}},
            "temperature.training_of.digit is 'digit', which samples does not define; did you mean digits",
        ),
        (
            {"temperature": {"duels": [{**DUEL, "schedules": ["constan"]}]}},
            r"temperature.duels\[0\].schedules has 'constan', which temperature.schedules does not define; did you",
        ),
        (
            {"temperature": {"duels": [DUEL, {**DUEL, "seeds": [9]}]}},
            r"temperature.duels\[1\] repeats convnet, digits of an earlier entry: join them",
        ),
        (
            {"temperature": {"ranges": [{**RANGE, "network": "resnet"}]}},
            r"temperature.ranges\[0\].network has 'resnet', which temperature.networks does not define; known are",
        ),
        ({"temperature": {"ranges": [{**RANGE, "moments": [1.5]}]}}, "temperature.ranges.0.moments.0 is 1.5: "),
        (
            {
                "temperature": {
                    "networks": {"mine": {"factory": "mine.py:network"}},
                    "duels": [{**DUEL, "network": "mine", "samples": "xor"}],
                }
            },
            r"temperature.duels\[0\].samples is 'xor', which has no test_points to compare schedules by",
        ),
        (
            {"temperature": {"ranges": [{**RANGE, "samples": "xor"}]}},
            r"temperature.ranges\[0\].samples is 'xor', points in the plane; convnet needs pictures",
        ),
        # pictures
        (
            {"pictures": [{**PICTURES, "recipe": "forier"}]},
            r"pictures\[0\].recipe is 'forier', which recipes does not define; did you mean fourier",
        ),
        ({"pictures": [{**PICTURES, "filters": []}]}, r"pictures.0.filters is \[\]: .*\(all, or a list of channels"),
        (
            {"pictures": [{**PICTURES, "position": "left"}]},
            r"pictures.0.position is 'left': .*centre, or \[row, column\]",
        ),
        (
            {"pictures": [PICTURES, {**PICTURES, "filters": [3]}]},
            r"pictures\[1\] repeats scenes, planted, fourier of an earlier entry: join them",
        ),
        (
            {"recipes": {"mine": {"method": "deepdream"}}},
            "recipes.mine.method is 'deepdream', should be one of upscale, octaves, fourier, maco",
        ),
        ({"recipes": {"fourier": {"step": 9}}}, "recipes.fourier.step is not known; did you mean steps"),
        ({"recipes": {"mine": {"method": "upscale", "blur": 4}}}, "recipes.mine.blur is 4: .*odd side of the box blur"),
        (
            {"recipes": {"mine": {"method": "maco", "smallest": 0.99}}},
            "recipes.mine.smallest is 0.99, larger than largest, 0.95",
        ),
        ({"recipes": {"sheets": {"method": "maco"}}}, "recipes.sheets: a folder of the results has this name"),
        (
            {"strongest_filters": [{"dataset": "scenes", "probe": "plantd", "images": [1]}]},
            r"strongest_filters\[0\].probe is 'plantd', .* did you mean planted",
        ),
        (
            {"occlusions": [{"dataset": "scenes", "probe": "planted", "images": [1], "cover": "masks"}]},
            r"occlusions.0.cover is 'masks': .*objects, grid, or a list of rectangles",
        ),
        (
            {
                "datasets": FOLDER,
                "occlusions": [{"dataset": "holiday", "probe": "planted", "images": [1], "cover": "objects"}],
            },
            r"occlusions\[0\].cover is 'objects', but dataset 'holiday' has no annotations",
        ),
        (
            {"occlusion": {"fill": "white"}},
            r"occlusion.fill is 'white': 'white' is not one of \['black', 'mean', 'blur'\]",
        ),
        # facets
        ({"facets": [{**FACETS, "recipe": "maen"}]}, r"facets\[0\].recipe is 'maen', .* did you mean mean"),
        ({"facets": [{**FACETS, "facets": 1}]}, "facets.0.facets is 1: 1 is less than the minimum of 2"),
        ({"facets": [{**FACETS, "nearest": 0}]}, "facets.0.nearest is 0: 0 is less than the minimum of 1"),
        ({"facets": [{**FACETS, "classes": {"circle": "red"}}]}, "facets.0.classes.circle is 'red': .*'integer'"),
        (
            {"facets": [{**FACETS, "classes": {}}]},
            r"facets.0.classes is \{\}: .*\(output unit of every class; a class is",
        ),
        (
            {"facets": [{**FACETS, "classes": {"circle": 1, "ring": 1}}]},
            r"facets\[0\].classes: unit 1 stands for circle, ring; a unit has one class",
        ),
        (
            {"facets": [{**FACETS, "from_noise": ["mean", "plian"]}]},
            r"facets\[0\].from_noise is 'plian', .* did you mean plain",
        ),
        ({"facets": [{**FACETS, "judge": "judge"}]}, r"facets\[0\].judge is 'judge', .* did you mean judge_units"),
        (
            {"facets": [{**FACETS, "probe": "cnn_units", "judge": "cnn_last"}]},
            r"facets\[0\].judge is 'cnn_last', a probe of the network that is judged; should be another network's",
        ),
        ({"criteria": {"photographs": 4}}, "criteria.photographs is 4: 4 is less than the minimum of 20"),
        ({"facets": [FACETS] * 2}, r"facets\[1\] repeats scenes, planted of an earlier entry: join them"),
        ({"recipes": {"facets": {"method": "maco"}}}, "recipes.facets: a folder of the results has this name"),
        ({"facetting": {"perplexity": 0}}, "facetting.perplexity is 0: 0 is less than or equal to the minimum of 0"),
        # numbers that do not go together
        ({"words": {"voting": 21}}, "words.voting is larger than words.per_image"),
        (
            {"scores": {"recall_at": [5, 50]}},
            "scores.recall_at asks for more words than words.per_image keeps",
        ),
        ({"sheets": {"images": 26}}, "sheets.images asks for more images than words.top_images mines"),
        (
            {"datasets": {"scenes": {"objects": [4, 2]}}},
            r"datasets.scenes.objects is \[4, 2\]: the fewest come first",
        ),
        (
            {"networks": {"planted": {"input": {"crop": 97}}}},
            "networks.planted.input.crop is 97, larger than resize, 96",
        ),
    ],
)
def test_a_mistake_is_named_and_nothing_else(updates, said, default_config, mistakes):
    found = mistakes(default_config(updates))
    assert len(found) == 1, found
    assert re.search(said, found[0]), found[0]


def test_names_of_the_temperature_room_are_in_one_place_or_agree(path_to_schema, repository):
    room = yaml.safe_load(path_to_schema.read_text())["properties"]["temperature"]["properties"]
    described = room["networks"]["additionalProperties"]["properties"]
    assert set(described["architecture"]["enum"]) == {None, *NETWORKS}
    assert set(described) == {field.name for field in dataclasses.fields(Choice)}
    published = read_published(repository / "studies/published_training.csv")["experiment"]
    assert set(room["duels"]["items"]["properties"]["experiment"]["enum"]) == {None, *published}


def test_samples_get_the_defaults_of_their_source(default_config, check):
    mine = {"plane": {"source": "moon"}, "mnist": {"source": "mnist", "limit": {"train": 100}}}
    samples = check(default_config({"samples": mine}))["samples"]
    plane = {"source": "moon", "points": 100, "test_points": 0, "noise": 23}
    assert samples["plane"] == {**plane, "limit": {"train": None, "test": None}}
    assert samples["mnist"]["limit"] == {"train": 100, "test": None}
    assert len(samples["mnist"]["mirrors"]) == 2


def test_every_source_of_samples_is_described_and_read(path_to_schema):
    described = yaml.safe_load(path_to_schema.read_text())["$defs"]["samples"]
    assert set(described) == {*SOURCES, "objects"}
    assert all(kind["properties"]["source"] == {"const": name} for name, kind in described.items())


def test_a_section_that_is_left_out_is_named(default_config, mistakes):
    config = default_config()
    del config["words"], config["title"]
    assert mistakes(config) == ["config: 'title' is missing", "config: 'words' is missing"]


def test_all_mistakes_are_named_at_once(default_config, mistakes):
    found = mistakes(default_config({"seed": "x", "sede": 1, "networks": {"planted": {"source": "timm"}}}))
    assert len(found) == 3


def test_complaint_is_short_and_says_what_it_is_about(default_config, path_to_schema):
    with pytest.raises(ValueError, match=r"^the config is wrong:\n  - seed is 'x'"):
        configuration.check(default_config({"seed": "x"}), path_to_schema)
