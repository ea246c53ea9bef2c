"""Small pictures, and trainings on them."""

from __future__ import annotations

import numpy as np
import pytest
from tests.scripts.temperature.trainings import SCHEDULES, trained

from filterscope.data.samples.labelled_samples import split_off, write_samples


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Ninety pictures of 8 x 8 px whose bright rows tell their class."""
    folder = tmp_path_factory.mktemp("temperature")
    generator = np.random.default_rng(0)
    labels = np.arange(90) % 3
    values = generator.integers(0, 150, (90, 1, 8, 8)).astype(np.uint8)
    for row, label in enumerate(labels):
        values[row, 0, 2 * label : 2 * label + 3] += 100
    write_samples(split_off(values, labels.astype(np.int64), ("a", "b", "c"), 0.3, 0), folder / "samples.parquet")
    return folder


@pytest.fixture(scope="session")
def trainings(folder):
    """Two schedules, three seeds each."""
    return {name: trained(folder, name) for name in SCHEDULES}
