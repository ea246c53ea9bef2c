"""The whole way from pictures to recall in memory, for variants that are measured and not kept.

The null network and every defect of the reference take the same steps as the workflow's rules do, through the
same functions; only nothing is written between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from filterscope.activations.extraction import ExtractionSettings, extract
from filterscope.activations.maps import KeptMaps
from filterscope.activations.mining import TopImages
from filterscope.activations.probing import open_pictures
from filterscope.activations.remembering import RememberedBatches, Remembering
from filterscope.activations.streaming import MaskGrid, PictureDataset, stream
from filterscope.activations.tails import Tail, deciding
from filterscope.activations.thresholds import threshold_table
from filterscope.data.networks.layers import Reader
from filterscope.data.networks.settings import InputSettings
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.candidates import candidates
from filterscope.words.explaining.evidence import Evidence, EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings, TopPairs, Words, explain
from filterscope.words.explaining.proposals import ProposalSettings, Proposer, informed, proposers
from filterscope.words.explaining.samples import ExplainerSamples, Gathered, split_samples
from filterscope.words.explaining.targets import Tokens, multi_hot
from filterscope.words.explaining.training import ExplainerSettings, fit
from filterscope.words.explaining.training_images import Studied, StudySettings
from filterscope.words.explaining.voting import vote
from filterscope.words.firing import Thresholds
from filterscope.words.scoring.score_table import WORDS
from filterscope.words.scoring.scored_images import measure
from filterscope.words.scoring.scores import Row, ScoreSettings
from filterscope.words.truth import Truth, scenes

# Bytes of maps that are kept between the looks of trials: ResNet-50's of 2,600 pictures.
MAPS = 2**30
# Bytes of pictures and masks that trials may keep between them, and again as much of what is in the pictures.
PICTURES = 2**28


@dataclass(frozen=True)
class MiningSettings:
    """Which images are mined and how their words vote; see `words` in config.yaml."""

    split: str = "val"
    top_images: int = 25
    voting: int = 5
    weighting: str = "none"
    top_share: float = 0.1
    proposals: ProposalSettings = ProposalSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    voted: bool = False  # claims are voted for, not chosen by the evidence

    def mined(self, splits: np.ndarray) -> np.ndarray:
        """Which images of these splits are mined, bool."""
        return np.ones(len(splits), bool) if self.split == "all" else splits == self.split

    def faithful(self, defects: Faithful) -> MiningSettings:
        """These settings with the switched-on defects of the reference."""
        changed = replace(self, split="all") if defects.training_images else self
        return replace(changed, proposals=self.proposals.faithful(defects), voted=defects.published_words)


@dataclass(frozen=True)
class TrialSettings:
    """Everything a trial needs to know."""

    extraction: ExtractionSettings
    training: ExplainerSettings
    mining: MiningSettings
    explanation: ExplanationSettings
    scores: ScoreSettings

    @property
    def study(self) -> StudySettings:
        """What the look at the training images is for."""
        return StudySettings(
            self.mining.evidence,
            self.explanation,
            self.scores.overlap,
            self.training.attended,
            self.extraction.batch_size,
        )

    def faithful(self, defects: Faithful, filters: int) -> TrialSettings:
        """These settings with the switched-on defects of the reference, for a layer of so many filters."""
        return TrialSettings(
            self.extraction.faithful(defects),
            self.training.faithful(defects),
            self.mining.faithful(defects),
            self.explanation.faithful(defects),
            self.scores.faithful(defects, filters),
        )


@dataclass
class TrialMaterial:
    """What a trial works on. annotations are ordered by image; images by number."""

    folder: str
    images: pd.DataFrame
    annotations: pa.Table
    categories: pd.DataFrame
    vocabulary: Vocabulary
    allowed: list[str] | None  # the only words that may be said
    inputs: InputSettings
    reject: Callable[[int, str], None]
    _proposers: dict[str, Proposer] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens.of(self.categories)

    def proposers(self, device: torch.device) -> dict[str, Proposer]:
        """By candidates, proposers that know nothing of any filter yet: what they know of words serves all layers."""
        if not self._proposers:
            tokens = self.tokens
            sought = candidates(self.vocabulary, tokens.every, self.allowed, tokens.held_out)
            nothing = np.zeros((1, len(tokens.supervised)))
            of_tokens = self.vocabulary.restricted(tokens.supervised)
            self._proposers = proposers(sought, of_tokens, nothing, ProposalSettings(), device)
        return self._proposers


@dataclass
class Seen:
    """What a layer said to all pictures: of K objects their rows of the annotations and vectors, of every image its id,
    maxima and means, [n] and [n, d], and the thresholds."""

    positions: np.ndarray
    vectors: np.ndarray
    image_ids: np.ndarray
    maxima: np.ndarray
    means: np.ndarray
    thresholds: Thresholds


class SharedLooks:
    """Batches that trials go through and what is in their pictures, kept for the next trial while there is room."""

    def __init__(self, kept: int = 0):
        """kept: bytes of pictures and masks, and a quarter of it of what is in the pictures."""
        self.batches, self._most = RememberedBatches(kept), kept // 4
        self._truths: dict[bytes, Truth] = {}

    def truth(self, masked: PictureDataset, tokens: list[str]) -> Truth:
        """What is in these pictures; trials go through the training images, those that are scored, and maybe all."""
        name = masked.files.image_ids.tobytes()
        if name not in self._truths:
            self._truths[name] = Truth(masked.annotations.table, tokens, self._most)
        return self._truths[name]


class ProbeTrials:
    """Runs trials on one probe; what the network sees in the first is kept for those that look the same way."""

    def __init__(
        self,
        material: TrialMaterial,
        reader: Reader | KeptMaps,
        seed: int,
        device: torch.device,
        progress=lambda items, *_: items,
        shared: SharedLooks | None = None,
    ):
        """progress: called as progress(items, total, title), goes through the items. shared: what is kept for further
        trials, here or on other layers of the same network that are read in the same way."""
        self.material, self.seed, self.device = material, seed, device
        # What was kept is read as often as it is wanted; the pictures are not decoded for it.
        self.reader = reader if isinstance(reader, KeptMaps) else Remembering(reader, MAPS)
        self.decoded = self.reader is not reader
        self.progress = progress
        self._seen: dict[tuple, Seen] = {}
        self._unchanged: tuple | None = None
        self.shared = shared or SharedLooks()

    def _look(self, settings: ExtractionSettings, random_crops: bool) -> Seen:
        key = (settings, random_crops)
        if key in self._seen:
            return self._seen[key]
        material, reader = self.material, self.reader
        pictures = open_pictures(
            material.folder,
            material.images,
            material.annotations,
            material.inputs,
            settings.grids((reader.height, reader.width)),
            self.seed if random_crops else None,
            self.decoded,
        )
        chosen = pd.Series(deciding(material.images["split"]), material.images["image_id"])
        expected = int(chosen.sum()) * reader.height * reader.width
        tail = Tail(reader.filters, settings.quantile, expected, self.device)
        batches = self.progress(
            stream(pictures, settings.batch_size, settings.workers, material.reject),
            -(-len(pictures) // settings.batch_size),
            "batches of images",
        )
        parts = []
        for seen in extract(batches, reader, material.inputs, settings, self.device):
            tail.add(seen.maps, chosen.loc[seen.image_ids].to_numpy())
            parts.append((seen.positions, seen.vectors, seen.image_ids, seen.maxima, seen.means))
        joined = [np.concatenate(each) for each in zip(*parts, strict=True)]
        thresholds = threshold_table([tail.table()], settings.quantile)
        seen_now = Seen(*joined, Thresholds.of(thresholds, self.device))
        # Only the way of looking that no defect changes serves several trials; keeping all would fill the memory.
        if not self._seen and self._unchanged in (None, key):
            self._seen[key] = seen_now
        return seen_now

    def run(self, settings: TrialSettings, defects: Faithful = Faithful(), name: str = WORDS) -> pd.DataFrame:
        """One trial: the `measurements` of a single row of this name."""
        self._unchanged = (settings.extraction, False)
        settings = settings.faithful(defects, self.reader.filters)
        table, _ = self.compare(settings, {name: settings.mining.proposals}, defects)
        return table

    def compare(
        self, settings: TrialSettings, proposals: Mapping[str, ProposalSettings], defects: Faithful = Faithful()
    ) -> tuple[pd.DataFrame, dict[str, dict[str, Words]]]:
        """Rows that differ in the weights of their words alone: their `measurements`, and their words by candidates.

        One explainer and one look at the pictures serve them all. settings are taken as they are: what the defects
        change in them is changed before.
        """
        material = self.material
        seen = self._look(settings.extraction, defects.random_crops)
        tokens = material.tokens
        category_rows = material.vocabulary.rows(tokens.every)
        learnt = category_rows[~tokens.unsupervised]
        images = material.images[np.isin(material.images["image_id"], seen.image_ids)]
        evidence, attended = self._study(images[images["split"] == "train"], seen, tokens, settings)
        gathered = Gathered.joined(self._samples(seen, tokens), attended)
        explainer, _ = fit(
            split_samples(
                gathered,
                settings.training.choosing,
                self.seed,
                defects.scored_images_choose,
                defects.instance_split,
            ),
            material.vocabulary.vectors[learnt],
            settings.training,
            self.seed,
            self.device,
            material.vocabulary.vectors,
            learnt,
        )
        mined = images[settings.mining.mined(images["split"].to_numpy())]
        top_ids, maxima = self._mine(seen, mined["image_id"].to_numpy(), settings.mining)
        supervised = ~tokens.unsupervised
        surprise = evidence.surprise(supervised)[:, supervised]
        sought = material.proposers(self.device)
        asked = {name: informed(sought, surprise, weights) for name, weights in proposals.items()}
        pairs = TopPairs(top_ids, maxima)
        shown = mined[np.isin(mined["image_id"], pairs.image_ids)]
        found = explain(
            self._stream(self._pictures(shown), settings),
            self.reader,
            material.inputs,
            dict.fromkeys(proposals, explainer),
            pairs,
            seen.thresholds,
            asked,
            settings.explanation,
            self.device,
        )
        words = {name: {where: found.words[name, where] for where in sought} for name in proposals}
        masked = self._masked(mined)
        rows = {name: row_from_words(each, category_rows, maxima, settings.mining) for name, each in words.items()}
        if not settings.mining.voted:
            claims = evidence.claims(tokens.claimable(material.allowed))
            rows = {name: replace(row, claims=np.where(row.claims >= 0, claims, -1)) for name, row in rows.items()}
        measured = measure(
            self._stream(masked, settings),
            self.reader,
            material.inputs,
            self.shared.truth(masked, tokens.every),
            tokens.asked,
            rows,
            mined["image_id"].to_numpy(),
            top_ids,
            maxima,
            seen.thresholds,
            seen.maxima.max(0) <= 0,
            settings.scores,
            self.seed,
            self.device,
        )
        # Without the ceiling, which is of the images and filters and no row's own.
        own = measured.table["row"].isin(rows)
        return measured.table[own].reset_index(drop=True), words

    def _study(
        self, images: pd.DataFrame, seen: Seen, tokens: Tokens, settings: TrialSettings
    ) -> tuple[Evidence, Gathered | None]:
        """What the training images say of filters and tokens, and the samples that their attention pools."""
        top_ids, maxima = self._mine(seen, images["image_id"].to_numpy(), settings.mining.evidence)
        pairs = TopPairs(top_ids, maxima)
        masked = self._masked(images)
        truth = self.shared.truth(masked, tokens.every)
        vectors, targets, image_ids = [], [], []

        def keep(image_id: int, found: dict[str, np.ndarray]) -> None:
            vectors.append(found["vectors"])
            targets.append(found["targets"][:, ~tokens.unsupervised])
            image_ids.append(np.full(len(found["filter"]), image_id))

        asked = (pairs, seen.thresholds, settings.study, self.seed, self.device)
        studied = Studied.begun(len(tokens.every), len(truth), *asked)
        seen_now = scenes(self._stream(masked, settings), self.reader, self.material.inputs, truth, self.device)
        studied.look(seen_now, keep)
        evidence = studied.evidence(settings.study.evidence)
        if not settings.training.attended:
            return evidence, None
        vectors, targets, image_ids = (np.concatenate(each) for each in (vectors, targets, image_ids))
        known = targets.any(1)
        samples = ExplainerSamples(vectors[known], targets[known])
        return evidence, Gathered(samples, image_ids[known], np.ones(len(samples), bool))

    def _masked(self, images: pd.DataFrame) -> PictureDataset:
        side = self.material.inputs.crop
        return self._pictures(images, self.material.annotations, MaskGrid(sampled=((side, side),)))

    def _samples(self, seen: Seen, tokens: Tokens) -> Gathered:
        objects = self.material.annotations.take(pa.array(seen.positions)).select(["image_id", "tokens"])
        splits = self.material.images.set_index("image_id")["split"]
        image_ids = objects["image_id"].to_numpy()
        training = splits.loc[image_ids].to_numpy() == "train"
        targets = multi_hot(objects["tokens"], tokens.supervised)
        known = targets.any(1)
        return Gathered(ExplainerSamples(seen.vectors[known], targets[known]), image_ids[known], training[known])

    def _pictures(self, images: pd.DataFrame, annotations: pa.Table | None = None, grids: MaskGrid = MaskGrid()):
        material = self.material
        return open_pictures(material.folder, images, annotations, material.inputs, grids, decoded=self.decoded)

    def _stream(self, pictures: PictureDataset, settings: TrialSettings):
        size = settings.extraction.batch_size
        name = (pictures.masked, pictures.decoded, size, pictures.files.image_ids.tobytes())
        batches = stream(pictures, size, settings.extraction.workers, self.material.reject)
        return self.shared.batches.through(name, batches)

    @staticmethod
    def _mine(seen: Seen, image_ids: np.ndarray, mining: MiningSettings) -> tuple[np.ndarray, np.ndarray]:
        top = TopImages(mining.top_images, mining.top_share)
        chosen = np.isin(seen.image_ids, image_ids)
        top.add(seen.image_ids[chosen], seen.maxima[chosen], seen.means[chosen])
        return top.best()


def row_from_words(
    words: dict[str, Words], category_rows: np.ndarray, maxima: np.ndarray, mining: MiningSettings
) -> Row:
    """Words by candidates as a row that can be scored.

    category_rows: vocabulary row of each token. maxima: [d, p]. A filter claims its first category word, and its
    first unsupervised one where such words were looked for.
    """
    order = np.argsort(category_rows)
    indices = {}
    for where, each in words.items():
        place = np.minimum(np.searchsorted(category_rows[order], each.rows), len(order) - 1)
        indices[where] = np.where(category_rows[order][place] == each.rows, order[place], -1)
    index = {row: position for position, row in enumerate(category_rows.tolist())}
    claims = {}
    for where in words.keys() - {"vocabulary"}:
        voted = words[where]
        votes = vote(voted.rows[..., : mining.voting], voted.cosines[..., : mining.voting], maxima, mining.weighting, 1)
        claims[where] = np.full(len(maxima), -1, np.int64)
        claims[where][votes["filter"]] = [index[row] for row in votes["row"]]
    row = Row(indices, claims["categories"])
    if "unsupervised" not in indices:
        return row
    return row.with_unsupervised(indices["unsupervised"], claims["unsupervised"])
