"""resample_samples, score_resampling, tabulate_resampling, render_resampling: their tables, their bytes, bad input."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from diagnosis.resampling.render_resampling import render_resampling
from diagnosis.resampling.resample_samples import resample_samples
from diagnosis.resampling.score_resampling import score_resampling
from diagnosis.resampling.tabulate_resampling import tabulate_resampling
from filterscope import tables
from filterscope.data.samples.labelled_samples import LabelledSamples, read_samples, write_samples
from filterscope.diagnosis.resampling.methods import ResamplingSettings
from filterscope.diagnosis.resampling.unbalanced import Encoder
from filterscope.diagnosis.scaled.settings import ScaledTrainingSettings

METHODS = ["smote", "tomek", "both"]
ENTRY = {"rare": "right", "kept": 0.3}
SETTINGS = ResamplingSettings(neighbours=3, iterations=4)
MEASURE = {"norm": "sum", "ties": "label"}
ENCODER = Encoder("plain", 0.2, ScaledTrainingSettings(epochs=2, batch_size=32))
COMPARISON = {"methods": METHODS, "classifiers": ["logistic"], "seeds": 5, "drawn": 0.8}


def picture_samples():
    """Grey pictures that are brighter on their left, in their middle or on their right; noisy, so that classes mix."""
    chance = np.random.default_rng(0)
    labels = np.tile(np.arange(3), 60)
    values = chance.integers(0, 200, (180, 1, 6, 6))
    for value, label in zip(values, labels, strict=True):
        value[:, :, 2 * label : 2 * label + 2] += 35
    split = np.where(np.arange(180) < 120, "train", "test")
    return LabelledSamples(values.astype(np.uint8), labels, ("left", "middle", "right"), split)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All results for the pictures' values, and one method for the features of a network."""
    folder = tmp_path_factory.mktemp("resampling")
    write_samples(picture_samples(), folder / "samples.parquet")
    resample(folder, {method: folder / method for method in ["none", *METHODS]})
    resample(folder, {"smote": folder / "features"}, encoder=ENCODER)
    score(folder, folder)
    tabulate(folder, folder)
    return folder


def resample(folder, targets, **changed):
    """targets: folder of every method."""
    names = {"samples": "samples.parquet", "origins": "origins.parquet", "history": "history.parquet"}
    names["csv"] = "history.csv"
    arguments = {
        "path_to_samples": folder / "samples.parquet",
        "paths": {method: {name: target / file for name, file in names.items()} for method, target in targets.items()},
        "entry": ENTRY,
        "settings": SETTINGS,
        "measure": MEASURE,
        "encoder": None,
        "seed": 0,
    }
    resample_samples(**arguments | changed)


def score(folder, target, **changed):
    paths = folder / "samples.parquet", target / "scores.parquet", target / "scores.csv"
    score_resampling(
        *paths,
        **{"entry": ENTRY, "settings": SETTINGS, "measure": MEASURE, "encoder": None, **COMPARISON, "seed": 0}
        | changed,
    )


def tabulate(folder, target):
    paths = [folder / "scores.parquet"], *(target / f"resampling.{kind}" for kind in ("parquet", "csv", "md"))
    tabulate_resampling(*paths, [["pictures", "values"]], 0.95)


def origins(folder, method):
    return tables.read(folder / method / "origins.parquet", "resampled_origins").to_pandas()["origin"]


def test_the_test_split_is_untouched_and_originals_are_where_they_say(folder):
    source = picture_samples()
    for method in ["none", *METHODS]:
        made, origin = read_samples(folder / method / "samples.parquet"), origins(folder, method)
        assert len(origin) == len(made)
        known = origin.notna()
        taken = origin[known].to_numpy(int)
        assert (made.images()[known] == source.images()[taken]).all()
        assert (made.labels[known] == source.labels[taken]).all()
        assert (made.split[known] == source.split[taken]).all()
        assert (made.split[~known] == "train").all()
        assert (taken[made.split[known] == "test"] == np.arange(120, 180)).all()


def test_classes_after_every_method(folder):
    counts = {
        method: np.bincount(read_samples(folder / method / "samples.parquet").part("train").labels)
        for method in ["none", *METHODS]
    }
    assert counts["none"].tolist() == [40, 40, 12]
    assert counts["smote"].tolist() == [40, 40, 40]
    assert counts["tomek"][2] == 12
    assert counts["tomek"].sum() < 92
    assert (counts["both"] <= 40).all()
    assert counts["both"].sum() < 120


