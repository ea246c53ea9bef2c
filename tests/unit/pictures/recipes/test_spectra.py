"""Spectra with the statistics of photographs."""

import pytest
import torch

from filterscope.pictures.recipes import spectra


def picture(side=20, seed=0):
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 0.9 + 0.05


def test_components_are_undone_by_pixels():
    assert torch.allclose(spectra.pixels(spectra.components(picture())), picture(), atol=1e-4)


@pytest.mark.parametrize("side", [20, 21])
def test_typical_magnitudes_give_the_typical_contrasts(side):
    inner = torch.fft.irfft2(
        torch.polar(
            spectra.typical_magnitudes(side), torch.rand(3, side, side // 2 + 1, generator=torch.Generator()) * 6.28
        ),
        s=(side, side),
        norm="ortho",
    )
    # The few coefficients whose conjugates are among them (columns 0 and the last) make it approximate.
    assert torch.allclose(inner.std((1, 2)), spectra.TYPICAL_SD, rtol=0.25)
    assert inner.mean((1, 2)).abs().max() < 1e-5
    magnitudes, lengths = spectra.typical_magnitudes(side)[0].flatten(), spectra.frequencies(side).flatten()
    order = lengths.argsort()[1:]  # without the mean
    assert magnitudes[order].diff().max() <= 1e-6
