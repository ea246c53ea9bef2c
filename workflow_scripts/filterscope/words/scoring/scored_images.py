"""The look at the images that score: what all scores, their decoys and their tests are summed up from.

One look serves all of them. That of a large dataset is cut into shards, whose sums are added where all have looked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import torch

from filterscope import tables
from filterscope.activations.streaming import Batch
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.words.bootstrap import resample_weights
from filterscope.words.explaining.explanation import TopPairs
from filterscope.words.firing import Thresholds
from filterscope.words.scoring.claims import ClaimScores
from filterscope.words.scoring.lending import lent_further
from filterscope.words.scoring.sanity import SpoiltScores, verdicts
from filterscope.words.scoring.score_table import SHUFFLED, WORDS
from filterscope.words.scoring.scores import FoundTokens, Measured, Row, ScoreSettings, labels_of, measured_of
from filterscope.words.truth import ImageTruth, Truth, region_tokens, scenes

# Decoys of each kind that are wanted: claims on the masks of other images, and claims lent from other filters. Of fewer
# a single one that passes would weigh as much as a tenth of a small layer.
DECOYS = 256
# Values of sums that are written at a time.
PIECE = 1 << 22
FOUND = "found"  # name of the tokens under regions among the sums


class ScoredImages:
    """What images say of rows, of all of them or of a shard's.

    image_ids: of all images that score, a shard's or not. top_ids, top_maxima: [d, p]. thresholds, dead: [d]. tokens:
    how many there are. decoys: whether the words' claims are also measured on the masks of other images, and lent in
    further orders, as `support` needs. spoilt: whether the words' claims are also measured by spoilt labels.
    """

    def __init__(
        self,
        rows: dict[str, Row],
        image_ids: np.ndarray,
        top_ids: np.ndarray,
        top_maxima: np.ndarray,
        thresholds: Thresholds | np.ndarray,
        dead: np.ndarray,
        tokens: int,
        settings: ScoreSettings,
        seed: int,
        device: torch.device,
        decoys: bool = False,
        spoilt: bool = False,
    ):
        self.rows, self.settings, self.dead = rows, settings, np.asarray(dead)
        self.limits, self.device = Thresholds.of(thresholds, device), device
        chosen = np.zeros(len(self.dead), bool)
        chosen[settings.chosen(len(chosen))] = True
        self.pairs = TopPairs(top_ids, np.where(chosen[:, None], top_maxima, 0))
        self.weights = resample_weights(len(image_ids), settings.bootstrap, seed)
        self.positions = {image_id: position for position, image_id in enumerate(image_ids.tolist())}
        units = np.maximum(self.limits.values.cpu().numpy(), top_maxima.max(1, initial=0))
        arguments = (self.limits, tokens, self.weights, settings.resolution, device)
        self.further = _further(rows, (top_maxima > 0).sum(1), seed) if decoys else {}
        self.claims = ClaimScores(labels_of(rows) | self.further, *arguments, every=True, units=units)
        self.distance = min(-(-DECOYS // len(self.dead)), len(image_ids) - 1) if decoys else 0
        own = {WORDS: rows[WORDS].claims} if decoys or spoilt else {}
        self.apart = [ClaimScores(own, *arguments, every=True, beside=self.claims) for _ in range(self.distance)]
        self.claimed = np.where(self.dead, -1, own[WORDS]) if spoilt else None
        self.spoilt = SpoiltScores(self.claimed, self.claims, seed) if spoilt else None
        nothing = np.zeros((3, 0), np.int64)
        self._found = [FoundTokens(*nothing, np.zeros((0, tokens), bool))]

    def before(self, image_ids: np.ndarray) -> np.ndarray:
        """Positions of the images whose scenes `look` wants before a shard's first: the last ones before the first."""
        if not len(image_ids):
            return np.zeros(0, np.int64)
        first = self.positions[image_ids[0]]
        return (first + np.arange(-self.distance, 0)) % self.weights.shape[1]

    def look(self, seen: Iterable[tuple[int, torch.Tensor, ImageTruth]], before: Sequence[ImageTruth] = ()) -> None:
        """Go through images, as `scenes` gives them: all, in any order, or those of a shard.

        before: of a shard, the scenes of as many images before its first as `distance` says, in their order.
        """
        strangers = Strangers(self.distance, before)
        for image_id, maps, scene in seen:
            position = self.positions[image_id]
            binned = self.claims.binned(maps, kept=bool(self.apart or self.spoilt))
            overlaps = self.claims.add(position, binned, scene)
            if self.spoilt:
                self.spoilt.add(position, image_id, binned, scene, overlaps)
            for collected, other in zip(self.apart, strangers.of(position, maps, scene), strict=False):
                collected.add(position, binned, other)
            self._find(image_id, position, maps, scene)
        for position, maps, others in strangers.rest():
            binned = self.claims.binned(maps)
            for collected, other in others:
                self.apart[collected].add(position, binned, other)

    def _find(self, image_id: int, position: int, maps: torch.Tensor, scene: ImageTruth) -> None:
        """Note the tokens under the regions of the filters that have the image among their top images."""
        filters, ranks = self.pairs.of(image_id)
        if not len(filters) or not len(scene.objects):
            return
        some = torch.from_numpy(filters).to(self.device)
        compared = (self.settings.overlap, self.settings.mask_resolution)
        tokens = region_tokens(maps[some], self.limits[some], scene, *compared)
        self._found.append(FoundTokens(filters, ranks, np.full(len(filters), position), tokens.cpu().numpy()))

    def found(self) -> FoundTokens:
        """The tokens under the regions in all images that were looked at."""
        return FoundTokens(*(np.concatenate(each) for each in zip(*self._found, strict=True)))

    def _collectors(self) -> dict[str, ClaimScores]:
        decoys = {f"decoys {place}": each for place, each in enumerate(self.apart)}
        return {"claims": self.claims} | decoys | (self.spoilt.scores if self.spoilt else {})

    def _sums(self) -> dict[str, torch.Tensor]:
        """All that is summed up, by name, as rows of float64 numbers."""
        own = {name: each.sums() for name, each in self._collectors().items()}
        sums = {f"{name} {what}": values for name, each in own.items() for what, values in each.items()}
        return {name: each.flatten(1) if each.ndim > 1 else each[:, None] for name, each in sums.items()}

    def write(self, path: str | Path) -> None:
        """Write the `score_sums` table of a shard's images, for the job that gathers all."""
        found = self.found()
        told = np.concatenate([np.stack(found[:3], 1), found.tokens], 1)
        with tables.Writer("score_sums", path) as writer:
            for name, sums in (self._sums() | {FOUND: torch.from_numpy(told).double()}).items():
                for first, part in _pieces(sums):
                    values = pa.array([part.cpu().numpy().tobytes()], pa.binary())
                    writer.add(pa.table({"sum": [name], "first": [first], "rows": [len(part)], "values": values}))

    def take_in(self, path: str | Path) -> None:
        """Add what a shard has summed up of other images; shards in their order."""
        sums = self._sums()
        for batch in tables.batches(path, "score_sums", ["sum", "first", "rows", "values"], rows=1):
            ((name, first, rows),) = zip(*(batch[each].to_pylist() for each in ("sum", "first", "rows")), strict=True)
            values = torch.frombuffer(bytearray(batch["values"][0].as_py()), dtype=torch.float64).view(rows, -1)
            if name == FOUND:
                filters, ranks, images, *tokens = values.long().T.numpy()
                self._found.append(FoundTokens(filters, ranks, images, np.stack(tokens, 1).astype(bool)))
            else:
                sums[name][first : first + rows] += values.to(self.device)

    def measured(self, asked: Mapping[str, np.ndarray] = MappingProxyType({})) -> Measured:
        """All scores; asked: by candidates, the tokens that recall asks for, as `measured_of` takes them."""
        summed = (self.claims, self.apart, self.found())
        return measured_of(*summed, self.rows, self.weights, self.dead, self.settings, asked, self.further)

    def verdicts(self, measured: Measured) -> list[dict]:
        """Rows of the `sanity` table: whether the scores of the words' claims notice spoilt labels."""
        true = {name: each[:1, None] for name, each in measured.evidence[WORDS].metrics.items()}
        return verdicts({"true": true, **self.spoilt.metrics()}, self.claimed >= 0)