def test_the_history_is_of_the_guided_search(folder):
    for method in METHODS:
        rows = pd.read_csv(folder / method / "history.csv")
        assert len(rows) == (1 if method == "tomek" else len(rows))
        assert rows["best"].iloc[0]
        last = rows[rows["best"]].iloc[-1]
        assert last["unrounded"] == rows["unrounded"].min()
        assert last["samples"] == len(read_samples(folder / method / "samples.parquet").part("train"))


def test_features_are_resampled_as_vectors(folder):
    made = read_samples(folder / "features" / "samples.parquet")
    assert made.shape == (26,)  # the plain network's last channels at this width
    assert np.bincount(made.part("train").labels).tolist() == [40, 40, 40]
    assert origins(folder, "features").isna().sum() == 28
    assert (made.part("test").labels == picture_samples().part("test").labels).all()


def test_scores_of_every_variant_and_what_follows_from_them(folder):
    scores = tables.read(folder / "scores.parquet", "resampling_scores").to_pandas()
    variants = ["none", "smote", "tomek", "both", "guided_smote", "guided_both"]
    assert scores.groupby("seed")["variant"].agg(list).tolist() == [variants] * 5
    assert set(scores["rare"]) == {"right"}
    assert scores.loc[scores["variant"] == "none", "rare_samples"].eq(10).all()
    assert scores.loc[scores["variant"] == "smote", "rare_samples"].eq(32).all()
    table = tables.read(folder / "resampling.parquet", "resampling").to_pandas()
    assert table.groupby("metric")["variant"].agg(list).tolist() == [variants] * 2
    assert table.loc[table["variant"] == "none", "gain"].isna().all()
    row = table[(table["variant"] == "smote") & (table["metric"] == "balanced_accuracy")].iloc[0]
    by_variant = scores.groupby("variant")["balanced_accuracy"].mean()
    assert row["gain"] == pytest.approx(by_variant["smote"] - by_variant["none"])
    text = (folder / "resampling.md").read_text()
    assert text.count("pictures (values; right is rare)") == 2
    assert row["verdict"] in text


def test_same_seed_same_bytes_alone_or_with_other_methods(folder, tmp_path):
    resample(folder, {"both": tmp_path / "both"})
    resample(folder, {"smote": tmp_path / "features"}, encoder=ENCODER)
    score(folder, tmp_path)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path


def test_figures(folder, tmp_path):
    def by_method(file, first=("none",)):
        return {method: folder / method / file for method in [*first, *METHODS]}

    render_resampling(
        folder / "resampling.parquet",
        by_method("samples.parquet"),
        by_method("origins.parquet"),
        by_method("history.parquet", ()),
        tmp_path / "figures",
        "pictures",
        "values",
    )
    assert sorted(each.name for each in (tmp_path / "figures").iterdir()) == [
        "resampled.png",
        "scores.png",
        "search.png",
    ]
    for path in (tmp_path / "figures").iterdir():
        assert np.asarray(Image.open(path).convert("L")).std() > 5


@pytest.mark.parametrize(
    ("method", "changed", "said"),
    [
        (
            "smote",
            {"entry": {"rare": "up", "kept": 0.1}},
            "the rare class is 'up', which is no class; classes are left, middle",
        ),
        ("smote", {"entry": {"rare": "right", "kept": 0.05}}, "class 2 has 2 samples, no more than its 3 neighbours"),
        ("tomek", {"entry": {"rare": None, "kept": 1}}, "all 3 classes have 40 samples"),
    ],
)
def test_bad_input_leaves_nothing(folder, tmp_path, method, changed, said):
    with pytest.raises(ValueError, match=said):
        resample(folder, {method: tmp_path}, **changed)
    assert not list(tmp_path.iterdir())


def test_samples_without_a_test_split(folder, tmp_path):
    whole = picture_samples()
    write_samples(
        LabelledSamples(whole.values, whole.labels, whole.classes, np.full(180, "train")), tmp_path / "samples.parquet"
    )
    with pytest.raises(ValueError, match="the test split has no samples"):
        score(tmp_path, tmp_path)
    shutil.rmtree(tmp_path)
