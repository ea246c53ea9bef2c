"""The study with a category that is never supervised: held out of training, truth all the same, scored apart."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope import tables
from filterscope.activations.probing import reading
from filterscope.data.networks import building
from filterscope.faithful import Faithful
from filterscope.words import preparation
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.in_memory_run import ProbeTrials
from words.scoring.render_scores import render_scores
from words.scoring.score_random_network import score_random_network
from words.scoring.tabulate_scores import tabulate_scores

KEYS = ["row", "metric", "candidates", "k"]
NULLS = {"constant_words", "shuffled_filters", "shuffled_labels", "dissection", "random_network"}


@pytest.fixture(scope="module")
def held_out(study, tmp_path_factory):
    """The study from its training on, with blue never supervised."""
    folder = tmp_path_factory.mktemp("held_out")
    for path in study.folder.iterdir():
        (folder / path.name).symlink_to(path)
    new = copy.copy(study)
    new.folder = folder
    outputs = (
        *new.explainers.values(),
        new.categories,
        new.overlaps,
        new.evidence,
        new.attended,
        new.words_apart,
        new.measurements,
        new.filter_claims,
        new.random_network,
    )
    for path in outputs:
        path.unlink()
    for pattern in ("*_history.*", "*_by_*", "filter_*"):
        for path in folder.glob(pattern):
            path.unlink()
    categories = study.table("categories")
    tables.write(categories.assign(supervised=categories["category"] != "blue"), "categories", new.categories)
    new.dissect()
    new.train()
    new.explain()
    new.score()
    new.tabulate()
    arguments = (new.paths_of_layers(), [new.random_network], new.pictures, new.trial, [new.probe()], new.seed)
    score_random_network(*arguments, Faithful())
    paths = [new.measurements, new.random_network]
    names = {"probe": "p", "dataset": "d", "vocabulary": "v"}
    tabulate_scores(paths, folder / "unsupervised.parquet", folder / "unsupervised.csv", 0.95, names)
    return new


def scores(held_out) -> pd.DataFrame:
    return tables.read(held_out.folder / "unsupervised.parquet", "scores").to_pandas().set_index(KEYS)


def test_objects_of_unsupervised_categories_alone_take_no_part_in_training(study, held_out, tmp_path):
    """Whatever their activations are, the explainer is the same to the byte."""
    spoilt = []
    for number, path in enumerate(study.shards("pooled")):
        table = tables.read(path, "pooled_activations")
        vectors = tables.matrix(table["vector"]).copy()
        blue = np.array([tokens == ["blue"] for tokens in table["tokens"].to_pylist()])
        assert blue.any()
        vectors[blue] += 100
        spoilt.append(tmp_path / f"{number}.parquet")
        place = table.column_names.index("vector")
        tables.write(table.set_column(place, "vector", tables.vectors(vectors)), "pooled_activations", spoilt[-1])
    again = copy.copy(held_out)
    again.folder = tmp_path
    held_out_paths = {f"path_to_{name}": getattr(held_out, name) for name in ("categories", "vocabulary")}
    held_out_paths["paths_to_attended"] = [held_out.attended]
    again.train(paths_to_pooled=spoilt, **held_out_paths)
    for name, path in again.explainers.items():
        assert path.read_bytes() == held_out.explainers[name].read_bytes()
    assert held_out.explainers["words"].read_bytes() != study.explainers["words"].read_bytes()


def test_they_remain_truth_and_may_be_said(study, held_out):
    """Recall asks for the same pairs as before; blue is among the categories' words and claims."""
    before = tables.read(study.folder / "scores.parquet", "scores").to_pandas().set_index(KEYS)
    now = scores(held_out)
    for k in study.scores.recall_at:
        assert (
            now.loc[("words", "recall", "categories", k), "n"] == before.loc[("words", "recall", "categories", k), "n"]
        )
    words = held_out.table("words_by_image", "image_words")
    assert "blue" in set(words.loc[words["candidates"] == "categories", "word"])
    assert set(words.loc[words["candidates"] == "unsupervised", "word"]) == {"blue"}
    assert "blue" in set(held_out.table("overlaps")["token"])


