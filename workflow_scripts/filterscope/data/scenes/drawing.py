"""Anti-aliased drawing for the embedded study: shapes, textures and backgrounds as arrays.

Shapes are signed distances (negative inside), scaled so that every shape of radius r has the area of a circle
of radius r: no shape is recognised by its size. Textures darken a colour without changing its hue, and
backgrounds stay muted, so that the colour of a pixel tells which object, if any, it belongs to.
"""

from __future__ import annotations

from functools import cache

import numpy as np

# The largest chroma (largest minus smallest channel) of a background before shading and grain, in [0, 1].
BACKGROUND_CHROMA = 0.11
# What a texture's marks multiply the object's colour by.
MARK = 0.42
# Length of one texture period as a share of the picture's side: 6.5 px of 96, fine enough for small objects.
PERIOD = 6.5 / 96

_GROUNDS = {  # tint, contrast of the coarse and the fine structure, stretch of the grain along its direction
    "stone": ((0.57, 0.58, 0.60), 0.10, 0.035, 1.0),
    "sand": ((0.75, 0.71, 0.65), 0.05, 0.050, 1.6),
    "moss": ((0.49, 0.54, 0.46), 0.09, 0.045, 1.0),
    "wood": ((0.62, 0.57, 0.52), 0.06, 0.035, 7.0),
    "slate": ((0.43, 0.46, 0.51), 0.08, 0.030, 2.5),
    "linen": ((0.79, 0.77, 0.73), 0.04, 0.030, 4.0),
    "dusk": ((0.54, 0.50, 0.56), 0.08, 0.030, 1.0),
}
_LUMA = np.array([0.299, 0.587, 0.114])


def _circle(x, y):
    return np.hypot(x, y) - 1


def _box(x, y, half_width, half_height):
    u, v = np.abs(x) - half_width, np.abs(y) - half_height
    return np.hypot(np.maximum(u, 0), np.maximum(v, 0)) + np.minimum(np.maximum(u, v), 0)


def _square(x, y):
    return _box(x, y, 0.85, 0.85) - 0.12


def _cross(x, y):
    return np.minimum(_box(x, y, 1.1, 0.36), _box(x, y, 0.36, 1.1)) - 0.05


def _polygon(x, y, corners):
    """Distance to a simple polygon: to its nearest edge, negative where the winding is odd."""
    nearest = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        ex, ey = bx - ax, by - ay
        u, v = x - ax, y - ay
        along = np.clip((u * ex + v * ey) / (ex * ex + ey * ey), 0, 1)
        np.minimum(nearest, (u - along * ex) ** 2 + (v - along * ey) ** 2, out=nearest)
        if ey != 0:
            inside ^= ((ay > y) != (by > y)) & (u < ex * v / ey)
    return np.where(inside, -1, 1) * np.sqrt(nearest)


def _on_circle(count, radii, start=-np.pi / 2):
    angles = start + 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angles), np.sin(angles)], 1) * np.resize(radii, count)[:, None]


def _triangle(x, y):
    return _polygon(x, y, _on_circle(3, 1.0)) - 0.1


def _star(x, y):
    return _polygon(x, y, _on_circle(10, (1.0, 0.46))) - 0.06


def _ring(x, y):
    return np.abs(np.hypot(x, y) - 0.75) - 0.27


def _crescent(x, y):
    outer, inner = np.hypot(x, y) - 1, 0.72 - np.hypot(x - 0.56, y)
    blunt = 0.2  # a smooth maximum, so that the tips end in more than a fraction of a pixel
    return np.maximum(outer, inner) + np.maximum(blunt - np.abs(outer - inner), 0) ** 2 / (4 * blunt)


def _heart(x, y):
    """Two round shoulders over a right angle (I. Quilez, distance to a heart), tip at the lower edge."""
    x, y = np.abs(x), 0.5 - y
    shoulder = np.hypot(x - 0.25, y - 0.75) - np.sqrt(2) / 4
    along = np.maximum(x + y, 0) / 2
    side = np.minimum(x**2 + (y - 1) ** 2, (x - along) ** 2 + (y - along) ** 2)
    return np.where(y + x > 1, shoulder, np.sqrt(side) * np.sign(x - y)) - 0.06


# Signed distance of each shape, in its own units, as a function of x (rightwards) and y (downwards).
DISTANCES = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "ring": _ring,
    "heart": _heart,
    "crescent": _crescent,
}


@cache
def _measures(shape: str) -> tuple[float, float, float, float]:
    """Own units per radius of the circle of equal area; centroid x, y and reach around it in such radii."""
    step = 0.005
    axis = np.arange(-1.7, 1.7, step)
    x, y = np.meshgrid(axis, axis)
    inside = DISTANCES[shape](x, y) <= 0
    unit = np.sqrt(inside.sum() * step**2 / np.pi)
    centre_x, centre_y = x[inside].mean(), y[inside].mean()
    reach = np.hypot(x[inside] - centre_x, y[inside] - centre_y).max()
    return unit, centre_x, centre_y, reach / unit


