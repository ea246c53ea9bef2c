"""The registry of dataset sources: every source that the config may name is in it, with a reader that can be called."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest
import yaml
from PIL import Image

from filterscope.data.datasets import sources
from filterscope.data.datasets.sources import SOURCES
from filterscope.pictures.facets import classes

READ = [name for name, source in SOURCES.items() if source.reader]


def test_the_config_may_name_exactly_these(repository):
    schema = yaml.safe_load((repository / "rules" / "config.schema.yaml").read_text())
    assert set(schema["$defs"]["datasets"]) == set(SOURCES)
    for name, kind in schema["$defs"]["datasets"].items():
        assert kind["properties"]["source"] == {"const": name}
        assert ("reference" in kind["properties"]) is not SOURCES[name].annotated


@pytest.mark.parametrize("name", READ)
def test_every_reader_takes_a_folder_and_the_keys_of_its_config(name, repository):
    module, _, function = SOURCES[name].reader.partition(":")
    parameters = [*inspect.signature(getattr(importlib.import_module(module), function)).parameters]
    assert parameters[:3] == ["folder", "max_bad_fraction", "threads"]
    schema = yaml.safe_load((repository / "rules" / "config.schema.yaml").read_text())
    elsewhere = {"source", "folder", "mirror", "verify", "reference", "max_bad_fraction"}
    assert set(parameters[3:]) == set(schema["$defs"]["datasets"][name]["properties"]) - elsewhere


def test_classes_are_made_in_ways_that_exist():
    known = {classes.FOLDER, classes.SHAPE, classes.CATEGORY}
    assert {source.classes_by for source in SOURCES.values()} == known


def test_without_annotations_something_else_makes_a_class():
    with pytest.raises(ValueError, match="a source without annotations has no categories"):
        sources.Source("filterscope.data.datasets.folder:read_folder", annotated=False)


def test_reading_by_name(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "sea.png")
    found = sources.read("folder", tmp_path, 0, 1)
    assert found.images["path"].to_pylist() == ["sea.png"]
    with pytest.raises(ValueError, match="source is 'scenes', should be one of coco, folder"):
        sources.read("scenes", tmp_path, 0, 1)
    with pytest.raises(TypeError, match="wole_names"):
        sources.read("coco", tmp_path, 0, 1, wole_names=True)


def test_planning_imports_no_reader(repository):
    """The workflow reads the registry each time that it plans."""
    listed = "import sys; import filterscope.data.datasets.sources; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", listed], cwd=repository / "workflow_scripts", capture_output=True, text=True, check=True
    )
    assert not {"numpy", "pyarrow", "torch", "PIL"} & set(said.stdout.split())
