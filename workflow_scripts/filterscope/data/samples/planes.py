"""Labelled points in the plane, generated: the five sets of the plane (Debugger, table 1).

As TensorFlow's playground draws them, in -5 to 5, and scikit-learn's moons. Noise is Gaussian and as strong as
its signal-to-noise ratio says: the variance of the coordinates about their means over that of the noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from filterscope.data.samples.labelled_samples import TEST, TRAIN, LabelledSamples, SamplesError, joined

RADIUS = 5.0
_PADDING = 0.3  # of xor: room beside the axes
_CENTRE, _VARIANCE = 2.0, 0.5  # of the two normal distributions
_TURNS = 1.75  # of a spiral's arm
NAMES = ("0", "1")


def xor(points: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two opposite quadrants against the two others: the sign of the product of uniform coordinates."""
    place = generator.uniform(-RADIUS, RADIUS, (points, 2))
    labels = (place[:, 0] * place[:, 1] < 0).astype(np.int64)
    return place + np.where(place > 0, _PADDING, -_PADDING), labels


def circle(points: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A disc of half the radius inside a ring from 0.7 of it."""
    labels = _halves(points)
    inner = np.where(labels == 0, 0.0, 0.7 * RADIUS)
    outer = np.where(labels == 0, 0.5 * RADIUS, RADIUS)
    return _polar(generator.uniform(inner, outer), generator.uniform(0, 2 * np.pi, points)), labels


def gauss(points: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two normal distributions that hardly touch."""
    labels = _halves(points)
    centres = np.where(labels == 0, _CENTRE, -_CENTRE)[:, None]
    return centres + generator.normal(0, np.sqrt(_VARIANCE), (points, 2)), labels


def moon(points: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles that reach into each other; nothing is drawn."""
    from sklearn.datasets import make_moons

    place, labels = make_moons((points - points // 2, points // 2), shuffle=False)
    return place, labels.astype(np.int64)


def spiral(points: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two arms of 1.75 turns, wound into each other; nothing is drawn."""
    labels = _halves(points)
    step = np.concatenate([np.arange(each) / each for each in np.bincount(labels, minlength=2)])
    return _polar(RADIUS * step, 2 * np.pi * _TURNS * step + np.pi * labels), labels


SHAPES: dict[str, Callable] = {"xor": xor, "circle": circle, "gauss": gauss, "moon": moon, "spiral": spiral}


def generated(name: str, points: int, test_points: int, noise: float | None, seed: int) -> LabelledSamples:
    """Points of one of SHAPES, float32 [N, 2], classes "0" and "1".

    points: of the train split; test_points: of the test split, drawn anew, 0 for none. noise: signal-to-noise
    ratio, dB; None for none. Raises SamplesError for an unknown name and too few points.
    """
    if name not in SHAPES:
        raise SamplesError(f"{name!r} is no generated set; these are {', '.join(SHAPES)}")
    if points < 2 or test_points < 0 or test_points == 1:
        raise SamplesError(f"{points} training and {test_points} test points are too few for two classes")
    parts = {}
    for place, (split, count) in enumerate(((TRAIN, points), (TEST, test_points))):
        if count:
            generator = np.random.default_rng([seed, place])
            values, labels = SHAPES[name](count, generator)
            parts[split] = (_noisy(values, noise, generator).astype(np.float32), labels)
    return joined(parts, NAMES)


def _noisy(values: np.ndarray, noise: float | None, generator: np.random.Generator) -> np.ndarray:
    if noise is None:
        return values
    deviation = np.sqrt(values.var(0).mean() / 10 ** (noise / 10))
    return values + generator.normal(0, deviation, values.shape)


def _halves(points: int) -> np.ndarray:
    """Labels 0, then 1; the first class gets the odd one."""
    return (np.arange(points) >= points - points // 2).astype(np.int64)


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
