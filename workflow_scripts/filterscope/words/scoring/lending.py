"""Claims lent to other filters: what false claims reach, in as many orders as it takes to tell how many pass."""

from __future__ import annotations

import numpy as np

# Further orders that are measured at most: where nearly all filters claim one word, each lends little.
ORDERS = 16


def lending_cycle(fires: np.ndarray, seed: int) -> np.ndarray:
    """The filters that lend, in the random order in which each lends to the one behind it: nobody keeps its own.

    fires: in how many of its top images each filter fires, [d]; those that never do lend nothing.
    """
    return np.random.default_rng(seed).permutation(np.flatnonzero(fires))


def lent_further(own: np.ndarray, lent: np.ndarray, fires: np.ndarray, wanted: int, seed: int) -> list[np.ndarray]:
    """Claims lent in further orders, until so many are lent that are of another word than the borrower's own.

    own: the claims; lent: what each filter is lent by the one before it in the `lending_cycle`; token indices [d], -1
    for none. fires, seed: of that cycle. Each order is [d], too: the claims of those two places before, three, and so
    on, so that no filter lends another its claim twice.
    """
    cycle, orders = lending_cycle(fires, seed), []
    there = _of_other_words(own, lent)
    for step in range(2, min(len(cycle), ORDERS + 2)):
        if there >= wanted:
            break
        order = np.full_like(own, -1)
        order[cycle] = own[np.roll(cycle, step)]
        there += _of_other_words(own, order)
        orders.append(order)
    return orders if there else []


def _of_other_words(own: np.ndarray, lent: np.ndarray) -> int:
    return int(np.sum((own >= 0) & (lent >= 0) & (lent != own)))
