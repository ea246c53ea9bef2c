"""Scores that can be believed: every row beside its nulls, on the same images and resamples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import torch

from filterscope.activations.streaming import Batch
from filterscope.data.layers import Reader
from filterscope.data.networks import InputSettings
from filterscope.faithful import Faithful
from filterscope.words.bootstrap import interval, resample_weights
from filterscope.words.claims import Claims
from filterscope.words.explanation import TopPairs
from filterscope.words.firing import Thresholds
from filterscope.words.recall import by_image, recall, region_tokens
from filterscope.words.rows import WORDS
from filterscope.words.truth import Truth, scenes

# Metrics of claims that are reported as scores; the pixel-wise recall and precision only serve the sanity tests.
CLAIM_METRICS = ("iou", "f1", "auprc", "correlation")
# The reference scores every 12th filter from 0 to 252 (defect 5).
FEW_STEP, LAST_OF_FEW = 12, 252


@dataclass(frozen=True)
class ScoreSettings:
    """How words are scored; see config.yaml."""

    recall_at: tuple[int, ...] = (5, 10, 20)
    overlap: float = 0.04
    mask_resolution: str = "image"
    resolution: int = 56
    filters: str | tuple[int, ...] = "all"
    bootstrap: int = 200
    confidence: float = 0.95
    false_discoveries: float = 0.1

    def __post_init__(self):
        object.__setattr__(self, "recall_at", tuple(self.recall_at))
        if self.mask_resolution not in ("image", "feature"):
            raise ValueError(f"scores.mask_resolution is {self.mask_resolution!r}, should be image or feature")

    def faithful(self, defects: Faithful, filters: int) -> ScoreSettings:
        """These settings with the switched-on defects of the reference, for a layer of so many filters."""
        if not defects.few_filters:
            return self
        return replace(self, filters=tuple(range(0, min(filters, LAST_OF_FEW + 1), FEW_STEP)))

    def chosen(self, filters: int) -> np.ndarray:
        """The filters to score, of so many. Raises ValueError for one that the layer does not have."""
        if self.filters == "all":
            return np.arange(filters)
        wrong = [each for each in self.filters if each >= filters]
        if wrong:
            raise ValueError(f"scores.filters names filter {wrong[0]}, the layer has {filters} (0 to {filters - 1})")
        return np.array(sorted(set(self.filters)), np.int64)


@dataclass
class Row:
    """One way of naming filters, to be scored.

    words: by candidates, token index of every top image's words, -1 for words that are no token, [d, p, s].
    claims: token index that each filter is claimed to stand for, -1 for none, [d]. others: claims by candidates
    other than all categories.
    """

    words: dict[str, np.ndarray]
    claims: np.ndarray
    others: dict[str, np.ndarray] = field(default_factory=dict)

    def with_unsupervised(self, words: np.ndarray, claims: np.ndarray, anywhere: np.ndarray | None = None) -> Row:
        """The same with what is said among the tokens that were never supervised: words [d, p, s] and claims [d].

        anywhere: what is said where the whole vocabulary is asked for those tokens; the vocabulary's words if None.
        """
        anywhere = self.words["vocabulary"] if anywhere is None else anywhere
        more = {"unsupervised": words, "vocabulary_unsupervised": anywhere}
        return replace(self, words=self.words | more, others=self.others | {"unsupervised": claims})


@dataclass
class Measured:
    """Measurements as the table of that name, and the claims' metrics, each [1+resamples, labels, d].

    Labels are the rows' claims among all categories, in their order, and after them their other claims.
    """

    table: pd.DataFrame
    rows: dict[str, Row]
    metrics: dict[str, np.ndarray]
    every_auprc: np.ndarray  # [d, T]

    def metric(self, row: str, name: str) -> np.ndarray:
        """One metric of one row, [1+resamples, d]."""
        return self.metrics[name][:, list(self.rows).index(row)]


def measure(
    batches: Iterable[Batch],
    reader: Reader,
    inputs: InputSettings,
    truth: Truth,
    image_ids: np.ndarray,
    top_ids: np.ndarray,
    top_maxima: np.ndarray,
    thresholds: Thresholds | np.ndarray,
    rows: dict[str, Row],
    settings: ScoreSettings,
    seed: int,
    device: torch.device,
    asked: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Measured:
    """Look at the images once more, with their masks, and score all rows.

    image_ids: the images behind the batches, in any order. top_ids, top_maxima: [d, p]. thresholds: [d].
    asked: by candidates, the tokens that recall asks for, bool [T]; all of them for candidates that are not named.
    """
    chosen = np.zeros(len(thresholds), bool)
    chosen[settings.chosen(len(thresholds))] = True
    pairs = TopPairs(top_ids, np.where(chosen[:, None], top_maxima, 0))
    weights = resample_weights(len(image_ids), settings.bootstrap, seed)
    positions = {image_id: position for position, image_id in enumerate(image_ids.tolist())}
    limits = Thresholds.of(thresholds, device)
    labels = _labels(rows)
    claims = Claims(
        labels,
        limits,
        len(truth.tokens),
        weights,
        settings.resolution,
        device,
        every=True,
    )
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    for image_id, maps, scene in scenes(batches, reader, inputs, truth, device):
        position = positions[image_id]
        claims.add(position, maps, scene)
        filters, ranks = pairs.of(image_id)
        if len(filters) and len(scene.objects):
            some = torch.from_numpy(filters).to(device)
            tokens = region_tokens(maps[some], limits[some], scene, settings.overlap, settings.mask_resolution)
            found.append((filters, ranks, np.full(len(filters), position), tokens.cpu().numpy()))
    metrics = claims.metrics()
    recalls = _recalls(found, rows, weights, settings, len(truth.tokens), asked)
    table = pd.DataFrame([*recalls, *_means(metrics, labels, chosen)])
    return Measured(table, rows, metrics, claims.every_auprc())


def _labels(rows: dict[str, Row]) -> dict[tuple[str, str], np.ndarray]:
    """Claims by row and candidates, those among all categories first."""
    labels = {(name, "categories"): row.claims for name, row in rows.items()}
    return labels | {(name, where): claims for name, row in rows.items() for where, claims in row.others.items()}


def _recalls(
    found, rows: dict[str, Row], weights: np.ndarray, settings: ScoreSettings, tokens: int, asked: Mapping
) -> Iterable[dict]:
    empty = (np.zeros(0, np.int64),) * 3 + (np.zeros((0, tokens), bool),)
    filters, ranks, images, truth = (np.concatenate(each) for each in zip(empty, *found, strict=True))
    weights = weights.astype(np.float64)
    for name, row in rows.items():
        for candidates, words in row.words.items():
            wanted = truth & asked[candidates] if candidates in asked else truth
            for k in settings.recall_at:
                values, counts = recall(words[filters, ranks], wanted, min(k, words.shape[2]))
                right, pairs = by_image(values, counts, images, weights.shape[1])
                yield {
                    "row": name,
                    "metric": "recall",
                    "candidates": candidates,
                    "k": k,
                    "n": int(counts.sum()),
                    "resamples": _share(weights @ right, weights @ pairs),
                }


def _share(right: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """right / asked; a resample without any pair repeats the sample's own value."""
    own = right[0] / asked[0] if asked[0] else 0.0
    return np.where(asked > 0, right / np.maximum(asked, 1e-12), own)


