"""No picture is looked at, and none is decoded with its masks, twice, as far as memory allows."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from filterscope.activations.streaming import Batch
from filterscope.data.networks.layers import Reader


class Remembering:
    """Reads maps as its reader does, and keeps them by what the picture holds.

    For those who go through the same pictures several times and write nothing between: the network costs far more than
    what is done with its maps. A picture met again has the map of its first batch.
    """

    def __init__(self, reader: Reader, most: int):
        """most: bytes of maps that are kept; later pictures are looked at whenever they are met."""
        self._reader, self._left = reader, most
        self._maps: dict[bytes, Tensor] = {}
        self.layer, self.filters = reader.layer, reader.filters
        self.height, self.width = reader.height, reader.width

    def __call__(self, pictures: Tensor) -> Tensor:
        """Maps [B, d, h, w] of pictures [B, 3, S, S]."""
        keys = [hashlib.blake2b(each.numpy().tobytes(), digest_size=16).digest() for each in pictures.cpu()]
        maps = [self._maps.get(key) for key in keys]
        unseen = [place for place, known in enumerate(maps) if known is None]
        if unseen:
            for place, read in zip(unseen, self._reader(pictures[unseen]), strict=True):
                maps[place] = read
                size = read.element_size() * read.nelement()
                if size <= self._left and keys[place] not in self._maps:
                    # A copy: a part of the batch's maps would hold on to all of them.
                    self._maps[keys[place]] = read.clone()
                    self._left -= size
        return torch.stack(maps)


class RememberedBatches:
    """Batches of pictures and masks that are gone through several times, kept by a name for what they are of."""

    def __init__(self, most: int):
        """most: bytes of pictures and masks that are kept; other batches are made whenever they are wanted."""
        self._left = most
        self._kept: dict[Hashable, list[Batch]] = {}

    def through(self, name: Hashable, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, or those of that name which are kept: then the given ones are not begun.

        They are kept once they have been gone through to their end, all of them or none.
        """
        if name in self._kept:
            yield from self._kept[name]
            return
        passed, size = [], 0
        for batch in batches:
            if size <= self._left:
                size += sum(_size(look) for look in batch.looks)
                # Copies: a picture of another process lies in shared memory, which containers have little of.
                passed.append(Batch([replace(look, picture=look.picture.clone()) for look in batch.looks]))
            else:
                passed.clear()
            yield batch
        if size <= self._left:
            self._kept[name] = passed
            self._left -= size


def _size(look) -> int:
    """Bytes of a picture and its masks."""
    return look.picture.nbytes + sum(mask.nbytes for mask in look.masks.values())
