"""CLIP-Dissect, as a rival: the words whose embeddings go best with the images that excite a filter.

Oikarinen and Weng 2023; computed on training images, as Network Dissection's labels are. It needs no masks, and it
looks at whole images, not at where a filter fires.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from filterscope.data.vocabularies.vocabulary import Vocabulary
from filterscope.words.explaining.candidates import candidates
from filterscope.words.explaining.targets import Tokens
from filterscope.words.rivals.open_clip_models import ClipError
from filterscope.words.rivals.soft_wpmi import ClipDissectSettings, soft_wpmi, strongest


def concepts(
    words: Iterable[str], vectors: np.ndarray, tokens: Tokens, allowed: list[str] | None
) -> tuple[dict[str, Vocabulary], list[str]]:
    """The concepts by candidates, as the explainer's words have them, and the tokens that the model cannot read.

    words, vectors: embeddings of the vocabulary's words and of the tokens, [n, E]; a word may come twice.
    Raises ClipError where the model can read no token.
    """
    kept = pd.Index(words).duplicated()
    known = Vocabulary([word for word, twice in zip(words, kept, strict=True) if not twice], vectors[~kept])
    unread = known.missing(tokens.every)
    if len(unread) == len(tokens.every):
        raise ClipError(
            f"the CLIP model can read none of the {len(unread)} tokens of the categories, {unread[0]!r} first"
        )
    said, held_out = ([token for token in some if token in known] for some in (tokens.every, tokens.held_out))
    return {name: each for name, (each, _) in candidates(known, said, allowed, held_out).items()}, unread


def live(summaries: np.ndarray) -> np.ndarray:
    """Filters that answer differently to different images, bool [d]; summaries: [N, d]."""
    return summaries.max(0) > summaries.min(0)


def dissect(
    images: np.ndarray,
    summaries: np.ndarray,
    sought: dict[str, Vocabulary],
    filters: np.ndarray,
    settings: ClipDissectSettings,
    kept: int,
    device: torch.device,
) -> pd.DataFrame:
    """The best concepts of every filter: the `clip_words` table.

    images: unit embeddings [N, E]. summaries: of every image and filter, [N, d]. sought: concepts by candidates, with
    unit embeddings [n, E]. filters: bool [d], those to dissect; the others take no part in p(t) either.
    """
    chosen = np.flatnonzero(filters)
    top = strongest(summaries[:, chosen], settings.taken(len(images)))
    shown = torch.from_numpy(images).to(device)
    parts = []
    for name, words in sought.items():
        values, rows = soft_wpmi(shown, words.vectors.to(device), top, settings, kept)
        places = np.indices(rows.shape)
        parts.append(
            pd.DataFrame(
                {
                    "candidates": name,
                    "filter": chosen[places[0].ravel()],
                    "rank": places[1].ravel(),
                    "word": np.array(words.words, object)[rows.ravel()],
                    "similarity": values.ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