def _means(
    metrics: dict[str, np.ndarray], labels: dict[tuple[str, str], np.ndarray], chosen: np.ndarray
) -> Iterable[dict]:
    first = next(iter(labels))[0]
    for index, (name, where) in enumerate(labels):
        # The same filters for every row, those that the words name: constant words would name dead filters too. A
        # row that names nothing there scores 0.
        named = chosen & (labels.get((WORDS, where), labels[first, where]) >= 0)
        for metric in CLAIM_METRICS:
            values = metrics[metric][:, index, named]
            yield {
                "row": name,
                "metric": metric,
                "candidates": where,
                "k": 1,
                "n": int(named.sum()),
                "resamples": values.mean(1) if named.any() else np.zeros(len(values)),
            }


def support(measured: Measured, thresholds: pd.DataFrame, tokens: list[str], settings: ScoreSettings) -> pd.DataFrame:
    """Which filters' claims beat their null: the `filter_claims` table.

    The null of a claim is the mean AUPRC of all live filters for the same word; in every resample it moves with the
    share of the pixels that the word covers there, on which AUPRC by chance depends. The evidence for a claim is the
    lower end of the interval of its AUPRC minus the null. A claim is supported where its evidence is above zero and
    so large that, of the claims with as much, at most `false_discoveries` are false by the account of the decoys:
    claims lent from other filters, of another word than the filter's own.
    """
    confidence = settings.confidence
    claims = measured.rows[WORDS].claims
    rivals = measured.rows["dissection"].claims
    live = ~thresholds["dead"].to_numpy()
    auprc = measured.metric(WORDS, "auprc")
    low, high = interval(auprc, confidence)
    lent = measured.rows["shuffled_filters"].claims
    named = live & (claims >= 0)
    null = measured.every_auprc[live].mean(0) if live.any() else np.zeros(len(tokens))
    names = np.array([*tokens, None], object)

    def evidence(row: str, claimed: np.ndarray) -> np.ndarray:
        share = measured.metric(row, "share")
        scaled = null[claimed] * np.where(share[0] > 0, share / np.maximum(share[0], 1e-12), 1.0)
        lowest = interval(measured.metric(row, "auprc") - scaled, confidence)[0]
        return np.where(named & (claimed >= 0), lowest, -np.inf)

    own, decoys = evidence(WORDS, claims), evidence("shuffled_filters", lent)
    least = least_evidence(own[named], decoys[named & (lent >= 0) & (lent != claims)], settings.false_discoveries)

    def where(mask, values):
        return [float(value) if keep else None for keep, value in zip(mask, values, strict=True)]

    return pd.DataFrame(
        {
            "filter": thresholds["filter"],
            "dead": thresholds["dead"],
            "claim": [name if keep else None for keep, name in zip(named, names[claims], strict=True)],
            "auprc": where(named, auprc[0]),
            "low": where(named, low),
            "high": where(named, high),
            "null": where(named, null[claims]),
            "supported": own >= least,
            "lent_supported": decoys >= least,
            "iou": where(named, measured.metric(WORDS, "iou")[0]),
            "f1": where(named, measured.metric(WORDS, "f1")[0]),
            "correlation": where(named, measured.metric(WORDS, "correlation")[0]),
            "rival": [name if keep else None for keep, name in zip(named, names[rivals], strict=True)],
            "rival_auprc": where(named & (rivals >= 0), measured.metric("dissection", "auprc")[0]),
        }
    )


def least_evidence(claims: np.ndarray, decoys: np.ndarray, rate: float) -> float:
    """The least evidence above 0 at which at most this share of the claims is expected to be false.

    Of n claims and m decoys as many claims as decoys, times n / m, pass by chance. Infinite where no evidence is
    enough; without decoys, or where none has any, the smallest above 0.
    """
    passing = np.sort(claims[claims > 0])
    chance = len(claims) / max(len(decoys), 1)
    false = chance * np.array([(decoys >= least).sum() for least in passing])
    enough = np.flatnonzero(false <= rate * np.arange(len(passing), 0, -1))
    return float(passing[enough[0]]) if len(enough) else np.inf
