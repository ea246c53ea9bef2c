"""Thresholds by streaming equal quantiles of everything (LaViSE, 4.3)."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from filterscope.activations.tails import Tail, deciding, tail_length
from filterscope.activations.thresholds import threshold, threshold_table


def streamed(values, quantile, cuts, shards=1):
    """Threshold of values [filters, n], taken in pieces that end at the cuts, dealt out to shards."""
    n = values.shape[1]
    pieces = np.split(values, sorted(cuts), axis=1)
    tails = [Tail(len(values), quantile, n) for _ in range(shards)]
    for index, piece in enumerate(pieces):
        maps = torch.from_numpy(np.ascontiguousarray(piece.T))[:, :, None, None]  # one position per picture
        tails[index % shards].add(maps)
    tables = [tail.table() for tail in tails]
    assert sum(table["n"][0] for table in tables) == n
    np.testing.assert_array_equal(sum(table["positive"] for table in tables), (values > 0).sum(1))
    return threshold([table["values"][:, : table["n"][0]] for table in tables], n, quantile)


def test_known_answer():
    """Values 1..1000: T = 995.005, and five values exceed it."""
    values = np.random.default_rng(0).permutation(np.arange(1, 1001)).astype(np.float32)[None]
    found = streamed(values, 0.995, [100, 500, 501])
    np.testing.assert_allclose(found, 995.005, rtol=1e-12)
    assert (values > found[0]).sum() == 5


def test_known_answer_of_the_lower_tail():
    """The reference takes quantile 0.005: 5.995."""
    values = np.arange(1, 1001, dtype=np.float32)[None]
    np.testing.assert_allclose(streamed(values, 1 - 0.995, [300]), 5.995, rtol=1e-12)


@settings(max_examples=150)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 400)),
        elements=st.one_of(st.just(0.0), st.floats(-100, 100, width=32)),
    ),
    st.sampled_from([0.995, 0.9, 0.5, 0.31, 0.1, 1 - 0.995]),
    st.lists(st.integers(0, 400), max_size=6),
    st.integers(1, 3),
)
def test_equals_the_quantile_of_everything(values, quantile, cuts, shards):
    cuts = [cut for cut in cuts if cut <= values.shape[1]]
    expected = np.quantile(values.astype(np.float64), quantile, axis=1)
    np.testing.assert_allclose(streamed(values, quantile, cuts, shards), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("quantile", [0.995, 0.005])
def test_merging_keeps_memory_small_and_the_answer_exact(quantile):
    """Many batches, so that the buffer is merged many times over."""
    chance = np.random.default_rng(1)
    tail = Tail(2, quantile, 200 * 32 * 49)
    seen = []
    for _ in range(200):
        maps = chance.normal(size=(32, 2, 7, 7)).astype(np.float32)
        seen.append(maps.transpose(1, 0, 2, 3).reshape(2, -1))
        tail.add(torch.from_numpy(maps))
        assert tail.values.shape[1] <= tail.kept
        assert tail._buffered <= max(tail.kept, 2048)
    everything = np.concatenate(seen, 1)
    kept = tail.table()["values"]
    assert kept.shape[1] == tail_length(quantile, everything.shape[1]) < everything.shape[1] / 100
    found = threshold([kept], everything.shape[1], quantile)
    np.testing.assert_allclose(found, np.quantile(everything.astype(np.float64), quantile, axis=1), rtol=1e-6)


def test_tails_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="the tails keep 3 values"):
        threshold([np.ones((1, 3))], 1000, 0.9)


@pytest.mark.parametrize("quantile", [0, 1, -0.5, 1.5])
def test_impossible_quantiles_are_refused(quantile):
    with pytest.raises(ValueError, match="quantile"):
        Tail(1, quantile, 10)


def table_of(maps, quantile=0.9, chosen=None):
    """The `thresholds` table of maps [images, filters, h, w], looked at in two shards."""
    tails = []
    for part in (slice(0, None, 2), slice(1, None, 2)):
        tail = Tail(maps.shape[1], quantile, maps[:, 0].numel())
        tail.add(maps[part], None if chosen is None else chosen[part])
        tails.append(tail.table())
    return threshold_table(tails, quantile)


def test_thresholds_come_from_the_chosen_images_only():
    maps = torch.rand(20, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    maps[10:] += 5
    chosen = np.arange(20) < 10
    table = table_of(maps, chosen=chosen)
    own = maps[:10].transpose(0, 1).flatten(1).double().numpy()
    np.testing.assert_allclose(table["threshold"], np.quantile(own, 0.9, axis=1), rtol=1e-6)
    assert set(table["n"]) == {160}
    assert not np.allclose(table["threshold"], table_of(maps)["threshold"])


def test_a_shard_without_a_chosen_image_changes_nothing():
    maps = torch.rand(8, 2, 3, 3, generator=torch.Generator().manual_seed(1))
    chosen = np.arange(8) % 2 == 0  # the second shard has none
    expected = np.quantile(maps[::2].transpose(0, 1).flatten(1).double().numpy(), 0.9, axis=1)
    np.testing.assert_allclose(table_of(maps, chosen=chosen)["threshold"], expected, rtol=1e-6)


def test_no_chosen_image_at_all_is_an_error():
    with pytest.raises(ValueError, match="none of the training images could be read"):
        table_of(torch.rand(4, 2, 3, 3), chosen=np.zeros(4, bool))


def test_a_filter_that_fires_on_other_images_only_is_dead_and_told_apart():
    maps = torch.zeros(10, 3, 4, 4)
    maps[:, 0] = torch.rand(10, 4, 4)
    maps[8, 1, 2, 2] = 1.0
    table = table_of(maps, chosen=np.arange(10) < 6)
    assert table["dead"].tolist() == [False, True, True]
    assert table["fires_elsewhere"].tolist() == [False, True, False]
    assert not table["saturated"].any()


@pytest.mark.parametrize(
    ("function", "saturated"),
    [(torch.nn.ReLU6(), True), (torch.nn.Hardtanh(), True), (torch.nn.Sigmoid(), True), (torch.nn.ReLU(), False)],
)
def test_bounded_activations_are_recognised(function, saturated):
    """Every tenth activation is far beyond the bound of all these functions; of the second filter none is."""
    before = 0.2 * torch.randn(10, 2, 10, 10, generator=torch.Generator().manual_seed(2))
    before[:, 0, 0] += 14 + torch.rand(10, 10)
    table = table_of(function(before), 0.95)
    assert table["saturated"].tolist() == [saturated, False]


def test_a_threshold_at_the_lower_end_is_no_bound():
    """The reference's defect: the lowest activations of a filter with ReLU are all the same, zero."""
    maps = torch.rand(10, 2, 10, 10, generator=torch.Generator().manual_seed(3)).sub(0.5).relu()
    table = table_of(maps, 0.1)
    assert table["threshold"].tolist() == [0, 0]
    assert not table["saturated"].any()


def test_training_images_decide_where_there_are_any():
    assert deciding(np.array(["train", "val", "train"])).tolist() == [True, False, True]
    assert deciding(np.array(["val", "val"])).tolist() == [True, True]
