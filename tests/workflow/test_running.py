"""What other people do with a study that runs or has run: move it, touch it, stop early, start it twice."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

from filterscope import provenance

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

TARGETS = ("results/diagnosis/complexity/complexity.csv", "results/data/album/images.parquet")
JOBS = {"prepare_samples": 1, "measure_complexity": 1, "tabulate_complexity": 1, "prepare_folder": 1}
UPDATES = {
    "datasets": {"album": {"source": "folder", "folder": "mine", "reference": "scenes"}},
    "samples": {"mine": {"source": "folder", "folder": "mine"}},
    "diagnosis": {"complexity": {"sets": [{"samples": "mine"}]}, "fit": {"pairs": []}},
}


@pytest.fixture(scope="module")
def begin(new_study):
    """Makes a study of a few pictures of one's own that has not run yet: four jobs."""

    def make():
        study, generator = new_study(UPDATES), np.random.default_rng(0)
        for name, brightest in (("dark", 100), ("bright", 250)):
            (study.directory / "mine" / name).mkdir(parents=True)
            for number in range(30):
                values = generator.integers(0, brightest, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(values).save(study.directory / "mine" / name / f"{number}.png")
        return study

    return make


@pytest.fixture(scope="module")
def finished(begin):
    """The same, run; its pictures may be read only, which the administrator's tests could not notice."""
    study = begin()
    pictures = study.directory / "mine"
    for path in (*pictures.rglob("*"), pictures):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted(pictures.rglob("*")), provenance.listing(pictures)
    study.run(*TARGETS)
    assert before == (sorted(pictures.rglob("*")), provenance.listing(pictures)), "inputs are read, never written"
    return study


def test_a_finished_study_plans_nothing(finished):
    assert not finished.planned(*TARGETS)


def test_nor_does_it_elsewhere(finished, tmp_path):
    """Copied with its times (cp -a, rsync -a); the workflow cloned, so that all its files are new."""
    study = finished.copied(tmp_path)
    for path in study.workflow.rglob("*"):
        os.utime(path)
    assert not study.planned(*TARGETS)
    (study.directory / "mine/dark/0.png").chmod(0o644)
    os.utime(study.directory / "mine/dark/0.png")
    assert study.planned(*TARGETS) == JOBS, "a picture that is new there is one"


def test_touch_takes_results_for_made_with_what_is_there_now(finished, tmp_path):
    study = finished.copied(tmp_path)
    os.utime(study.directory / "mine/dark/0.png")
    before = (study.directory / TARGETS[0]).read_bytes()
    assert study.planned(*TARGETS) == JOBS
    study.run("--touch", *TARGETS)
    assert not study.planned(*TARGETS)
    assert (study.directory / TARGETS[0]).read_bytes() == before


def test_until_and_omit_from_stop_early(begin):
    study = begin()
    assert study.planned("--until", "prepare_samples", "--", *TARGETS) == {"prepare_samples": 1}
    assert study.planned("--omit-from", "measure_complexity", "--", *TARGETS) == {
        "prepare_samples": 1,
        "prepare_folder": 1,
    }
    study.run("--until", "prepare_samples", "--", *TARGETS)
    assert (study.directory / "results/data/samples/mine/samples.parquet").exists()
    assert not (study.directory / "results/diagnosis").exists()
    assert study.planned(*TARGETS) == {rule: 1 for rule in JOBS if rule != "prepare_samples"}, "it goes on from there"


def test_two_runs_at_once_in_one_folder(begin):
    """The second is refused and says what to do; the first never notices."""
    study = begin()
    with subprocess.Popen(
        study.command(*TARGETS), cwd=study.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as first:
        deadline = time.monotonic() + 240
        while not any(study.directory.glob(".snakemake/locks/*")):
            assert first.poll() is None, "the run ended before another could begin"
            assert time.monotonic() < deadline, "the run never locked its folder"
            time.sleep(0.02)
        first.send_signal(signal.SIGSTOP)  # so that it cannot end before the second has begun
        try:
            said = study.run(*TARGETS, check=False)
        finally:
            first.send_signal(signal.SIGCONT)
    assert "Directory cannot be locked" in said
    assert "--unlock" in said
    assert first.returncode == 0
    assert not study.planned(*TARGETS)
