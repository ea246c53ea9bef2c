"""What the pages of the rooms show of a table: what has values, and sentences once, above it."""

import pandas as pd

from filterscope import tables
from filterscope.report.atlas.places import Places
from filterscope.report.atlas.rooms import complexity_curves, diagnosis_page, settings_said
from filterscope.schemas import SCHEMAS

FIT = {
    "network": "cnn",
    "samples": "digits",
    "verdict": "oversized",
    "capacity": 60,
    "needed": 20,
    "ratio": 3.0,
    "needed_shuffled": 21.0,
    "upper_bound": 400,
    "memorising": 30.0,
    "family": "plain",
    "width": 0.5,
    "width_capacity": 20,
    "width_note": "",
    "sentence": "cnn is oversized.",
    "caveats": "Two classes only.",
}


def test_sentences_stand_above_their_table_and_not_in_it(tmp_path):
    path = tmp_path / "results/diagnosis/fit.parquet"
    path.parent.mkdir(parents=True)
    tables.write(pd.DataFrame([FIT]), "fit", path)
    given = {"diagnosis": {"tables": {"fit": "results/diagnosis/fit.parquet"}, "texts": [], "figures": []}}
    page = diagnosis_page(Places(given, tmp_path / "results", tmp_path), None, "thumbnails")
    ((section),) = page["sections"]
    assert section["sentences"] == ["cnn is oversized. Two classes only."]
    (table,) = section["tables"]
    assert table["columns"] == [name for name in FIT if name not in ("width_note", "sentence", "caveats")]
    assert table["rows"] == [[FIT[name] for name in table["columns"]]]
    told = dict(zip(table["columns"], table["meanings"], strict=True))
    assert told["needed"] == next(each.meaning for each in SCHEMAS["fit"].columns if each.name == "needed")


def test_curves_of_shuffled_labels_are_told_from_those_of_the_labels():
    row = {"measure": "csg", "samples": "xor", "embedding": "raw", "count": 100, "value": 0.1, "low": 0.0, "high": 0.2}
    table = pd.DataFrame([row | {"null": 0.9, "null_low": 0.8, "null_high": 1.0}])
    (curve,) = complexity_curves(table, "complexity.csv")
    assert [(each["name"], each["nil"]) for each in curve["series"]] == [("xor", False), ("xor, shuffled labels", True)]
    assert curve["title"] == curve["y"] == "cumulative spectral gradient (CSG)"
    assert "Dotted" in curve["note"]


def test_settings_of_schedules_are_told_in_words_and_published_ones_as_they_are():
    ours = '{"method": "actcoolr", "learning_rate": 0.25, "exponent": 0.9576795179058, "begin": "given", "sigma": null}'
    assert settings_said(ours) == "learning rate 0.25, exponent 0.9577, begin given"
    assert settings_said("learning rate 1.7, peak 0.7") == "learning rate 1.7, peak 0.7"
