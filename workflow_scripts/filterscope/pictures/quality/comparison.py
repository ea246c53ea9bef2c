"""Networks and recipes side by side: the criteria of all probes that drew the same classes, and paired tests.

The comparison that multifaceted feature visualisation sets out to make (MFV, 5): which network's pictures are best, by
which criterion. Facets of two networks are other groups of images, so networks are paired class by class (the mean over
a class's pictures), recipes of one network facet by facet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from filterscope.pictures.files import CHANCE
from filterscope.pictures.quality.validation import MEANS, PHOTOGRAPHS, CriteriaSettings, verdicts

FEWEST = 5  # pairs: with fewer no difference could have a p of .05, signs flipped in all 2^n ways
EXACT = 12  # pairs up to which all flips of their signs are tried
FLIPS = 4000  # random ones beyond
TOPS = {"judge_top1": 1, "judge_top5": 5}
CHECKED = ("ratio", *TOPS)  # measures that are no criteria


@dataclass(frozen=True)
class Drawn:
    """What one probe drew: its tables `picture_scores`, `criteria` and `criteria_validation`, its classes by unit."""

    scores: pd.DataFrame
    criteria: pd.DataFrame
    validation: pd.DataFrame
    classes: Mapping[int, str]


def side_by_side(drawn: Mapping[str, Drawn]) -> pd.DataFrame:
    """The `network_criteria` table: `criteria` of every probe, and whether the criterion ranks as it must there."""
    parts = []
    for probe, each in drawn.items():
        held = verdicts(each.validation) if len(each.validation) else {}
        believed = [
            bool(held[name]) if name in held and not pd.isna(held[name]) else None for name in each.criteria["measure"]
        ]
        parts.append(each.criteria.assign(probe=probe, believed=pd.Series(believed, dtype=object)))
    return pd.concat(parts, ignore_index=True)


def tests(drawn: Mapping[str, Drawn], settings: CriteriaSettings, seed: int) -> pd.DataFrame:
    """The `network_tests` table: paired differences of every measure, within each network and between networks.

    Within one, every two groups of pictures, by class and facet (by class where one has no facets). Between two, the
    drawn groups of one name, by class: photographs and mean images tell nothing of what a network draws. p: two-sided,
    signs of the differences flipped (Fisher 1935); `adjusted` by Holm's method (1979) over the tests of one measure.
    Pairs are those that both have; fewer than FEWEST are not tested.
    """
    values = {probe: _values(each) for probe, each in drawn.items()}
    rows = []
    for probe, own in values.items():
        for first, second in combinations([name for name in own["group"].unique() if name != PHOTOGRAPHS], 2):
            rows += _tested(own, own, (probe, first), (probe, second), settings, seed)
    for one, other in combinations(values, 2):
        there = set(values[other]["group"]) - {PHOTOGRAPHS, MEANS}
        for group in values[one]["group"].unique():
            if group in there:
                rows += _tested(values[one], values[other], (one, group), (other, group), settings, seed)
    columns = ["measure", "first_probe", "first", "second_probe", "second", "by", "n", "difference", "low", "high", "p"]
    table = pd.DataFrame(rows, columns=columns)
    table["adjusted"] = table.groupby("measure")["p"].transform(_holm)
    return table


def _values(drawn: Drawn) -> pd.DataFrame:
    """Pictures with their class and all measures, as floats."""
    table = drawn.scores.assign(**{"class": drawn.scores["unit"].map(drawn.classes)})
    ranks = pd.to_numeric(table["judge_rank"]).astype(float)
    for name, top in TOPS.items():
        table[name] = (ranks <= top).where(ranks.notna()).astype(float)
    return table.astype(dict.fromkeys([*criteria_of(drawn.criteria), *CHECKED], float))


def criteria_of(table: pd.DataFrame) -> list[str]:
    """The criteria among a table's measures, in its order."""
    return [name for name in dict.fromkeys(table["measure"]) if name not in CHECKED]


def _tested(one, other, first, second, settings: CriteriaSettings, seed: int) -> list[tuple]:
    """Rows of all measures for two groups, each (probe, group)."""
    one, other = one[one["group"] == first[1]], other[other["group"] == second[1]]
    same = first[0] == second[0] and one["facet"].notna().all() and other["facet"].notna().all()
    keys, rows = (["class", "facet"] if same else ["class"]), []
    names = {"group", "number", "unit", "facet", "image_id", "path", "judge_rank", "class"}
    for measure in [name for name in one.columns if name in other.columns and name not in names]:
        pairs = pd.concat([each.groupby(keys)[measure].mean() for each in (one, other)], axis=1, join="inner").dropna()
        if len(pairs) >= FEWEST:
            differences = (pairs.iloc[:, 0] - pairs.iloc[:, 1]).to_numpy()
            chance = np.random.default_rng(seed)
            low, high = _interval(differences, settings, chance)
            place = (measure, *first, *second, "facet" if same else "class", len(pairs))
            rows.append((*place, differences.mean(), low, high, flipped(differences, chance)))
    return rows


