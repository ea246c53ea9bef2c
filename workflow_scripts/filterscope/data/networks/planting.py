"""Filters set by hand, so that the right name of every filter is known.

Eight filters answer to a colour, four to stripes of one orientation, three to the other textures of the
scenes. Every step is one layer of `embedded.Detectors`; its weights follow from the colours and from
the period of the textures, and the normalisation of the network's input is folded into the first of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from filterscope.data.networks.embedded import (
    COLOUR_PARTS,
    DIRECTIONS,
    FILTERS,
    MEASURES,
    ORIENTED,
    PHASES,
    PIXEL_PARTS,
    STRIDE,
    SUMS,
    WINDOW,
    Detectors,
    Planted,
)
from filterscope.data.networks.settings import InputSettings
from filterscope.data.scenes import drawing
from filterscope.data.scenes.words import COLOURS, known_words

# Chroma of a pixel: axes of the plane across grey, so that the length of pure red is 1.
_CHROMA = np.array([[1.0, -0.5, -0.5], [0.0, np.sqrt(0.75), -np.sqrt(0.75)]])
_HUE_TOLERANCE = np.deg2rad(7)  # hues this near to a colour's are the colour
_HUE_INHIBITION = 7.0  # how steeply hues beyond the tolerance count against it
_FAINT = 0.12  # chroma below which nothing is coloured: above that of the backgrounds
_FULL = 0.05  # further chroma at which a pixel has all of a colour, dark marks included
_STRENGTH = 0.5  # weight of the colour's strength near by, so that maxima of objects do not tie
_STRONGEST = 1.2  # strength, in that of the colour itself, that adds nothing
_SIGMA = 0.54  # of the Gaussian envelope of the oriented filters, in periods
_OPPOSED = 0.7  # weight of the energies that speak against a texture
_FLOOR = 0.06  # energy of stripes below which nothing is a stripe
_LATTICE_FLOOR = 0.02  # and of dots and checks, which have two directions
_DISTURBED = 3.0  # how strongly energy speaks against plainness
# Maximum that one in twenty scenes exceeds, by filter: summands are divided by it, so that each has its share of the
# images that excite their sum most.
_LEVELS = (0.98, 0.94, 0.94, 1.0, 0.97, 0.98, 0.99, 0.94, 1.81, 1.6, 1.52, 1.61, 1.49, 2.17, 0.92)


def plant(network: Planted, inputs: InputSettings) -> None:
    """Set all weights in place, for pictures that become the network's input in this way.

    Raises ValueError for a crop that the detectors' maps do not divide.
    """
    plant_detectors(network.detectors, inputs)
    weights = np.zeros((len(SUMS), len(FILTERS)))
    for row, summands in enumerate(SUMS):
        for each in summands:
            weights[row, each] = 1 / _LEVELS[each]
    with torch.no_grad():
        network.sums.weight.copy_(torch.from_numpy(weights[:, :, None, None]))


def plant_detectors(detectors: Detectors, inputs: InputSettings) -> None:
    """Set the weights of the detectors alone, as `plant` does."""
    if inputs.crop % STRIDE:
        raise ValueError(f"input.crop is {inputs.crop} px, a planted network needs a multiple of {STRIDE} px")
    weights, bias = _pixel_parts()
    _set(detectors.pixels, weights * np.array(inputs.std), bias + weights @ np.array(inputs.mean))
    _set(detectors.colours, *_colour_parts())
    _set(detectors.oriented, _oriented(drawing.PERIOD * inputs.resize), np.zeros(ORIENTED))
    _set(detectors.measures, *_measures())
    _set(detectors.names, *_names())


def planted_words() -> dict[str, list]:
    """What every filter detects: the known_words table."""
    return known_words(FILTERS)


def _set(layer: nn.Conv2d, weights: np.ndarray, bias: np.ndarray) -> None:
    if weights.ndim == 2:
        weights = weights[:, :, None, None]
    if weights.shape != tuple(layer.weight.shape):
        raise ValueError(f"planted weights have shape {weights.shape}, the layer has {tuple(layer.weight.shape)}")
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights))
        layer.bias.copy_(torch.from_numpy(bias))


def _pixel_parts() -> tuple[np.ndarray, np.ndarray]:
    """Red, green, blue to PIXEL_PARTS: chroma along each colour's hue and beyond its tolerance; R, G - R, B."""
    rows = []
    for rgb in COLOURS.values():
        x, y = _CHROMA @ np.array(rgb)
        hue = np.arctan2(y, x)
        rows.append(np.array([np.cos(hue), np.sin(hue)]) @ _CHROMA)
        for side in (1, -1):
            limit = hue + side * _HUE_TOLERANCE
            rows.append(side * np.array([-np.sin(limit), np.cos(limit)]) @ _CHROMA)
    rows += [np.array(row, float) for row in ([1, 0, 0], [-1, 1, 0], [0, 0, 1])]
    return np.stack(rows), np.zeros(len(rows))


