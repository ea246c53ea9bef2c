"""One product pools as one network run per object does (docs/methods.md, Pooling under masks)."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from filterscope.activations.extraction import (
    ActivationError,
    ExtractionSettings,
    extract,
    pool_masked,
    read_maps,
    refuse_not_finite,
)
from filterscope.activations.streaming import Batch, Look
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.faithful import Faithful

CPU = torch.device("cpu")
SIDE, CELLS = 32, 8
INPUTS = InputSettings(resize=SIDE, crop=SIDE)


def network(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Sequential(
            nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 5, 3, 2, 1), nn.ReLU()
        )
    return layers.eval().requires_grad_(False)


def looks(counts, chance, kind="covered"):
    """Pictures with so many objects each, and masks of all sizes, some of them empty."""
    position, result = 0, []
    for number, count in enumerate(counts):
        masks = chance.random((count, CELLS, CELLS)).astype(np.float32)
        masks *= chance.random((count, CELLS, CELLS)) < chance.choice([0, 0.1, 0.8], (count, 1, 1))
        picture = torch.from_numpy(chance.integers(0, 256, (3, SIDE, SIDE), np.uint8))
        masks = {(kind, (CELLS, CELLS)): masks if kind == "covered" else masks > 0}
        result.append(Look(50 + number, picture, np.arange(position, position + count), masks))
        position += count
    return result


def direct(look, mask, net):
    """The reference's way: run the network for one object, mask its maps, average over the map."""
    maps = net(normalise(look.picture[None], INPUTS))[0]
    return (maps * torch.from_numpy(mask.astype(np.float32))).sum((1, 2)) / (CELLS * CELLS)


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
    st.integers(0, 2**31),
    st.sampled_from(["soft", "nearest"]),
)
def test_equals_one_run_per_object(counts, seed, masks):
    kind = "covered" if masks == "soft" else "sampled"
    seen_looks = looks(counts, np.random.default_rng(seed), kind)
    net = network()
    with Reader(net, "4", input_size=SIDE) as reader:
        batches = [Batch(seen_looks[:2]), Batch(seen_looks[2:])] if len(seen_looks) > 2 else [Batch(seen_looks)]
        seen = list(extract(batches, reader, INPUTS, ExtractionSettings(masks=masks), CPU))
    found = dict(
        zip(
            np.concatenate([each.positions for each in seen]).tolist(),
            np.concatenate([each.vectors for each in seen]),
            strict=True,
        )
    )
    empty = np.concatenate([each.empty for each in seen]).tolist()
    for look in seen_looks:
        for position, mask in zip(look.annotations.tolist(), look.masks[kind, (CELLS, CELLS)], strict=True):
            if not mask.any():
                assert position in empty
                assert position not in found
            else:
                assert position not in empty
                assert np.abs(direct(look, mask, net).numpy() - found[position]).max() < 1e-6
    assert len(found) + len(empty) == sum(counts)
    whole = torch.cat([net(normalise(look.picture[None], INPUTS)) for look in seen_looks])
    np.testing.assert_allclose(np.concatenate([each.maxima for each in seen]), whole.amax((2, 3)), atol=1e-6)
    np.testing.assert_allclose(np.concatenate([each.means for each in seen]), whole.mean((2, 3)), atol=1e-6)


def test_is_divided_by_the_map_not_by_the_mask():
    """F = 2 everywhere, a mask of one cell in four: z = 2/4."""
    maps = torch.full((1, 1, 2, 2), 2.0)
    masks = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert pool_masked(maps, masks, torch.tensor([0])).tolist() == [[0.5]]


def test_native_pool_keeps_the_masked_map():
    maps = torch.arange(8.0).view(1, 2, 2, 2)
    masks = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    assert pool_masked(maps, masks, torch.tensor([0]), "native").tolist() == [[0, 0, 0, 3, 4, 0, 0, 7]]


@pytest.mark.parametrize("pool", ["mean", "native"])
def test_no_objects_give_no_vectors(pool):
    pooled = pool_masked(torch.ones(2, 3, 4, 4), torch.zeros(0, 4, 4), torch.zeros(0, dtype=torch.int64), pool)
    assert pooled.shape == (0, 3 if pool == "mean" else 48)


def test_defects_of_the_reference():
    """Masks worth 1/255, and empty masks kept as zero vectors; they are listed all the same."""
    look = looks([3], np.random.default_rng(0), "sampled")[0]
    masks = look.masks["sampled", (CELLS, CELLS)]
    masks[0], masks[1] = False, True
    net = network()

    def vectors(defects):
        settings_ = ExtractionSettings(masks="nearest").faithful(defects)
        with Reader(net, "4", input_size=SIDE) as reader:
            return next(extract([Batch([look])], reader, INPUTS, settings_, CPU))

    plain, scaled = vectors(Faithful()), vectors(Faithful.only("mask_scale"))
    kept = vectors(Faithful.only("empty_masks"))
    np.testing.assert_allclose(scaled.vectors * 255, plain.vectors, rtol=1e-5)
    assert 0 in plain.empty
    assert 0 in kept.empty
    assert 0 not in plain.positions
    assert kept.positions.tolist() == [0, 1, 2]
    assert not kept.vectors[0].any()
    assert kept.vectors[1].any()


def test_every_defect_of_extraction_is_a_setting():
    chosen = ExtractionSettings()
    assert chosen.faithful(Faithful()) == chosen
    assert chosen.faithful(Faithful.only("lower_tail")).quantile == pytest.approx(0.005)
    assert chosen.faithful(Faithful.only("unpooled")).pool == "native"
    assert chosen.faithful(Faithful.only("projection", "few_filters")) == chosen


@pytest.mark.parametrize("worst", [float("nan"), float("inf")])
def test_nan_names_the_layer_and_the_image(worst):
    class Spoilt(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, images):
            spoilt = torch.where(images.amax((1, 2, 3), keepdim=True) > 2, worst, images)
            return self.conv(spoilt)

    pictures = [torch.zeros(3, SIDE, SIDE, dtype=torch.uint8) for _ in range(3)]
    pictures[1] += 255
    batch = Batch([Look(70 + number, each, np.zeros(0, np.int64), {}) for number, each in enumerate(pictures)])
    with (
        Reader(Spoilt(), "conv", input_size=SIDE) as reader,
        pytest.raises(ActivationError, match="layer conv: NaN or infinite activations at image 71"),
    ):
        read_maps(batch, reader, INPUTS, CPU)


def test_large_activations_whose_sum_is_not_finite_are_no_mistake():
    maps = torch.full((3, 2, 4, 4), 3e38)
    batch = Batch([Look(70 + number, torch.zeros(0), np.zeros(0, np.int64), {}) for number in range(3)])
    refuse_not_finite(maps, batch, "conv")
    maps[2, 1, 3, 3] = float("inf")
    maps[0, 0, 0, 0] = -3e38
    with pytest.raises(ActivationError, match="at image 72"):
        refuse_not_finite(maps, batch, "conv")


@pytest.mark.parametrize(("name", "value"), [("masks", "hard"), ("pool", "max")])
def test_unknown_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=f"activations.{name} is '{value}'"):
        ExtractionSettings(**{name: value})
