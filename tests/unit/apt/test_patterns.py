"""Patterns as bits, what is unchanged, and the temperature (ActCooLR, H)."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from filterscope.apt.patterns import pack, poisoned, temperatures, unchanged


def directly(before, after, thresholds=(0.0,)):
    """The listing's way, without bits: positions whose channels all stay on their side."""
    same = torch.stack([(before > t) == (after > t) for t in thresholds]).all(0)
    return int(same.all(1).sum())


def both(before, after, thresholds=(0.0,), axis=1):
    return int(unchanged(pack(before, thresholds, axis), pack(after, thresholds, axis)))


shapes = st.tuples(
    st.integers(1, 5), st.integers(1, 19), st.lists(st.integers(1, 4), max_size=3), st.integers(0, 2**31 - 1)
)


@given(shapes, st.floats(0, 1), st.sampled_from([(0.0,), (-0.5, 0.5), (0.0, 0.3, 1.0)]))
@settings(max_examples=60)
def test_bits_count_as_the_direct_computation(shape, noise, thresholds):
    samples, channels, rest, seed = shape
    chance = torch.Generator().manual_seed(seed)
    before = torch.randn(samples, channels, *rest, generator=chance)
    after = before + noise * torch.randn(before.shape, generator=chance)
    expected = directly(before, after, thresholds)
    assert both(before, after, thresholds) == expected
    order = torch.randperm(samples, generator=chance)
    assert both(before[order], after[order], thresholds) == expected
    positions = samples * int(np.prod(rest))
    temperature = float(temperatures(expected, positions))
    assert 0 <= temperature <= np.log2(2 * positions)
    assert both(before, before, thresholds) == positions


@pytest.mark.parametrize(("shape", "axis"), [((3, 5, 11), -1), ((3, 5, 11), 2), ((2, 4, 3, 9), 3), ((4, 9), -1)])
def test_channels_may_be_elsewhere(shape, axis):
    before, after = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.4
    moved = both(before.movedim(axis, 1), after.movedim(axis, 1))
    assert both(before, after, axis=axis) == moved


def test_memory_layout_and_gradients_do_not_matter():
    values = torch.randn(2, 10, 4, 6, generator=torch.Generator().manual_seed(2)).requires_grad_()
    packed = pack(values)
    assert torch.equal(packed, pack(values.to(memory_format=torch.channels_last)))
    assert not packed.requires_grad
    assert packed.dtype == torch.uint8
    assert packed.shape == (2, 2, 24)
    assert packed[0, 0, 0] == sum(int(values[0, place, 0, 0] > 0) << place for place in range(8))


def test_known_answers():
    before = torch.ones(4, 3)
    after = before.clone()
    after[1, 2] = -1
    assert temperatures(both(before, after), 4) == pytest.approx(0.415037, abs=5e-7)
    before, after = torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4)
    after[0, 1, 0, 3] = 0
    assert temperatures(both(before, after), 4) == pytest.approx(0.415037, abs=5e-7)
    assert temperatures(0, 100) == pytest.approx(7.6439, abs=5e-5)
    assert temperatures(0, 50000) == pytest.approx(16.6096, abs=5e-5)
    assert str(temperatures(100, 100)) == "0.0"  # no negative zero


def test_noise_makes_unchanged_patterns_unlikely():
    """Proposition 1: nd values, each flipped with probability e, are all unchanged with (1 - e)^nd."""
    chance = torch.Generator().manual_seed(3)
    before = torch.randn(20000, 100, generator=chance)
    after = torch.where(torch.rand(before.shape, generator=chance) < 0.01, -before, before)
    share = both(before, after) / len(before)
    assert share == pytest.approx(0.36603, abs=0.015)


def test_nan_is_found_and_infinity_is_none():
    values = torch.ones(3, 4)
    values[1, 1] = float("inf")
    values[1, 2] = -float("inf")
    assert not poisoned(values)
    values[2, 3] = float("nan")
    assert poisoned(values)


@pytest.mark.parametrize(
    ("values", "axis", "found"),
    [
        (torch.ones(4), 1, r"\[4\]"),
        (torch.ones(0, 3), 1, r"\[0, 3\]"),
        (torch.ones(2, 3), 0, "axis 0"),
        (torch.ones(2, 3), 2, "axis 2"),
    ],
)
def test_wrong_shapes_are_told(values, axis, found):
    with pytest.raises(ValueError, match=f"values has shape .*{found if 'axis' not in found else ''}"):
        pack(values, channel_axis=axis)


def test_wrong_counts_are_told():
    with pytest.raises(ValueError, match=r"shapes \[2, 1, 1\] and \[3, 1, 1\]"):
        unchanged(pack(torch.ones(2, 3)), pack(torch.ones(3, 3)))
    for same, positions in ((5, 4), (-1, 4), (0, 0), (float("nan"), 4)):
        with pytest.raises(ValueError, match=f"unchanged patterns are .* of {positions}"):
            temperatures(same, positions)
