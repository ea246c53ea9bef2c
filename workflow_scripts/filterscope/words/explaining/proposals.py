"""Which words are said of what a filter sees: the explainer's cosines, and what training images say of the filter.

The score of a word is cos(v, w) + b e(w) - n(w). v is what the explainer makes of the filter in the image. e, the
evidence, is the logarithm of the chance that the filter's top training images show the token (`Evidence.surprise`); a
word that is no category takes its nearest token's, times their cosine. n is what new words pay: `novelty` for the
best new word of a list, twice as much for the second, and so on, so that one token's neighbourhood does not fill it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from filterscope.data.vocabularies.vocabulary import Vocabulary, largest_of_few
from filterscope.faithful import Faithful
from filterscope.words.explaining.candidates import Candidates
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.targets import Tokens
from filterscope.words.scoring.score_table import WORDS

# Words by cosine among which the score chooses, per word that is asked for.
SHORTLIST = 10
# Filters whose words are weighed at once.
CHUNK = 256


@dataclass(frozen=True)
class ProposalSettings:
    """Weights of the parts of a word's score, in cosines; see `words` in config.yaml. Zeros: nearest words alone."""

    evidence: float = 0.0
    novelty: float = 0.0

    def faithful(self, defects: Faithful) -> ProposalSettings:
        """These settings with the switched-on defects of the reference."""
        return ProposalSettings() if defects.published_words else self


class Proposer:
    """Says words of points among one set of candidates.

    vocabulary, rows: the candidates' words and the row of each in the whole vocabulary. tokens: the category tokens
    that evidence is about, as a vocabulary, or None. surprise: [d, tokens], at least 0; [d, 1] without tokens.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        rows: np.ndarray,
        tokens: Vocabulary | None,
        surprise: np.ndarray,
        settings: ProposalSettings,
        device: torch.device,
    ):
        self.vocabulary, self.rows, self.settings = vocabulary, rows, settings
        unit = functional.normalize(vocabulary.vectors.float(), dim=1)
        # Without tokens (plain nearest words) every word is one of a nameless family.
        known = [] if tokens is None else tokens.words
        of_tokens = functional.normalize(tokens.vectors.float(), dim=1) if known else unit.new_zeros(1, unit.shape[1])
        place = {word: index for index, word in enumerate(known)}
        own = torch.tensor([place.get(word, -1) for word in vocabulary.words])
        nearest, likeness = torch.zeros_like(own), torch.zeros(len(own))
        for start in range(0, len(own), 65536):
            part = slice(start, start + 65536)
            found = (unit[part] @ of_tokens.T).max(1)
            nearest[part], likeness[part] = found.indices, found.values
        self.own = own.to(device)
        self.family = torch.where(own >= 0, own, nearest).to(device)
        self.likeness = torch.where(own >= 0, 1.0, likeness.clamp(min=0)).to(device)
        self.surprise = torch.tensor(surprise, dtype=torch.float32, device=device)
        self.listed = torch.nonzero(own >= 0)[:, 0].to(device)
        self.unit_tokens = of_tokens[own[own >= 0]].to(device)

    def knowing(self, surprise: np.ndarray, settings: ProposalSettings) -> Proposer:
        """One of the same candidates who knows something else of the filters, or weighs it otherwise."""
        other = copy.copy(self)
        other.surprise = torch.tensor(surprise, dtype=torch.float32, device=self.surprise.device)
        other.settings = settings
        return other

    def __call__(self, points: torch.Tensor, filters: torch.Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k best words for each point: rows of the whole vocabulary and cosines, [n, k] each.

        points: [n, D]. filters: the filter that each point tells of, [n].
        """
        evidence, novelty = self.settings.evidence, self.settings.novelty
        if not evidence and not novelty:
            cosines, words = self.vocabulary.nearest(points, k)
            return self.rows[words.cpu().numpy()], cosines.cpu().numpy()
        # All category tokens and the nearest words: nothing else can have a large score.
        cosines, words = self.vocabulary.nearest(points, min(k * SHORTLIST, len(self.vocabulary)))
        near = functional.normalize(points.float(), dim=1) @ self.unit_tokens.T
        fresh = self.own[words] < 0
        words = torch.cat([words, self.listed.expand(len(points), -1)], 1)
        cosines = torch.cat([torch.where(fresh, cosines, -torch.inf), near], 1)
        fresh = torch.cat([fresh, torch.zeros_like(near, dtype=torch.bool)], 1)
        family = self.family[words]
        scores = cosines + evidence * self.surprise[filters].gather(1, family) * self.likeness[words]
        if novelty and len(self.listed):
            scores = scores - novelty * (1 + _new_before(scores, fresh)) * fresh
        order = largest_of_few(scores, k)[1]
        return self.rows[words.gather(1, order).cpu().numpy()], cosines.gather(1, order).cpu().numpy()

    def parts(self, directions: np.ndarray, filters: np.ndarray, words: np.ndarray) -> dict[str, np.ndarray]:
        """What the score of words for filters is made of: cosine, evidence and lift, float64 [n, m] each.

        The lift is the score for the filter's direction less that for the layer's mean direction. directions: [d, D],
        0 for filters without one, which are not part of the mean. filters: [n]. words: positions in the vocabulary,
        [n, m].
        """
        device = self.surprise.device
        points = torch.from_numpy(directions).float().to(device)
        known = points.any(1)
        mean, layer = (each[known].sum(0) / known.sum().clamp(min=1) for each in (points, self.surprise))
        found = {"cosine": [], "evidence": [], "lift": []}
        vectors = functional.normalize(self.vocabulary.vectors.to(device).float(), dim=1)
        for start in range(0, len(filters), CHUNK):
            # Copies: columns of a table cannot be written to.
            some = torch.tensor(filters[start : start + CHUNK], device=device)
            chosen = torch.tensor(words[start : start + CHUNK], device=device)
            family, likeness = self.family[chosen], self.likeness[chosen]
            cosine = torch.bmm(vectors[chosen], points[some][:, :, None])[..., 0]
            evidence = self.surprise[some].gather(1, family) * likeness
            shared = vectors[chosen] @ mean + self.settings.evidence * layer[family] * likeness
            found["cosine"].append(cosine)
            found["evidence"].append(evidence)
            found["lift"].append(cosine + self.settings.evidence * evidence - shared)
        return {
            name: torch.cat(each).double().cpu().numpy() if each else np.zeros(words.shape)
            for name, each in found.items()
        }

    def of_words(self, directions: np.ndarray, filters: np.ndarray, words: np.ndarray) -> dict[str, np.ndarray]:
        """`parts` of one word each: filters and words are [n], and so is every part."""
        return {name: each[:, 0] for name, each in self.parts(directions, filters, words[:, None]).items()}

    def apart(self, directions: np.ndarray, printed: int) -> pd.DataFrame:
        """The words of largest lift of every filter, best first: filter, rank, word, cosine, evidence and lift.

        They are looked for among the words nearest to the filter's direction, and all category tokens.
        """
        filters = np.flatnonzero(directions.any(1))
        if not len(filters):
            return pd.DataFrame(columns=["filter", "rank", "word", "cosine", "evidence", "lift"])
        points = torch.from_numpy(directions[filters]).float().to(self.surprise.device)
        _, near = self.vocabulary.nearest(points, min(printed * SHORTLIST, len(self.vocabulary)))
        near = torch.where(self.own[near] < 0, near, -1).cpu().numpy()
        words = np.concatenate([near, np.broadcast_to(self.listed.cpu().numpy(), (len(near), len(self.listed)))], 1)
        parts = self.parts(directions, filters, np.maximum(words, 0))
        order = np.argsort(-np.where(words >= 0, parts["lift"], -np.inf), axis=1, kind="stable")
        order = order[:, : min(printed, int((words >= 0).sum(1).min()))]
        rows, ranks = np.indices(order.shape).reshape(2, -1)
        chosen = np.take_along_axis(words, order, 1).reshape(-1)
        return pd.DataFrame(
            {
                "filter": filters[rows],
                "rank": ranks,
                "word": np.asarray(self.vocabulary.words, object)[chosen],
                **{name: np.take_along_axis(each, order, 1).reshape(-1) for name, each in parts.items()},
            }
        )


