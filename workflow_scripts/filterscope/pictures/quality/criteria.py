"""Five criteria of a good picture (MFV, 3.3), each measured by a proxy.

The thesis judges them by eye and reports no value; what stands here is our choice of proxies, each after the
literature that its function names. Three say how like photographs a picture is in one respect, by its distance from
the dataset's own (as NIQE does: Mittal, Soundararajan and Bovik, 2013), two measure the thing itself. Larger is better.
None of them knows what a picture shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu
from sklearn.covariance import LedoitWolf

COARSE = 64  # px, side of the coarse picture
AREAS = 32  # px, side at which colours are told apart
CENTRE, BORDER = 0.5, 0.8  # shares of the half side: the centre lies within, the border beyond
CENTRE_SD = 0.5  # share of the half side, of the weight of central places
RIM = 2  # px of the coarse picture, width of the rims inside and outside an outline
PATCH = 8  # px, side of a patch of details
DETAIL = 2.0  # px, standard deviation of the blur that takes details away
VISIBLE = 1.0  # L* per px, gradient that can just be seen
NOISE_LEVEL = 0.999  # quantile of white noise's coherence that a patch of details must exceed
OCTAVES = (1, 2, 4, 8, 16)  # cycles per picture, edges of the bands of global structure

FEWEST = 10  # photographs that a norm can be made of


@dataclass(frozen=True)
class Picture:
    """A picture in Lab: fine [H, W, 3], coarse [COARSE, COARSE, 3] and as areas [AREAS, AREAS, 3]."""

    fine: np.ndarray
    coarse: np.ndarray
    areas: np.ndarray

    @classmethod
    def of(cls, pixels: np.ndarray) -> Picture:
        """From uint8 [H, W, 3]. Raises ValueError for anything else."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or min(pixels.shape[:2]) < PATCH:
            found = f"{pixels.dtype} {list(pixels.shape)}"
            raise ValueError(f"a picture is {found}, should be uint8 [H, W, 3] of at least {PATCH} x {PATCH} px")
        return cls(*(rgb2lab(each) for each in (pixels, _boxed(pixels, COARSE), _boxed(pixels, AREAS))))


def _boxed(pixels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX))