def test_unsupervised_categories_are_scored_apart_beside_every_null(held_out):
    table = scores(held_out)
    apart = {("recall", where, k) for where in ("unsupervised", "vocabulary_unsupervised") for k in (1, 3)}
    apart |= {(metric, "unsupervised", 1) for metric in ("iou", "f1", "auprc", "auprc_lift", "correlation")}
    for index in apart:
        rows = table.xs(index, level=KEYS[1:])
        assert set(rows.index) == NULLS | {"words"}
        assert rows["n"].drop("random_network").nunique() == 1
        assert rows.loc["words", "n"] > 0
        # The filters of a never-trained network may be silent on all objects of the one category.
        assert rows["margin"].drop("words")[rows["n"] > 0].notna().all()


def test_known_answers_where_one_category_was_held_out(study, held_out):
    """Asked for blue among blue alone everybody is right; in the whole vocabulary only who says blue."""
    table = scores(held_out)
    for row in NULLS | {"words"}:
        said = table.loc[(row, "recall", "unsupervised", 1)]
        if row not in ("dissection", "random_network"):  # a filter that overlaps blue nowhere says nothing there
            assert said["value"] == pytest.approx(1)
    assert table.loc[("constant_words", "recall", "vocabulary_unsupervised", 1), "value"] == pytest.approx(1)
    # Every filter that says anything claims blue, so the scores of the claims are those of the filters for blue.
    truth = study.table("filter_claims").set_index("filter")
    named = held_out.table("words_by_filter", "filter_votes")
    named = sorted(named.loc[named["candidates"] == "unsupervised", "filter"].unique())
    assert 1 in named
    assert truth.loc[1, "claim"] == "blue"
    auprc = table.loc[("words", "auprc", "unsupervised", 1)]
    assert auprc["n"] == len(named)
    assert truth.loc[1, "auprc"] / len(named) < auprc["value"] < 1
    assert auprc["value"] == pytest.approx(table.loc[("constant_words", "auprc", "unsupervised", 1), "value"])


def test_a_trial_takes_the_same_steps_as_the_rules(held_out):
    probe = held_out.probe()
    material = preparation.material(held_out.paths, held_out.pictures, probe.inputs)
    with reading(probe, building.load(probe.network, held_out.weights), torch.device("cpu")) as reader:
        found = ProbeTrials(material, reader, held_out.seed, torch.device("cpu")).run(held_out.trial).set_index(KEYS)
    table = tables.read(held_out.measurements, "measurements")
    own = table.drop_columns("resamples").to_pandas().assign(resamples=list(tables.matrix(table["resamples"])))
    own = own.set_index(KEYS)
    assert set(found.index) == {index for index in own.index if index[0] == "words"}
    for index, line in found.iterrows():
        assert line["n"] == own.loc[index, "n"], index
        np.testing.assert_allclose(line["resamples"], own.loc[index, "resamples"], atol=1e-5)


def test_compounds_are_said_though_the_vocabulary_has_only_their_words(study, held_out, tmp_path):
    """A category such as traffic_light: here red_green, whose vector is the mean of its words'."""
    new = copy.copy(held_out)
    new.folder = tmp_path
    for path in study.folder.iterdir():
        if path.name not in ("categories.parquet", "annotations.parquet") and "_by_" not in path.name:
            (tmp_path / path.name).symlink_to(path)
    made = (new.overlaps, new.evidence, new.attended, new.words_apart)
    for path in (*new.explainers.values(), *made, *tmp_path.glob("*_history.*")):
        path.unlink()
    renamed = {"blue": "red_green"}
    for name in ("categories", "annotations"):
        table = study.table(name).replace({"category": renamed})
        table["tokens"] = [[token] for token in table["category"]]
        tables.write(table, name, new.folder / f"{name}.parquet")
    new.extract(2, tmp_path / "shards")
    new.dissect()
    new.train()
    new.explain()
    words = tables.read(tmp_path / "words_by_image.parquet", "image_words").to_pandas()
    vocabulary = set(study.table("vocabulary")["word"])
    assert "red_green" not in vocabulary
    for candidates in ("vocabulary", "categories"):
        assert "red_green" in set(words.loc[words["candidates"] == candidates, "word"])
    first = words[(words["candidates"] == "categories") & (words["rank"] == 0)].groupby("filter")["word"]
    assert first.agg(lambda each: each.value_counts().index[0])[1] == "red_green"  # the filter that sees blue
    assert load_explainer(new.explainers["words"], 5, 16) is not None


def test_figure_has_panels_of_their_own(held_out, tmp_path):
    render_scores(held_out.folder / "unsupervised.parquet", tmp_path / "scores.png")
    assert (tmp_path / "scores.png").stat().st_size > 10_000
