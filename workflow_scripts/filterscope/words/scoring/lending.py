"""Claims lent to other filters: what false claims reach, in as many orders as it takes to tell how many pass."""

from __future__ import annotations

import numpy as np

# Orders that are measured at most: where nearly all filters claim one word, each lends little.
ORDERS = 16


def lent_further(own: np.ndarray, lent: np.ndarray, wanted: int, seed: int) -> list[np.ndarray]:
    """Claims lent in further orders, until so many are lent that are of another word than the borrower's own.

    own, lent: the claims, and what was lent already; token indices [d], -1 for none. Each order is [d], too. Nobody
    lends a filter twice.
    """
    cycle = np.random.default_rng(seed).permutation(np.flatnonzero(own >= 0))
    there, orders = int(np.sum((own >= 0) & (lent >= 0) & (lent != own))), []
    for step in range(1, min(len(cycle), ORDERS + 1)):
        if there >= wanted:
            break
        order = np.full_like(own, -1)
        order[cycle] = own[np.roll(cycle, step)]
        there += int(np.sum(order != own))
        orders.append(order)
    return orders if there else []
