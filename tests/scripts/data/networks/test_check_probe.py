"""A probe's layer is checked alone, and those of one pass together; both before anything is computed."""

import pandas as pd
import pytest

from data.networks.check_probe import check_probe
from data.networks.gather_checks import gather_checks
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import MemoryLimitError, parts
from filterscope.activations.probing import ProbeSettings

NETWORK = {"source": "scenes_cnn", "input": {"resize": 32, "crop": 32}}
SETTINGS = {"batch_size": 8}


@pytest.fixture
def check(tmp_path):
    def check(layer, name, **others):
        probe = ProbeSettings.from_mapping({"network": NETWORK, "layer": layer})
        path = tmp_path / f"{name}.parquet"
        check_probe(path, probe, name, ExtractionSettings(**SETTINGS), 100, **others)
        return path

    return check


def test_what_was_seen_is_a_line_and_those_of_all_probes_a_table(check, tmp_path):
    paths = [check("features.2", "cnn.first"), check("features", "cnn.last"), check("classifier", "units")]
    gather_checks(paths, tmp_path / "all.csv", {"cnn": (SETTINGS, 100)}, max_memory=1)
    found = pd.read_csv(tmp_path / "all.csv").set_index("probe")
    assert found.loc[:, ["filters", "height"]].values.tolist() == [[16, 16], [64, 4], [8, 4]]
    assert found["largest"].tolist() == [16 * 16 * 16] * 3
    assert found["weights"].nunique() == 1
    assert found["weights"].iloc[0] > 4 * 64 * 64 * 9 * 3
    gather_checks([], tmp_path / "none.csv", {"cnn": (SETTINGS, 100)}, max_memory=1)
    assert len(pd.read_csv(tmp_path / "none.csv")) == 0


def test_maps_of_one_cell_are_read_and_said(tmp_path, caplog):
    probe = ProbeSettings.from_mapping({"network": NETWORK, "layer": "pool"})
    with caplog.at_level("WARNING", "filterscope"):
        check_probe(tmp_path / "pool.parquet", probe, "pool", ExtractionSettings(**SETTINGS), 100)
    assert "pool: maps of one cell tell what excites a filter, not where" in caplog.text
    (line,) = tables.read(tmp_path / "pool.parquet", "checked_layers").to_pylist()
    assert (line["height"], line["width"], line["filters"]) == (1, 1, 8)


def test_more_than_max_memory_is_refused_and_writes_nothing(check, tmp_path):
    with pytest.raises(
        MemoryLimitError, match=r"probe deep, layer features: needs about .* max_memory allows 0.001 GB"
    ):
        check("features", "deep", max_memory=0.001)
    assert not (tmp_path / "deep.parquet").exists()
    paths = [check("features.2", "cnn.first", max_memory=0.003), check("features", "cnn.last", max_memory=0.003)]
    lines = tables.read(paths, "checked_layers").to_pylist()
    alone, both = (
        sum(part.bytes for part in parts(some, ExtractionSettings(**SETTINGS), 100)) for some in (lines[:1], lines)
    )
    assert alone < both < 0.003e9
    with pytest.raises(MemoryLimitError, match="probe cnn, 2 layers: needs about"):
        gather_checks(paths, tmp_path / "all.csv", {"cnn": (SETTINGS, 100)}, max_memory=(alone + both) / 2e9)
    assert not (tmp_path / "all.csv").exists()
