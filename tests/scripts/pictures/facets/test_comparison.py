"""compare_networks and draw_comparison: tables, a paragraph, and a sheet for every class with a row per network."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from filterscope import tables
from filterscope.pictures.quality.criteria import CRITERIA
from filterscope.pictures.quality.validation import CriteriaSettings
from pictures.facets.compare_networks import compare_networks
from pictures.facets.draw_comparison import draw_comparison

CLASSES = {
    "first": {f"class {unit}": unit for unit in range(6)},
    "second": {f"class {unit}": 9 - unit for unit in range(6)},
}
GROUP = "mean, from the mean image"


def pictures(folder, classes):
    """A probe's tables: one facet a class, the last without a picture."""
    chance, rows, made = np.random.default_rng(len(folder.name)), [], []
    (folder / "facets/pictures").mkdir(parents=True)
    for number, (name, unit) in enumerate(classes.items()):
        dead, path = number == len(classes) - 1, f"pictures/{unit}.png"
        if not dead:
            Image.fromarray(chance.integers(0, 256, (40, 40, 3), np.uint8)).save(folder / "facets" / path)
        scores = dict.fromkeys(CRITERIA, None if dead else float(chance.normal()))
        row = {"group": GROUP, "number": number, "unit": unit, "facet": 0, "image_id": None, "path": path, **scores}
        rows.append(row | {"ratio": None if dead else 2.0, "judge_rank": None if dead else 1 + number})
        own = {"unit": unit, "class": name, "facet": 0, "recipe": "mean", "start": "mean", "mean_path": "m.png"}
        own |= {"path": None if dead else path, "activation": None if dead else 4.0, "ratio": None if dead else 2.0}
        made.append(own | {"status": "optimised", "note": "", "mean_activation": 1.0})
    table = pd.DataFrame(made).assign(nearest_image_id=0, nearest_image=1.0, best_image=2.0)
    tables.write(
        table.astype(object).where(table.notna(), None), "facet_pictures", folder / "facets/facet_pictures.parquet"
    )
    scores = pd.DataFrame(rows)
    tables.write(scores.astype(object).where(scores.notna(), None), "picture_scores", folder / "picture_scores.parquet")
    values = [(GROUP, name, 5, scores[name].mean(), -1.0, 1.0) for name in (*CRITERIA, "ratio")]
    criteria = pd.DataFrame(values, columns=["group", "measure", "n", "value", "low", "high"])
    tables.write(criteria, "criteria", folder / "criteria.parquet")
    validation = pd.DataFrame({"criterion": CRITERIA, "first": "photographs", "second": "mean images", "paired": False})
    validation = validation.assign(first_n=9, second_n=9, better=0.9, low=0.8, high=1.0, holds=True)
    validation = validation.assign(difference=1.0, difference_low=0.5, difference_high=1.5)
    tables.write(validation, "criteria_validation", folder / "criteria_validation.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    for probe, classes in CLASSES.items():
        pictures(folder / probe, classes)
    compare_networks(
        *(
            {probe: folder / probe / f"{name}.parquet" for probe in CLASSES}
            for name in ("picture_scores", "criteria", "criteria_validation")
        ),
        path_to_criteria=folder / "network_criteria.parquet",
        path_to_criteria_csv=folder / "network_criteria.csv",
        path_to_tests=folder / "network_tests.parquet",
        path_to_tests_csv=folder / "network_tests.csv",
        path_to_text=folder / "networks.md",
        classes=CLASSES,
        groups=dict.fromkeys(CLASSES, GROUP),
        settings=CriteriaSettings(photographs=20, resamples=50),
        seed=0,
    )
    return folder


def test_every_probe_stands_in_the_table_and_the_classes_both_drew_are_paired(folder):
    criteria = pd.read_csv(folder / "network_criteria.csv")
    assert set(criteria["probe"]) == set(CLASSES)
    assert criteria.loc[criteria["measure"] == "clear_context", "believed"].all()
    tests = tables.read(folder / "network_tests.parquet", "network_tests").to_pandas()
    assert set(tests["n"]) == {5}  # the sixth has no picture
    equal = tests[tests["measure"] == "ratio"].iloc[0]
    assert (equal["difference"], equal["p"]) == (0, 1)
    assert "draws best" in (folder / "networks.md").read_text(encoding="utf-8")


def test_every_class_has_a_sheet_with_a_row_per_network(folder):
    draw_comparison(
        path_to_criteria=folder / "network_criteria.parquet",
        paths_to_pictures={probe: folder / probe / "facets/facet_pictures.parquet" for probe in CLASSES},
        path_to_figure=folder / "networks.png",
        path_to_sheets=folder / "sheets",
    )
    assert len(list((folder / "sheets").glob("class_*.png"))) == len(CLASSES["first"])
    assert np.asarray(Image.open(folder / "networks.png")).std() > 0
    both = np.asarray(Image.open(folder / "sheets/class_000.png").convert("RGB")).astype(int)
    coloured = np.ptp(both, axis=2).max(1) > 60  # lines of the sheet that a picture of noise crosses
    assert np.diff(coloured.astype(int)).clip(min=0).sum() == len(CLASSES)
