"""What the extraction kept gives what a further look gives, without pictures and weights."""

from __future__ import annotations

import pytest

from filterscope.data.rejection import RejectionError


@pytest.fixture
def blind(study, tmp_path):
    """Arguments of a job that has the kept maps, and neither pictures nor weights."""
    return {"paths_to_maps": study.shards("maps"), "folder": tmp_path / "nowhere", "path_to_weights": None}


def same(own, other):
    assert own.read_bytes() == other.read_bytes(), own.name


def test_dissecting(study, blind, tmp_path):
    study.dissect(path_to_overlaps=tmp_path / "overlaps.parquet", **blind)
    for name in ("overlaps", "evidence", "attended"):
        same(tmp_path / f"{name}.parquet", getattr(study, name))


def test_explaining(study, blind, tmp_path):
    """The weights say which classes a filter feeds."""
    names = list(study.explainers)
    paths = {kind: {name: tmp_path / f"{name}_{kind}.parquet" for name in names} for kind in ("by_image", "by_filter")}
    study.explain(
        paths_to_words=paths["by_image"],
        paths_to_votes=paths["by_filter"],
        **blind | {"path_to_weights": study.weights},
    )
    for kind, own in paths.items():
        for name in names:
            same(own[name], study.folder / f"{name}_{kind}.parquet")


def test_scoring(study, blind, tmp_path):
    study.score(written=study.scored_at(tmp_path), **blind)
    for name in ("measurements", "filter_claims", "sanity"):
        same(tmp_path / f"{name}.parquet", getattr(study, name))


def test_what_was_not_kept_is_looked_at_again(study, blind, tmp_path):
    """Of one shard nothing was kept."""
    study.extract(2, tmp_path, most=0.0)
    maps = [study.shards("maps")[0], study.shards("maps", 2, tmp_path)[1]]
    with pytest.raises(RejectionError, match="could be read before and cannot now"):
        study.score(**{**blind, "paths_to_maps": maps, "path_to_weights": study.weights})
