"""The embedded study, run once and then looked at from all sides."""

from __future__ import annotations

import fcntl
import os
import re
import resource
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests import started

REPOSITORY = Path(__file__).resolve().parents[2]
KNOWN = ("planted", "cnn_units")  # probes whose right names are known
SCHEDULES = ("constant", "one_cycle", "actcoolr", "schedule_free")  # of the embedded study


@dataclass
class Study:
    """A workflow of its own that may be edited, its results and its config."""

    workflow: Path
    directory: Path
    config: dict

    def command(self, *arguments: str | Path, config: dict | None = None) -> list[str]:
        """Snakemake's command line; a changed config is written beside the results."""
        path = self.directory / "study.yaml"
        path.write_text(yaml.safe_dump(config or self.config, sort_keys=False))
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.workflow / "Snakefile"]
        command += ["--directory", self.directory, "--configfile", path, "--replace-workflow-config", "--cores", "2"]
        return [*map(str, command), *map(str, arguments)]

    def run(
        self,
        *arguments: str | Path,
        config: dict | None = None,
        check: bool = True,
        largest_file: int = resource.RLIM_INFINITY,
    ) -> str:
        """Run Snakemake and return what it said; no job can write a file of more bytes than largest_file."""
        _, _, _, *command = self.command(*arguments, config=config)
        environment = {**os.environ, "PYTHONPATH": ""}
        code, said = started.snakemake(command, self.directory, environment, largest_file)
        if check and code:
            pytest.fail(f"snakemake {' '.join(map(str, arguments))} failed:\n{said[-8000:]}")
        return said

    def planned(self, *arguments: str | Path, config: dict | None = None) -> Counter:
        """How many jobs of each rule a run would start."""
        said = self.run("-n", *arguments, config=config)
        counts = re.findall(r"^(\w+)\s+(\d+)$", said, re.MULTILINE)
        return Counter({rule: int(count) for rule, count in counts if rule != "total"})

    def copied(self, directory: Path) -> Study:
        """The same study elsewhere, to be changed; results keep their times."""
        shutil.copytree(self.directory, directory / "study", symlinks=True)
        shutil.copytree(self.workflow, directory / "workflow")
        return Study(directory / "workflow", directory / "study", self.config)


def copy_workflow(target: Path) -> Path:
    """What a run needs of the project, with what Python has compiled of it: but for what it is writing just now."""
    target.mkdir(parents=True)
    for name in ("Snakefile", "config.yaml"):
        shutil.copy2(REPOSITORY / name, target / name)
    for name in ("rules", "workflow_scripts", "profiles", "envs", "studies"):
        shutil.copytree(REPOSITORY / name, target / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    return target


@pytest.fixture(scope="session")
def new_study(tmp_path_factory, small_config):
    """Makes a study that has not run yet."""

    def make(updates: dict | None = None) -> Study:
        folder = tmp_path_factory.mktemp("study")
        (folder / "results_here").mkdir()
        return Study(copy_workflow(folder / "workflow"), folder / "results_here", small_config(updates))

    return make


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory, default_config) -> Study:
    """The embedded study, as large as it is, for the two probes whose right names are known; finished.

    All processes of a test run (xdist) share it: one runs it, the others wait. So only tests of one file,
    test_reruns.py, may start Snakemake in it, and none may change its results.
    """
    explanations = [
        {"dataset": "scenes", "probe": probe, "vocabulary": "captions", "clip": "scenes_clip"} for probe in KNOWN
    ]
    duel = {"network": "convnet", "samples": "digits", "schedules": list(SCHEDULES), "seeds": [0]}
    config = default_config(
        {
            "explanations": explanations,
            "defects": [],
            "scores": {"bootstrap": 50},
            "facetting": {"seeds": 1, "bootstraps": 1},
            "temperature": {"trials": 2, "duels": [duel]},
        }
    )
    for entry in config["diagnosis"]["robustness"]["sets"]:
        entry["seeds"] = 1
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "finished_study"
    folder.mkdir(exist_ok=True)
    study, done = Study(folder / "workflow", folder / "study", config), folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            if study.workflow.exists():
                pytest.fail("another process of this test run could not finish the study; its first test says why")
            copy_workflow(study.workflow)
            study.directory.mkdir()
            study.run()
            done.touch()
    return study
