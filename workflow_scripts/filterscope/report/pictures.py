"""What the summary says about optimised pictures and facets."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from filterscope.pictures.quality.validation import FEWEST, verdicts
from filterscope.pictures.senses.findings import told
from filterscope.report.summary import Section, ShownFigure


def pictures_section(
    title: str,
    recipes: Mapping[str, pd.DataFrame],
    summary: pd.DataFrame | None,
    criteria: pd.DataFrame | None,
    validation: pd.DataFrame | None,
    judge: str | None,
    figures: list[ShownFigure],
    words: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    senses: pd.DataFrame | None = None,
) -> Section:
    """One probe's pictures: what they reach, how stable its facets are, and whether the criteria can be believed.

    recipes: `pictures` by recipe; the others, of facets, are None where the probe has none: `facet_summary`,
    `criteria`, `criteria_validation`; judge: name of the judge's probe, or None. words: `picture_words` by recipe,
    where the explainer named the pictures. senses: the table of that name, where the filters' senses were looked for.
    """
    lines = [_reached(name, table) for name, table in recipes.items()]
    lines += [_named(name, table) for name, table in words.items()]
    shown = []
    if summary is not None:
        lines += [*_verdicts(validation), *_facets_reached(criteria), _judged(criteria, judge), *_starts(validation)]
        shown = [_classes(summary), _groups(criteria)]
    if senses is not None:
        lines.append(f"Senses: {told(senses)}.")
    return Section(title, lines, shown, figures)


def pictures_verdict(
    probe: str,
    recipes: Mapping[str, pd.DataFrame],
    criteria: pd.DataFrame | None,
    validation: pd.DataFrame | None,
    senses: pd.DataFrame | None,
) -> list[str]:
    """What a person must know first of a probe's pictures, in at most four sentences; tables as in
    `pictures_section`."""
    said = []
    reached = {recipe: table.loc[table["status"] == "optimised", "ratio"].median() for recipe, table in recipes.items()}
    parts = [f"{ratio:.2f} ({recipe})" for recipe, ratio in reached.items() if pd.notna(ratio)]
    if parts:
        times = " and ".join(parts)
        said.append(f"{probe}: pictures excite their filters {times} times as much as the best image does (median).")
    seen = None if criteria is None else _best_judged(criteria)
    if seen is not None:
        group, share, chance = seen
        said.append(
            f"{probe}: another network sees the right class first in {share:.0%} of the facets' pictures that are "
            f"drawn best ({group}); by chance in {chance:.0%}."
        )
    if validation is not None and (validation["first"] == "mean images").any():
        held = verdicts(validation)
        known = held.dropna()
        few = f"; too few pictures tell of {len(held) - len(known)} more" if len(known) < len(held) else ""
        if len(known):
            holding = int(known.astype(bool).sum())
            said.append(f"{probe}: {holding} of {len(known)} criteria of a good picture hold here{few}.")
    if senses is not None:
        said.append(f"{probe}: {told(senses)}.")
    return said


def _best_judged(criteria: pd.DataFrame) -> tuple[str, float, float] | None:
    """The way of drawing facets that another network recognises most often, its share, and chance."""
    first = criteria[criteria["measure"] == "judge_top1"].set_index("group")["value"].dropna()
    drawn = first.drop(index=["photographs", "mean images", "chance"], errors="ignore")
    if drawn.empty or "chance" not in first:
        return None
    return str(drawn.idxmax()), float(drawn.max()), float(first["chance"])


def _reached(recipe: str, table: pd.DataFrame) -> str:
    optimised = table[table["status"] == "optimised"]
    said = f"{recipe}: {len(optimised)} of {len(table)} filters have a picture"
    if optimised["ratio"].notna().any():
        said += f"; its activation is {optimised['ratio'].median():.2f} times the best image's of the dataset (median)"
    return f"{said}."


def _named(recipe: str, table: pd.DataFrame) -> str:
    compared = table[table["found"].notna()]
    if compared.empty:
        return f"{recipe}: no filter has both a claim and words for its picture."
    most = int(table["categories"].str.len().max())
    said = (
        f"{recipe}: for {int(compared['found'].sum())} of {len(compared)} filters the claim is among the first {most} "
        "words of the categories that the explainer gives to the filter's own picture"
    )
    null = compared["null"].dropna()
    if null.empty:
        return f"{said}."
    return f"{said}; with claims shuffled among the filters it would be for {null.mean() * len(compared):.1f}."


def _facets_reached(criteria: pd.DataFrame) -> list[str]:
    """Nothing where no image of a class excites its unit, so that no picture has a ratio."""
    rows = criteria[criteria["measure"] == "ratio"]
    if rows.empty:
        return []
    said = [f"{row.group} {_interval(row)}" for row in rows.itertuples()]
    return [f"Activation against the best image of the class, mean: {'; '.join(said)}."]


def _verdicts(validation: pd.DataFrame) -> list[str]:
    """Which of the proxies rank as they must, in one sentence; the failing ones with what they fail at."""
    ranked = validation[~validation["paired"]]
    if not (ranked["first"] == "mean images").any():
        said = "The five criteria of a good picture (proxies) could not be validated: there is no picture without any"
        return [f"{said} regularisation (from_noise names no recipe of method plain)."]
    held = verdicts(validation)
    passed, failed, open_ = (held.index[each.fillna(False)].tolist() for each in (held, ~held, held.isna()))
    said = (
        f"Of the five criteria of a good picture (proxies), {len(passed)} rank photographs above mean images above an "
        f"ascent without regularisation{f': {_listed(passed)}' if passed else ''}."
    )
    for name in failed:
        wrong = ranked[(ranked["criterion"] == name) & ranked["holds"].eq(False)]
        parts = [f"{row.first} above {row.second} {_interval(row, 'better')}" for row in wrong.itertuples()]
        said += f" Not to be believed here is {name.replace('_', ' ')} ({'; '.join(parts)}; .5 is chance)."
    if open_:
        said += f" Too few pictures (below {FEWEST} in a group) tell nothing of {_listed(open_)}."
    return [said]


def _starts(validation: pd.DataFrame) -> list[str]:
    paired = validation[validation["paired"]]
    if paired.empty:
        return []
    parts = [f"{row.criterion.replace('_', ' ')} {_interval(row, 'better')}" for row in paired.itertuples()]
    return [f"Beginning as the mean image is better than as noise in so many of the facets: {', '.join(parts)}."]


def _judged(criteria: pd.DataFrame, judge: str | None) -> str:
    if judge is None:
        return "No other network judged the pictures."
    first = criteria[criteria["measure"] == "judge_top1"].set_index("group")
    said = [f"{group} {_interval(row)}" for group, row in first.drop(index="chance").iterrows()]
    return (
        f"Another network, {judge}, sees the right class first in so many of the pictures: {'; '.join(said)}; by "
        f"chance {first.loc['chance', 'value']:.3f}."
    )


def _classes(summary: pd.DataFrame) -> pd.DataFrame:
    first = summary.drop_duplicates("unit")
    members = summary.groupby("unit", sort=False)["members"].agg(lambda each: ", ".join(map(str, each)))
    return pd.DataFrame(
        {
            "class": first["class"],
            "images per facet": members.to_numpy(),
            "stability, seeds": [_number(each) for each in first["seed_stability"]],
            "stability, samples": [_number(each) for each in first["bootstrap_stability"]],
            "facets suggested": ["" if pd.isna(each) else f"{each:.0f}" for each in first["suggested_facets"]],
        }
    )


def _groups(criteria: pd.DataFrame) -> pd.DataFrame:
    """Every measure of every group, value and interval."""
    told = criteria.assign(text=[_interval(row) for row in criteria.itertuples()])
    wide = told.pivot(index="group", columns="measure", values="text")
    wide = wide.reindex(index=dict.fromkeys(told["group"]), columns=dict.fromkeys(told["measure"]))
    wide = wide.rename(columns=lambda name: name.replace("_", " ")).fillna("")
    return wide.reset_index().rename(columns={"group": ""}).rename_axis(columns=None)


def _interval(row, name: str = "value") -> str:
    value = getattr(row, name)
    return f"{value:.3g}" if pd.isna(row.low) else f"{value:.3g} [{row.low:.3g}, {row.high:.3g}]"


def _number(value) -> str:
    return "not measured" if pd.isna(value) else f"{value:.2f}"


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
