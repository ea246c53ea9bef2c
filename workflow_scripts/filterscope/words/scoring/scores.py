"""Scores that can be believed: every row beside its nulls, on the same images and resamples."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from filterscope import tables
from filterscope.faithful import Faithful
from filterscope.schemas.values import AUPRC, AUPRC_LIFT, CLAIM_SCORES, CORRELATION, F1, IOU, RECALL
from filterscope.words.bootstrap import percentile_interval
from filterscope.words.scoring.claims import ClaimScores
from filterscope.words.scoring.recall import by_image, recall
from filterscope.words.scoring.score_table import CEILING, SHUFFLED, WORDS

# The reference scores every 12th filter from 0 to 252.
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


@dataclass(frozen=True)
class ClaimEvidence:
    """How far claims beat their null on some images.

    metrics: by name, of the claims, [1+resamples, d]. null: what the layer's mean live filter reaches for each token,
    [T].
    """

    claims: np.ndarray
    metrics: dict[str, np.ndarray]
    null: np.ndarray

    def lift(self) -> np.ndarray:
        """AUPRC minus what the layer's mean filter reaches for the same word, [1+resamples, d].

        In every resample the null moves with the share of the pixels that the word covers there, on which AUPRC by
        chance depends. 0 for filters without a claim.
        """
        share = self.metrics["share"]
        moved = np.where(share[0] > 0, share / np.maximum(share[0], 1e-12), 1.0)
        return np.where(self.claims >= 0, self.metrics[AUPRC] - self.null[self.claims] * moved, 0.0)


class FoundTokens(NamedTuple):
    """Tokens under the regions of filters in their top images: filters, ranks and the images' positions, [n] each, and
    which tokens they are, bool [n, T]."""

    filters: np.ndarray
    ranks: np.ndarray
    images: np.ndarray
    tokens: np.ndarray


@dataclass
class Measured:
    """Measurements as the table of that name, and how far the claims of every row beat their null.

    decoys: the words' claims, with maps compared with the masks of other images: what chance gives. lent: claims lent
    in other orders than those of the row. dead filters take no part in the nulls.
    """

    table: pd.DataFrame
    rows: dict[str, Row]
    evidence: dict[str, ClaimEvidence]
    decoys: list[ClaimEvidence]
    lent: list[ClaimEvidence] = field(default_factory=list)


@dataclass(frozen=True)
class ScoredPaths:
    """Where the tables go that follow of scored images; claims and tests as Parquet and CSV."""

    measurements: str | Path
    claims: tuple[str | Path, str | Path]
    tests: tuple[str | Path, str | Path]

    @classmethod
    def of(cls, files: Mapping) -> ScoredPaths | None:
        """From a rule's outputs; None of one that writes a shard's sums."""
        if "measurements" not in files.keys():  # noqa: SIM118 (Snakemake's files are a list with names)
            return None
        return cls(files["measurements"], (files["claims"], files["csv"]), (files["tests"], files["tests_csv"]))

    def write(self, measured: Measured, claims: pd.DataFrame, tests: pd.DataFrame) -> None:
        """Write all of them; claims, tests: the `filter_claims` and `sanity` tables."""
        tables.write(tables.measurements(measured.table), "measurements", self.measurements)
        for name, table, paths in (("filter_claims", claims, self.claims), ("sanity", tests, self.tests)):
            for path in paths:
                tables.write(table, name, path)


def measured_of(
    claims: ClaimScores,
    apart: Iterable[ClaimScores],
    found: FoundTokens,
    rows: dict[str, Row],
    weights: np.ndarray,
    dead: np.ndarray,
    settings: ScoreSettings,
    asked: Mapping[str, np.ndarray] = MappingProxyType({}),
    further: Mapping[Hashable, np.ndarray] = MappingProxyType({}),
) -> Measured:
    """All scores of the rows, from what was summed up of the images.

    claims: of `labels_of` these rows, and of what is lent further. apart: of the words' claims on the masks of other
    images. weights: [1+resamples, images]. dead: [d]. asked: by candidates, the tokens that recall asks for, bool [T];
    all of them for candidates that are not named. further: the words' claims lent in further orders, by label.
    """
    labels, live = labels_of(rows), ~np.asarray(dead)
    chosen = np.zeros(len(live), bool)
    chosen[settings.chosen(len(live))] = True
    every = claims.every_auprc()
    evidence = _evidence(claims, labels | further, live, every)
    lent = [evidence.pop(each) for each in further]
    decoys = [_evidence(each, {WORDS: rows[WORDS].claims}, live, each.every_auprc())[WORDS] for each in apart]
    recalls = _recalls(found, rows, weights, settings, asked)
    ceiling = _ceiling(claims.best_possible(live, every), _named(labels, chosen), len(weights))
    table = pd.DataFrame([*recalls, *_means(evidence, labels, chosen), *ceiling])
    return Measured(table, rows, {name: evidence[name, "categories"] for name in rows}, decoys, lent)


def _evidence(
    claims: ClaimScores, labels: Mapping[Hashable, np.ndarray], live: np.ndarray, every: np.ndarray
) -> dict[Hashable, ClaimEvidence]:
    """By label; every: AUPRC of every filter for every token."""
    metrics = claims.metrics()
    null = every[live].mean(0) if live.any() else np.zeros(every.shape[1])
    return {
        label: ClaimEvidence(own, {name: values[:, place] for name, values in metrics.items()}, null)
        for place, (label, own) in enumerate(labels.items())
    }


def labels_of(rows: dict[str, Row]) -> dict[tuple[str, str], np.ndarray]:
    """Claims by row and candidates, those among all categories first."""
    labels = {(name, "categories"): row.claims for name, row in rows.items()}
    return labels | {(name, where): claims for name, row in rows.items() for where, claims in row.others.items()}


def _recalls(
    found: FoundTokens, rows: dict[str, Row], weights: np.ndarray, settings: ScoreSettings, asked: Mapping
) -> Iterable[dict]:
    filters, ranks, images, truth = found
    weights = weights.astype(np.float64)
    for name, row in rows.items():
        for candidates, words in row.words.items():
            wanted = truth & asked[candidates] if candidates in asked else truth
            for k in settings.recall_at:
                values, counts = recall(words[filters, ranks], wanted, min(k, words.shape[2]))
                right, pairs = by_image(values, counts, images, weights.shape[1])
                yield {
                    "row": name,
                    "metric": RECALL,
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
    evidence: dict[tuple[str, str], ClaimEvidence], labels: dict[tuple[str, str], np.ndarray], chosen: np.ndarray
) -> Iterable[dict]:
    for (name, where), each in evidence.items():
        named = _named(labels, chosen, where)
        metrics = each.metrics | {AUPRC_LIFT: each.lift()}
        for metric in CLAIM_SCORES:
            values = metrics[metric][:, named]
            yield {
                "row": name,
                "metric": metric,
                "candidates": where,
                "k": 1,
                "n": int(named.sum()),
                "resamples": values.mean(1) if named.any() else np.zeros(len(values)),
            }


def _named(labels: dict[tuple[str, str], np.ndarray], chosen: np.ndarray, where: str = "categories") -> np.ndarray:
    """The filters that are scored, the same for every row: those that the words name, bool [d].

    Constant words would name dead filters too. A row that names nothing there scores 0.
    """
    first = next(iter(labels))[0]
    return chosen & (labels.get((WORDS, where), labels[first, where]) >= 0)


def _ceiling(best: Mapping[str, np.ndarray], named: np.ndarray, resamples: int) -> Iterable[dict]:
    """What the best claims that there are would reach on these images, of the filters that the words name; they are
    not resampled. best: by metric, [d]."""
    for metric in CLAIM_SCORES:
        value = best[metric][named].mean() if named.any() else 0.0
        yield {
            "row": CEILING,
            "metric": metric,
            "candidates": "categories",
            "k": 1,
            "n": int(named.sum()),
            "resamples": np.full(resamples, value),
        }


def support(measured: Measured, thresholds: pd.DataFrame, tokens: list[str], settings: ScoreSettings) -> pd.DataFrame:
    """Which filters' claims beat their null: the `filter_claims` table.

    The null of a claim is the mean AUPRC of all live filters for the same word. The evidence for a claim is the lower
    end of the interval of its AUPRC minus the null (`ClaimEvidence.lift`). A claim is supported where its evidence is
    above zero and so large that, of the claims with as much, at most `false_discoveries` are false by the account of
    each kind of decoys: the same claims on the masks of other images, which exist whatever the claims are and have
    their words' frequencies; and claims lent from other filters, of another word than the filter's own, where so many
    can be lent that the share could be told at all. Where the decoys are too few to tell so small a share, nothing is
    supported and `told` is false.
    """
    confidence = settings.confidence
    own, lent = measured.evidence[WORDS], measured.evidence[SHUFFLED]
    rivals = measured.rows["dissection"].claims
    live = ~thresholds["dead"].to_numpy()
    low, high = percentile_interval(own.metrics[AUPRC], confidence)
    named = live & (own.claims >= 0)
    names = np.array([*tokens, None], object)

    def lowest(evidence: ClaimEvidence) -> np.ndarray:
        return np.where(named & (evidence.claims >= 0), percentile_interval(evidence.lift(), confidence)[0], -np.inf)

    def other(evidence: ClaimEvidence) -> np.ndarray:
        return named & (evidence.claims >= 0) & (evidence.claims != own.claims)

    claimed, borrowed = lowest(own), lowest(lent)
    strangers = np.concatenate([lowest(each)[named] for each in measured.decoys] or [np.zeros(0)])
    others = np.concatenate([borrowed[other(lent)], *(lowest(each)[other(each)] for each in measured.lent)])
    # Fewer lent claims than that could hold no such share, however few of them passed.
    kinds = [strangers, others] if len(others) >= 2 / settings.false_discoveries else [strangers]
    least, told = least_evidence(claimed[named], kinds, settings.false_discoveries)

    def where(mask, values):
        return [float(value) if keep else None for keep, value in zip(mask, values, strict=True)]

    return pd.DataFrame(
        {
            "filter": thresholds["filter"],
            "dead": thresholds["dead"],
            "claim": [name if keep else None for keep, name in zip(named, names[own.claims], strict=True)],
            "auprc": where(named, own.metrics[AUPRC][0]),
            "low": where(named, low),
            "high": where(named, high),
            "null": where(named, own.null[own.claims]),
            "lift": where(named, own.lift()[0]),
            "told": told,
            "supported": claimed >= least,
            "lent": other(lent),
            "lent_supported": (borrowed >= least) & (lent.claims != own.claims),
            "iou": where(named, own.metrics[IOU][0]),
            "f1": where(named, own.metrics[F1][0]),
            "correlation": where(named, own.metrics[CORRELATION][0]),
            "rival": [name if keep else None for keep, name in zip(named, names[rivals], strict=True)],
            "rival_auprc": where(named & (rivals >= 0), measured.evidence["dissection"].metrics[AUPRC][0]),
        }
    )


def score_remarks(images: pd.DataFrame, claims: pd.DataFrame) -> list[str]:
    """Sentences on what makes scores doubtful; images: those that score; claims: the `filter_claims` table."""
    remarks, taught = [], int((images["split"] == "train").sum())
    if taught:
        remarks.append(
            f"{taught} of the {len(images)} images that score also taught the thresholds, the claims and the explainer "
            "(words.split): the scores and the support of names are too high"
        )
    if not claims["told"].all():
        remarks.append("too few filters or images to tell which names are supported at this rate")
    return remarks


def least_evidence(claims: np.ndarray, kinds: Iterable[np.ndarray], rate: float) -> tuple[float, bool]:
    """The least evidence above 0 at which at most this share of the claims is expected to be false, and whether any
    could be.

    kinds: the evidence of each kind of decoys; every kind must agree. Of n claims and m decoys one more claim than
    decoys, times n / m, passes by chance: the one that makes the estimate hold for few decoys, too (Barber and Candes
    2015, knockoff+). Infinite where no evidence is enough. False where even decoys without any evidence would be too
    few for so small a share, or where there is no kind.
    """
    passing = np.sort(claims[claims > 0])
    kinds = list(kinds)
    fewest = min((len(decoys) for decoys in kinds), default=0)
    if not fewest or not len(passing):
        return np.inf, bool(fewest)
    false = np.max(
        [len(claims) / len(each) * (1 + np.array([(each >= least).sum() for least in passing])) for each in kinds], 0
    )
    allowed = rate * np.arange(len(passing), 0, -1)
    enough = np.flatnonzero(false <= allowed)
    told = len(claims) / fewest <= allowed[0]
    return (float(passing[enough[0]]) if len(enough) else np.inf), bool(told)
