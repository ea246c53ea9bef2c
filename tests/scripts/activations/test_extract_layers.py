"""One job for several layers: each has the tables that it has by itself, and a layer that fails fails alone."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from filterscope import tables
from filterscope.activations.extraction import ActivationError
from filterscope.activations.maps import StoredMaps
from filterscope.activations.shards import ShardPaths
from filterscope.data.networks import building

DEEP = '''

def deep():
    """The study's network, another layer behind it, and what answers NaN where a filter fires."""

    class Poison(nn.Module):
        def forward(self, maps):
            return torch.where(maps[:, 1:2] > 0.5, float("nan"), maps)

    torch.manual_seed(0)
    return nn.Sequential(*network(), nn.Conv2d(5, 4, 3, 2, 1), nn.ReLU(), nn.Identity(), Poison())


def beside():
    """The same with the poison in a branch of its own."""

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk, self.poison = deep()[:4], deep()[5]

        def forward(self, images):
            maps = self.trunk[:2](images)
            self.poison(maps)
            return self.trunk[2:](maps)

    return Branches()
'''


@pytest.fixture(scope="module")
def deeper(study):
    study.factory.write_text(study.factory.read_text() + DEEP)
    return study


def paths(folder, layer):
    return ShardPaths(*(folder / layer / f"{each.name}.parquet" for each in fields(ShardPaths)))


@pytest.fixture
def run(deeper, tmp_path):
    """Extract layers of a network in one job; gives the paths of their tables."""

    def run(function, layers, name, **changed):
        weights = tmp_path / f"{function}.pt"
        probes = [deeper.probe(function, layer) for layer in layers]
        torch.save(building.build(probes[0].network).state_dict(), weights)
        outputs = [paths(tmp_path / name, layer) for layer in layers]
        deeper.extract(1, probes=probes, outputs=outputs, path_to_weights=weights, **changed)
        return outputs

    return run


def test_each_layer_has_the_bytes_that_it_has_by_itself(run):
    layers = ["1", "2", "3"]
    for together, layer in zip(run("deep", layers, "together"), layers, strict=True):
        (alone,) = run("deep", [layer], "alone")
        for each in fields(ShardPaths):
            own, other = (getattr(found, each.name).read_bytes() for found in (together, alone))
            assert own == other, (layer, each.name)


def test_kept_maps_are_what_the_tables_were_made_of(run, deeper):
    _, shard = run("deep", ["1", "3"], "kept")
    table = tables.read(shard.images, "image_activations")
    with StoredMaps([shard.maps]) as stored:
        found = stored.of(table["image_id"].to_pylist())
    assert torch.equal(found.amax((2, 3)), torch.from_numpy(tables.matrix(table["maximum"])))


def test_nothing_is_kept_where_it_may_take_no_room(run):
    (shard,) = run("deep", ["1"], "none", most=0.0)
    assert not StoredMaps([shard.maps]).hold([0])


def test_a_layer_that_fails_stops_and_the_others_go_on(run, caplog):
    with caplog.at_level("ERROR", "filterscope"):
        good, bad = run("beside", ["trunk.3", "poison"], "both")
    assert "layer poison: NaN or infinite activations at image" in caplog.text
    (alone,) = run("beside", ["trunk.3"], "alone")
    for each in fields(ShardPaths):
        assert getattr(good, each.name).read_bytes() == getattr(alone, each.name).read_bytes(), each.name
        name = {"pooled": "pooled_activations", "images": "image_activations"}.get(each.name, each.name)
        with pytest.raises(tables.TableError, match="layer poison: NaN or infinite activations at image"):
            tables.read(getattr(bad, each.name), name)
    with pytest.raises(tables.TableError, match="layer poison: NaN"):
        next(tables.batches(bad.images, "image_activations", ["image_id"]))
    with pytest.raises(tables.TableError, match="layer poison: NaN"):
        StoredMaps([bad.maps])


def test_the_last_layer_that_fails_stops_the_job(run, tmp_path):
    with pytest.raises(ActivationError, match="layer poison: NaN or infinite activations at image"):
        run("beside", ["poison"], "nothing")
    assert not list((tmp_path / "nothing").rglob("*.parquet"))


def test_workers_and_batches_do_not_matter_to_which_maps_are_kept(run, deeper):
    settings = replace(deeper.extraction, batch_size=5, workers=2)
    (one,), (other,) = run("deep", ["1"], "one"), run("deep", ["1"], "other", settings=settings)
    with StoredMaps([one.maps]) as first, StoredMaps([other.maps]) as second:
        ids = list(range(24))
        torch.testing.assert_close(first.of(ids), second.of(ids))
