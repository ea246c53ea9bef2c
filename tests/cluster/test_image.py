"""The image of envs/Dockerfile, built and used: a study in it, of a user without a name, makes the same bytes.

make test-image runs it, as root on Debian (tests/cluster/image.sh). What is not docker's is the base: Debian's Python
of the same minor version. FILTERSCOPE_IMAGE names the folder for its layers, which stay where it was there before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faults import comparison
from tests.faults.campaign import STUDY

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(not os.environ.get("FILTERSCOPE_IMAGE"), reason="FILTERSCOPE_IMAGE does not name a folder"),
]

SCRIPT = Path(__file__).with_name("image.sh")
# Drawn scenes, a network whose filters are set by hand, and what it makes of them: numpy, Pillow, Arrow and torch.
TARGETS = ("results/data/scenes/repeats.csv", "results/activations/scenes/planted/thresholds.csv")


NOT_HERE = 2  # exit status of the script


def image(*arguments: str | Path) -> str:
    done = subprocess.run(
        [SCRIPT, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode == NOT_HERE and arguments[0] == "build":
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def built() -> Path:
    """Where the layers of the image lie."""
    folder = Path(os.environ["FILTERSCOPE_IMAGE"]).resolve()
    stays = folder.exists()
    began = time.monotonic()
    print(image("build", folder), f"{time.monotonic() - began:.0f} s")
    yield folder
    if not stays:
        image("remove", folder)
        shutil.rmtree(folder)


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
