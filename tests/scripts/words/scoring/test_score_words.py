"""score_words and score_random_network: scores beside their nulls, and which names are supported."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from filterscope import tables
from filterscope.activations.probing import reading
from filterscope.activations.streaming import PictureDataset
from filterscope.data.networks import building
from filterscope.data.rejection import RejectionError
from filterscope.faithful import Faithful
from filterscope.words import preparation
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.in_memory_run import ProbeTrials
from words.scoring.score_random_network import score_random_network

ROWS = {"words", "shuffled_labels", "constant_words", "shuffled_filters", "dissection"}
KEYS = ["metric", "candidates", "k"]


def values(path):
    """The score and its resamples by row, metric, candidates and k."""
    table = tables.read(path, "measurements")
    frame = table.drop_columns("resamples").to_pandas().assign(resamples=list(tables.matrix(table["resamples"])))
    return frame.set_index(["row", *KEYS])


def scored(study, folder, **changed):
    study.score(**{"written": study.scored_at(folder), **changed})
    claims = tables.read(folder / "filter_claims.parquet", "filter_claims")
    return values(folder / "measurements.parquet"), claims.to_pandas()


def test_every_score_stands_beside_every_null(study):
    found = values(study.measurements)
    claims = {(metric, "categories", 1) for metric in ("iou", "f1", "auprc", "auprc_lift", "correlation")}
    metrics = claims | {("recall", where, k) for where in ("vocabulary", "categories") for k in (1, 3)}
    rows = {(row, *metric) for row in ROWS for metric in metrics}
    assert set(found.index) == rows | {("ceiling", *metric) for metric in claims}
    assert {len(each) for each in found["resamples"]} == {1 + study.scores.bootstrap}
    for _, group in found.groupby(level=KEYS):
        assert group["n"].nunique() == 1  # all rows are measured on the same pairs and filters


def test_the_right_names_are_supported_and_random_ones_need_not_be(study):
    claims = study.table("filter_claims").set_index("filter")
    assert claims.loc[[0, 1], "claim"].tolist() == ["red", "blue"]
    assert claims.loc[[0, 1], "supported"].all()
    assert (claims.loc[[0, 1], "auprc"] > 0.9).all()
    assert (claims.loc[[0, 1], "iou"] > 0.6).all()
    assert claims.loc[[0, 1], "rival"].tolist() == ["red", "blue"]
    assert not claims.loc[2, "supported"]
    assert (claims["low"].dropna() <= claims["auprc"].dropna()).all()
    assert claims.loc[4, "dead"]
    assert claims["told"].all()
    assert claims.loc[4].drop(["dead", "told", "supported", "lent", "lent_supported"]).isna().all()
    assert not claims.loc[4, ["supported", "lent", "lent_supported"]].any()
    assert not claims.loc[[0, 1], "lent_supported"].any()  # with another filter's name neither is supported
    csv = pd.read_csv(study.folder / "filter_claims.csv")
    assert csv[csv["dead"]]["filter"].tolist() == [4]


def test_nothing_beats_the_best_possible_claims(study):
    found = values(study.measurements)
    for metric in ("iou", "f1", "auprc", "auprc_lift", "correlation"):
        best = found.loc[("ceiling", metric, "categories", 1), "resamples"]
        assert (best == best[0]).all()
        for row in ROWS:
            assert found.loc[(row, metric, "categories", 1), "resamples"][0] <= best[0] + 1e-6
    table = tables.read(study.folder / "scores.parquet", "scores").to_pandas()
    ceiling = table[table["row"] == "ceiling"]
    assert len(ceiling) == 5
    assert ceiling["value"].notna().all()
    assert ceiling[["low", "high", "margin", "margin_low", "margin_high"]].isna().all(axis=None)


def test_where_so_few_filters_cannot_hold_the_rate_nothing_is_supported(study, tmp_path, caplog):
    with caplog.at_level("WARNING", "filterscope"):
        _, claims = scored(study, tmp_path, settings=replace(study.scores, false_discoveries=0.01))
    assert not claims["told"].any()
    assert not claims["supported"].any()
    assert "too few filters or images to tell which names are supported" in caplog.text


def test_scores_of_images_that_taught_are_marked(study, tmp_path, caplog):
    with caplog.at_level("WARNING", "filterscope"):
        scored(study, tmp_path)
        assert "also taught" not in caplog.text
        scored(study, tmp_path, split="all")
    taught, every = study.table("images")["split"].eq("train").sum(), len(study.table("images"))
    assert f"{taught} of the {every} images that score also taught the thresholds" in caplog.text


def test_words_beat_their_nulls_where_they_know_something(study):
    found = values(study.measurements)
    for metric in ("iou", "auprc", "correlation"):
        own = found.loc[("words", metric, "categories", 1), "resamples"][0]
        for row in ("constant_words", "shuffled_filters"):
            assert own > found.loc[(row, metric, "categories", 1), "resamples"][0]
    # Of three categories shuffled labels may guess two filters' right ones, but not of all words.
    own, null = (found.loc[(row, "recall", "vocabulary", 1), "resamples"][0] for row in ("words", "shuffled_labels"))
    assert own > null


def test_constant_words_are_the_most_frequent_in_training(study, tmp_path):
    """However often a word comes in validation: every green object of it ten times over changes nothing."""
    annotations = study.table("annotations")
    more = annotations[(annotations["category"] == "green") & (annotations["image_id"] >= 16)]
    copies = [more.assign(annotation_id=more["annotation_id"] + 1000 * copy) for copy in range(1, 11)]
    tables.write(pd.concat([annotations, *copies]), "annotations", tmp_path / "annotations.parquet")
    found, _ = scored(study, tmp_path, path_to_annotations=tmp_path / "annotations.parquet")
    for index, line in values(study.measurements).xs("constant_words", drop_level=False).iterrows():
        np.testing.assert_allclose(found.loc[index, "resamples"], line["resamples"], atol=1e-6)


def test_no_valid_pair_is_missing(study, tmp_path):
    """Where no object overlaps a region enough, recall is asked of nothing: n is 0, whatever the row."""
    found, claims = scored(study, tmp_path, settings=replace(study.scores, overlap=0.99))
    recall = found.xs("recall", level="metric")
    assert set(recall["n"]) == {0}
    assert np.isfinite(np.stack(recall["resamples"])).all()
    assert claims["supported"].sum() == study.table("filter_claims")["supported"].sum()


def test_same_bytes_every_time_and_whatever_the_batches(study, tmp_path):
    scored(study, tmp_path)
    assert (tmp_path / "measurements.parquet").read_bytes() == study.measurements.read_bytes()
    assert (tmp_path / "filter_claims.parquet").read_bytes() == study.filter_claims.read_bytes()
    found, _ = scored(study, tmp_path, activations=replace(study.extraction, batch_size=3))
    for one, other in zip(found["resamples"], values(study.measurements)["resamples"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_images_that_were_rejected_are_not_scored(study, tmp_path):
    """Only what extraction could read: without the first shard's images the split `all` is the second's."""
    whole, _ = scored(study, tmp_path, split="all")
    part, _ = scored(study, tmp_path, split="all", paths_to_image_activations=study.shards("image")[1:])
    assert whole.iloc[0]["n"] == part.iloc[0]["n"]  # top images are of the validation split
    assert not np.allclose(
        whole.loc[("words", "iou", "categories", 1), "resamples"][0],
        part.loc[("words", "iou", "categories", 1), "resamples"][0],
    )


def test_the_random_network_is_scored_the_same_way(study, tmp_path):
    found = values(study.random_network)
    assert set(found.index.get_level_values("row")) == {"random_network"}
    assert {index[1:] for index in found.index} == {index[1:] for index in values(study.measurements).index}
    assert found.index.is_unique
    arguments = (study.pictures, study.trial, [study.probe()], study.seed, Faithful())
    for name, most in (("again", 0), ("kept", 1)):  # gigabytes of maps: looked at again, or kept meanwhile
        score_random_network(study.paths_of_layers(), [tmp_path / f"{name}.parquet"], *arguments, most)
        assert (tmp_path / f"{name}.parquet").read_bytes() == study.random_network.read_bytes()


@pytest.mark.parametrize("most", [0, 1])
def test_layers_of_the_random_network_are_scored_together(study, tmp_path, most):
    """The layer before the ReLU beside it; one whose extraction stopped stops here, too."""
    tables.write_stopped("image_activations", tmp_path / "stopped.parquet", "layer 7: NaN")
    names, layers = ("convolution", "stopped", "relu"), ("0", "0", "1")
    paths = study.paths_of_layers(study.shards("image"), [tmp_path / "stopped.parquet"], study.shards("image"))
    probes = [study.probe(layer=layer) for layer in layers]
    outputs = [tmp_path / f"{name}_scores.parquet" for name in names]
    score_random_network(paths, outputs, study.pictures, study.trial, probes, study.seed, Faithful(), most)
    assert outputs[2].read_bytes() == study.random_network.read_bytes()
    assert not values(outputs[0]).equals(values(outputs[2]))
    with pytest.raises(tables.TableError, match="layer 7: NaN"):
        tables.read(outputs[1], "measurements")


def test_masks_of_the_random_network_are_decoded_once_for_all_its_layers(study, tmp_path, monkeypatch):
    """Whether they find room to be kept, and are not decoded for the next layer, changes nothing."""
    decoded = []

    def counting(dataset, runs, size, own=PictureDataset._masks):
        decoded.append(bool(dataset.grids.sampled))
        return own(dataset, runs, size)

    monkeypatch.setattr(PictureDataset, "_masks", counting)
    arguments = (study.pictures, study.trial, [study.probe(), study.probe(layer="0")], study.seed, Faithful())
    counts = []
    for room in (0, 2**28):
        monkeypatch.setattr("filterscope.words.untrained.PICTURES", room)
        decoded.clear()
        outputs = [tmp_path / f"{room}_{layer}.parquet" for layer in ("relu", "convolution")]
        paths = study.paths_of_layers(study.shards("image"), study.shards("image"))
        score_random_network(paths, outputs, *arguments, 1)
        counts.append(sum(decoded))
        assert outputs[0].read_bytes() == study.random_network.read_bytes()
    assert counts == [2 * counts[1], len(study.table("images"))]
    assert outputs[1].read_bytes() == (tmp_path / "0_convolution.parquet").read_bytes()


def test_the_random_network_leaves_out_what_extraction_had_to(study, tmp_path):
    pictures = shutil.copytree(study.pictures, tmp_path / "pictures")
    (pictures / "2.png").unlink()
    study.extract(1, tmp_path, folder=pictures, max_bad_fraction=0.1)
    paths = study.paths_of_layers(study.shards("image", 1, tmp_path))
    arguments = (study.trial, [study.probe()], study.seed, Faithful())
    score_random_network(paths, [tmp_path / "without.parquet"], pictures, *arguments)
    assert values(tmp_path / "without.parquet").index.equals(values(study.random_network).index)
    with pytest.raises(RejectionError, match=r"image 2 could be read before.*2\.png"):
        score_random_network(study.paths_of_layers(), [tmp_path / "stopped.parquet"], pictures, *arguments)
    assert not (tmp_path / "stopped.parquet").exists()


def trial(study, defects=Faithful(), settings=None):
    """Measurements of a trial with the study's own network."""
    probe = study.probe()
    material = preparation.material(study.paths, study.pictures, probe.inputs)
    with reading(probe, building.load(probe.network, study.weights), torch.device("cpu")) as reader:
        table = ProbeTrials(material, reader, study.seed, torch.device("cpu")).run(settings or study.trial, defects)
    return table.set_index(["row", *KEYS])