def distance(shape: str, radius: float, angle: float, offset: tuple[float, float], margin: float) -> np.ndarray:
    """Signed distance in px of a shape at the centre of a square patch, [n, n] with n odd.

    `radius` (px) is that of the circle of equal area, `angle` turns clockwise (radians), `offset` moves the
    centroid right and down by less than a pixel, and the patch keeps `margin` px around the shape.
    """
    unit, centre_x, centre_y, reach = _measures(shape)
    half = int(np.ceil(reach * radius + margin)) + 1
    axis = np.arange(-half, half + 1, dtype=float)
    dx, dy = axis[None, :] - offset[0], axis[:, None] - offset[1]
    scale = unit / radius
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    x, y = cosine * dx + sine * dy + centre_x, cosine * dy - sine * dx + centre_y
    return DISTANCES[shape](x, y) / scale


def coverage(signed_distance: np.ndarray, softness: float = 1.0) -> np.ndarray:
    """Share of every pixel that the shape covers; an edge is `softness` px wide."""
    return np.clip(0.5 - signed_distance / softness, 0, 1)


def _wave(t, period):
    """A square wave of values in [-1, 1] whose edges are one pixel wide; t and period in px."""
    return np.clip(np.sin(2 * np.pi * t / period) * period / np.pi, -1, 1)


def _stripes(u, v, period):
    return 0.5 - 0.5 * _wave(v, period)


def _checks(u, v, period):
    # The cells' side is period / sqrt(2): then the pattern has the stripes' spatial frequency, along diagonals.
    side = period / np.sqrt(2)
    return 0.5 - 0.5 * _wave(u, 2 * side) * _wave(v, 2 * side)


def _dots(u, v, period):
    to_dot = np.hypot((u + period / 2) % period - period / 2, (v + period / 2) % period - period / 2)
    return coverage(to_dot - 0.31 * period)


# Marks in [0, 1] as a function of px along and across the pattern, and the angles it may lie at (radians).
TEXTURES = {
    "plain": (None, (0.0,)),
    "horizontal": (_stripes, (0.0,)),
    "vertical": (_stripes, (np.pi / 2,)),
    "diagonal": (_stripes, (np.pi / 4, -np.pi / 4)),
    "dotted": (_dots, (0.0,)),
    "checkered": (_checks, (0.0,)),
}


def marks(texture: str, size: int, period: float, generator: np.random.Generator) -> np.ndarray:
    """Where a texture's marks lie on a patch, [size, size] in [0, 1]; phase and a small tilt are chance."""
    pattern, angles = TEXTURES[texture]
    if pattern is None:
        return np.zeros((size, size))
    angle = angles[generator.integers(len(angles))] + generator.uniform(-0.08, 0.08)
    phase = generator.uniform(0, period, 2)
    axis = np.arange(size, dtype=float)
    x, y = axis[None, :], axis[:, None]
    u = np.cos(angle) * x + np.sin(angle) * y + phase[0]
    v = np.cos(angle) * y - np.sin(angle) * x + phase[1]
    return pattern(u, v, period)


@cache
def _interpolation(size: int, knots: int) -> np.ndarray:
    """[size, knots + 1] Gaussian weights around the knots; noise at the knots keeps its variance everywhere."""
    apart = (np.arange(size)[:, None] + 0.5) * knots / size - np.arange(knots + 1)
    weights = np.exp(-(apart**2) / (2 * 0.55**2))
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def _noise(generator: np.random.Generator, size: int, across: int, along: int) -> np.ndarray:
    """Smooth noise of unit variance, with so many cells across the rows and along them."""
    knots = generator.standard_normal((across + 1, along + 1))
    return _interpolation(size, across) @ knots @ _interpolation(size, along).T


def background(generator: np.random.Generator, size: int) -> np.ndarray:
    """A muted natural-looking ground, [size, size, 3] in [0, 1]: tint, coarse blotches, fine grain, light."""
    kind = list(_GROUNDS)[generator.integers(len(_GROUNDS))]
    tint, coarse, fine, stretch = _GROUNDS[kind]
    value = np.zeros((size, size))
    for cells, weight in ((3, 0.6), (6, 0.4), (12, 0.25)):
        value += coarse * weight * _noise(generator, size, cells, max(1, round(cells / stretch)))
    across = size // 3
    value += fine * _noise(generator, size, across, max(1, round(across / stretch)))
    if generator.random() < 0.5:
        value = value.T
    slope = generator.uniform(-0.07, 0.07, 2)
    ramp = np.linspace(-1, 1, size)
    value = value + slope[0] * ramp[:, None] + slope[1] * ramp[None, :]
    colour = np.array(tint) + generator.uniform(-0.012, 0.012, 3) + generator.uniform(-0.05, 0.05)
    hue = 0.012 * _noise(generator, size, 4, 4)
    ground = colour * (1 + value)[..., None] + hue[..., None] * np.array([1.0, 0.0, -1.0])
    return _muted(np.clip(ground, 0.08, 0.95))


def _muted(picture: np.ndarray) -> np.ndarray:
    """The picture with no pixel of more chroma than a background may have."""
    chroma = picture.max(-1) - picture.min(-1)
    keep = np.minimum(1, BACKGROUND_CHROMA / np.maximum(chroma, 1e-6))[..., None]
    grey = (picture @ _LUMA)[..., None]
    return grey + (picture - grey) * keep
