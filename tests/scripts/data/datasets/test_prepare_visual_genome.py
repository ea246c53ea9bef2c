"""prepare_visual_genome writes its tables, all of which fit their schemas, or none; compare_categories beside them."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.datasets.compare_categories import compare_categories
from data.datasets.prepare_visual_genome import prepare_visual_genome
from filterscope import tables
from filterscope.data.datasets.visual_genome import VisualGenomeSettings
from filterscope.data.rejection import RejectionError
from filterscope.data.vocabularies.vocabulary import Vocabulary

NAMES = ("images", "annotations", "categories", "rejected", "passes", "findings")
WORDS = ["tree", "car", "traffic", "light"]


SETTINGS = VisualGenomeSettings(min_count=2)


def prepared(folder, results, **changed):
    """The tables by name, or none if the script fails."""
    results.mkdir(exist_ok=True)
    vocabulary = results.parent / "vocabulary.parquet"
    tables.write(Vocabulary(WORDS, np.eye(4)).to_table(), "vocabulary", vocabulary)
    paths = {name: results / f"{name}.parquet" for name in NAMES}
    paths |= {f"{name}_csv": results / f"{name}.csv" for name in ("passes", "findings")}
    arguments = {"max_bad_fraction": 0, "seed": 0, "threads": 2}
    prepare_visual_genome(folder, vocabulary, paths, SETTINGS, **{**arguments, **changed})
    return {name: tables.read(paths[name], name) for name in NAMES}


@pytest.fixture
def folder(tmp_path):
    """Six pictures with a tree and a car each, and one with a box outside."""
    folder = tmp_path / "visual_genome"
    content = []
    for number in range(1, 7):
        place = folder / ("VG_100K" if number % 2 else "VG_100K_2")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 24), (number, 0, 0)).save(place / f"{number}.jpg")
        boxes = {
            "tree.n.01": (0, 0, 8, 8),
            "car.n.01": (4, 4, 40, 4),
            "traffic_light.n.01": (40 if number == 3 else 1, 1, 2, 2),
        }
        objects = [
            {"object_id": 10 * number + i, "synsets": [name], "names": [], "x": x, "y": y, "w": w, "h": h}
            for i, (name, (x, y, w, h)) in enumerate(boxes.items())
        ]
        content.append({"image_id": number, "objects": objects})
    (folder / "objects.json").write_text(json.dumps(content))
    return folder


def test_writes_nothing_when_too_much_is_unusable(folder, tmp_path):
    with pytest.raises(RejectionError, match=r"annotation 32 \(image 3\)"):
        prepared(folder, tmp_path / "results")
    assert list((tmp_path / "results").iterdir()) == []


def test_writes_what_is_usable_and_lists_the_rest(folder, tmp_path):
    found = prepared(folder, tmp_path / "results", max_bad_fraction=0.1)
    assert found["annotations"].num_rows == 17
    assert found["rejected"]["item"].to_pylist() == ["annotation 32 (image 3)"]
    assert found["categories"]["category"].to_pylist() == ["car", "traffic", "tree"]
    passes = pd.read_csv(tmp_path / "results" / "passes.csv")
    assert passes["pass"].tolist() == [
        "listed",
        "readable",
        "boxes",
        "synsets",
        "empty_images",
        "vocabulary",
        "merge",
        "rare",
    ]
    findings = pd.read_csv(tmp_path / "results" / "findings.csv").set_index("finding")["count"]
    assert findings["boxes clipped to their image"] == 6
    assert passes["annotations"].tolist() == [18, 18, 17, 17, 17, 17, 17, 17]


def test_same_folder_same_bytes(folder, tmp_path):
    for name in ("first", "second"):
        prepared(folder, tmp_path / name, max_bad_fraction=0.1, threads=1 if name == "first" else 3)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


def test_categories_beside_somebody_elses(folder, tmp_path):
    prepared(folder, tmp_path / "results", max_bad_fraction=0.1)
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("tree\nsidewalk\n\ncar\n")
    table, csv = tmp_path / "comparison.parquet", tmp_path / "comparison.csv"
    compare_categories(tmp_path / "results" / "categories.parquet", theirs, table, csv)
    assert tables.read(table, "category_comparison").to_pylist() == [
        {"category": "car", "ours": True, "theirs": True, "annotations": 6},
        {"category": "sidewalk", "ours": False, "theirs": True, "annotations": None},
        {"category": "traffic", "ours": True, "theirs": False, "annotations": 5},
        {"category": "tree", "ours": True, "theirs": True, "annotations": 6},
    ]
    assert len(pd.read_csv(csv)) == 4
    theirs.write_text("\n")
    with pytest.raises(ValueError, match=r"theirs\.txt: no category in it"):
        compare_categories(tmp_path / "results" / "categories.parquet", theirs, table, csv)


MEASURE = """
import resource, sys
from filterscope.data.datasets.objects import read_objects
from filterscope.data.rejection import Rejections
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
listed = read_objects(sys.argv[1], Rejections(0))
print(listed.objects, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
def test_memory_stays_far_below_the_file(tmp_path, repository):
    """36 MB of JSON, of which numbers are kept: what the whole of objects.json needs follows from that."""
    one = {"object_id": 1058549, "synsets": ["tree.n.01"], "names": ["trees"], "merged_object_ids": [5046, 5047]}
    one |= {"x": 10, "y": 20, "w": 300, "h": 200}
    path = tmp_path / "objects.json"
    with path.open("w") as file:
        file.write("[")
        for image in range(10_000):
            file.write(("," if image else "") + json.dumps({"image_id": image, "objects": [one] * 25}))
        file.write("]")
    assert path.stat().st_size > 36e6
    said = subprocess.run(
        [sys.executable, "-c", MEASURE, path],
        env={"PYTHONPATH": str(repository / "workflow_scripts"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    objects, kilobytes = map(int, said.split())
    assert objects == 250_000
    assert kilobytes * 1024 / objects < 300  # 2.5 million objects: less than 750 MB
