"""However many shards look at the pictures, the tables are those of one job that looks at all, to the byte."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from activations.gather_thresholds import gather_thresholds
from filterscope import tables
from filterscope.activations.extraction import ActivationError
from filterscope.activations.probing import ProbeSettings
from filterscope.faithful import Faithful
from filterscope.words.untrained import SeenPaths
from words.scoring.score_random_network import score_random_network

KINDS = ("overlaps", "evidence", "attended")


@pytest.fixture(scope="module")
def plain(study):
    """Of sums that float64 does not hold: maps of five filters and 16 pictures are added up in runs of four."""
    return {"activations": replace(study.extraction, batch_size=4), "settings": settings(study)}


def settings(study):
    return study.study_settings(run=4)


def attended(paths):
    """Samples of all shards."""
    parts = [tables.read(path, "attended_activations").to_pandas() for path in paths]
    return [row for part in parts for row in part.to_dict("records")]


def dissected(study, folder, total, **changed):
    """Sums and samples of all shards, in their order."""
    shards = [f"{number}-of-{total}" for number in range(1, total + 1)]
    sums, samples = ([folder / f"{kind}-{each}.parquet" for each in shards] for kind in ("sums", "attended"))
    for place, each in enumerate(shards):
        outputs = {"path_to_sums": sums[place], "path_to_attended": samples[place], "path_to_evidence": None}
        study.dissect(scatteritem=each, path_to_overlaps=folder / "nothing.parquet", **outputs, **changed)
    return sums, samples


@pytest.mark.parametrize("total", [2, 3, 6])
def test_dissection(study, plain, tmp_path, total):
    """Of six shards two have nothing to look at: 16 training pictures are four batches."""
    whole, gathered = tmp_path / "whole", tmp_path / "gathered"
    study.dissect(path_to_overlaps=whole / "overlaps.parquet", **plain)
    sums, samples = dissected(study, tmp_path, total, **plain)
    blind = {"paths_to_image_activations": [], "path_to_annotations": None, "path_to_images": None, "folder": None}
    study.dissect(path_to_overlaps=gathered / "overlaps.parquet", paths_to_shards=sums, **blind | plain)
    for kind in ("overlaps", "evidence"):
        assert (gathered / f"{kind}.parquet").read_bytes() == (whole / f"{kind}.parquet").read_bytes(), kind
    assert repr(attended(samples)) == repr(attended([whole / "attended.parquet"]))
    assert not (gathered / "attended.parquet").exists()
    assert not (tmp_path / "nothing.parquet").exists()


def test_the_explainer_learns_the_same_from_samples_in_shards(study, tmp_path):
    _, samples = dissected(study, tmp_path, 3)
    paths = {"path_to_weights": tmp_path / "words.pt", "path_to_history": tmp_path / "history.parquet"}
    study.train(paths_to_attended=samples, path_to_csv=tmp_path / "h.csv", shuffled_labels=False, **paths)
    assert paths["path_to_history"].read_bytes() == study.words_history.read_bytes()


def seen_untrained(study, folder, total, **changed):
    """What is seen of a layer of the never-trained network, whose shards lie in this folder."""
    shards = {kind: study.shards(kind, total, folder) for kind in ("pooled", "image", "tails", "maps")}
    thresholds = folder / "thresholds.parquet"
    gather_thresholds(shards["tails"], thresholds, None, study.extraction.quantile, passing_on=True)
    untrained = {
        "path_to_weights": None,
        "initial_seed": study.seed,
        "path_to_thresholds": thresholds,
        "paths_to_image_activations": shards["image"],
        "paths_to_maps": shards["maps"],
        "settings": study.study_settings(run=study.extraction.batch_size),
        "passing_on": True,
    }
    sums, samples = dissected(study, folder, total, **untrained | changed)
    return SeenPaths(shards["pooled"], shards["image"], sums, samples, shards["maps"], [thresholds])


@pytest.mark.parametrize("most", [1.0, 0.0])
@pytest.mark.parametrize("total", [1, 3])
def test_the_never_trained_network(study, tmp_path, total, most):
    """Whether its maps were kept or not."""
    study.extract(total, tmp_path, path_to_weights=None, seed=study.seed, most=most)
    seen = seen_untrained(study, tmp_path, total)
    found = tmp_path / "random_network.parquet"
    arguments = (study.pictures, study.trial, [study.probe()], study.seed, Faithful())
    score_random_network(study.paths_of_layers(), [found], *arguments, seen=[seen])
    assert found.read_bytes() == study.random_network.read_bytes()


def scored(study, folder, total, **changed):
    """Sums of all shards of the images that score, and the tables that follow of them."""
    shards = [f"{number}-of-{total}" for number in range(1, total + 1)]
    sums = [folder / f"scores-{each}.parquet" for each in shards]
    for path, each in zip(sums, shards, strict=True):
        study.score(scatteritem=each, path_to_sums=path, written=None, **changed)
    study.score(paths_to_shards=sums, written=study.scored_at(folder), **changed)
    return sums


SCORED = ("measurements", "filter_claims", "sanity")


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(("total", "batch"), [(1, 8), (2, 3), (3, 3), (3, 2), (6, 2)])
def test_scores(study, tmp_path, total, batch, kept):
    """Of six shards two have nothing to look at: eight scored pictures are four batches of two."""
    asked = {"activations": replace(study.extraction, batch_size=batch)}
    asked |= {"paths_to_maps": study.shards("maps"), "path_to_weights": None} if kept else {}
    whole, gathered = tmp_path / "whole", tmp_path / "gathered"
    study.score(written=study.scored_at(whole), **asked)
    sums = scored(study, gathered, total, **asked)
    for name in SCORED:
        for kind in ("parquet", "csv") if name != "measurements" else ("parquet",):
            file = f"{name}.{kind}"
            assert (gathered / file).read_bytes() == (whole / file).read_bytes(), file
    assert all(path.exists() for path in sums)


def test_sums_of_scores_are_written_piece_by_piece(study, tmp_path, monkeypatch):
    monkeypatch.setattr("filterscope.words.scoring.scored_images.PIECE", 1000)
    sums = scored(study, tmp_path, 2)
    assert tables.read(sums[0], "score_sums")["first"].to_numpy().max() > 0
    for name in SCORED:
        assert (tmp_path / f"{name}.parquet").read_bytes() == getattr(study, name).read_bytes(), name


BRANCHES = """
import torch
from torch import nn


