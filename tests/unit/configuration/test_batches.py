"""Trainings in batches of one job."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configuration.batches import PATTERN, batch_with, batches, members


def test_batches_keep_the_order_and_the_last_is_smaller():
    assert batches([4, 0, 7, 2, 9], 2) == ["4-0", "7-2", "9"]
    assert batches(range(3), 1) == ["0", "1", "2"]
    assert batches([], 3) == []


@given(st.lists(st.integers(0, 1000), unique=True), st.integers(1, 12))
def test_every_number_is_in_one_batch(numbers, together):
    found = batches(numbers, together)
    assert [number for batch in found for number in members(batch)] == numbers
    assert all(re.fullmatch(PATTERN, batch) and len(members(batch)) <= together for batch in found)
    assert all(number in members(batch_with(number, numbers, together)) for number in numbers)


def test_a_number_that_is_asked_for_by_mistake_is_named():
    with pytest.raises(ValueError, match="number 5 is none of 0, 1, 2"):
        batch_with(5, [0, 1, 2], 2)
