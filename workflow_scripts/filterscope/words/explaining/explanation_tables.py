"""What explanations are made of and what they become: tables of what is known of words, and of the words said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from filterscope import tables
from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.faithful import Faithful
from filterscope.words.explaining.candidates import candidates, read_allowed
from filterscope.words.explaining.evidence import Evidence
from filterscope.words.explaining.explanation import Explained
from filterscope.words.explaining.proposals import (
    ProposalSettings,
    Proposer,
    apart,
    informed,
    known_chances,
    proposers,
)
from filterscope.words.explaining.targets import Tokens
from filterscope.words.results import claimed, image_words, votes_table
from filterscope.words.scoring.score_table import WORDS

NAMELESS = (
    "words.allowed lists {count} words, none of which is a category's, as {example} is: filters are described, but "
    "none has a name, since only masks of a category could support one"
)


@dataclass(frozen=True)
class VoteSettings:
    """How a filter's words follow from those of its top images; see `words` in config.yaml.

    voted: whether claims are voted for, the published way, and not chosen by the evidence.
    """

    voting: int = 5
    weighting: str = "none"
    printed: int = 10
    voted: bool = False

    @classmethod
    def of(cls, words: Mapping, defects: Faithful) -> VoteSettings:
        """From the config's `words`, which says more, and the switched-on defects of the reference."""
        return cls(words["voting"], words["weighting"], words["printed"], defects.published_words)


@dataclass(frozen=True)
class KnownWords:
    """What may be said, and what each explainer knows of the filters before it sees a photograph.

    claimable: tokens that a filter may be called by, bool [T]. chances: by explainer, `known_chances`. proposers: by
    explainer and candidates. everything: says words of the whole vocabulary, whichever are allowed.
    """

    tokens: Tokens
    vocabulary: Vocabulary
    allowed: list[str] | None
    claimable: np.ndarray
    evidence: Evidence
    chances: dict[str, np.ndarray]
    proposers: dict[str, dict[str, Proposer]]
    everything: Proposer
    settings: ProposalSettings

    def nameless(self) -> str:
        """What to say where no filter may have a name."""
        return NAMELESS.format(count=len(self.allowed or ()), example=self.tokens.supervised[0])

    def weighed(self, explainer: str, directions: np.ndarray) -> partial:
        """Parts of the scores of any words, as `votes_table` asks for them."""
        return partial(self.everything.knowing(self.chances[explainer], self.settings).of_words, directions)


@dataclass(frozen=True)
class KnownPaths:
    """Tables and weights that words are chosen by.

    path_to_allowed: a list of words, where only those may be said. path_to_evidence: of the dataset that the explainers
    learnt from. paths_to_explainers: by their name, words or a null's.
    """

    path_to_vocabulary: str | Path
    path_to_allowed: str | Path | None
    path_to_evidence: str | Path
    paths_to_explainers: Mapping[str, str | Path]

    @classmethod
    def of(cls, files: Mapping, explainers: list[str]) -> KnownPaths:
        """From a rule's files of these names, and of the explainers'."""
        allowed = files.get("allowed") or None
        return cls(files["vocabulary"], allowed, files["evidence"], {name: files[name] for name in explainers})

    def read(self, tokens: Tokens, settings: ProposalSettings, device: torch.device) -> KnownWords:
        """Everything but the explainers, whose size hangs on the layer."""
        vocabulary = Vocabulary.from_table(tables.read(self.path_to_vocabulary, "vocabulary")).including(tokens.every)
        allowed = read_allowed(self.path_to_allowed)
        evidence = Evidence.of(tables.read(self.path_to_evidence, "evidence").to_pandas(), tokens.every)
        chances = known_chances(evidence, tokens, self.paths_to_explainers)
        of_tokens = vocabulary.restricted(tokens.supervised)
        first = next(iter(chances.values()))
        sought = proposers(
            candidates(vocabulary, tokens.every, allowed, tokens.held_out), of_tokens, first, settings, device
        )
        everything = sought["vocabulary"]
        if allowed is not None:
            everything = Proposer(vocabulary, np.arange(len(vocabulary)), of_tokens, first, settings, device)
        return KnownWords(
            tokens,
            vocabulary,
            allowed,
            tokens.claimable(allowed),
            evidence,
            chances,
            {name: informed(sought, each, settings) for name, each in chances.items()},
            everything,
            settings,
        )


@dataclass(frozen=True)
class ExplanationPaths:
    """Tables of an explanation. paths_to_words and paths_to_votes go by the explainer's name."""

    paths_to_words: Mapping[str, str | Path]
    paths_to_votes: Mapping[str, str | Path]
    path_to_apart: str | Path
    path_to_heatmaps: str | Path
    path_to_feeds: str | Path
    path_to_field: str | Path

    @classmethod
    def of(cls, files: Mapping, explainers: list[str]) -> ExplanationPaths:
        """From a rule's files of these names."""
        words, votes = ({name: files[f"{name}_by_{what}"] for name in explainers} for what in ("image", "filter"))
        return cls(words, votes, files["apart"], *(files[name] for name in ("heatmaps", "feeds", "field")))

    def write(
        self, found: Explained, known: KnownWords, settings: VoteSettings, top_ids: np.ndarray, maxima: np.ndarray
    ) -> None:
        """Words of top images, votes for the filters' and what sets filters apart; top_ids, maxima: [filters, p]."""
        names, every = known.vocabulary.words, known.tokens.every
        for name, path in self.paths_to_words.items():
            words = {where: found.words[name, where] for where in known.proposers[name]}
            with tables.Writer("image_words", path) as writer:
                for part in image_words(words, top_ids, names):
                    writer.add(part)
            directions, claims = found.directions[name], None
            if name == WORDS and not settings.voted:
                claims = claimed(known.evidence.claims(known.claimable), directions, known.vocabulary, every)
            votes = votes_table(
                words,
                maxima,
                names,
                settings.voting,
                settings.weighting,
                settings.printed,
                claims,
                known.weighed(name, directions),
            )
            tables.write(votes, "filter_votes", self.paths_to_votes[name])
        lifted = apart(found.directions[WORDS], known.proposers[WORDS], settings.printed)
        tables.write(lifted, "words_apart", self.path_to_apart)
