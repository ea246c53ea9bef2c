"""train_explainer: same weights every time, also after a kill; the null learns from shuffled labels."""

import runpy
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from filterscope import job, tables
from filterscope.faithful import Faithful
from filterscope.words.explaining import resumption
from filterscope.words.explaining.explainer import load_explainer
from filterscope.words.explaining.training import ExplainerSettings
from words.explaining.render_training import render_training
from words.explaining.train_explainer import train_explainer

SHORT = ExplainerSettings(
    epochs=6, batch_size=8, learning_rate=0.01, vocabulary_negatives=8, choosing=0.25, attended=1.0
)


class Named(dict):
    """What Snakemake gives a script: values by name, as attributes and as items."""

    __getattr__ = dict.__getitem__


def trained(study, folder, **changed):
    arguments = {
        "paths_to_pooled": study.shards("pooled"),
        "paths_to_attended": [study.attended],
        "path_to_categories": study.categories,
        "path_to_vocabulary": study.vocabulary,
        "path_to_weights": folder / "explainer.pt",
        "path_to_history": folder / "history.parquet",
        "path_to_csv": folder / "history.csv",
        "settings": SHORT,
        "seed": 3,
    }
    folder.mkdir(exist_ok=True)
    train_explainer(**{**arguments, **changed})
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_writes_weights_and_history(study):
    history = tables.read(study.folder / "words_history.parquet", "history").to_pandas()
    assert history["epoch"].tolist() == list(range(1, study.training.epochs + 1))
    assert history["best"].sum() == 1
    assert history.loc[history["best"], "val_loss"].item() == history["val_loss"].min()
    assert history["val_loss"].min() < 0.7 * history["val_loss"].iloc[0]
    csv = pd.read_csv(study.folder / "words_history.csv")
    np.testing.assert_allclose(csv["val_loss"], history["val_loss"])
    model = load_explainer(study.explainers["words"], 5, 16)
    assert not model.training


def test_the_null_learns_less(study):
    own, null = (
        tables.read(study.folder / f"{name}_history.parquet", "history").to_pandas()["val_loss"].min()
        for name in study.explainers
    )
    assert null > own + 0.2


def test_same_bytes_every_time(study, tmp_path):
    assert trained(study, tmp_path / "a") == trained(study, tmp_path / "b")
    assert set(trained(study, tmp_path / "a")) == {"explainer.pt", "history.parquet", "history.csv"}


def test_temperatures_of_a_steered_training_are_written_and_drawn(study, tmp_path):
    steered = replace(SHORT, steering={"method": "one_cycle", "learning_rate": 0.01})
    for name, settings in (("plain", SHORT), ("steered", steered)):
        path = tmp_path / name / "temperatures.parquet"
        trained(study, tmp_path / name, settings=settings, path_to_temperatures=path)
        table = tables.read(path, "temperatures")
        assert bool(table.num_rows) == (name == "steered")
        paths = [tmp_path / name / "history.parquet"] * 2
        render_training(*paths, tmp_path / f"{name}.png", path, path)
    with Image.open(tmp_path / "plain.png") as plain, Image.open(tmp_path / "steered.png") as drawn:
        assert drawn.width > 1.3 * plain.width, "one panel more"


