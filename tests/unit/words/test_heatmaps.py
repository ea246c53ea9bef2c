"""Heatmaps: picture x max(0.3, U / max U), U bilinear without aligned corners (docs/methods.md, Heatmaps)."""

import pytest
import torch

from filterscope.words.heatmaps import heatmap, upsample


@pytest.mark.parametrize(
    ("cells", "size"), [((7, 7), (224, 224)), ((3, 5), (20, 9)), ((1, 1), (4, 4)), ((6, 6), (6, 6))]
)
def test_upsamples_as_torch_does(cells, size):
    maps = torch.randn(4, *cells, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(upsample(maps, size), expected, atol=1e-5, rtol=1e-5)


def test_follows_its_formula():
    picture = torch.randint(0, 256, (3, 16, 12), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    activation = torch.randn(4, 3, generator=torch.Generator().manual_seed(2))
    upsampled = torch.nn.functional.interpolate(
        activation[None, None], size=(16, 12), mode="bilinear", align_corners=False
    )[0, 0]
    expected = picture * (upsampled / upsampled.max()).clamp(min=0.3)
    found = heatmap(picture, activation)
    assert found.dtype == torch.uint8
    assert (found.float() - expected).abs().max() <= 0.501
    torch.testing.assert_close(heatmap(picture / 255, activation), expected / 255)


def test_is_bright_where_the_filter_fires_and_dim_where_it_is_silent():
    white = torch.full((3, 32, 32), 200, dtype=torch.uint8)
    activation = torch.zeros(4, 4)
    activation[0, 0] = 5.0
    found = heatmap(white, activation)
    assert found[:, :3, :3].min() == 200
    assert (found[:, 16:, 16:] == 60).all()
    assert torch.equal(white, torch.full_like(white, 200))


@pytest.mark.parametrize("level", [0.0, -2.0])
def test_a_filter_that_never_fires_dims_everything(level):
    assert (heatmap(torch.full((3, 8, 8), 100, dtype=torch.uint8), torch.full((2, 2), level)) == 30).all()
