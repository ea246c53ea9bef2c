"""What is really in an image: masks per object and per token, at the resolution of the network's input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch

from filterscope.activations.extraction import read_maps
from filterscope.activations.streaming import Batch, Look
from filterscope.data.layers import Reader
from filterscope.data.networks import InputSettings


@dataclass
class Scene:
    """The truth of one image. k objects, t distinct tokens, S the side of the input in px."""

    objects: torch.Tensor  # bool [k, S, S]
    object_tokens: torch.Tensor  # bool [k, T], tokens of each object
    tokens: np.ndarray  # indices of the tokens present, [t]
    token_masks: torch.Tensor  # bool [t, S, S], union over the objects of the token


class Truth:
    """Token masks from an annotation table (ordered as `Annotations` orders it) and a list of known tokens."""

    def __init__(self, annotations: pa.Table, tokens: list[str]):
        self.tokens = tokens
        index = {token: position for position, token in enumerate(tokens)}
        self._own = [[index[token] for token in each if token in index] for each in annotations["tokens"].to_pylist()]

    def of(self, look: Look, side: int, device: torch.device) -> Scene:
        """The truth of a picture whose masks were sampled at its input's own pixels."""
        objects = torch.from_numpy(look.masks["sampled", (side, side)]).to(device)
        own = torch.zeros(len(objects), len(self.tokens), dtype=torch.bool)
        for row, position in enumerate(look.annotations):
            own[row, self._own[position]] = True
        own = own.to(device)
        present = own.any(0).nonzero()[:, 0]
        flat = objects.flatten(1).float()
        union = (own[:, present].T.float() @ flat > 0).view(-1, side, side)
        visible = union.flatten(1).any(1)
        return Scene(objects, own, present[visible].cpu().numpy(), union[visible])


def scenes(
    batches: Iterable[Batch], reader: Reader, inputs: InputSettings, truth: Truth, device: torch.device
) -> Iterator[tuple[int, torch.Tensor, Scene]]:
    """Image by image: its id, its maps [d, h, w] and its truth."""
    for batch in batches:
        maps = read_maps(batch, reader, inputs, device)
        for index, look in enumerate(batch.looks):
            yield look.image_id, maps[index], truth.of(look, inputs.crop, device)