def _places(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every place from the centre, Euclidean and along the farther axis, in half sides [side, side]."""
    along = (np.arange(side) - (side - 1) / 2) / (side / 2)
    return np.hypot(along[:, None], along[None]), np.maximum(abs(along)[:, None], abs(along)[None])


# --- natural colours ------------------------------------------------------------------------------------


def natural_colours(picture: Picture) -> np.ndarray:
    """Colour statistics of areas in Lab [10]: means, spreads (logarithms), correlations (Fisher's z), and how much the
    colour (a, b) changes from pixel to pixel (logarithm).

    Statistics: Reinhard et al., "Color transfer between images", 2001. Colours of areas, not of single pixels: an eye
    blurs fine patterns before it sees their colour (S-CIELAB: Zhang and Wandell, 1997), so coloured noise is grey. In
    pictures of few pixels it is not; but colours of photographs change slowly (Ruderman, Cronin and Chiao, 1998).
    """
    flat = picture.areas.reshape(-1, 3)
    spread = flat.std(0)
    shared = np.cov(flat.T, bias=True)[np.triu_indices(3, 1)]
    pairs = spread[[0, 0, 1]] * spread[[1, 2, 2]] + 0.25
    change = sum(np.linalg.norm(np.diff(picture.fine[..., 1:], axis=axis), axis=2).mean() for axis in (0, 1))
    together = np.arctanh(0.99 * shared / pairs)
    return np.concatenate([flat.mean(0), np.log(spread + 0.5), together, [np.log(change + 0.5)]])


# --- single central object ------------------------------------------------------------------------------


def single_central_object(picture: Picture) -> float:
    """How far something in the middle stands out from the border and how sharply it ends, times how much of what
    stands out is one thing.

    Objects differ from their surroundings, are one and have an outline (Alexe, Deselaers and Ferrari, "What is an
    object?", 2010). Contrast with the mean colour of the border, in Lab of a blurred picture (frequency-tuned saliency:
    Achanta et al., 2009; the border as background: Wei et al., "Geodesic saliency using background priors", 2012),
    weighted by a Gaussian around the centre; Otsu's threshold parts objects, of which the largest one's share of all
    contrast counts, how central it is, and the step of the mean colour across its outline (geometric mean with the
    contrast, the step twice).
    """
    smooth = ndimage.gaussian_filter(picture.coarse, (1, 1, 0))
    distance, along = _places(COARSE)
    salient = np.linalg.norm(smooth - smooth[along > BORDER].mean(0), axis=2)
    if salient.max() < 1e-6:
        return 0.0
    weight = np.exp(-(distance**2) / (2 * CENTRE_SD**2))
    objects, count = ndimage.label(salient > threshold_otsu(salient))
    masses = ndimage.sum(salient, objects, range(1, count + 1))
    largest = objects == np.argmax(masses) + 1
    inner = largest & ~ndimage.binary_erosion(largest, iterations=RIM)
    outer = ndimage.binary_dilation(largest, iterations=RIM) & ~largest
    step = np.linalg.norm(smooth[inner].mean(0) - smooth[outer].mean(0)) if outer.any() else 0.0
    contrast = (salient * weight).sum() / weight.sum()
    central = weight[largest].mean()
    return float(np.cbrt(contrast * central * step**2) * masses.max() / masses.sum())


# --- global structure -----------------------------------------------------------------------------------


def global_structure(picture: Picture) -> np.ndarray:
    """Coarse structure of the lightness [5]: power in four octaves (logarithms), and how oriented it is.

    Power spectra: Torralba and Oliva, "Statistics of natural image categories", 2003; coherence of the structure
    tensor: Bigun and Granlund, 1987.
    """
    lightness = picture.coarse[..., 0]
    window = np.hanning(COARSE)[:, None] * np.hanning(COARSE)[None]
    power = np.abs(np.fft.fft2((lightness - lightness.mean()) * window)) ** 2 / (window**2).sum()
    cycles = np.fft.fftfreq(COARSE) * COARSE
    radius = np.hypot(cycles[:, None], cycles[None])
    bands = [power[(radius >= low) & (radius < high)].mean() for low, high in pairwise(OCTAVES)]
    first, second = _eigenvalues(*(ndimage.gaussian_filter(each, 4) for each in _tensor(lightness, 2)))
    coherence = (first - second).sum() / ((first + second).sum() + 1e-6)
    return np.append(np.log(np.array(bands) + 1e-2), np.arctanh(0.99 * coherence))


def _tensor(lightness: np.ndarray, blur: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Products of the gradient's parts: down-down, down-across, across-across."""
    down, across = (ndimage.gaussian_filter(lightness, blur, order=order) for order in ((1, 0), (0, 1)))
    return down * down, down * across, across * across


def _eigenvalues(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of symmetric matrices [[a, b], [b, c]], the larger first; at least 0."""
    root = np.sqrt((a - c) ** 2 + 4 * b**2)
    return (a + c + root) / 2, np.maximum((a + c - root) / 2, 0)


# --- clarity of details ---------------------------------------------------------------------------------


def clarity_of_details(picture: Picture) -> float:
    """Share of small patches with visible edges in one direction: less in a blurred picture and in noise.

    Coherence of a patch's gradients beyond that of white noise, and gradients that can be seen, after Zhu and Milanfar,
    "Automatic parameter selection for denoising algorithms using a no-reference measure of image content", 2010.
    """
    strength, coherence = _patch_gradients(picture.fine[..., 0])
    return float(((coherence > _noise_coherence()) & (strength > VISIBLE)).mean())


def _patch_gradients(lightness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every patch's details: root mean square of the gradient along its main direction, and its coherence."""
    down, across = np.gradient(lightness - ndimage.gaussian_filter(lightness, DETAIL))
    rows, columns = (side // PATCH for side in lightness.shape)

    def summed(values: np.ndarray) -> np.ndarray:
        kept = values[: rows * PATCH, : columns * PATCH]
        return kept.reshape(rows, PATCH, columns, PATCH).sum((1, 3)).ravel()

    first, second = (np.sqrt(each) for each in _eigenvalues(*map(summed, (down**2, down * across, across**2))))
    return first / PATCH, (first - second) / (first + second + 1e-9)


@cache
def _noise_coherence() -> float:
    noise = np.random.default_rng(0).standard_normal((256, 256))
    return float(np.quantile(_patch_gradients(noise)[1], NOISE_LEVEL))


# --- clear context --------------------------------------------------------------------------------------


def clear_context(picture: Picture) -> np.ndarray:
    """The surroundings [4], logarithms: how their colour differs from the centre's, how much it varies, how strong
    their texture is, and that against the centre's.

    Centre and surround: Liu et al., "Learning to detect a salient object", 2007. Against photographs' own surroundings,
    for a mean image's are more homogeneous than any and noise's differ from nothing.
    """
    smooth = ndimage.gaussian_filter(picture.coarse, (2, 2, 0))
    _, along = _places(COARSE)
    border = smooth[along > BORDER]
    contrast = np.linalg.norm(smooth[along < CENTRE].mean(0) - border.mean(0))
    slope = np.hypot(*np.gradient(picture.fine[..., 0]))
    high, wide = (side // 8 for side in slope.shape)  # of the rim
    inner = slope[high:-high, wide:-wide]
    outer = (slope.sum() - inner.sum()) / (slope.size - inner.size) + 0.1
    return np.log([contrast + 1, np.sqrt(border.var(0).sum()) + 1, outer, outer / (inner.mean() + 0.1)])


# --- scores ---------------------------------------------------------------------------------------------

LIKENESSES: dict[str, Callable[[Picture], np.ndarray]] = {
    "natural_colours": natural_colours,
    "global_structure": global_structure,
    "clear_context": clear_context,
}
MEASURES: dict[str, Callable[[Picture], float]] = {
    "single_central_object": single_central_object,
    "clarity_of_details": clarity_of_details,
}
# In the order of the thesis.
CRITERIA = ("natural_colours", "single_central_object", "global_structure", "clarity_of_details", "clear_context")


@dataclass(frozen=True)
class Norm:
    """What photographs are like in one respect: centre and spread of their features [k], and the precision [k, k]."""

    centre: np.ndarray
    spread: np.ndarray
    precision: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Norm:
        """From features [n, k]. Raises ValueError for too few photographs."""
        if len(features) < FEWEST:
            raise ValueError(f"{len(features)} photographs are too few to say what is natural, at least {FEWEST} are")
        centre, spread = features.mean(0), np.maximum(features.std(0), 1e-6)
        shrunk = LedoitWolf(assume_centered=True).fit((features - centre) / spread)
        return cls(centre, spread, shrunk.precision_)

    def likeness(self, features: np.ndarray) -> np.ndarray:
        """Minus the Mahalanobis distance of features [n, k], over the square root of k: about -1 for photographs."""
        away = (features - self.centre) / self.spread
        return -np.sqrt(np.einsum("ni,ij,nj->n", away, self.precision, away) / away.shape[1])


def norms_of(photographs: Sequence[Picture]) -> dict[str, Norm]:
    """The norms that `scores` needs, of photographs that are not scored themselves."""
    return {name: Norm.of(np.array([measure(each) for each in photographs])) for name, measure in LIKENESSES.items()}


def scores(pictures: Sequence[Picture], norms: Mapping[str, Norm]) -> dict[str, np.ndarray]:
    """Every criterion of every picture [n], by name."""
    found = {}
    for name in CRITERIA:
        if name in LIKENESSES:
            found[name] = norms[name].likeness(np.array([LIKENESSES[name](each) for each in pictures]))
        else:
            found[name] = np.array([MEASURES[name](each) for each in pictures])
    return found