def flipped(differences: np.ndarray, chance: np.random.Generator) -> float:
    """How often signs flipped at random make a mean difference [n] as far from zero, two-sided."""
    count = len(differences)
    if count <= EXACT:
        signs = 1 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
    else:
        signs = np.concatenate([np.ones((1, count)), chance.choice([-1, 1], (FLIPS, count))])
    means = np.abs(signs @ differences)
    return float((means >= means[0] * (1 - 1e-9)).mean())


def _interval(differences: np.ndarray, settings: CriteriaSettings, chance: np.random.Generator) -> np.ndarray:
    drawn = differences[chance.integers(len(differences), size=(settings.resamples, len(differences)))].mean(1)
    tail = (1 - settings.confidence) / 2
    return np.quantile(drawn, [tail, 1 - tail])


def _holm(values: pd.Series) -> pd.Series:
    """p values adjusted for their number (Holm 1979)."""
    order = np.argsort(values.to_numpy(), kind="stable")
    stepped = np.maximum.accumulate(values.to_numpy()[order] * np.arange(len(values), 0, -1)).clip(max=1)
    adjusted = np.empty(len(values))
    adjusted[order] = stepped
    return pd.Series(adjusted, values.index)


# --- in words -------------------------------------------------------------------------------------------


def in_words(criteria: pd.DataFrame, tests_: pd.DataFrame, recipes: Mapping[str, str]) -> str:
    """A paragraph of Markdown: which criteria can be believed, which network draws best by which, what the judge sees.

    criteria, tests_: the tables `network_criteria` and `network_tests`; recipes: the group of each probe's pictures.
    """
    probes = list(recipes)
    said = [f"Pictures of {len(probes)} networks ({', '.join(probes)}), beside the photographs of their classes."]
    said += [_of_criterion(measure, criteria, tests_, recipes) for measure in criteria_of(criteria)]
    own = [criteria[(criteria["probe"] == probe) & (criteria["group"] == group)] for probe, group in recipes.items()]
    reached = pd.concat(own).set_index(["measure", "probe"])
    real = criteria[criteria["group"] == PHOTOGRAPHS].set_index(["measure", "probe"])["value"]
    for measure, text in (
        ("judge_top5", "Another network sees the right class among its first five in so many of the pictures: {}"),
        ("ratio", "Their units' activation is {} times that of the class's best photograph"),
    ):
        if measure in reached.index.get_level_values(0):
            parts = [
                f"{_number(row)} ({probe}{_beside(real, measure, probe)})"
                for probe, row in reached.loc[measure].iterrows()
            ]
            said.append(f"{text.format(', '.join(parts))}.")
    return " ".join(said)


def _beside(real: pd.Series, measure: str, probe: str) -> str:
    """What the class's photographs reach, by measure and probe, where it is known."""
    return f"; photographs {real[measure, probe]:.2f}" if (measure, probe) in real.index else ""


def _of_criterion(measure: str, criteria: pd.DataFrame, tests_: pd.DataFrame, recipes: Mapping[str, str]) -> str:
    """One sentence."""
    name = measure.replace("_", " ")
    believed = criteria[criteria["measure"] == measure].groupby("probe")["believed"].first().reindex(list(recipes))
    failing = [probe for probe, held in believed.items() if held is False]
    unknown = [probe for probe, held in believed.items() if held is None or pd.isna(held)]
    if failing:
        return f"The criterion {name} cannot be believed here: it does not rank as it must with {', '.join(failing)}."
    rows = criteria[criteria["measure"] == measure].set_index(["probe", "group"])
    values = pd.Series({probe: rows.loc[key, "value"] for probe, key in _keys(recipes) if key in rows.index})
    if values.empty:
        return f"The criterion {name} was not measured."
    best = values.sort_values(ascending=False, kind="stable").index
    said = f"By {name} {best[0]} draws best ({_number(rows.loc[(best[0], recipes[best[0]])])})"
    if len(best) > 1:
        told = _told(measure, tests_, [(probe, recipes[probe]) for probe in best[:2]])
        said += f", next {best[1]} ({_number(rows.loc[(best[1], recipes[best[1]])])}{told})"
    doubt = (
        f"; of {', '.join(unknown)} there are too few pictures to tell whether it can be believed" if unknown else ""
    )
    return f"{said}{doubt}."


def _keys(recipes: Mapping[str, str]) -> Sequence[tuple[str, tuple[str, str]]]:
    return [(probe, (probe, group)) for probe, group in recipes.items()]


def _told(measure: str, tests_: pd.DataFrame, best: Sequence[tuple[str, str]]) -> str:
    """What the test of the two best, each (probe, group), says where there is one: of one recipe, on enough classes."""
    rows, pair = tests_[tests_["measure"] == measure], set(best)
    found = [row for row in rows.itertuples() if {(row.first_probe, row.first), (row.second_probe, row.second)} == pair]
    if not found:
        return ""
    chance = "" if found[0].adjusted <= CHANCE else ": chance does as much"
    return f"; paired by class, p {found[0].p:.2g}, {found[0].adjusted:.2g} adjusted for all tests{chance}"


def _number(row) -> str:
    return f"{row['value']:.2f}" if pd.isna(row["low"]) else f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
