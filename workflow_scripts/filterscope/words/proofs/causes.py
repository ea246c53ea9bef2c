"""Is the named object the cause? What a filter answers to it, against other objects of its size at its place.

Two directions are tested: objects laid into pictures that lack the named one, and objects taken out of their own
pictures. In each the filter's answers to the objects of its claim are compared with those to all other objects by
a rank sum test, one-sided, by sizes: these are strata, in which objects are at the same places of the same pictures.
Objects are the sample, so every picture shows another object.

Both directions look at the same objects, so one permutation of the objects moves their answers in both, and the sum of
both rank sums has an exact p value whatever their dependence (a nonparametric combination, Pesarin 2001). Such a sum
may be large by one direction alone, so each must besides be beyond chance by itself: what answers only to the laying,
or only to the hole, is no cause. Over the filters the share of false discoveries is held by Benjamini and Hochberg
(1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats

from filterscope import tables
from filterscope.words.bootstrap import percentile_interval
from filterscope.words.proofs.responses import ProofSettings, Responses
from filterscope.words.proofs.verdicts import CAUSED, NOT_CAUSED, UNTOLD

LAID, LOST = "laid", "lost"
NO_MORE = "no more than other objects"
PERMUTATIONS = 9999  # behind every p value, of which none is below 1 / 10000
ROUNDING = 1e-4  # of a sum of ranks; equal ones count as equal


def causes(
    effects: Effects,
    claims: np.ndarray,
    lent: np.ndarray,
    tokens: list[str],
    unusable: np.ndarray,
    false_discoveries: float,
) -> pd.DataFrame:
    """The `filter_causes` table.

    claims: token index of every filter, -1 for none; lent: those of other filters; [d]. unusable: how many of every
    token's objects could not be used, [T].

    A claim is caused where its q value is at most `false_discoveries`. To what `objections` has something against, q
    values count as 1, so that what is left out afterwards takes none of the true ones along. What is lent passes by
    the same limits.
    """
    own, other = effects.of(claims, lent)
    told, objection = own["p"].notna(), objections(own, 1 - effects.confidence)
    q = np.full(len(claims), np.nan)
    q[told] = stats.false_discovery_control(own["p"].where(objection == "", 1.0)[told]) if told.any() else []
    caused = (q <= false_discoveries) & (objection == "")
    limit = own.loc[caused, "p"].max()  # NaN, which nothing is below, where there is none
    names = np.array([*tokens, None], object)
    table = pd.DataFrame({"filter": np.arange(len(claims)), "claim": names[claims]}).join(own).assign(q=q)
    table["unusable"] = np.append(unusable, 0)[claims]
    table["status"] = np.select([caused, told], [CAUSED, NOT_CAUSED], UNTOLD)
    table["reason"] = table["reason"].mask(told & ~caused, objection.where(objection != "", NO_MORE))
    lent_told = other["p"].notna()
    passed = (other["p"] <= limit) & (objections(other, 1 - effects.confidence) == "")
    table = table.assign(lent=np.where(lent_told, names[lent], None), lent_caused=passed.where(lent_told, None))
    return table.astype(object).where(pd.notna(table), None)


def spread_of(activity: pa.Table, image_ids: np.ndarray) -> np.ndarray:
    """Standard deviation of every filter's mean activation over these images, [d].

    activity: `image_activations`.
    """
    scored = np.isin(activity["image_id"].to_numpy(), image_ids)
    return tables.matrix(activity["mean"])[scored].std(0, dtype=np.float64)


def counted(table: pd.DataFrame) -> str:
    """A sentence on how many claims are caused; table: `filter_causes`."""
    counts, decoys = table["status"].value_counts(), table["lent_caused"].dropna()
    caused, other, untold = (counts.get(each, 0) for each in (CAUSED, NOT_CAUSED, UNTOLD))
    said = f"{caused} claims are caused, {other} are not, of {untold} it cannot be told"
    return f"{said}; lent to other filters {decoys.sum():.0f} of {len(decoys)} would be"


def objections(lines: pd.DataFrame, alone: float) -> pd.Series:
    """What speaks against calling a claim caused, whatever both directions' p; "" where nothing does.

    lines: of `Effects.of`. alone: p value that each direction must have by itself. And the interval of the effect must
    lie above the null, what the layer's mean filter makes of the same word: objects that excite every filter are
    nobody's cause.
    """
    laid, lost = (lines[f"{direction}_p"] <= alone for direction in (LAID, LOST))
    reasons = {
        NO_MORE: ~laid & ~lost,
        "no more than other objects where they are taken out": ~lost,
        "no more than other objects where they are laid": ~laid,
        "no more than the layer's mean filter": ~(lines["low"] > lines["null"]),
    }
    return pd.Series(np.select(list(reasons.values()), list(reasons), ""), lines.index)


class Effects:
    """Effects of tokens' objects on filters, in units of the filters' spread, and how far they are beyond chance.

    live: bool; spread: standard deviation of the filter's mean activation over the images that score; both [d].
    resamples, confidence: of the bootstrap over objects; seed: of it and of the permutations.
    """

    def __init__(
        self,
        responses: Responses,
        live: np.ndarray,
        spread: np.ndarray,
        settings: ProofSettings,
        resamples: int,
        confidence: float,
        seed: int,
        permutations: int = PERMUTATIONS,
    ):
        self.responses, self.live, self.moved = responses, live, live & (spread > 0)
        self.scale = np.where(self.moved, spread, 1.0).astype(np.float32)
        self.fewest, self.resamples, self.confidence, self.seed = settings.fewest, resamples, confidence, seed
        self.test = RankTest(responses.sizes, permutations, np.random.default_rng([seed, permutations]))

    def of(self, *sets: np.ndarray) -> list[pd.DataFrame]:
        """By set of claims (token indices, -1 for none; [d]) one line per filter; a reason where nothing can be told.

        objects, controls: how many were compared. effect, with low and high, is the mean of both directions, null its
        mean over the layer's filters that move. p is that of both directions together.
        """
        claims = np.concatenate(sets)
        filters = np.tile(np.arange(len(self.live)), len(sets))
        lines = pd.DataFrame({"objects": np.zeros(len(claims), np.int64), "controls": 0, "reason": ""})
        measured = ["effect", "low", "high", "null", "p", "laid_effect", "laid_p", "lost_effect", "lost_p"]
        lines = lines.assign(**dict.fromkeys(measured, np.nan))
        for token in np.unique(claims[claims >= 0]).tolist():
            rows = np.flatnonzero(claims == token)
            for name, values in self._token(token, filters[rows]).items():
                lines.loc[rows, name] = values
        refused = {
            "the filter claims nothing": claims < 0,
            "the filter is silent in all images that score": (self.live & ~self.moved)[filters],
            "the filter is dead": ~self.live[filters],
        }
        for reason, these in refused.items():
            lines.loc[these, measured] = np.nan
            lines.loc[these, ["reason", "objects", "controls"]] = [reason, 0, 0]
        return [part.reset_index(drop=True) for _, part in lines.groupby(np.arange(len(claims)) // len(self.live))]

    def _token(self, token: int, filters: np.ndarray) -> dict:
        comparison = compare(self.responses.tokens[:, token], self.responses.sizes)
        objects, controls = int(comparison.own.sum()), int((~comparison.own).sum())
        told = {"objects": objects, "controls": controls}
        found = int(self.responses.tokens[:, token].sum())
        if found < self.fewest:
            return told | {"reason": f"too few usable objects of its claim: {found} of {self.fewest}"}
        if objects < self.fewest:
            return told | {"reason": f"no other objects of the size of its claim's ({objects} have some)"}
        if not self.responses.lacking[:, token].any():
            return told | {"reason": "every image to lay objects into shows its claim"}
        drawn = self.test.drawn(comparison)
        contrasts = comparison.contrasts(self.resamples, np.random.default_rng([self.seed, token]))
        effects, sums, null = [], [], 0.0
        directions = self._directions(token)
        for name, answers in directions.items():
            scaled = answers[comparison.kept] / self.scale
            every = contrasts[0] @ scaled
            null += float(every[self.moved].mean()) / len(directions) if self.moved.any() else 0.0
            effects.append(contrasts @ scaled[:, filters])
            sums.append(self.test.sums(answers[:, filters], comparison, drawn))
            told |= {f"{name}_effect": effects[-1][0], f"{name}_p": p_values(sums[-1])}
        mean = np.mean(effects, axis=0)
        low, high = percentile_interval(mean, self.confidence)
        return told | {"effect": mean[0], "low": low, "high": high, "null": null, "p": p_values(sum(sums))}

    def _directions(self, token: int) -> dict[str, np.ndarray]:
        """Answers of all filters to all objects, [n, d], by direction; laid where the token is lacking."""
        lacking = self.responses.lacking[:, token]
        return {LAID: self.responses.laid[:, lacking].mean(1), LOST: self.responses.lost}


@dataclass(frozen=True)
class ObjectComparison:
    """Objects of a claim and the others, in the strata that have both.

    kept: positions among all objects, [n]. own: whether the object is the claim's, bool [n]. strata: [n].
    """

    kept: np.ndarray
    own: np.ndarray
    strata: np.ndarray

    def contrasts(self, resamples: int, chance: np.random.Generator) -> np.ndarray:
        """What makes effects of answers [n, d] by a product, float32 [1 + resamples, n]; row 0 is the sample itself.

        The effect is the mean answer to the claim's objects minus that to the others, a stratum counting as much as it
        tells of it (by the harmonic mean of its numbers). Resamples draw objects of every stratum and side.
        """
        made = np.zeros((1 + resamples, len(self.own)))
        shares = {}
        for stratum in np.unique(self.strata):
            here = self.strata == stratum
            own, others = (np.flatnonzero(here & side) for side in (self.own, ~self.own))
            shares[stratum] = len(own) * len(others) / (len(own) + len(others))
            for side, sign in ((own, 1), (others, -1)):
                drawn = chance.multinomial(len(side), np.full(len(side), 1 / len(side)), size=resamples)
                made[:, side] = sign * shares[stratum] * np.concatenate([np.ones((1, len(side))), drawn]) / len(side)
        return (made / sum(shares.values())).astype(np.float32)


def compare(own: np.ndarray, strata: np.ndarray) -> ObjectComparison:
    """Objects of a claim (bool [n]) against the others, without the strata that have only the ones or the others."""
    both = np.intersect1d(strata[own], strata[~own])
    kept = np.flatnonzero(np.isin(strata, both))
    return ObjectComparison(kept, own[kept], strata[kept])


class RankTest:
    """Van Elteren's test (1960): Wilcoxon's rank sums by strata, one-sided, ties at mean ranks.

    p values are shares of the permutations of the objects within their strata, the true order counted among them. No
    normal approximation: a filter that hardly anything excites has so many ties that it would take a single answer for
    proof.
    """

    def __init__(self, strata: np.ndarray, permutations: int, chance: np.random.Generator):
        """strata: of all objects, [n]. The same permutations serve all claims and filters."""
        self.strata = strata
        self.orders = {
            stratum: chance.permuted(
                np.tile(np.flatnonzero(strata == stratum).astype(np.int32), (permutations, 1)), axis=1
            )
            for stratum in np.unique(strata)
        }
        self.permutations = permutations

    def drawn(self, comparison: ObjectComparison) -> np.ndarray:
        """Which objects are the claim's, in truth (row 0) and in every permutation: float32 [1 + permutations, n]."""
        drawn = np.zeros((1 + self.permutations, len(self.strata)), np.float32)
        for stratum in np.unique(comparison.strata):
            own = comparison.kept[comparison.own & (comparison.strata == stratum)]
            drawn[0, own] = 1
            np.put_along_axis(drawn[1:], self.orders[stratum][:, : len(own)], 1, axis=1)
        return drawn

    def sums(self, values: np.ndarray, comparison: ObjectComparison, drawn: np.ndarray) -> np.ndarray:
        """Rank sums of the claim's objects by values [n, d] of all objects, float32 [1 + permutations, d].

        Row 0 is the truth, the others are by permutation, in the same order for all values.
        """
        ranks = np.zeros(values.shape, np.float32)
        for stratum in np.unique(comparison.strata):
            here = np.flatnonzero(self.strata == stratum)
            # Van Elteren's weight: locally most powerful where every stratum has the same shift.
            ranks[here] = (stats.rankdata(values[here], axis=0) - (len(here) + 1) / 2) / (len(here) + 1)
        return drawn @ ranks


def p_values(sums: np.ndarray) -> np.ndarray:
    """How likely by chance the true sum is so large, [d], from sums [1 + permutations, d] of which it is the first."""
    return (sums >= sums[0] - ROUNDING).mean(0)


def lent_claims(claims: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Every filter's claim is lent to another that claims another word; -1 where no such filter is left.

    claims: token indices, -1 for none; [d].
    """
    lent = np.full(len(claims), -1, np.int64)
    filters = chance.permutation(np.flatnonzero(claims >= 0))
    filters = filters[np.argsort(claims[filters], kind="stable")]
    if len(filters):
        # Sorted by word and moved by the most that claim one: only where that is more than half a word meets itself.
        moved = np.roll(claims[filters], np.bincount(claims[filters]).max())
        lent[filters] = np.where(moved == claims[filters], -1, moved)
    return lent
