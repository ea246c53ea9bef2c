"""Where the workflow is found, and what is known of its rules."""

import re
from collections import Counter

import pytest

from filterscope.commands import CommandError, workflow


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library somewhere, without a workflow."""
    place = tmp_path / "site" / "filterscope"
    place.mkdir(parents=True)
    monkeypatch.setattr(workflow, "LIBRARY", place)
    workflow.root.cache_clear()
    yield place
    workflow.root.cache_clear()


def laid(folder):
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "config.schema.yaml").touch()
    (folder / "Snakefile").touch()
    return folder


def test_a_clone_has_it_above_the_library_and_a_wheel_within(library):
    with pytest.raises(CommandError, match=r"there is no workflow beside the library \(looked in .* and .*workflow\)"):
        workflow.root()
    within = laid(library / "workflow")
    assert workflow.root() == within
    workflow.root.cache_clear()
    above = laid(library.parents[1])
    assert workflow.root() == above


def test_it_is_this_clone_s(repository):
    assert workflow.root() == repository
    assert workflow.configuration().__file__.startswith(str(repository))


def test_every_rule_is_in_a_room(repository):
    rooms = workflow.rooms()
    text = "\n".join(path.read_text() for path in (repository / "rules").rglob("*.smk"))
    assert len(rooms) == len(re.findall(r"^(?:use )?rule ", text, re.MULTILINE))
    assert rooms["prepare_coco"] == "data"  # use rule ... as
    assert rooms["render_facets"] == "pictures"
    assert rooms["summarise_study"] == "report"


def test_jobs_are_counted_by_room_in_the_order_of_the_snakefile():
    jobs = ["all", "summarise_study", "score_words", "extract_activations", "prepare_scenes", "extract_activations"]
    assert workflow.by_room(jobs) == {
        "data": Counter(prepare_scenes=1),
        "activations": Counter(extract_activations=2),
        "words": Counter(score_words=1),
        "report": Counter(summarise_study=1),
        workflow.OTHERS: Counter(all=1),
    }
    assert list(workflow.by_room(jobs)) == ["data", "activations", "words", "report", workflow.OTHERS]
