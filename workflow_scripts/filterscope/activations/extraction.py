"""A network looks at a dataset once: masked activations are pooled, maxima and tails kept (LaViSE, 3.1 and 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from filterscope import tables
from filterscope.activations.maps import KeptMaps
from filterscope.activations.streaming import Batch, MaskGrid
from filterscope.data.networks.building import normalise
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.faithful import Faithful


@dataclass(frozen=True)
class ExtractionSettings:
    """How masks meet maps. The defaults are right; the others repeat defects of the reference.

    masks: "soft" (share of a cell that is covered) or "nearest" (cell centre). pool: "mean" (a value per
    filter) or "native" (the masked map itself). mask_value: worth of a covered cell. keep_empty: whether
    objects that vanish at map resolution stay as zero vectors. transposed: see MaskGrid.
    """

    batch_size: int = 32
    workers: int = 2
    masks: str = "soft"
    pool: str = "mean"
    quantile: float = 0.995
    mask_value: float = 1.0
    keep_empty: bool = False
    transposed: bool = False

    def __post_init__(self):
        for name, value, known in (
            ("masks", self.masks, ("soft", "nearest")),
            ("pool", self.pool, ("mean", "native")),
        ):
            if value not in known:
                raise ValueError(f"activations.{name} is {value!r}, should be one of {', '.join(known)}")

    def faithful(self, defects: Faithful) -> ExtractionSettings:
        """These settings with the switched-on defects of the reference."""
        changed = self
        if defects.mask_scale:
            changed = replace(changed, mask_value=1 / 255)
        if defects.empty_masks:
            changed = replace(changed, masks="nearest", keep_empty=True)
        if defects.transposed_boxes:
            changed = replace(changed, transposed=True)
        if defects.lower_tail:
            changed = replace(changed, quantile=1 - changed.quantile)
        if defects.unpooled:
            changed = replace(changed, pool="native")
        return changed

    def grids(self, *sizes: tuple[int, int]) -> MaskGrid:
        """The grids of masks that extraction needs for maps of these sizes."""
        kind = "covered" if self.masks == "soft" else "sampled"
        return MaskGrid(**{kind: tuple(dict.fromkeys(sizes))}, transposed=self.transposed)


@dataclass
class Extracted:
    """What one batch gives. K is the number of objects with a mask, d of filters."""

    image_ids: np.ndarray  # [B]
    maxima: np.ndarray  # [B, d]
    means: np.ndarray  # [B, d]
    positions: np.ndarray  # rows of the annotation table, [K]
    vectors: np.ndarray  # [K, d] or [K, d*h*w]
    empty: np.ndarray  # rows of the annotation table whose mask vanished
    maps: torch.Tensor  # [B, d, h, w] on the device

    def image_rows(self, splits: pd.Series) -> dict:
        """Rows of `image_activations`; splits: by image id."""
        return {
            "image_id": self.image_ids,
            "split": splits.loc[self.image_ids].to_list(),
            "maximum": tables.vectors(self.maxima),
            "mean": tables.vectors(self.means),
        }

    def object_rows(self, annotations: pa.Table, splits: pd.Series) -> dict:
        """Rows of `pooled_activations`; annotations: the table that `positions` are rows of."""
        rows = annotations.take(self.positions)
        return {
            "annotation_id": rows["annotation_id"],
            "image_id": rows["image_id"],
            "split": splits.loc[rows["image_id"].to_numpy()].to_list(),
            "tokens": rows["tokens"],
            "vector": tables.vectors(self.vectors),
        }

    def vanished(self, annotations: pa.Table, settings: ExtractionSettings) -> list[int]:
        """Numbers of the annotations that are left out because their mask covers nothing at map resolution."""
        return [] if settings.keep_empty else annotations["annotation_id"].take(self.empty).to_pylist()


class ActivationError(ValueError):
    """Activations that no result can be built on."""


def read_maps(batch: Batch, reader: Reader | KeptMaps, inputs: InputSettings, device: torch.device) -> torch.Tensor:
    """Activation maps of a batch, float32 [B, d, h, w].

    reader: may be the maps that the extraction kept; then nothing is looked at.
    Raises ActivationError naming the layer and the first image with NaN or infinite activations.
    """
    if isinstance(reader, KeptMaps):
        return reader.of(batch.image_ids.tolist(), device)
    with torch.inference_mode():
        maps = reader(normalise(batch.pictures(device), inputs)).float().contiguous()
    refuse_not_finite(maps, batch, reader.layer)
    return maps


def refuse_not_finite(maps: torch.Tensor, batch: Batch, layer: str) -> None:
    """Raises ActivationError naming the layer and the first image of a batch with NaN or infinite activations."""
    if bool(torch.isfinite(maps.sum())):  # what is not finite leaves no finite sum; several times faster
        return
    finite = torch.isfinite(maps).flatten(1).all(1)
    if not bool(finite.all()):
        image_id = batch.looks[int((~finite).nonzero()[0])].image_id
        raise ActivationError(f"layer {layer}: NaN or infinite activations at image {image_id}")


def pool_masked(maps: torch.Tensor, masks: torch.Tensor, owners: torch.Tensor, pool: str = "mean") -> torch.Tensor:
    """Pool maps under masks: Z = einsum("dhw,khw->kd", F, M) / (h w), divided by the map, not by the mask.

    maps: [B, d, h, w]; masks: [K, h, w]; owners: image of each mask, ascending, [K].
    Returns [K, d], or the masked maps flattened, [K, d*h*w], for pool "native".
    """
    batch, _, height, width = maps.shape
    if pool == "native":
        return (maps[owners] * masks[:, None]).flatten(1)
    counts = torch.bincount(owners, minlength=batch)
    most = int(counts.max()) if len(owners) else 0
    # Masks of an image side by side, padded to the most any image has: one batched product for the batch.
    slots = torch.arange(len(owners), device=owners.device) - (counts.cumsum(0) - counts)[owners]
    padded = masks.new_zeros(batch, most, height * width)
    padded[owners, slots] = masks.flatten(1)
    products = torch.bmm(padded, maps.flatten(2).transpose(1, 2)) / (height * width)
    return products[owners, slots]


def extract(
    batches, reader: Reader, inputs: InputSettings, settings: ExtractionSettings, device: torch.device
) -> Iterator[Extracted]:
    """Run the network over the batches and pool what it sees under every mask."""
    for batch in batches:
        yield extracted(batch, read_maps(batch, reader, inputs, device), settings)


def extracted(batch: Batch, maps: torch.Tensor, settings: ExtractionSettings) -> Extracted:
    """What a batch gives in one layer, whose maps are [B, d, h, w]; masks are there at h x w cells."""
    kind, size = "covered" if settings.masks == "soft" else "sampled", tuple(maps.shape[2:])
    masks = np.concatenate([look.masks[kind, size] for look in batch.looks]).astype(np.float32)
    positions = np.concatenate([look.annotations for look in batch.looks])
    owners = np.repeat(np.arange(len(batch.looks)), [len(look.annotations) for look in batch.looks])
    vanished = ~(masks > 0).any(axis=(1, 2))
    kept = np.ones(len(masks), bool) if settings.keep_empty else ~vanished
    pooled = pool_masked(
        maps,
        torch.from_numpy(masks[kept] * np.float32(settings.mask_value)).to(maps.device),
        torch.from_numpy(owners[kept]).to(maps.device),
        settings.pool,
    )
    return Extracted(
        image_ids=batch.image_ids,
        maxima=maps.amax((2, 3)).cpu().numpy(),
        means=maps.mean((2, 3)).cpu().numpy(),
        positions=positions[kept],
        vectors=pooled.cpu().numpy(),
        empty=positions[vanished],
        maps=maps,
    )
