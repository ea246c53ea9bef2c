"""Sums do not hang on the order of what is summed up, nor on how many jobs share it."""

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from filterscope.words.sums import ExactSum, counted, read_sums, write_sums

# As far apart as the sums of maps are that hardly fire and of those that always do.
NUMBERS = st.lists(st.floats(1e-9, 1e6) | st.floats(-1e6, -1e-9) | st.just(0.0), min_size=1, max_size=40)


def summed(numbers):
    found = ExactSum(1, 1)
    for number in numbers:
        found.add(torch.tensor([[number]], dtype=torch.float64))
    return found


@given(NUMBERS, st.integers(0, 40), st.randoms())
def test_any_order_and_any_shards_give_the_sum_rounded_once(numbers, cut, chance):
    expected = math.fsum(numbers)
    shuffled = list(numbers)
    chance.shuffle(shuffled)
    assert summed(numbers).value.item() == summed(shuffled).value.item() == expected
    together = ExactSum(1, 1)
    for shard in (numbers[:cut], numbers[cut:]):
        together.merge(summed(shard).parts)
    assert together.value.item() == expected


def test_plain_addition_would_not_do():
    numbers = [0.1] * 10
    assert sum(numbers) != math.fsum(numbers) == summed(numbers).value.item()


def test_a_table_keeps_every_bit(tmp_path):
    whole = {"product": summed([1e16, 0.3, 0.1]).parts, "shown": counted(np.arange(6).reshape(2, 3))}
    write_sums(whole, tmp_path / "sums.parquet")
    found = read_sums(tmp_path / "sums.parquet")
    assert found.keys() == whole.keys()
    for name, parts in whole.items():
        np.testing.assert_array_equal(found[name], parts)
    assert whole["product"][1].any()
