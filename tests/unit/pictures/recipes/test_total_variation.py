"""Total variation denoising: scikit-image is the reference."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.restoration import denoise_tv_bregman
from skimage.transform import resize

from filterscope.pictures.recipes import total_variation
from filterscope.pictures.recipes.total_variation import denoise


def reference(picture, weight):
    """picture: [3, H, W]."""
    done = denoise_tv_bregman(picture.transpose(1, 2, 0), weight=weight, max_num_iter=100, eps=1e-3, channel_axis=-1)
    return done.transpose(2, 0, 1)


def noise(side=64, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (3, side, side))


def natural(side=64):
    return resize(data.astronaut(), (side, side), anti_aliasing=True, preserve_range=True).transpose(2, 0, 1)


@pytest.mark.parametrize("picture", [noise(), natural()], ids=["noise", "natural"])
@pytest.mark.parametrize("weight", [0.01, 0.1, 0.4, 2.0])
@pytest.mark.parametrize("passes", [2, 6])
def test_equals_scikit_image_in_bytes(picture, weight, passes):
    ours = denoise(torch.from_numpy(picture).float()[None], weight, passes=passes)[0].numpy()
    assert np.abs(ours - reference(picture, weight)).max() < 255e-3


@pytest.mark.parametrize("picture", [noise() / 255, natural() / 255], ids=["noise", "natural"])
@pytest.mark.parametrize("weight", [0.1, 1.0, 10.0])
def test_equals_scikit_image_in_the_unit_range_where_it_stops_early(picture, weight):
    ours = denoise(torch.from_numpy(picture).float()[None], weight)[0].numpy()
    assert np.abs(ours - reference(picture, weight)).max() < 1e-3


def test_known_strengths_of_the_weights():
    """Smaller weights smooth more; standard deviation of uniform noise, [227, 227, 3]."""
    picture = np.random.default_rng(0).uniform(0, 255, (227, 227, 3)).transpose(2, 0, 1)
    before = torch.from_numpy(picture).float()[None].expand(4, -1, -1, -1)
    found = denoise(before, torch.tensor([0.01, 0.1, 0.4, 2.0]), passes=3).std((1, 2, 3))
    assert before[0].std() == pytest.approx(73.6, abs=0.5)
    for each, weight in zip(found, (0.01, 0.1, 0.4, 2.0), strict=True):
        assert float(each) == pytest.approx(float(reference(picture, weight).std()), abs=0.1)
    assert found.diff().gt(0).all()
    assert found[1:].tolist() == pytest.approx([57.8, 69.2, 72.5], abs=1.0)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_does_not_depend_on_its_batch(threads):
    before = torch.get_num_threads()
    pictures = torch.from_numpy(np.stack([noise(40, seed) for seed in range(5)])).float()
    weights = torch.tensor([0.01, 2.0, 0.1, 0.4, 0.05])
    torch.set_num_threads(threads)
    try:
        together = denoise(pictures, weights)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for index in range(5):
        assert torch.equal(denoise(pictures[index : index + 1], weights[index])[0], together[index])


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("unit", [1.0, 255.0])
def test_the_batched_way_of_a_gpu_gives_the_same(count, unit, monkeypatch):
    """On a GPU all pictures go through one sweep together, finished ones are left alone, and the end is asked for after
    every tenth sweep only."""
    pictures = torch.from_numpy(np.stack([natural(40), noise(40)])[:count] / unit).float()
    weights = torch.tensor([0.4, 0.05])[:count]
    expected, out = denoise(pictures, weights), torch.empty_like(pictures)
    monkeypatch.setattr(total_variation, "_patience", lambda device: 10)
    total_variation._denoise_part(pictures, weights, out, 100, 1e-3, 6)
    assert torch.allclose(out, expected, atol=1e-4 * 255 / unit)


@settings(max_examples=25)
@given(st.integers(2, 12), st.integers(2, 12), st.floats(0.005, 5), st.floats(0, 255), st.integers(0, 99))
def test_properties(height, width, weight, level, seed):
    flat = torch.full((1, 1, height, width), level)
    assert torch.allclose(denoise(flat, weight), flat, atol=1e-3)  # nothing to smooth
    picture = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(seed)) * 255
    kept = picture.clone()
    turned = denoise(255 - picture, weight)
    assert torch.equal(picture, kept)
    assert torch.allclose(255 - turned, denoise(picture, weight), atol=0.05)  # black and white are alike


@pytest.mark.parametrize(
    ("pictures", "weights", "said"),
    [
        (torch.zeros(3, 8, 8), 1.0, r"float32 \[3, 8, 8\]"),
        (torch.zeros(1, 3, 1, 8), 1.0, "H and W at least 2"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), 1.0, "uint8"),
        (torch.zeros(1, 3, 8, 8), 0.0, "should be positive"),
        (torch.zeros(2, 3, 8, 8), torch.ones(3), r"weights are \[3\]"),
        (torch.full((1, 3, 8, 8), float("nan")), 1.0, "NaN"),
    ],
)
def test_refuses(pictures, weights, said):
    with pytest.raises(ValueError, match=said):
        denoise(pictures, weights)
