"""What jobs ask for follows the data."""

from __future__ import annotations

import pytest
import yaml

from configuration import resources
from filterscope.faithful import Faithful
from filterscope.words.defects import variants

POOLED = "results/activations/{}/{}/shards/1-of-{}/pooled.parquet"


@pytest.fixture(scope="module")
def coco(default_config, repository):
    return default_config(yaml.safe_load((repository / "studies/coco.yaml").read_text()))


def asked(config, inputs, attempt=1, threads=1, most=10**9):
    return resources.memory(1000, 2, inputs, config, threads, attempt, most)


def test_a_table_that_is_there_counts_as_it_is(default_config, tmp_path):
    table = tmp_path / "pooled.parquet"
    table.write_bytes(bytes(30 * resources.MB))
    assert asked(default_config(), [table]) == 1060
    assert asked(default_config(), [table, tmp_path]) == 1060  # a folder's pictures are read one by one
    assert asked(default_config(), [table], attempt=2) == 2120
    assert asked(default_config(), [table], threads=3) == 2060
    assert asked(default_config(), [table], attempt=5, most=9000) == 9000


def test_before_the_tables_are_there_the_config_tells(default_config, coco):
    *_, probe = coco["probes"]
    whole = asked(coco, [POOLED.format("coco", probe, 1)])
    assert 12_000 < whole < 20_000  # 896,782 objects, 2,048 filters, 4 bytes, twice
    assert asked(coco, [POOLED.format("coco", probe, 8)] * 8) == pytest.approx(whole, rel=0.001)
    assert asked(default_config(), [POOLED.format("scenes", "cnn_last", 1)]) < 1010
    words = "results/data/vocabularies/{}/vocabulary.parquet"
    assert asked(coco, [words.format("glove")]) > 1900
    assert asked(default_config(), [words.format("captions")]) < 1010


def test_time_and_disk_grow_with_the_data_and_with_attempts(tmp_path):
    assert resources.minutes(20, 5, 0, attempt=1) == 20
    assert resources.minutes(20, 5, 15_000, attempt=1) == 95
    assert resources.minutes(20, 5, 15_000, attempt=2) == 190
    assert resources.minutes(20, 5, 10**8, attempt=1) == resources.LONGEST
    archive = tmp_path / "images.zip"
    archive.write_bytes(bytes(10 * resources.MB))
    assert resources.disk(2000, 2.2, [archive, tmp_path / "none"], attempt=1) == 2022


def test_variants_are_not_cut_and_shared_out_among_jobs():
    assert len(variants(Faithful.names())) == resources.VARIANTS == 15
    for jobs in (1, 2, 8, 14, 15, 40):
        largest = len(variants(Faithful.names(), f"1-of-{jobs}"))
        assert resources.parts(15, jobs) == pytest.approx(15 / largest)
    assert not variants(Faithful.names(), "16-of-40")


def test_pictures_of_a_folder_that_is_there_are_counted(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.jpg").touch()
    config = {
        "datasets": {
            "album": {"source": "folder", "folder": str(tmp_path)},
            "gone": {"source": "folder", "folder": str(tmp_path / "gone")},
            "coco": {"source": "coco", "folder": None},
            "scenes": {"source": "scenes", "train": 30, "val": 10, "objects": [1, 4]},
        }
    }
    assert resources.counted("album", config) == (3, 30)
    assert resources.counted("coco", config) == (123_287, pytest.approx(896_782, rel=0.01))
    assert resources.counted("scenes", config) == (40, 160)
    assert resources.counted("gone", config) == (10_000, 100_000)


def test_a_folder_of_what_is_downloaded_is_not_looked_through_where_it_has_very_many(tmp_path, monkeypatch):
    """Every process of a run would do so again."""
    monkeypatch.setattr(resources, "LARGE", 3)
    (tmp_path / "train2017").mkdir()
    config = {"datasets": {"coco": {"source": "coco", "folder": str(tmp_path)}}}
    for number, expected in ((3, 3), (1, 123_287)):
        for name in range(number):
            (tmp_path / "train2017" / f"{number}{name}.jpg").touch()
        resources._pictures.cache_clear()
        assert resources.counted("coco", config)[0] == expected
