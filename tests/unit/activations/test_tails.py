"""Thresholds by streaming equal quantiles of everything (spec A6.2)."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from filterscope.activations.tails import Tail, tail_length, threshold


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
    return threshold([table["values"] for table in tables], n, quantile)


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


@settings(max_examples=150, deadline=None)
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
