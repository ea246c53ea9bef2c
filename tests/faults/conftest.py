"""A study of two jobs, which the quick tests run, kill and run again."""

from __future__ import annotations

import pytest
from tests.faults.campaign import STUDY
from tests.faults.killing import Runs

REPEATS = "results/data/scenes/repeats.csv"  # of the pictures that prepare_scenes draws


@pytest.fixture
def new_runs(tmp_path):
    """Makes runs in a folder of their own; whatever they start ends with the test."""
    made = []

    def make(name: str, targets=(REPEATS,), **settings) -> Runs:
        made.append(Runs(tmp_path / name, STUDY, targets=targets, **settings))
        return made[-1]

    yield make
    for runs in made:
        runs.end()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Runs:
    """The same study, finished."""
    runs = Runs(tmp_path_factory.mktemp("undisturbed"), STUDY, targets=(REPEATS,))
    runs.finish()
    return runs
