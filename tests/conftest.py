"""What the tests share: the real data, a small study, and Snakemake in a folder of its own."""

from __future__ import annotations

import copy
import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

# As the workflow's jobs do (configuration.yield_idle_cores); must be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests are small: threads only wait for each other

REPOSITORY = Path(__file__).resolve().parents[1]

# The embedded study, shrunk until it runs in seconds: enough to exercise every rule, too little to learn.
SMALL = {
    "datasets": {"scenes": {"train": 64, "val": 32, "size": 64}},
    "vocabularies": {"captions": {"dimension": 16, "sentences": 2000, "epochs": 2}},
    "networks": {
        "scenes_cnn": {"epochs": 1, "batch_size": 16, "input": {"resize": 64, "crop": 64}},
        "planted": {"input": {"resize": 64, "crop": 64}},
    },
    "activations": {"batch_size": 16},
    "training": {"epochs": 2, "batch_size": 32},
    "words": {"top_images": 8},
    "scores": {"bootstrap": 20, "resolution": 28},
    "sheets": {"filters": 2, "images": 4},
    "recipes": {"maco": {"steps": 4}, "fourier": {"steps": 4}},
    "strongest_filters": [{"dataset": "scenes", "probe": "cnn_last", "images": [64]}],
    "occlusions": [{"dataset": "scenes", "probe": "cnn_last", "images": [64], "cover": "objects"}],
    "occlusion": {"rectangles": 4},
}


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Real photographs, networks and vocabularies; the test is skipped where there are none."""
    folder = os.environ.get("FILTERSCOPE_REALDATA")
    if not folder:
        pytest.skip("FILTERSCOPE_REALDATA does not name a folder with real photographs and networks")
    if not Path(folder).is_dir():
        pytest.fail(f"FILTERSCOPE_REALDATA is {folder!r}, which is not a folder")
    return Path(folder).resolve()


def merged(config: dict, updates: dict) -> dict:
    """A copy of the config with updates, as Snakemake's --configfile does: mappings merge, lists do not."""
    result = copy.deepcopy(config)
    for key, value in updates.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


@pytest.fixture(scope="session")
def default_config() -> Callable[..., dict]:
    """The config of the embedded study, complete, with these updates."""
    text = (REPOSITORY / "config.yaml").read_text()
    return lambda updates=None: merged(yaml.safe_load(text), updates or {})


@pytest.fixture(scope="session")
def small_config(default_config) -> Callable[..., dict]:
    """The config of a small study, complete, with these updates."""
    return lambda updates=None: merged(default_config(SMALL), updates or {})


@pytest.fixture
def run_snakemake(tmp_path, run_anywhere) -> Callable[..., subprocess.CompletedProcess]:
    """Runs the workflow in the test's own folder; otherwise as `run_anywhere`."""
    return functools.partial(run_anywhere, directory=tmp_path)


@pytest.fixture(scope="session")
def run_anywhere() -> Callable[..., subprocess.CompletedProcess]:
    """Runs the workflow in a folder and returns what it said.

    Called with Snakemake's arguments; `config` is a complete config (none: the project's config.yaml),
    `directory` where the results go, `environment` what is added to the environment, `check` whether a failure
    fails the test.
    """

    def run(
        *arguments: str | Path,
        directory: Path,
        config: dict | None = None,
        environment: dict[str, str] | None = None,
        check: bool = True,
        timeout: float = 3000,
    ) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile"]
        command += ["--directory", directory]
        if config is not None:
            path_to_config = directory / "study.yaml"
            path_to_config.write_text(yaml.safe_dump(config, sort_keys=False))
            command += ["--configfile", path_to_config, "--replace-workflow-config"]
        result = subprocess.run(
            [*map(str, command), *map(str, arguments)],
            env={**os.environ, **(environment or {})},
            cwd=directory,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        if check and result.returncode:
            pytest.fail(f"snakemake {' '.join(map(str, arguments))} failed:\n{result.stdout[-8000:]}")
        return result

    return run
