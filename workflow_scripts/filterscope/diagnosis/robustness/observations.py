"""Robustness against capacity: how many pixels fool networks of different size, and what that says (Debugger, 3.4).

One network is one observation: intervals are over networks trained from different seeds, because images that fool one
network fool its siblings for the same reasons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from filterscope.intervals import SCORE, mean_interval
from filterscope.schemas.values import PIXELS

ALPHA = 0.05  # p below which a trend is believed
SMALLER, LARGER = "smaller is more robust", "larger is more robust"
TOO_FEW = "too few networks"
NO_TREND = "no clear trend"
SAME = "the same for all networks: cannot be told"  # such as one pixel, which robustness cannot fall below


def rho(sizes: np.ndarray) -> float:
    """Median size of an attack over correctly classified images; failures count as the whole picture (Debugger, 3.4).

    sizes: [n], failures already so. Raises ValueError where no image was classified correctly.
    """
    if not len(sizes):
        raise ValueError("no image was classified correctly, so none could be attacked")
    return float(np.median(sizes))


def of_networks(attacks: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """rho of every network under every attack, also over the images that all networks of its family get right.

    attacks: rows of the table `attacks`, one an image that the network got right. networks: rows of
    `scaled_networks`. A small network gets easier images right, so `common_rho` compares like with like; it is missing
    where no image is common. Columns: family, share, seed, attack, unit, target, capacity, accuracy, images, rho,
    failures (share of the images), common_images, common_rho, queries (mean).
    """
    keys = ["family", "share", "seed"]
    facts = networks.set_index(keys)
    rows = []
    for (_, attack), own in attacks.groupby(["family", "attack"], sort=False):
        seen = own.groupby("sample").size()
        common = set(seen.index[seen == own.groupby(keys).ngroups])
        for key, each in own.groupby(keys, sort=False):
            shared = each[each["sample"].isin(common)]
            fact = facts.loc[key]
            rows.append(
                dict(zip(keys, key, strict=True))
                | {
                    "attack": attack,
                    "unit": each["unit"].iloc[0],
                    "target": int(fact["target"]),
                    "capacity": int(fact["capacity"]),
                    "accuracy": float(fact["accuracy"]),
                    "images": len(each),
                    "rho": rho(each["size"].to_numpy()),
                    "failures": float((~each["success"]).mean()),
                    "common_images": len(shared),
                    "common_rho": rho(shared["size"].to_numpy()) if len(shared) else None,
                    "queries": float(each["queries"].mean()),
                }
            )
    return pd.DataFrame(rows)


def of_capacities(observed: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Means over the seeds, with Student's intervals, of every capacity under every attack.

    observed: what `of_networks` gives. One seed gives an interval of no width: `seeds` says how many there are.
    Intervals are cut where accuracies end, and at no pixels.
    """
    rows = []
    for (family, attack, share), own in observed.groupby(["family", "attack", "share"], sort=False):
        row = {"family": family, "attack": attack, "share": share, "unit": own["unit"].iloc[0]}
        row |= {"target": int(own["target"].iloc[0]), "capacity": float(own["capacity"].mean()), "seeds": len(own)}
        sizes = (0.0, math.inf) if row["unit"] == PIXELS else SCORE
        for name, within in (("accuracy", SCORE), ("rho", sizes), ("common_rho", sizes)):
            values = own[name].dropna().to_numpy(float)
            low, high = mean_interval(values, confidence, within) if len(values) else (None, None)
            row |= {name: values.mean() if len(values) else None, f"{name}_low": low, f"{name}_high": high}
        row |= {name: float(own[name].mean()) for name in ("images", "common_images", "failures", "queries")}
        rows.append(row)
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Trend:
    """Rank correlation of rho with capacity over networks, and its permutation p (two-sided)."""

    correlation: float
    p: float
    networks: int
    least_p: float  # that so many networks of so many capacities could reach
    same: bool = False  # rho of all networks

    @property
    def verdict(self) -> str:
        """What the correlation says, where chance does not explain it."""
        if self.least_p >= ALPHA:
            return TOO_FEW
        if self.same:
            return SAME
        if self.p >= ALPHA:
            return NO_TREND
        return SMALLER if self.correlation < 0 else LARGER


def trend(capacities: np.ndarray, values: np.ndarray, seed: int = 0, permutations: int = 9999) -> Trend:
    """Spearman's correlation over networks; capacities and values: [n]. Constant values have none: 0, p = 1."""
    groups = np.unique(capacities, return_counts=True)[1]
    orders = math.factorial(len(values)) / math.prod(math.factorial(int(each)) for each in groups)
    least_p = min(1.0, 2 / orders)
    if len(groups) < 2 or len(set(values)) < 2:
        return Trend(0.0, 1.0, len(values), least_p, len(set(values)) == 1)
    from scipy import stats  # takes long to load; figures need only the names above

    x, y = (stats.rankdata(each) - (len(values) + 1) / 2 for each in (capacities, values))
    found, chance = x @ y, np.random.default_rng(seed)
    shuffled = chance.permuted(np.broadcast_to(y, (permutations, len(y))), axis=1) @ x
    extreme = np.abs(shuffled) >= abs(found) - 1e-9
    correlation = found / np.sqrt((x @ x) * (y @ y))
    return Trend(float(correlation), float((extreme.sum() + 1) / (permutations + 1)), len(values), least_p)


