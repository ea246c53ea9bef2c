"""Pictures of coloured rectangles, filters that see the colours, and what is measured of them."""

import numpy as np
import pyarrow as pa
import torch

from filterscope.activations.streaming import Batch, Look
from filterscope.data.networks.building import normalise
from filterscope.data.networks.settings import InputSettings
from filterscope.words.scoring.scored_images import measure
from filterscope.words.scoring.scores import Row, ScoreSettings
from filterscope.words.truth import Truth

CPU, SIDE, CELLS = torch.device("cpu"), 16, 4
INPUTS = InputSettings(SIDE, SIDE)
TOKENS = ["red", "green", "blue"]
SETTINGS = ScoreSettings(recall_at=(1, 2), resolution=SIDE, bootstrap=30)


class Eyes:
    """A stand-in for a Reader: three filters, the colours' mean in every cell of 4 px, from 0 to 1."""

    layer = "eyes"

    def __call__(self, images):
        mean, std = torch.tensor(INPUTS.mean).view(3, 1, 1), torch.tensor(INPUTS.std).view(3, 1, 1)
        return torch.nn.functional.avg_pool2d(images * std + mean, SIDE // CELLS)


def pictures(n=8, seed=0):
    """Each has one to three objects of pure colour in rectangles; returns looks and their tokens."""
    chance = np.random.default_rng(seed)
    looks, tokens = [], []
    for number in range(n):
        pixels, masks = np.zeros((3, SIDE, SIDE), np.uint8), []
        for token in chance.permutation(3)[: chance.integers(1, 4)]:
            mask = np.zeros((SIDE, SIDE), bool)
            top, left = chance.integers(0, 12, 2)
            mask[top : top + 4 + chance.integers(0, 8), left : left + 6] = True
            pixels[:, mask] = 0
            pixels[token, mask] = 255
            masks.append(mask)
            tokens.append([TOKENS[token]])
        positions = np.arange(len(tokens) - len(masks), len(tokens))
        looks.append(
            Look(100 - number, torch.from_numpy(pixels), positions, {("sampled", (SIDE, SIDE)): np.array(masks)})
        )
    return looks, Truth(pa.table({"tokens": pa.array(tokens, pa.list_(pa.string()))}), TOKENS)


THRESHOLDS = np.array([0.4, 0.5, 0.6])
ALIVE = np.zeros(3, bool)


def measured(looks, truth, rows, settings=SETTINGS, p=4, silent=(), asked=None, decoys=False):
    maps = Eyes()(normalise(torch.stack([look.picture for look in looks]), INPUTS))
    maxima = maps.amax((2, 3)).numpy().T.astype(np.float64)
    maxima[list(silent)] = 0
    order = np.argsort(-maxima, axis=1, kind="stable")[:, :p]
    ids = np.array([look.image_id for look in looks])  # not ascending
    batches = [Batch(looks[:3]), Batch(looks[3:])]
    top = np.take_along_axis(maxima, order, 1)
    found = measure(
        batches, Eyes(), INPUTS, truth, asked or {}, rows, ids, ids[order], top, THRESHOLDS, ALIVE, settings, 5, CPU,
        decoys,
    )  # fmt: skip
    return found, order, top


def metric(result, row, name):
    """Of a row's claims, [1+resamples, d]."""
    return result.evidence[row].metrics[name]


def rows(p=4, d=3):
    right = np.broadcast_to(np.arange(3)[:, None, None], (d, p, 2)).copy()
    right[..., 1] = -1
    wrong = np.full((d, p, 2), 2)
    wrong[..., 0] = 1
    return {
        "words": Row({"vocabulary": right, "categories": right}, np.arange(3)),
        "constant_words": Row({"vocabulary": wrong, "categories": wrong}, np.full(3, 1)),
    }
