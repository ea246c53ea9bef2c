"""gather_thresholds: the quantile of everything that the network answered, from the shards' tails."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from activations.gather_thresholds import gather_thresholds
from filterscope import tables
from filterscope.data import networks


@pytest.fixture(scope="module")
def activations(study):
    """Every activation of the study, [filters, n]."""
    network = networks.load(study.probe().network, study.weights)
    pictures = [np.asarray(Image.open(study.pictures / f"{n}.png")).transpose(2, 0, 1) for n in range(24)]
    maps = network(torch.from_numpy(np.stack(pictures).astype(np.float32) / 255))
    return maps.transpose(0, 1).flatten(1).numpy()


def test_equals_the_quantile_of_everything(study, activations):
    table = study.table("thresholds")
    expected = np.quantile(activations.astype(np.float64), 0.95, axis=1)
    np.testing.assert_allclose(table["threshold"], expected, rtol=1e-5)
    assert set(table["n"]) == {24 * 16 * 16}


def test_dead_filters_are_listed(study):
    table = study.table("thresholds")
    assert table["dead"].tolist() == [False, False, False, False, True]
    csv = pd.read_csv(study.folder / "thresholds.csv")
    assert csv[csv["dead"]]["filter"].tolist() == [4]


def test_the_lower_tail_is_a_switch(study, activations, tmp_path):
    """Reference defect: quantile 0.05 instead of 0.95, on maps that are mostly zero."""
    lower = replace(study.extraction, quantile=1 - study.extraction.quantile)
    study.extract(2, tmp_path, settings=lower)
    gather_thresholds(study.shards("tails", 2, tmp_path), tmp_path / "t.parquet", tmp_path / "t.csv", lower.quantile)
    table = tables.read(tmp_path / "t.parquet", "thresholds").to_pandas()
    np.testing.assert_allclose(table["threshold"], np.quantile(activations, lower.quantile, axis=1), atol=1e-6)
    assert table["dead"].tolist() == [False, False, False, False, True]


def test_tails_of_another_quantile_are_refused(study, tmp_path):
    with pytest.raises(ValueError, match="the tails keep"):
        gather_thresholds(study.shards("tails"), tmp_path / "t.parquet", tmp_path / "t.csv", 0.5)
    assert not list(tmp_path.iterdir())