def trends(observed: pd.DataFrame, tolerance: float, seed: int = 0) -> pd.DataFrame:
    """The trend of every family under every attack, over all networks and over those that classify well.

    observed: what `of_networks` gives. Well: mean accuracy of the capacity at most `tolerance` below the best
    capacity's, so that robustness of networks that hardly learnt anything does not count. Columns: family, attack,
    unit, over ("all" or "accurate"), networks, smallest, largest (bits), correlation, p, verdict; and the last three of
    common_rho, over the networks that have one.
    """
    rows = []
    for (family, attack), own in observed.groupby(["family", "attack"], sort=False):
        accuracies = own.groupby("share")["accuracy"].transform("mean")
        for over, part in (("all", own), ("accurate", own[accuracies >= accuracies.max() - tolerance])):
            found = trend(part["capacity"].to_numpy(), part["rho"].to_numpy(), seed)
            shared = part[part["common_rho"].notna()]
            common = trend(shared["capacity"].to_numpy(), shared["common_rho"].to_numpy(float), seed)
            rows.append(
                {
                    "family": family,
                    "attack": attack,
                    "unit": part["unit"].iloc[0],
                    "over": over,
                    "networks": found.networks,
                    "smallest": int(part["capacity"].min()),
                    "largest": int(part["capacity"].max()),
                    "correlation": found.correlation,
                    "p": found.p,
                    "verdict": found.verdict,
                    "common_correlation": common.correlation,
                    "common_p": common.p,
                    "common_verdict": common.verdict,
                }
            )
    return pd.DataFrame(rows)


def sentence(samples: str, found: pd.DataFrame, capacities: pd.DataFrame) -> str:
    """One honest sentence on whether "smaller is more robust" holds on this data (Debugger, 3.4), from the tables.

    found: what `trends` gives; capacities: what `of_capacities` gives. It holds only if every attack that measures
    pixels says so among the networks whose capacity classifies about as well as the best.
    """
    parts = []
    for family, own in found.groupby("family", sort=False):
        accurate = own[own["over"] == "accurate"]
        pixels, others = (accurate[(accurate["unit"] == PIXELS) == counts] for counts in (True, False))
        if not len(pixels):
            parts.append(f"for {family} it cannot be told, because no attack counted pixels")
            continue
        by = ", ".join(f"{row.attack}: {_told(row.verdict, row.correlation, row.p)}" for row in pixels.itertuples())
        differing = ", ".join(
            f"{row.attack}: {row.common_verdict} ({_told(row.common_verdict, row.common_correlation, row.common_p)})"
            for row in pixels.itertuples()
            if row.common_verdict != row.verdict
        )
        if differing:
            by += f"; it differs over the pictures that all networks get right, {differing}"
        beside = "".join(
            f"; by the least bound of {row.attack}, which counts no pixels, {row.verdict}: "
            f"{_told(row.verdict, row.correlation, row.p)}"
            for row in others.itertuples()
        )
        compared = (
            f"{pixels['networks'].max()} networks of {pixels['smallest'].min():,} to {pixels['largest'].max():,} bits"
        )
        accuracies = capacities.loc[capacities["family"] == family, "accuracy"]
        parts.append(
            f"for {family} it {_answer(set(pixels['verdict']))} (rank correlation of median pixels with capacity over "
            f"{compared} that classify about as well as the best, {by}{beside}; accuracy of all capacities "
            f"{accuracies.min():.1%} to {accuracies.max():.1%})"
        )
    return f"Is smaller more robust on {samples}? {'; '.join(parts)[0].upper()}{'; '.join(parts)[1:]}."


def _answer(said: set[str]) -> str:
    """What the verdicts of the attacks that count pixels, one or more, say together."""
    if TOO_FEW in said:
        return "cannot be told, because too few networks of different capacity classify about as well as the best"
    if said == {SAME}:
        return "cannot be told, because the median is the same for all networks"
    if said <= {NO_TREND, SAME}:
        return f"is not supported: {NO_TREND}"
    if said == {SMALLER}:
        return "holds"
    if said == {LARGER}:
        return "is contradicted: the larger are more robust"
    return "depends on the attack"


def _told(verdict: str, correlation: float, p: float) -> str:
    return "no correlation" if verdict == SAME else f"{correlation:+.2f}, p = {p:.2g}"