@pytest.mark.parametrize("killed_at", [("choosing", 4), ("choosing", 6), ("final", 1), ("final", 3)], ids=str)
@pytest.mark.parametrize("null", [False, True])
def test_a_killed_training_ends_as_an_undisturbed_one(study, tmp_path, monkeypatch, null, killed_at):
    """Killed while the epoch is chosen, or while the weights that are kept are trained so long."""
    expected = trained(study, tmp_path / "whole", shuffled_labels=null)
    history = tables.read(tmp_path / "whole" / "history.parquet", "history").to_pandas()
    best = int(history.loc[history["best"], "epoch"].item())
    whole = [("choosing", epoch) for epoch in range(1, 7)] + [("final", epoch) for epoch in range(1, best + 1)]
    if killed_at not in whole:
        pytest.skip(f"epoch {best} was chosen: the second training is over before")
    saves = []
    save = resumption.Checkpoint.save

    def killing(checkpoint, state):
        checkpoint.interval = 0.0
        save(checkpoint, state)
        saves.append((checkpoint.path.name.split(".")[2], state.epoch))
        if saves == whole[: whole.index(killed_at) + 1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(resumption.Checkpoint, "save", killing)
    with pytest.raises(KeyboardInterrupt):
        trained(study, tmp_path / "killed", shuffled_labels=null)
    left = {file.name for file in (tmp_path / "killed").iterdir()}
    assert left == {f".explainer.{phase}.checkpoint" for phase, _ in saves}
    assert trained(study, tmp_path / "killed", shuffled_labels=null) == expected
    assert saves == whole  # the second run went on, it did not start anew


def test_a_job_killed_while_the_null_learns_has_its_own_training_done(study, tmp_path, monkeypatch):
    """Own checkpoints stay until both are written: when the job runs again, whose outputs are gone, nothing of it is
    learnt twice."""
    saves, save = [], resumption.Checkpoint.save

    def killing(checkpoint, state):
        checkpoint.interval = 0.0
        save(checkpoint, state)
        saves.append((checkpoint.path.name.split(".")[1], checkpoint.path.name.split(".")[2], state.epoch))
        if saves[-1] == ("null", "choosing", 2):
            raise KeyboardInterrupt

    def job_of_both(folder):
        """As the rule runs the script."""
        folder.mkdir(exist_ok=True)
        names = {"": "explainer", "null_": "null"}
        written = {"weights": "pt", "history": "history.parquet", "csv": "csv", "temperatures": "temperatures.parquet"}
        output = {
            f"{null}{key}": str(folder / f"{names[null]}.{end}") for null in names for key, end in written.items()
        }
        for path in output.values():
            Path(path).unlink(missing_ok=True)  # Snakemake removes them before a job
        inputs = Named(
            pooled=[str(path) for path in study.shards("pooled")],
            attended=[str(study.attended)],
            categories=str(study.categories),
            vocabulary=str(study.vocabulary),
        )
        params = Named(faithful={}, training=asdict(SHORT), seed=3, code="")
        own = Named(input=inputs, output=Named(output), params=params, threads=1, log=[str(tmp_path / "log")])
        runpy.run_path(train_explainer.__code__.co_filename, {"snakemake": own}, "__main__")
        return {file.name: file.read_bytes() for file in folder.iterdir()}

    monkeypatch.setattr(job, "log_to", lambda path: None)
    expected = job_of_both(tmp_path / "whole")
    assert not [name for name in expected if name.endswith("checkpoint")]
    monkeypatch.setattr(resumption.Checkpoint, "save", killing)
    with pytest.raises(KeyboardInterrupt):
        job_of_both(tmp_path / "killed")
    before = len(saves)
    assert job_of_both(tmp_path / "killed") == expected
    assert {name for name, *_ in saves[:before]} == {"explainer", "null"}
    assert {name for name, *_ in saves[before:]} == {"null"}, "its own explainer was learnt before"


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 4},
        {"settings": replace(SHORT, dropout=0.3)},
        {"shuffled_labels": True},
        {"faithful": Faithful.only("instance_split")},
        {"paths_to_pooled": "swapped"},
        {"path_to_vocabulary": "moved"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_checkpoint_of_another_training_is_not_taken_up(study, tmp_path, monkeypatch, changed):
    """Not even where the activations are the same: of another split, other labels, other words to be told from."""
    if "paths_to_pooled" in changed:
        table = tables.read(study.shards("pooled"), "pooled_activations").to_pandas()
        table["split"] = table["split"].map({"train": "val", "val": "train"})
        changed = {"paths_to_pooled": [tmp_path / "pooled.parquet"]}
        vectors = tables.vectors(np.stack(table.pop("vector")))
        columns = {name: table[name].tolist() for name in table} | {"vector": vectors}
        tables.write(columns, "pooled_activations", tmp_path / "pooled.parquet")
    if "path_to_vocabulary" in changed:
        table = tables.read(study.vocabulary, "vocabulary")
        vectors = tables.matrix(table["vector"]).copy()
        vectors[-1] += 1  # a word that is nobody's token
        changed = {"path_to_vocabulary": tmp_path / "vocabulary.parquet"}
        columns = {"row": table["row"], "word": table["word"], "vector": tables.vectors(vectors)}
        tables.write(columns, "vocabulary", tmp_path / "vocabulary.parquet")
    expected = trained(study, tmp_path / "whole", **changed)
    epochs = []
    save = resumption.Checkpoint.save

    def killing(checkpoint, state):
        checkpoint.interval = 0.0
        save(checkpoint, state)
        epochs.append(state.epoch)
        if len(epochs) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(resumption.Checkpoint, "save", killing)
    with pytest.raises(KeyboardInterrupt):
        trained(study, tmp_path / "killed")
    assert trained(study, tmp_path / "killed", **changed) == expected
    assert epochs[:9] == [1, 2, 3, 1, 2, 3, 4, 5, 6]


def spoilt(study, folder, split):
    """The pooled activations with those of one split made up."""
    table = tables.read(study.shards("pooled"), "pooled_activations")
    vectors = tables.matrix(table["vector"]).copy()
    own = table["split"].to_numpy() == split
    vectors[own] = np.random.default_rng(0).exponential(size=vectors[own].shape)
    place = table.column_names.index("vector")
    path = folder / "spoilt.parquet"
    tables.write(table.set_column(place, "vector", tables.vectors(vectors)), "pooled_activations", path)
    return [path]


def test_scored_images_neither_teach_nor_choose(study, tmp_path):
    """Whatever the network sees in them, weights and history are the same to the byte; in the published way not."""
    pooled = spoilt(study, tmp_path, "val")
    assert trained(study, tmp_path / "own") == trained(study, tmp_path / "spoilt_own", paths_to_pooled=pooled)
    published = trained(study, tmp_path / "published", faithful=Faithful.only("scored_images_choose"))
    other = trained(
        study, tmp_path / "spoilt_published", faithful=Faithful.only("scored_images_choose"), paths_to_pooled=pooled
    )
    assert published["history.parquet"] != other["history.parquet"]
    training = spoilt(study, tmp_path, "train")
    assert trained(study, tmp_path / "own") != trained(study, tmp_path / "untaught", paths_to_pooled=training)


def test_attended_samples_are_learnt_from_where_they_are_asked_for(study, tmp_path):
    none = tmp_path / "none.parquet"
    tables.write(tables.read(study.attended, "attended_activations").slice(0, 0), "attended_activations", none)
    objects = replace(SHORT, attended=0.0)
    alone = trained(study, tmp_path / "alone", settings=objects)["explainer.pt"]
    assert alone != trained(study, tmp_path / "both")["explainer.pt"]
    assert alone == trained(study, tmp_path / "nothing", settings=objects, paths_to_attended=[none])["explainer.pt"]


def test_too_few_training_images_are_refused(study, tmp_path):
    match = r"training\.choosing is 0\.01: 0 of 16 training images with objects would choose"
    with pytest.raises(ValueError, match=match):
        trained(study, tmp_path / "out", settings=replace(SHORT, choosing=0.01))
    assert not list((tmp_path / "out").iterdir())


def test_objects_of_no_known_token_are_passed_over(study, tmp_path):
    """With green unsupervised its objects teach nothing, and its word is no category's."""
    categories = study.table("categories")
    categories["supervised"] = categories["category"] != "green"
    tables.write(categories, "categories", tmp_path / "categories.parquet")
    files = trained(study, tmp_path / "two", path_to_categories=tmp_path / "categories.parquet")
    assert files["explainer.pt"] != trained(study, tmp_path / "three")["explainer.pt"]


def test_a_token_without_a_vector_is_named(study, tmp_path):
    categories = study.table("categories")
    categories.at[1, "tokens"] = ["viridian"]
    tables.write(categories, "categories", tmp_path / "categories.parquet")
    with pytest.raises(ValueError, match="no vector for 'viridian'"):
        trained(study, tmp_path / "out", path_to_categories=tmp_path / "categories.parquet")
    assert not list((tmp_path / "out").iterdir())


def test_weights_hold_no_code(study):
    state = torch.load(study.explainers["words"], weights_only=True)
    assert all(isinstance(each, torch.Tensor) for each in state.values())
