"""Whether resampling helps: scores of several seeds compared in pairs.

Apart from what scores them: classifiers take long to load.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from filterscope.intervals import SCORE, mean_interval

METRICS = ("balanced_accuracy", "rare_auprc")
METRIC_TITLES = {"balanced_accuracy": "balanced accuracy", "rare_auprc": "AUPRC of the rare class"}
GUIDED = "guided_"
LEAST_SEEDS = 5
VERDICTS = ("helps", "harms", "no clear difference")


def compared(scores: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Every variant's mean score over the seeds, and its gains in pairs over `none` and over the plain draw.

    scores: rows of `score` for all seeds. Intervals are Student's over the seeds, whose training samples overlap:
    they tell how much the draw of the samples matters, not how another test set would look. Columns: variant,
    classifier, metric, seeds, train_samples, rare_samples, unrounded, value, low, high; gain, gain_low, gain_high over
    `none`; verdict; the same with guided_ before them for a guided variant over the plain one, missing for others.
    Raises ValueError for fewer than five seeds, or variants that were not scored with the same seeds.
    """
    seeds = sorted(scores["seed"].unique())
    if len(seeds) < LEAST_SEEDS:
        raise ValueError(f"{len(seeds)} seeds were scored, at least {LEAST_SEEDS} are needed for an interval")
    rows = []
    for name, own in scores.groupby("classifier", sort=False):
        for metric in METRICS:
            table = own.pivot(index="seed", columns="variant", values=metric).loc[seeds]
            if table.isna().to_numpy().any():
                raise ValueError(f"not every variant was scored with all seeds {seeds} by {name}")
            for variant in own["variant"].unique():
                plain = variant.removeprefix(GUIDED) if variant.startswith(GUIDED) else None
                means = own[own["variant"] == variant][["train_samples", "rare_samples", "unrounded"]].mean()
                low, high = mean_interval(table[variant], confidence, SCORE)
                row = {"variant": variant, "classifier": name, "metric": metric, "seeds": len(seeds), **means}
                row |= {"value": table[variant].mean(), "low": low, "high": high}
                row |= _gain("", table[variant] - table["none"] if variant != "none" else None, confidence)
                row |= _gain(GUIDED, table[variant] - table[plain] if plain else None, confidence)
                rows.append(row)
    return pd.DataFrame(rows)


def _gain(prefix: str, differences: pd.Series | None, confidence: float) -> dict[str, float | str | None]:
    names = [prefix + name for name in ("gain", "gain_low", "gain_high", "verdict")]
    if differences is None:
        return dict.fromkeys(names)
    low, high = mean_interval(differences, confidence)
    verdict = VERDICTS[0 if low > 0 else 1 if high < 0 else 2]
    return dict(zip(names, (float(differences.mean()), low, high, verdict), strict=True))


def sentences(table: pd.DataFrame) -> Iterable[str]:
    """What the comparison says, a sentence for each classifier and metric."""
    for (name, metric), own in table.groupby(["classifier", "metric"], sort=False):
        verdicts = own[own["variant"] != "none"].groupby("verdict", sort=False)["variant"].agg(", ".join)
        said = "; ".join(f"{verdict}: {names}" for verdict, names in verdicts.items())
        guidance = own[own["guided_verdict"].notna()]
        choice = "; ".join(
            f"{row.variant} over {row.variant.removeprefix(GUIDED)} {row.guided_gain:+.3f} "
            f"[{row.guided_gain_low:+.3f}, {row.guided_gain_high:+.3f}], {row.guided_verdict}"
            for row in guidance.itertuples()
        )
        yield f"{METRIC_TITLES[metric]} of {name} against no resampling: {said}." + (
            f" The guided choice: {choice}." if choice else ""
        )
