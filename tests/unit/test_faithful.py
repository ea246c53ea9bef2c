"""The defects of the reference are switches, all off, the same in the library, the config and its schema."""

import pytest
import yaml

from filterscope.faithful import Faithful


def test_config_and_schema_know_the_same_switches(repository):
    config = yaml.safe_load((repository / "config.yaml").read_text())["faithful"]
    schema = yaml.safe_load((repository / "rules" / "config.schema.yaml").read_text())["properties"]["faithful"]
    assert list(config) == Faithful.names() == list(schema["properties"]) == schema["required"]
    assert not any(config.values())
    assert Faithful(**config).none


def test_switching_some_on():
    assert Faithful.only("mask_scale", "unpooled") == Faithful(mask_scale=True, unpooled=True)
    assert not Faithful.only("mask_scale").none
    assert Faithful.only().none
    with pytest.raises(TypeError, match="transposed_maps"):
        Faithful.only("transposed_maps")
