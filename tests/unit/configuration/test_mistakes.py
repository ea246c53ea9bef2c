"""A wrong config is refused before anything runs, with the key, what was found and what would be right."""

from __future__ import annotations

import re

import pytest

import configuration


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
        # a study to compare with
        (
            {"atlas": {"beside": "nowhere/results"}},
            r"atlas\.beside is 'nowhere/results', which has no report/atlas_places\.json; should be the results folder",
        ),
        # paths that Snakemake would take apart
        (
            {"datasets": {"album": {"source": "folder", "folder": "/data/{a}/b", "reference": "scenes"}}},
            r"datasets\.album\.folder is '/data/\{a\}/b': Snakemake reads \{\.\.\.\} as a wildcard.*ln -s",
        ),
        (
            {"vocabularies": {"mine": {"source": "glove", "file": "a}.txt"}}},
            r"vocabularies\.mine\.file is 'a\}\.txt': Snakemake reads",
        ),
        (
            {"networks": {"mine": {"source": "checkpoint", "architecture": "resnet18", "file": "w{1}.pt"}}},
            r"networks\.mine\.file is 'w\{1\}\.pt'",
        ),
        # wrong types and values
        ({"seed": "zero"}, "seed is 'zero': 'zero' is not of type 'integer'"),
        ({"seed": -1}, "seed is -1: -1 is less than the minimum of 0"),
        ({"seed": True}, "seed is True: True is not of type 'integer'"),
        ({"shards": 0}, "shards is 0: 0 is less than the minimum of 1"),
        (
            {"probes": {"deep": {"network": "scenes_cnn", "layer": 7}}},
            r"probes.deep.layer is 7: .*; write it in quotes, as '7'",
        ),
        ({"training": {"learning_rate": "1e-3"}}, "training.learning_rate is '1e-3': .*; write it as 0.001"),
        (
            {"training": {"learning_rate": "fast"}},
            "training.learning_rate is 'fast': 'fast' is not of type 'number' \\(of adamw\\)$",
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
            {"networks": {"planted": {"source": "keras"}}},
            "networks.planted.source is 'keras', should be one of scenes_cnn",
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
        ({"probes": {"mine": {"network": "planted"}}}, "probes.mine has neither layer nor layers"),
        # numbers that do not go together
        ({"words": {"voting": 21}}, "words.voting is larger than words.per_image"),
        ({"occlusion": {"size": 0.15, "stride": 0.3}}, "occlusion.stride is 0.3, larger than size, 0.15: squares"),
        (
            {"scores": {"recall_at": [5, 50]}},
            "scores.recall_at asks for more words than words.per_image keeps",
        ),
        ({"sheets": {"images": 26}}, "sheets.images asks for more images than words.top_images mines"),
        ({"proofs": {"objects": 3}}, "proofs.fewest is 4, larger than proofs.objects, 3: nothing could ever be told"),
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


def test_a_section_that_is_left_out_is_named(default_config, mistakes):
    config = default_config()
    del config["words"], config["title"]
    assert mistakes(config) == ["config: 'title' is missing", "config: 'words' is missing"]


def test_all_mistakes_are_named_at_once(default_config, mistakes):
    found = mistakes(default_config({"seed": "x", "sede": 1, "networks": {"planted": {"source": "keras"}}}))
    assert len(found) == 3


def test_complaint_is_short_and_says_what_it_is_about(default_config, path_to_schema):
    with pytest.raises(ValueError, match=r"^the config is wrong:\n  - seed is 'x'"):
        configuration.check(default_config({"seed": "x"}), path_to_schema)


def test_vectors_without_a_file_are_those_of_sources_that_a_rule_brings(default_config, check, mistakes):
    (line,) = mistakes(default_config({"vocabularies": {"mine": {"source": "word2vec", "file": ""}}}))
    assert line.startswith("vocabularies.mine.file is '': should be a file of word vectors; only sources captions and")
    (line,) = mistakes(default_config({"vocabularies": {"mine": {"source": "glove", "file": "", "member": "a.txt"}}}))
    assert line.startswith("vocabularies.mine.file is ''")
    config = check(default_config())
    config["vocabularies"]["mine"] = {"source": "fasttext", "file": None}
    (line,) = configuration.data.mistakes(config)  # of a source that the schema got and no rule
    assert line.startswith("vocabularies.mine.file is None: ")
    assert line.endswith("this one is 'fasttext'")


def test_paths_that_lead_back_to_themselves(default_config, mistakes, tmp_path):
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")  # of which whoever needs it speaks
    datasets = {
        name: {"source": "folder", "folder": str(tmp_path / name), "reference": "scenes"}
        for name in ("round", "nowhere")
    }
    (line,) = mistakes(default_config({"datasets": datasets}))
    assert line.startswith(f"datasets.round.folder is '{tmp_path / 'round'}': a link that leads back to itself; should")
