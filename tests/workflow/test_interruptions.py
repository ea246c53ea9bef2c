"""A killed run goes on where it was and ends with the same tables as an undisturbed one."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from filterscope import tables

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(1800)]

EXTRACTED = "results/activations/scenes/planted/shards/1-of-1/pooled.parquet"
VECTORS = "results/data/vocabularies/captions/vocabulary.parquet"
TRAINED = "results/words/scenes/planted/captions/history.csv"
CHECKPOINTS = "results/words/scenes/planted/captions/.explainer.*.checkpoint"


RANDOM = "results/words/scenes/planted/captions/null/random_network.parquet"
LONG = {"training": {"epochs": 1500}}


@pytest.fixture(scope="module")
def undisturbed(new_study):
    """A study whose explainer learns for a while: trained, and its word vectors made."""
    study = new_study(LONG)
    study.run(VECTORS, TRAINED)
    return study


def kill_when(study, target, sign) -> None:
    """Start making the target and kill everything, snakemake and its jobs, as soon as the sign exists."""
    process = subprocess.Popen(
        study.command(target),
        cwd=study.directory,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while not any(study.directory.glob(sign)):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, f"{sign} never appeared"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def go_on(study, target) -> str:
    """What docs/clusters.md says to do after a kill."""
    study.run("--unlock")
    return study.run(target)


def test_killed_during_extraction(new_study):
    many = {"datasets": {"scenes": {"train": 600}}}
    undisturbed, killed = new_study(many), new_study(many)
    undisturbed.run(EXTRACTED)
    kill_when(killed, EXTRACTED, "results/activations/scenes/planted/shards/1-of-1/.pooled.parquet.*.part")
    assert not (killed.directory / EXTRACTED).exists()
    go_on(killed, EXTRACTED)
    first, second = (tables.read(study.directory / EXTRACTED, "pooled_activations") for study in (undisturbed, killed))
    assert first.equals(second)
    assert (undisturbed.directory / EXTRACTED).read_bytes() == (killed.directory / EXTRACTED).read_bytes()


def test_full_disk(new_study, undisturbed):
    """A limit on the size of files stands in for it; what failed leaves nothing behind and is made again later."""
    full = new_study()
    captions = undisturbed.directory / "results/data/vocabularies/captions/captions.txt"
    said = full.run(VECTORS, check=False, largest_file=captions.stat().st_size // 2)
    assert "File too large" in said
    assert "Error in rule train_word_vectors" in said
    assert not list(full.directory.glob("results/data/**/*.*"))
    full.run(VECTORS)
    assert (undisturbed.directory / VECTORS).read_bytes() == (full.directory / VECTORS).read_bytes()


def test_temporary_tables_that_a_killed_run_left_go_with_the_run_that_takes_them(new_study):
    """Also those that nobody reads: jobs that end after their Snakemake do not remove what they wrote."""
    study = new_study({"shards": 2})
    study.run(RANDOM, "--notemp", "--until", "extract_untrained_activations")
    left = "results/activations/scenes/planted-untrained/shards/*/*.parquet"
    assert {path.stem for path in study.directory.glob(left)} == {"pooled", "images", "tails", "rejected", "maps"}
    study.run(RANDOM)
    assert list(study.directory.glob(left)) == []


def test_output_folder_that_cannot_be_written(new_study):
    """The kernel's own file system refuses new folders to everybody, the administrator included."""
    study = new_study()
    (study.directory / "results").symlink_to("/sys/kernel")
    said = study.run(EXTRACTED, check=False)
    assert "results" in said
    assert "Operation not permitted" in said or "Permission denied" in said or "Read-only" in said
    assert not list(study.directory.glob("**/*.parquet"))


def test_killed_during_training_goes_on_from_the_checkpoint(new_study, undisturbed):
    killed = new_study(LONG)
    kill_when(killed, TRAINED, CHECKPOINTS)
    assert not (killed.directory / TRAINED).exists()
    said = go_on(killed, TRAINED)
    assert "going on after epoch" in said
    assert (undisturbed.directory / TRAINED).read_bytes() == (killed.directory / TRAINED).read_bytes()
    weights = TRAINED.replace("history.csv", "explainer.pt")
    assert (undisturbed.directory / weights).read_bytes() == (killed.directory / weights).read_bytes()
    assert not list(killed.directory.glob(CHECKPOINTS))
