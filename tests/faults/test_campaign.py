"""A short kill campaign, and that a campaign notices what it is for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.faults import comparison
from tests.faults.campaign import Campaign
from tests.faults.killing import kill_group

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.mark.exhaustive
def test_a_few_kills_lose_nothing(undisturbed, new_runs):
    report = Campaign(undisturbed, new_runs("killed"), seed=0, longest=8).run(kills=4)
    assert report.kills.total() == 4
    assert report.rounds >= 1
    assert report.files > 50
    assert report.lost == []
    assert report.leftovers == []


@pytest.fixture
def campaign(undisturbed, new_runs):
    """Of a study whose results are a copy, so that they may be spoilt."""
    killed = new_runs("killed")
    subprocess.run(["cp", "-a", undisturbed.folder, killed.folder], check=True)
    return Campaign(undisturbed, killed, seed=0, longest=1)


def test_what_is_lost_is_noticed(campaign):
    results = campaign.killed.results
    (results / "data/scenes/images.parquet").write_bytes(b"half")
    (results / "data/scenes/categories.parquet").unlink()
    (results / "data/scenes/more.csv").touch()
    (results / "data/scenes/.images.parquet.7.part").touch()
    campaign.look_at_the_end()
    lost = "\n".join(campaign.report.lost)
    for path in ("images.parquet", "categories.parquet", "more.csv"):
        assert f"data/scenes/{path} is not as in the undisturbed run" in lost
    assert "a finished study plans further jobs" in lost, "categories.parquet has to be made again"
    assert len(campaign.report.leftovers) == 1
    assert comparison.changed(results, campaign.undisturbed.results) == [
        "data/scenes/images.parquet",
        "data/scenes/more.csv",
    ], "what is missing is no half-written file"


def test_processes_that_outlive_their_run_are_noticed_and_ended(new_runs):
    """Whoever their parent is: one that has left the session of its run, too."""
    runs = new_runs("killed")
    runs.folder.mkdir()
    child = f"import subprocess, time; subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(60)'], "
    child += "start_new_session=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", child], env=runs.marked(), start_new_session=True)
    while len(runs.processes()) < 2:
        assert parent.poll() is None
    dead = kill_group(runs, parent, choose=min)
    assert len(dead) == 1
    (left,) = runs.left(patience=0.2)
    assert "time.sleep(60)" in left
    runs.end()
    assert runs.left(patience=5) == []
