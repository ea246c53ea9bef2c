"""Pictures and masks go through one geometry: what the network sees is what the mask covers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torchvision.transforms.v2 import functional as transforms

from filterscope.data.geometry import Geometry, resized_picture


def bands(height, width, first, last):
    """Two masks whose edges lie at these shares: one of rows, one of columns.

    No mask with corners: where a picture is enlarged, interpolation rounds them off and sampling does not.
    """
    rows, columns = np.zeros((2, height, width), np.uint8)
    rows[int(first * height) : int(np.ceil(last * height))] = 1
    columns[:, int(first * width) : int(np.ceil(last * width))] = 1
    return rows, columns


def drawn(mask):
    """The picture whose pixels are the mask."""
    return torch.from_numpy(mask * np.uint8(255))[None].expand(3, -1, -1).contiguous()


def agree(geometry, mask):
    """Whether what the network sees is the sampled mask, but for one pixel along the mask's edges."""
    seen, sampled = geometry.picture(drawn(mask)), geometry.mask(mask).astype(bool)
    assert seen.shape == (3, geometry.crop, geometry.crop)
    assert sampled.shape == (geometry.crop, geometry.crop)
    seen = (seen[0] > 127).numpy()
    near = ndimage.maximum_filter(sampled, 3) != ndimage.minimum_filter(sampled, 3)
    near |= ndimage.maximum_filter(seen, 3) != ndimage.minimum_filter(seen, 3)
    return not ((seen != sampled) & ~near).any()


sides = st.integers(1, 90)


@settings(max_examples=100)
@given(sides, sides, st.floats(0, 0.6), st.floats(0.65, 1), st.sampled_from([(64, 56), (32, 32), (40, 24)]))
def test_picture_and_mask_agree(height, width, first, last, sizes):
    assert all(agree(Geometry(*sizes), mask) for mask in bands(height, width, first, last))


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 500), (640, 427), (427, 640)])
def test_extreme_sizes_agree_too(size):
    for first, last in ((0.5, 1), (0, 0.5), (0.499, 0.501), (0, 1)):
        assert all(agree(Geometry(256, 224), mask) for mask in bands(*size, first, last))


def test_the_centre_is_kept_not_a_corner():
    """A landscape picture loses its left and right; a mark in the middle stays in the middle."""
    mask = np.zeros((100, 300), np.uint8)
    mask[:, :98] = 1  # the left third is outside the crop
    geometry = Geometry(50, 50)
    assert not geometry.mask(mask).any()
    assert not geometry.picture(drawn(mask)).any()
    centre = np.zeros((100, 300), np.uint8)
    centre[40:60, 140:160] = 1
    rows, columns = np.nonzero(geometry.mask(centre))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 29, 20, 29)


def test_masks_are_indexed_by_row_and_column():
    """A mistake of the reference: masks allocated as (width, height) and indexed [y, x]."""
    mask = np.zeros((40, 80), np.uint8)
    mask[0:20, 20:60] = 1  # the upper half of the crop
    sampled = Geometry(40, 40).mask(mask)
    assert sampled[:20].all()
    assert not sampled[20:].any()


@settings(max_examples=60)
@given(sides, sides, st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_coverage_sums(height, width, rows, columns, seed):
    """Masks that share out the picture cover every cell once, and shares lie between 0 and 1."""
    owner = np.random.default_rng(seed).integers(0, 3, (height, width))
    masks = np.stack([owner == each for each in range(3)], -1).astype(np.uint8)
    covered = Geometry(48, 42).coverage(masks, (rows, columns))
    assert covered.shape == (rows, columns, 3)
    assert covered.dtype == np.float32
    assert covered.min() >= 0
    np.testing.assert_allclose(covered.sum(-1), 1, atol=1e-5)


def test_coverage_is_the_mean_of_the_pixels_in_a_cell():
    mask = np.zeros((8, 8, 1), np.uint8)
    mask[0:3, 0:2] = 1
    covered = Geometry(8, 8).coverage(mask, (2, 2))[..., 0]
    np.testing.assert_allclose(covered, [[6 / 16, 0], [0, 0]])


def test_coverage_keeps_what_sampling_at_cell_centres_loses():
    """A mistake of the reference: small objects vanish at map resolution."""
    mask = np.zeros((224, 224, 1), np.uint8)
    mask[:10, :10] = 1
    geometry = Geometry(224, 224)
    assert not geometry.mask(mask, (7, 7)).any()
    assert geometry.coverage(mask, (7, 7))[0, 0, 0] == pytest.approx(100 / 1024)


def test_no_masks_is_no_mask():
    nothing = np.zeros((30, 20, 0), np.uint8)
    assert Geometry(16, 16).coverage(nothing, (4, 4)).shape == (4, 4, 0)
    assert Geometry(16, 16).mask(nothing, (4, 4)).shape == (4, 4, 0)


def test_random_crops_move_the_picture_only():
    """The defect `random_crops`: another offset shows another part; (0, 0) is the upper left corner."""
    mask = np.zeros((100, 100), np.uint8)
    mask[:10, :10] = 1
    geometry = Geometry(100, 50)
    assert geometry.picture(drawn(mask), (0.0, 0.0))[0, :10, :10].min() == 255
    assert not geometry.picture(drawn(mask)).any()


@pytest.mark.parametrize(("resize", "crop"), [(0, 0), (32, 40), (32, 0)])
def test_impossible_sizes_are_refused(resize, crop):
    with pytest.raises(ValueError, match="crop is"):
        Geometry(resize, crop)


@settings(max_examples=60)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(2, 70), st.integers(2, 70), st.booleans())
def test_pictures_are_resized_as_torchvision_does(height, width, rows, columns, channels_last):
    pixels = np.random.default_rng(height * 71 + width).integers(0, 256, (height, width, 3), np.uint8)
    picture = torch.from_numpy(pixels).permute(2, 0, 1)
    picture = picture if channels_last else picture.contiguous()
    wanted = transforms.resize(picture, [rows, columns], antialias=True)
    assert torch.equal(resized_picture(picture, (rows, columns)), wanted)
    assert np.array_equal(resized_picture(picture.numpy(), (rows, columns)), wanted)
