"""The image of envs/Dockerfile, built and used: a study in it, of a user without a name, makes the same bytes.

make test-image runs it, as root on Debian, in some twenty minutes (tests/cluster/image.sh). What is not docker's is the
base: Debian's Python of the same minor version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faults import comparison
from tests.faults.campaign import STUDY

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(not os.environ.get("FILTERSCOPE_IMAGE"), reason="FILTERSCOPE_IMAGE=1 lets an image be built"),
]

SCRIPT = Path(__file__).with_name("image.sh")
# Drawn scenes, a network whose filters are set by hand, and what it makes of them: numpy, Pillow, Arrow and torch.
TARGETS = ("results/data/scenes/repeats.csv", "results/activations/scenes/planted/thresholds.csv")


def image(*arguments: str | Path) -> str:
    done = subprocess.run(
        [SCRIPT, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Where the layers of the image lie."""
    folder = tmp_path_factory.mktemp("image")
    image("build", folder)
    yield folder
    image("remove", folder)


@pytest.fixture
def study(tmp_path) -> Path:
    """A folder that somebody without a name may write, and that holds the study."""
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy2(STUDY, folder / "study.yaml")
    return folder


def test_the_commands_are_there(built, study):
    assert "run a study" in image("run", built, study, "filterscope", "--help")


def test_a_study_in_the_image_makes_the_same_bytes(built, study, repository, tmp_path):
    asked = ("--configfile", "study.yaml", "--cores", "2", "--", *TARGETS)
    image("run", built, study, "snakemake", "--snakefile", "/opt/filterscope/Snakefile", *asked)
    here = tmp_path / "here"
    here.mkdir()
    shutil.copy2(STUDY, here / "study.yaml")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "Snakefile"), *asked]
    subprocess.run(command, cwd=here, check=True, capture_output=True)
    assert len(comparison.files(here / "results")) > 50
    assert comparison.differences(study / "results", here / "results") == []
