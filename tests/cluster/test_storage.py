"""Results in a bucket, or in another folder: the same bytes as on the machine's own disk, whatever the network does.

The server is a real one (tests/cluster/object_storage.py). FILTERSCOPE_STORAGE=1 has a whole small study pass through
it (make test-storage); without it just jobs that put down and read tables, and a folder of pictures.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster.object_storage import Faults, Server, environment
from tests.faults import comparison
from tests.faults.campaign import STUDY

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

WHOLE = bool(os.environ.get("FILTERSCOPE_STORAGE"))
# Drawn scenes, a table of them, and what a network makes of them, read as a folder.
TARGETS = () if WHOLE else ("results/data/scenes/repeats.csv", "results/activations/scenes/planted/thresholds.csv")
FEWEST = 150 if WHOLE else 90  # files that these make


def snakemake(repository: Path, folder: Path, *arguments: str | Path, **variables: str) -> str:
    """Run the study in a folder; what was said."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", repository / "Snakefile", "--configfile", STUDY]
    done = subprocess.run(
        [*map(str, command), "--cores", "2", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=3000,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


@pytest.fixture(scope="module")
def at_home(repository, tmp_path_factory) -> Path:
    """Results of a run on the machine's own disk."""
    folder = tmp_path_factory.mktemp("at_home")
    snakemake(repository, folder, *TARGETS)
    assert len(comparison.files(folder / "results")) >= FEWEST
    return folder / "results"


def test_a_bucket_holds_the_same_bytes_though_connections_break(repository, at_home, tmp_path):
    profile = ("--workflow-profile", repository / "profiles/s3", "--default-storage-prefix", "s3://studies/one")
    with Server(tmp_path / "server") as server, Faults(server, every=12 if WHOLE else 6) as faults:
        variables = environment(faults.port)
        snakemake(repository, tmp_path / "here", *profile, *TARGETS, **variables)
        assert all(faults.met[kind] for kind in faults.kinds), faults.met
        assert comparison.differences(tmp_path / "server/studies/one/results", at_home) == []
        said = snakemake(repository, tmp_path / "elsewhere", *profile, "--dry-run", *TARGETS, **variables)
    assert "Nothing to be done" in said, "what is in the bucket is done, whoever made it"
    assert not (tmp_path / "here/results").exists()


@pytest.mark.skipif(not shutil.which("rsync"), reason="Snakemake's storage plugin fs moves files with rsync")
def test_another_folder_holds_the_same_bytes(repository, at_home, tmp_path):
    kept = tmp_path / "kept"
    storage = ("--default-storage-provider", "fs", "--default-storage-prefix", kept)
    snakemake(repository, tmp_path / "here", *storage, *TARGETS)
    assert comparison.differences(kept / "results", at_home) == []
    assert not (tmp_path / "here/results").exists()
