"""The same bytes: with one core and with two, in two folders, with two temporary folders."""

from __future__ import annotations

import pytest
from tests.faults import comparison
from tests.faults.campaign import STUDY
from tests.faults.killing import Runs

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.timeout(3600)]

# Of rules that have a number of threads of their own.
TRAINED = ("results/data/networks/scenes_cnn/weights.pt", "results/data/clips/scenes_clip/weights.pt")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of one study of two threads, each in surroundings of its own; the first is granted one core."""
    made = []
    for cores in (1, 2):
        folder, temporary = (
            tmp_path_factory.mktemp(f"cores_{cores}_"),
            tmp_path_factory.mktemp("t"),
        )
        settings = STUDY.read_text(encoding="utf-8").replace("threads: 1\n", "threads: 2\n")
        (folder / "study.yaml").write_text(settings, encoding="utf-8")
        made.append(Runs(folder, folder / "study.yaml", cores, ("all", *TRAINED), {"TMPDIR": str(temporary)}))
        made[-1].finish()
    return made


def test_every_table_and_figure_is_the_same(runs):
    one, two = (each.results for each in runs)
    assert len(comparison.files(one)) > 150
    assert comparison.differences(one, two) == []


def test_no_table_tells_where_it_was_made(runs):
    """Neither the folder nor the temporary one stands in any file."""
    for each in runs:
        told = [str(each.folder).encode(), each.environment["TMPDIR"].encode()]
        for path in sorted(comparison.files(each.results)):
            content = (each.results / path).read_bytes()
            assert not [place for place in told if place in content], path


def test_no_process_and_no_hidden_file_is_left(runs):
    for each in runs:
        assert each.left(patience=10) == []
        assert comparison.hidden(each.results) == set()