def _colour_parts() -> tuple[np.ndarray, np.ndarray]:
    """PIXEL_PARTS to COLOUR_PARTS: each colour's chroma, its excess over the full one; brightness in two parts.

    Brightness is the largest channel, max(R, G) + max(0, B - max(R, G)): textures change it alike in all colours.
    """
    count = len(COLOURS)
    weights, bias = np.zeros((COLOUR_PARTS, PIXEL_PARTS)), np.zeros(COLOUR_PARTS)
    for index in range(count):
        for row, floor in ((index, _FAINT), (count + index, _FAINT + _FULL)):
            weights[row, 3 * index : 3 * index + 3] = 1, -_HUE_INHIBITION, -_HUE_INHIBITION
            bias[row] = -floor
    weights[2 * count, 3 * count :] = 1, 1, 0
    weights[2 * count + 1, 3 * count :] = -1, -1, 1
    return weights, bias


def _oriented(period: float) -> np.ndarray:
    """Quadrature pairs of Gabor filters for stripes of this period (px) and the filters' negatives.

    [ORIENTED, 2, WINDOW, WINDOW]: no response to even brightness, response 1 to stripes of amplitude 1 in the
    filter's direction and phase.
    """
    axis = np.arange(WINDOW) - WINDOW // 2
    x, y = axis[None, :], axis[:, None]
    envelope = np.exp(-(x**2 + y**2) / (2 * (_SIGMA * period) ** 2))
    kernels = []
    for degrees in DIRECTIONS:
        along = np.sin(np.deg2rad(degrees)) * x + np.cos(np.deg2rad(degrees)) * y
        for phase in (0.0, np.pi / 2):
            stripes = np.cos(2 * np.pi * along / period - phase)
            kernel = envelope * stripes
            kernel -= envelope * kernel.sum() / envelope.sum()
            kernel /= (kernel * stripes).sum()
            kernels += [kernel, -kernel]
    return np.repeat(np.stack(kernels)[:, None], 2, axis=1)


def _measures() -> tuple[np.ndarray, np.ndarray]:
    """Mean colours, strongest colours near by and oriented responses to MEASURES.

    A cell has as much of a colour as its area has, marks included; the strength of the unmarked colour, which
    is the same in all textures and sizes, ranks objects.
    """
    count = len(COLOURS)
    weights, bias = np.zeros((MEASURES, 3 * count + ORIENTED)), np.zeros(MEASURES)
    for index, rgb in enumerate(COLOURS.values()):
        weights[index, [index, count + index]] = 1 / _FULL, -1 / _FULL
        weights[index, 2 * count + index] = _STRENGTH / (np.linalg.norm(_CHROMA @ np.array(rgb)) - _FAINT)
        bias[index] = -_STRENGTH * _STRONGEST
    energies = np.kron(np.eye(len(DIRECTIONS)), np.ones(PHASES))
    opposed = np.array([[1, 0, -1, 0], [0, 1, 0, -1]])
    weights[count:, 3 * count :] = np.concatenate([energies, opposed @ energies])
    return weights, bias


def _names() -> tuple[np.ndarray, np.ndarray]:
    """MEASURES to the filters: colours as they are, textures from what speaks for and against them.

    The smaller of two energies a and b is a - max(0, a - b), which the measures hold.
    """
    count = len(COLOURS)
    against = -_OPPOSED
    textures = {  # weights of the energies along DIRECTIONS and of the two differences; floor; gain
        "horizontal": ([1, against, -1, against, 0, 0], _FLOOR, 5.0),
        "vertical": ([-1, against, 1, against, 0, 0], _FLOOR, 5.0),
        "rising": ([against, 1, against, -1, 0, 0], _FLOOR, 5.0),
        "falling": ([against, -1, against, 1, 0, 0], _FLOOR, 5.0),
        "dotted": ([1, against, 0, against, -1, 0], _LATTICE_FLOOR, 10.0),
        "checkered": ([against, 1, against, 0, 0, -1], _LATTICE_FLOOR, 10.0),
    }
    weights, bias = np.zeros((len(FILTERS), MEASURES)), np.zeros(len(FILTERS))
    weights[:count, :count] = np.eye(count)
    for row, (energies, floor, gain) in enumerate(textures.values(), start=count):
        weights[row, count:] = gain * np.array(energies)
        bias[row] = -gain * floor
    weights[-1, :count] = 1
    weights[-1, count : count + len(DIRECTIONS)] = -_DISTURBED
    return weights, bias