def test_a_trial_takes_the_same_steps_as_the_rules(study):
    """The network of the study itself, as a trial: the scores of the row `words`, resample by resample."""
    expected = values(study.measurements)
    for index, line in trial(study).iterrows():
        assert line["n"] == expected.loc[index, "n"], index
        np.testing.assert_allclose(line["resamples"], expected.loc[index, "resamples"], atol=1e-5)


@pytest.fixture(scope="module")
def short(study):
    """Settings of a trial that is over soon."""
    training = replace(study.training, epochs=15)
    return replace(study.trial, training=training, scores=replace(study.scores, bootstrap=20))


@pytest.fixture(scope="module")
def without_defects(study, short):
    return trial(study, settings=short)


# The pictures of this study are square, where transposed boxes are right: tests/unit/activations/test_streaming.py.
@pytest.mark.parametrize("defect", [name for name in Faithful.names() if name != "transposed_boxes"])
def test_every_defect_changes_something_and_breaks_nothing(study, short, without_defects, defect):
    found = trial(study, Faithful.only(defect), short)
    assert set(found.index) == set(without_defects.index)
    assert np.isfinite(np.stack(found["resamples"])).all()
    changed = [not np.array_equal(found.loc[i, "resamples"], without_defects.loc[i, "resamples"]) for i in found.index]
    assert any(changed)


def test_defects_go_through_the_rules_own_settings(study):
    """What the rules do with a switch is what a trial does with it."""
    settings = study.trial.faithful(Faithful.only("projection", "few_filters", "unpooled", "training_images"), 40)
    assert settings.explanation == ExplanationSettings("projection", "native", 6, 8)
    assert settings.scores.filters == (0, 12, 24, 36)
    assert settings.extraction.pool == "native"
    assert settings.mining.split == "all"
    assert settings.training == study.training