def _new_before(scores: torch.Tensor, fresh: torch.Tensor) -> torch.Tensor:
    """How many better-scored new words stand before each word, [n, m]."""
    order = scores.sort(dim=1, descending=True, stable=True).indices
    ordered = fresh.gather(1, order).long()
    return torch.empty_like(ordered).scatter_(1, order, ordered.cumsum(1) - ordered)


def proposers(
    candidates: Candidates,
    tokens: Vocabulary | None,
    surprise: np.ndarray,
    settings: ProposalSettings,
    device: torch.device,
) -> dict[str, Proposer]:
    """A proposer for each set of candidates; new words pay for their place in the whole vocabulary only."""
    return {
        name: Proposer(vocabulary, rows, tokens, surprise, _weights(name, settings), device)
        for name, (vocabulary, rows) in candidates.items()
    }


def informed(asked: Mapping[str, Proposer], surprise: np.ndarray, settings: ProposalSettings) -> dict[str, Proposer]:
    """Proposers of the same candidates who know this of the filters: what they know of the words is not computed again.

    asked: by candidates, as `proposers` gives them.
    """
    return {name: each.knowing(surprise, _weights(name, settings)) for name, each in asked.items()}


def _weights(candidates: str, settings: ProposalSettings) -> ProposalSettings:
    return settings if candidates == "vocabulary" else ProposalSettings(settings.evidence)


def known_chances(evidence: Evidence, tokens: Tokens, explainers: Iterable[str]) -> dict[str, np.ndarray]:
    """By explainer, what it may know of the training images: `Evidence.surprise` of the supervised tokens, [d, tokens].

    Explainers besides the words' are nulls, whose labels are shuffled: they know how common tokens are, but nothing of
    a single filter.
    """
    supervised = ~tokens.unsupervised
    surprise = evidence.surprise(supervised)
    common = np.broadcast_to(surprise.mean(0, keepdims=True), surprise.shape)
    return {name: (surprise if name == WORDS else common)[:, supervised] for name in explainers}


def nearest_words(candidates: Candidates, filters: int, device: torch.device) -> dict[str, Proposer]:
    """Proposers of the nearest words, for so many filters: no evidence, nothing paid."""
    return proposers(candidates, None, np.zeros((filters, 1)), ProposalSettings(), device)


def apart(directions: np.ndarray, proposers: Mapping[str, Proposer], printed: int) -> pd.DataFrame:
    """What sets every filter apart from the others of its layer: the `words_apart` table.

    directions: [d, D], as `explain` gives them. proposers: by candidates.
    """
    parts = [each.apart(directions, printed).assign(candidates=name) for name, each in proposers.items()]
    return pd.concat(parts, ignore_index=True)