def _further(rows: dict[str, Row], fires: np.ndarray, seed: int) -> dict[tuple[str, str], np.ndarray]:
    """The words' claims lent in further orders than those of the shuffled filters, as label sets of their own."""
    orders = lent_further(rows[WORDS].claims, rows[SHUFFLED].claims, fires, DECOYS, seed)
    return {(SHUFFLED, f"order {place}"): order for place, order in enumerate(orders)}


def _pieces(sums: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
    """Some rows at a time, with the number of the first; none where nothing is summed up."""
    if not sums.numel():
        return
    size = max(1, PIECE // max(1, sums.shape[1]))
    for first in range(0, len(sums), size):
        yield first, sums[first : first + size]


def measure(
    batches: Iterable[Batch], reader: Reader, inputs: InputSettings, truth: Truth, asked: Mapping, *arguments, **more
) -> Measured:
    """Look at all images once more, with their masks, and score all rows.

    asked: as in `measured`. arguments: of ScoredImages, but for the tokens, which the truth knows.
    """
    before, after = arguments[:6], arguments[6:]
    scored = ScoredImages(*before, len(truth.tokens), *after, **more)
    scored.look(scenes(batches, reader, inputs, truth, scored.device))
    return scored.measured(asked)


class Strangers:
    """Pairs the maps of every image with the scenes of the images before it, the first ones with those of the last."""

    def __init__(self, distance: int, before: Sequence[ImageTruth] = ()):
        """distance: how many images before it an image is paired with; fewer than there are images. before: scenes of
        so many images before the first one, where the last ones are not at hand."""
        self.distance = distance
        self._recent: deque[ImageTruth] = deque(before, maxlen=distance)
        self._first: list[tuple[int, torch.Tensor]] = []

    def of(self, position: int, maps: torch.Tensor, scene: ImageTruth) -> list[ImageTruth]:
        """The scenes before this image, the nearest first; fewer for the first images (see `rest`)."""
        before = list(self._recent)[::-1]
        if len(before) < self.distance:
            self._first.append((position, maps))
        self._recent.append(scene)
        return before

    def rest(self) -> Iterator[tuple[int, torch.Tensor, list[tuple[int, ImageTruth]]]]:
        """Of the first images, position and maps, and the scenes that they lack, each with its distance less one."""
        last = list(self._recent)[::-1]
        for place, (position, maps) in enumerate(self._first):
            yield position, maps, [(away, last[away - place]) for away in range(place, self.distance)]