class Branches(nn.Module):
    # The study's network, and beside it a branch that answers NaN to the brightest picture.

    def __init__(self):
        super().__init__()
        self.trunk, self.branch = nn.Sequential(nn.Conv2d(3, 5, 4, stride=4), nn.ReLU()), nn.Identity()

    def forward(self, images):
        maps = self.trunk(images)
        bright = images.mean((1, 2, 3)) > {bound}
        self.branch(torch.where(bright[:, None, None, None], float("nan"), maps))
        return maps
"""


@pytest.fixture
def branches(study, tmp_path):
    """The trunk and the branch that is not finite in one of several shards, as probes."""
    light = sorted(np.asarray(Image.open(path)).mean() / 255 for path in study.pictures.glob("*.png"))
    factory = tmp_path / "branches.py"
    factory.write_text(BRANCHES.format(bound=np.mean(light[-2:])))
    network = {**study.network(), "factory": f"{factory}:Branches"}
    return [ProbeSettings.from_mapping({"network": network, "layer": layer}) for layer in ("trunk.1", "branch")]


def test_a_never_trained_layer_that_is_not_finite_costs_no_other_its_null(study, branches, tmp_path):
    """In one of two shards."""
    folders = [tmp_path / probe.layer for probe in branches]
    for number in (1, 2):
        outputs = [study.outputs(number, 2, folder) for folder in folders]
        untrained = {"path_to_weights": None, "seed": study.seed, "probes": branches}
        study.extract(1, outputs=outputs, scatteritem=f"{number}-of-2", **untrained)
    tails = study.shards("tails", 2, folders[1])
    stopped = [tables.STOPPED in (pq.read_schema(path).metadata or {}) for path in tails]
    assert sorted(stopped) == [False, True]
    seen = [seen_untrained(study, *asked, probe=probe) for probe, *asked in zip(branches, folders, [2, 2], strict=True)]
    found = [folder / "random_network.parquet" for folder in folders]
    paths = study.paths_of_layers(study.shards("image"), study.shards("image"))
    arguments = (study.pictures, study.trial, branches, study.seed, Faithful())
    score_random_network(paths, found, *arguments, seen=seen)
    assert found[0].read_bytes() == study.random_network.read_bytes()
    with pytest.raises(tables.StoppedError) as caught:
        tables.read(found[1], "measurements")
    assert caught.value.reason.startswith("layer branch: NaN or infinite activations at image")
    alone = (study.pictures, study.trial, branches[1:], study.seed, Faithful())
    with pytest.raises(ActivationError, match="layer branch: NaN or infinite"):
        score_random_network(study.paths_of_layers(), found[1:], *alone, seen=seen[1:])


def test_a_trained_layer_that_is_not_finite_stops_whoever_reads_it(study, tmp_path):
    tables.write_stopped("tails", tmp_path / "tails.parquet", "layer 7: NaN")
    with pytest.raises(tables.StoppedError, match="layer 7: NaN"):
        gather_thresholds([tmp_path / "tails.parquet"], tmp_path / "thresholds.parquet", None, 0.95)
    tables.write_stopped("image_activations", tmp_path / "image.parquet", "layer 7: NaN")
    with pytest.raises(tables.StoppedError, match="layer 7: NaN"):
        dissected(study, tmp_path, 2, paths_to_image_activations=[tmp_path / "image.parquet"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.parquet", "tails.parquet"]


def test_inputs_of_a_rule_are_told_apart_by_layers():
    files = {name: [f"{name}{number}" for number in range(4)] for name in ("pooled", "looked", "sums", "attended")}
    files |= {"maps": list("abcd"), "thresholds": ["first", "second"]}
    first, second = SeenPaths.of_layers(files, 2)
    assert (first.pooled, second.sums, second.maps) == (["pooled0", "pooled1"], ["sums2", "sums3"], ["c", "d"])
    assert (first.thresholds, second.thresholds) == (["first"], ["second"])
    assert SeenPaths.of_layers({}, 2) is None
