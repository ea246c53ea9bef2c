"""A further source of annotated photographs is a module, a line in the registry, its keys in the schema, and a test."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import yaml
from PIL import Image

from filterscope import tables

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(1800)]

READER = '''
"""Photographs in train/ and val/, each with a black and white picture of its one object beside it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from pycocotools import mask as mask_utils

from filterscope.data.datasets.dataset_tables import SPLITS, DatasetTables, count_categories
from filterscope.data.images import ImageError, inspect_all
from filterscope.data.rejection import Rejections


def read_cutouts(folder, max_bad_fraction, threads, background):
    """train/sea.jpg, train/sea.mask.png: the category is the file's name; `background` is what is none."""
    rejections, images, annotations = Rejections(max_bad_fraction), [], []
    paths = [path for split in SPLITS for path in sorted(Path(folder, split).glob("*.jpg"))]
    for number, (path, found) in enumerate(zip(paths, inspect_all(paths, threads), strict=True)):
        if isinstance(found, ImageError):
            rejections.add("image", path.name, found.cause)
            continue
        split, category = path.parent.name, path.stem.split("_")[0]
        images.append({"image_id": number, "split": split, "path": f"{split}/{path.name}", **found.row(turned=False)})
        if category == background:
            continue
        mask = np.asarray(Image.open(path.with_suffix(".mask.png")), dtype=np.uint8) > 0
        encoded = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
        box = dict(zip("xywh", mask_utils.toBbox(encoded).tolist(), strict=True))
        own = {"annotation_id": len(annotations), "image_id": number, "category": category, "tokens": [category]}
        annotations.append({**own, **box, "mask": encoded["counts"], "area": float(mask.sum())})
    rejections.check(image=len(paths))
    images, annotations = pa.Table.from_pylist(images), pa.Table.from_pylist(annotations)
    tokens = {name: [name] for name in sorted(set(annotations["category"].to_pylist()))}
    nothing = {"finding": [], "count": []}
    counted = count_categories(tokens, images, annotations)
    return DatasetTables(images, rejections.table(), nothing, annotations, counted)
'''
LINE = '    "cutouts": Source("filterscope.data.datasets.cutouts:read_cutouts"),\n'
KEYS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["source", "folder"],
    "properties": {
        "source": {"const": "cutouts"},
        "folder": {"type": "string"},
        "background": {"type": "string", "default": "sky"},
        "max_bad_fraction": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
    },
}
COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}
SIDE = 64


def contents(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def with_cutouts(study):
    """The study, whose copy of the workflow reads one source more; which files that took."""
    before = contents(study.workflow)
    package = study.workflow / "workflow_scripts/filterscope/data/datasets"
    (package / "cutouts.py").write_text(READER)
    registry, head = package / "sources.py", "SOURCES: dict[str, Source] = {\n"
    assert head in registry.read_text()
    registry.write_text(registry.read_text().replace(head, head + LINE))
    path_to_schema = study.workflow / "rules/config.schema.yaml"
    schema = yaml.safe_load(path_to_schema.read_text())
    schema["$defs"]["datasets"]["cutouts"] = KEYS
    path_to_schema.write_text(yaml.safe_dump(schema, sort_keys=False))
    after = contents(study.workflow)
    return {path for path in after if after[path] != before.get(path)}


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    """Forty photographs of one coloured rectangle each, every third for validation, and a picture of none."""
    folder, chance = tmp_path_factory.mktemp("cutouts"), np.random.default_rng(0)
    for number in range(40):
        split = folder / ("train" if number % 3 else "val")
        split.mkdir(exist_ok=True)
        name = list(COLOURS)[number % len(COLOURS) if number < 36 else 0]
        pixels, mask = chance.integers(90, 130, (SIDE, SIDE, 3)).astype(np.uint8), np.zeros((SIDE, SIDE), np.uint8)
        top, left, height, width = *chance.integers(0, 30, 2), *chance.integers(16, 30, 2)
        mask[top : top + height, left : left + width] = 255
        pixels[mask > 0] = COLOURS[name]
        Image.fromarray(pixels).save(split / f"{name}_{number}.jpg")
        Image.fromarray(mask).save(split / f"{name}_{number}.mask.png")
    Image.new("RGB", (SIDE, SIDE)).save(folder / "val" / "sky_99.jpg")
    return folder


def test_a_further_source_takes_three_files_and_a_test(new_study, cutouts):
    study = new_study({"datasets": {"cutouts": {"source": "cutouts", "folder": str(cutouts)}}})
    touched = with_cutouts(study)
    assert len(touched) == 3
    entry = {"dataset": "cutouts", "probe": "planted", "vocabulary": "captions"}
    others = ("defects", "pictures", "facets", "strongest_filters", "occlusions")
    config = study.config | {section: [] for section in others} | {"explanations": [entry]}
    jobs = study.planned("words", config=config)
    wanted = ("prepare_dataset", "dissect_filters", "train_explainer", "explain_filters", "score_words")
    assert [jobs[rule] for rule in wanted] == [1] * len(wanted)
    evidence = "results/activations/cutouts/planted/evidence.parquet"
    study.run("results/data/cutouts/repeats.csv", evidence, config=config)
    data = study.directory / "results/data/cutouts"
    images = tables.read(data / "images.parquet", "images").to_pandas()
    assert images["split"].value_counts().to_dict() == {"train": 26, "val": 15}
    annotations = tables.read(data / "annotations.parquet", "annotations").to_pandas()
    assert len(annotations) == 40
    assert set(annotations["category"]) == set(COLOURS)
    categories = tables.read(data / "categories.parquet", "categories").to_pandas()
    assert categories[["annotations_train", "annotations_val"]].to_numpy().sum() == 40
    assert len(tables.read(study.directory / evidence, "evidence"))
    # An edited reader reruns its own datasets.
    module = study.workflow / "workflow_scripts/filterscope/data/datasets/cutouts.py"
    module.write_text(module.read_text().replace('split("_")[0]', 'partition("_")[0]'))
    assert study.planned("results/data/cutouts/images.parquet", config=config) == {"prepare_dataset": 1}
    wrong = study.run("-n", config=config | {"datasets": {"cutouts": {"source": "cutouts"}}}, check=False)
    assert "datasets.cutouts: 'folder' is missing" in wrong
