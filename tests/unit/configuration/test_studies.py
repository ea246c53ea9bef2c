"""The configs that come with the project are right, and a study of one's own leaves the embedded one out."""

from __future__ import annotations

import functools

import yaml
from tests.unit.configuration.entries import (
    PICTURES,
)

import configuration
from configuration import study


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


def test_an_importing_workflow_says_what_differs_and_the_rest_is_filled_in(repository, default_config):
    own = {"title": "Imported", "training": {"epochs": 3}, "explanations": []}
    config = dict(own)
    configuration.complete(config, repository / "config.yaml")
    assert config["title"] == "Imported"
    assert config["training"] == default_config()["training"] | {"epochs": 3}
    assert config["explanations"] == config["pictures"] == config["diagnosis"]["complexity"]["sets"] == []
    assert config["words"] == default_config()["words"]
    assert own["training"] == {"epochs": 3}
