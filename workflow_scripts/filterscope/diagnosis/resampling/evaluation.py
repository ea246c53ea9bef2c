"""Whether resampling helps: classifiers trained on every variant, scored on test samples that nothing touched.

Debugger, 3.3, shows no such proof. Each seed draws its own training samples; all variants of a seed share
them, so that they are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filterscope.diagnosis.resampling.methods import METHODS, RANDOM, Capacity, ResamplingSettings, guided
from filterscope.intervals import SCORE, mean_interval

CLASSIFIERS: dict[str, Callable[[int], object]] = {
    "logistic": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, random_state=seed)),
    "neighbours": lambda seed: make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
    "forest": lambda seed: RandomForestClassifier(200, random_state=seed),
}
METRICS = ("balanced_accuracy", "rare_auprc")
GUIDED = "guided_"
LEAST_SEEDS = 5
VERDICTS = ("helps", "harms", "no clear difference")


@dataclass(frozen=True)
class Rarity:
    """Which class is rare (None: the smallest) and the share of its training samples that are kept."""

    label: int | None = None
    share: float = 1.0

    def __post_init__(self):
        if not 0 < self.share <= 1:
            raise ValueError(
                f"the share of the rare class that is kept is {self.share}, should be above 0 and at most 1"
            )


def rare_label(labels: np.ndarray, rarity: Rarity) -> int:
    """The rare class: the one that is named, or the smallest. Raises ValueError where no sample is of it."""
    names, counts = np.unique(labels, return_counts=True)
    if rarity.label is None:
        return int(names[counts.argmin()])
    if rarity.label not in names:
        raise ValueError(f"the rare class is {rarity.label}, of which there is no sample; classes are {names.tolist()}")
    return rarity.label


def drawn(labels: np.ndarray, rarity: Rarity, share: float, chance: np.random.Generator) -> np.ndarray:
    """Indices of training samples: this share of every class, of the rare class that part of it that is kept.

    labels: [N]. At least one sample of every class is drawn. Raises ValueError for a share out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of the training samples that are drawn is {share}, should be above 0, at most 1")
    rare, parts = rare_label(labels, rarity), []
    for name in np.unique(labels):
        own = np.flatnonzero(labels == name)
        wanted = share * (rarity.share if name == rare else 1)
        parts.append(chance.permutation(own)[: max(1, round(wanted * len(own)))])
    return np.sort(np.concatenate(parts))


def variants(methods: Sequence[str]) -> list[str]:
    """Every method by its first draw and, where chance is in it, also by the guided search; "none" comes first.

    Raises ValueError for an unknown method.
    """
    for method in methods:
        if method not in METHODS:
            raise ValueError(f"method is {method!r}, should be one of {', '.join(METHODS)}")
    named = ["none", *(method for method in METHODS[1:] if method in methods)]
    return named + [GUIDED + method for method in named if method in RANDOM]


def score(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    rare: int,
    methods: Sequence[str],
    classifiers: Sequence[str],
    settings: ResamplingSettings,
    capacity: Callable[[np.ndarray, np.ndarray], Capacity],
    seed: int,
) -> pd.DataFrame:
    """Scores on the test samples of classifiers trained on every variant of the training samples.

    train, test: values float32 [N, ...] and labels [N]. The plain variant of a method is the first draw of its guided
    search. Columns: variant, classifier, seed, train_samples, rare_samples, unrounded (bits), and METRICS.
    Raises ValueError for an unknown classifier, or test samples without the rare class or without any other.
    """
    for name in classifiers:
        if name not in CLASSIFIERS:
            raise ValueError(f"classifier is {name!r}, should be one of {', '.join(CLASSIFIERS)}")
    if len(np.unique(test[1] == rare)) < 2:
        raise ValueError(
            f"the test samples need class {rare}, which is rare, and others; they have {np.unique(test[1])}"
        )
    seeds = np.random.SeedSequence(seed).generate_state(settings.iterations).tolist()
    one = ResamplingSettings(settings.neighbours, settings.ties, 1, 1)
    rows = []
    for variant in variants(methods):
        method = variant.removeprefix(GUIDED)
        chosen = settings if variant.startswith(GUIDED) else one
        made, history = guided(*train, method, chosen, capacity, seeds)
        for name in classifiers:
            found = _fitted(name, seed, made.values, made.labels, test, rare)
            rows.append(
                {
                    "variant": variant,
                    "classifier": name,
                    "seed": seed,
                    "train_samples": len(made.labels),
                    "rare_samples": int((made.labels == rare).sum()),
                    "unrounded": min(row["unrounded"] for row in history),
                    **found,
                }
            )
    return pd.DataFrame(rows)


def _fitted(name: str, seed: int, values, labels, test, rare: int) -> dict[str, float]:
    model = CLASSIFIERS[name](seed).fit(values.reshape(len(values), -1), labels)
    held_out = test[0].reshape(len(test[0]), -1)
    place = int(np.searchsorted(model.classes_, rare))
    return {
        "balanced_accuracy": float(balanced_accuracy_score(test[1], model.predict(held_out))),
        "rare_auprc": float(average_precision_score(test[1] == rare, model.predict_proba(held_out)[:, place])),
    }


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
        yield f"{metric} of {name} against no resampling: {said}." + (
            f" The guided choice: {choice}." if choice else ""
        )
