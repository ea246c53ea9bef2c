"""The cosine margin loss that ties activations to words (LaViSE, 3.1)."""

from __future__ import annotations

import torch
from torch.nn import functional


def csmr_loss(
    points: torch.Tensor,
    targets: torch.Tensor,
    categories: torch.Tensor,
    margin: float = 1.0,
    negatives: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cosine similarity margin ranking loss, mean over the batch.

    With s_bc the cosine between point b and category token c, and p_b the mean of s over b's own tokens:
    L = mean_b sum over foreign c of max(0, margin - p_b + s_bc). The text prints dot products; both
    implementations use cosines, and so do we.

    points: [B, D]. targets: bool [B, C], own tokens. categories: [C, D]. negatives: further words that are
    nobody's token, [M, D]; their mean hinge counts as much as all the categories' (ours, not in LaViSE).
    Raises ValueError where an object has no token.
    """
    if not bool(targets.any(1).all()):
        raise ValueError(f"object {int((~targets.any(1)).nonzero()[0])} of the batch has no token")
    points = functional.normalize(points, dim=1)
    cosines = points @ functional.normalize(categories, dim=1).T
    own = (cosines * targets).sum(1) / targets.sum(1)
    hinge = (margin - own[:, None] + cosines).clamp(min=0)
    loss = (hinge * ~targets).sum(1)
    if negatives is not None and len(negatives):
        foreign = points @ functional.normalize(negatives, dim=1).T
        loss = loss + (margin - own[:, None] + foreign).clamp(min=0).mean(1) * categories.shape[0]
    return loss.mean()


def softmax_loss(
    points: torch.Tensor,
    targets: torch.Tensor,
    categories: torch.Tensor,
    scale: float = 8.0,
    negatives: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cross entropy of scaled cosines over the category tokens and further words, mean over the batch (ours).

    An object's own tokens share the wanted probability. Unlike the margin loss it dwells on the words that are nearly
    as close as the right ones. Normalised softmax, after Wang et al. 2017 (NormFace).

    points: [B, D]. targets: bool [B, C], own tokens. categories: [C, D]. scale: by which cosines are multiplied.
    negatives: further words that are nobody's token, [M, D]. Raises ValueError where an object has no token.
    """
    if not bool(targets.any(1).all()):
        raise ValueError(f"object {int((~targets.any(1)).nonzero()[0])} of the batch has no token")
    words = categories if negatives is None or not len(negatives) else torch.cat([categories, negatives])
    logits = scale * functional.normalize(points, dim=1) @ functional.normalize(words, dim=1).T
    chances = functional.log_softmax(logits, dim=1)[:, : len(categories)]
    return -((chances * targets).sum(1) / targets.sum(1)).mean()
