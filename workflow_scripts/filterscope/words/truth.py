"""What is really in an image: masks per object and per token, and the tokens under a filter's region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import torch
from torch.nn import functional

from filterscope.activations.extraction import read_maps
from filterscope.activations.streaming import Batch, Look
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.words.firing import Thresholds

# Of which shares of cells and sums of their squares are whole multiples.
SHARE, SQUARE = 2**-20, 2**-30


@dataclass(frozen=True)
class SampledMasks:
    """Masks of an image's tokens as collectors of scores compare them with maps of h x w cells.

    sampled: 0 or 1 on a grid, [t, side, side]. covered: share of every cell, [t, h*w]. cells: token and cell of every
    share above 0, int64 [2, n]. sums: of `sampled`, of `covered` and of its squares, float64 [t, 3]. Shares and sums
    are whole multiples of SHARE and SQUARE: what many images add up to is rounded nowhere.
    """

    sampled: torch.Tensor
    covered: torch.Tensor
    cells: torch.Tensor
    sums: torch.Tensor

    @classmethod
    def of(cls, masks: torch.Tensor, side: int, cells: tuple[int, int]) -> SampledMasks:
        """From masks bool [t, S, S]."""
        masks = masks.float()[:, None]
        sampled = functional.interpolate(masks, size=(side, side), mode="nearest-exact")[:, 0]
        # Cells of 2, 4 ... 32 px have such shares as they are.
        covered = functional.adaptive_avg_pool2d(masks, cells).flatten(1).div_(SHARE).round_().mul_(SHARE)
        exact = covered.double()
        squares = exact.square().sum(1).div_(SQUARE).round_().mul_(SQUARE)
        sums = torch.stack([sampled.double().sum((1, 2)), exact.sum(1), squares], 1)
        return cls(sampled, covered, covered.nonzero().T, sums)


@dataclass
class ImageTruth:
    """The truth of one image. k objects, t distinct tokens, S the side of the input in px."""

    objects: torch.Tensor  # bool [k, S, S]
    object_tokens: torch.Tensor  # bool [k, T], tokens of each object
    tokens: np.ndarray  # indices of the tokens present, [t]
    token_masks: torch.Tensor  # bool [t, S, S], union over the objects of the token
    _sampled: dict[tuple, SampledMasks] = field(default_factory=dict, init=False, repr=False, compare=False)

    def sampled(self, side: int, cells: tuple[int, int]) -> SampledMasks:
        """The tokens' masks on a grid and on the cells of maps; made once, for all collectors that ask."""
        if (side, cells) not in self._sampled:
            self._sampled[side, cells] = SampledMasks.of(self.token_masks, side, cells)
        return self._sampled[side, cells]


class Truth:
    """Token masks from an annotation table (ordered as `Annotations` orders it) and a list of known tokens."""

    def __init__(self, annotations: pa.Table, tokens: list[str], most: int = 0):
        """most: bytes of masks that are kept for who goes through the same pictures again."""
        self.tokens, self._left = tokens, most
        self._known: dict[tuple[int, int], ImageTruth] = {}
        index = {token: position for position, token in enumerate(tokens)}
        self._own = [[index[token] for token in each if token in index] for each in annotations["tokens"].to_pylist()]

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self._own)

    def of(self, look: Look, side: int, device: torch.device) -> ImageTruth:
        """The truth of a picture whose masks were sampled at its input's own pixels."""
        name = look.image_id, side
        if name in self._known:
            return self._known[name]
        objects = torch.from_numpy(look.masks["sampled", (side, side)]).to(device)
        own = torch.zeros(len(objects), len(self.tokens), dtype=torch.bool)
        for row, position in enumerate(look.annotations):
            own[row, self._own[position]] = True
        own = own.to(device)
        present = own.any(0).nonzero()[:, 0]
        flat = objects.flatten(1).float()
        union = (own[:, present].T.float() @ flat > 0).view(-1, side, side)
        visible = union.flatten(1).any(1)
        truth = ImageTruth(objects, own, present[visible].cpu().numpy(), union[visible])
        # Twice the masks: what is made of them on grids and cells is kept beside them.
        size = objects.nbytes + 2 * truth.token_masks.nbytes
        if size <= self._left:
            self._known[name], self._left = truth, self._left - size
        return truth


def region_tokens(
    maps: torch.Tensor,
    thresholds: Thresholds | torch.Tensor,
    scene: ImageTruth,
    overlap: float = 0.04,
    mask_resolution: str = "image",
) -> torch.Tensor:
    """Tokens of the objects that overlap each filter's region: G = {t_j : IoU(M_j, [U > T]) > overlap}, strict.

    maps: [n, h, w] of n filters in one image; thresholds: [n]. mask_resolution "feature" takes the masks at
    h x w and enlarges them again, as the reference does, which loses small objects. Returns bool [n, T].
    """
    side = scene.objects.shape[-1]
    objects = scene.objects
    if mask_resolution == "feature":
        rows = torch.arange(maps.shape[1], device=maps.device) * side // maps.shape[1] + side // (2 * maps.shape[1])
        columns = torch.arange(maps.shape[2], device=maps.device) * side // maps.shape[2] + side // (2 * maps.shape[2])
        small = objects[:, rows][:, :, columns].float()
        objects = functional.interpolate(small[None], size=(side, side), mode="nearest")[0] > 0
    shared, region = Thresholds.of(thresholds, maps.device).overlaps(maps, objects)
    union = region + objects.flatten(1).float().sum(1) - shared
    belongs = shared > overlap * union
    return (belongs.float() @ scene.object_tokens.float()) > 0


def scenes(
    batches: Iterable[Batch], reader: Reader, inputs: InputSettings, truth: Truth, device: torch.device
) -> Iterator[tuple[int, torch.Tensor, ImageTruth]]:
    """Image by image: its id, its maps [d, h, w] and its truth."""
    for batch in batches:
        maps = read_maps(batch, reader, inputs, device)
        for index, look in enumerate(batch.looks):
            yield look.image_id, maps[index], truth.of(look, inputs.crop, device)
