"""Results in a bucket, or in another folder: the same bytes as on the machine's own disk, whatever the network does.

The server is a real one (tests/cluster/object_storage.py). What passes through it says FILTERSCOPE_STORAGE: `small`,
a whole small study (make test-storage); `embedded`, the whole embedded one (make test-storage STUDY=embedded); without
it just jobs that put down and read tables, and a folder of pictures. FILTERSCOPE_AT_HOME names the results/ of a run
of the same study on the machine's own disk, in a folder without the workflow, which is otherwise made first.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cluster.object_storage import Faults, Server, environment
from tests.faults import comparison
from tests.faults.campaign import STUDY

STUDIED = os.environ.get("FILTERSCOPE_STORAGE", "")
WHOLE = bool(STUDIED)
# Drawn scenes, a table of them, and what a network makes of them, read as a folder.
TARGETS = () if WHOLE else ("results/data/scenes/repeats.csv", "results/activations/scenes/planted/thresholds.csv")
FEWEST = {"": 90, "small": 150, "embedded": 2000}[STUDIED]  # files that these make
EVERY = {"": 6, "small": 12, "embedded": 12}[STUDIED]  # requests to one that fails
CONFIG = () if STUDIED == "embedded" else ("--configfile", STUDY)
HOURS = 6 if STUDIED == "embedded" else 1

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.timeout(3 * 3600 * HOURS)]


def snakemake(repository: Path, folder: Path, *arguments: str | Path, **variables: str) -> str:
    """Run the study in a folder; what was said. With pytest -s its jobs and times are told, too."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", repository / "Snakefile", *CONFIG]
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*map(str, command), "--cores", "2", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=3600 * HOURS,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    (folder / "said.txt").write_text(done.stdout)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    jobs = len(re.findall(r"^Finished jobid: ", done.stdout, re.MULTILINE))
    failed = len(re.findall(r"^Error in rule ", done.stdout, re.MULTILINE))
    print(f"{folder.name}: {jobs} jobs, {failed} failed, {worked:.0f} CPU s, {time.monotonic() - began:.0f} s")
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


@pytest.fixture(scope="module")
def at_home(repository, tmp_path_factory) -> Path:
    """Results of a run on the machine's own disk."""
    if made := os.environ.get("FILTERSCOPE_AT_HOME"):
        results = Path(made).resolve()
        assert not (results / "README.md").exists(), f"{results} is a checkout's: its README is a file too many"
        return results
    folder = tmp_path_factory.mktemp("at_home")
    snakemake(repository, folder, *TARGETS)
    return folder / "results"


def equal(results: Path, expected: Path) -> None:
    """Neither a file that differs nor one too many or too few."""
    compared = len(comparison.files(expected))
    print(f"{compared} files compared")
    assert compared >= FEWEST
    assert comparison.differences(results, expected) == []


def test_a_bucket_holds_the_same_bytes_though_connections_break(repository, at_home, tmp_path):
    profile = ("--workflow-profile", repository / "profiles/s3", "--default-storage-prefix", "s3://studies/one")
    if STUDIED == "embedded":  # of so many files a plan wants a bucket that is there (docs/clusters.md)
        (tmp_path / "server/studies").mkdir(parents=True)
        (tmp_path / "server/studies/kept").touch()
    with Server(tmp_path / "server") as server, Faults(server, every=EVERY) as faults:
        variables = environment(faults.port)
        snakemake(repository, tmp_path / "here", *profile, *TARGETS, **variables)
        print(f"{faults.met.total()} of {faults.met.total() + faults.answered} requests failed: {dict(faults.met)}")
        assert all(faults.met[kind] for kind in faults.kinds), faults.met
        equal(tmp_path / "server/studies/one/results", at_home)
        said = snakemake(repository, tmp_path / "elsewhere", *profile, "--dry-run", *TARGETS, **variables)
    assert "Nothing to be done" in said, "what is in the bucket is done, whoever made it"
    assert not (tmp_path / "here/results").exists()


@pytest.mark.skipif(not shutil.which("rsync"), reason="Snakemake's storage plugin fs moves files with rsync")
def test_another_folder_holds_the_same_bytes(repository, at_home, tmp_path):
    kept = tmp_path / "kept"
    storage = ("--default-storage-provider", "fs", "--default-storage-prefix", kept)
    snakemake(repository, tmp_path / "here", *storage, *TARGETS)
    equal(kept / "results", at_home)
    assert not (tmp_path / "here/results").exists()
