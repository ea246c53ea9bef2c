"""A job loads what it uses: which heavy packages importing a script may load (imports.yaml), no more and no fewer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def scripts(repository):
    """Path of every script, by name."""
    paths = sorted((repository / "workflow_scripts").glob("[!cf]*/**/*.py"))
    by_name = {path.stem: path for path in paths}
    assert len(by_name) == len(paths), "two scripts have one name"
    return by_name


@pytest.fixture(scope="module")
def allowed():
    """What each script may load; imports.yaml groups scripts that load the same."""
    groups = yaml.safe_load((HERE / "imports.yaml").read_text())
    return {name: packages.split() for packages, names in groups.items() for name in names}


def test_every_script_is_listed_once(scripts, allowed):
    groups = yaml.safe_load((HERE / "imports.yaml").read_text())
    assert sorted(name for names in groups.values() for name in names) == sorted(scripts)


@pytest.mark.slow
def test_scripts_load_what_they_may(scripts, allowed, repository):
    told = subprocess.run(
        [sys.executable, str(HERE / "loaded.py"), *map(str, scripts.values())],
        env={**os.environ, "PYTHONPATH": str(repository / "workflow_scripts")},
        check=True,
        capture_output=True,
        text=True,
    )
    loaded, wrong = json.loads(told.stdout), []
    for name, path in scripts.items():
        found, may = set(loaded[str(path)]), set(allowed[name])
        wrong += [f"{name} loads {each}, which imports.yaml does not allow" for each in sorted(found - may)]
        wrong += [f"{name} loads {each} no more: strike it off imports.yaml" for each in sorted(may - found)]
    assert not wrong, "\n".join(wrong)
