"""A network whose activations are clipped: every script that asks where a filter fires reads the bound as firing."""

import pytest

from activations.gather_thresholds import gather_thresholds
from activations.mine_top_images import mine_top_images
from filterscope import tables

RED, BLUE = 0, 1  # reach the bound in all patches of their colour


@pytest.fixture(scope="module")
def clipped(study, tmp_path_factory):
    """Tables of the study's network with a bounded activation, by name; "strict" as if no filter were saturated."""
    folder = tmp_path_factory.mktemp("clipped")
    study.extract(2, folder, probes=[study.probe("clipped")])
    paths = {name: folder / f"{name}.parquet" for name in ("thresholds", "strict", "top_images", "overlaps")}
    gather_thresholds(study.shards("tails", 2, folder), paths["thresholds"], folder / "thresholds.csv", 0.95)
    table = tables.read(paths["thresholds"], "thresholds").to_pandas()
    tables.write(table.assign(saturated=False), "thresholds", paths["strict"])
    mine_top_images(study.shards("image", 2, folder), paths["top_images"], 5, 1.0, "val")
    study.dissect(
        probe=study.probe("clipped"), path_to_thresholds=paths["thresholds"], path_to_overlaps=paths["overlaps"]
    )
    return folder, paths


def test_dissection_labels_them(study, clipped, tmp_path):
    _, paths = clipped
    overlaps = tables.read(paths["overlaps"], "overlaps").to_pandas()
    best = overlaps[overlaps["rank"] == 0].set_index("filter")
    assert best.loc[[RED, BLUE], "token"].tolist() == ["red", "blue"]
    assert (best.loc[[RED, BLUE], "iou"] > 0.3).all()
    study.dissect(
        probe=study.probe("clipped"), path_to_thresholds=paths["strict"], path_to_overlaps=tmp_path / "o.parquet"
    )
    strict = tables.read(tmp_path / "o.parquet", "overlaps").to_pandas()
    assert not strict[strict["filter"].isin([RED, BLUE])]["iou"].any()


def test_scores_and_sanity_tests_see_their_regions(study, clipped):
    folder, paths = clipped
    arguments = {"probe": study.probe("clipped"), "path_to_thresholds": paths["thresholds"]}
    study.score(**arguments, path_to_overlaps=paths["overlaps"], written=study.scored_at(folder))
    found = tables.read(folder / "filter_claims.parquet", "filter_claims").to_pandas().set_index("filter")
    assert found.loc[[RED, BLUE], "rival"].tolist() == ["red", "blue"]
    assert (found.loc[[RED, BLUE], "iou"] > 0.3).all()
    sanity = tables.read(folder / "sanity.parquet", "sanity").to_pandas().set_index(["test", "metric"])
    assert sanity.loc[("extra_labels", "iou"), "n"] >= 2


@pytest.mark.parametrize("method", ["activation", "image"])
def test_what_is_shown_to_the_explainer_is_not_nothing(study, clipped, tmp_path, method):
    """Read strictly, filters 0 and 1 show it an empty region in every image: the same words everywhere."""
    _, paths = clipped
    told = {}
    for name in ("thresholds", "strict"):
        study.explain(
            probe=study.probe("clipped"),
            path_to_top_images=paths["top_images"],
            path_to_thresholds=paths[name],
            paths_to_words={each: tmp_path / f"{name}_{each}.parquet" for each in study.explainers},
            paths_to_votes={each: tmp_path / f"{name}_{each}_votes.parquet" for each in study.explainers},
            settings=type(study.explanation)(method, "mean", 6, 8),
        )
        words = tables.read(tmp_path / f"{name}_words.parquet", "image_words").to_pandas()
        red = words[(words["filter"] == RED) & (words["candidates"] == "vocabulary") & (words["rank"] == 0)]
        told[name] = red["cosine"].round(5).nunique()
    assert told["strict"] == 1
    assert told["thresholds"] > 1
