"""Whether resampling helps: classifiers trained on every variant, scored on test samples that nothing touched.

Debugger, 3.3, shows no such proof. Each seed draws its own training samples; all variants of a seed share
them, so that they are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filterscope.diagnosis.resampling.comparison import GUIDED
from filterscope.diagnosis.resampling.methods import METHODS, RANDOM, Capacity, ResamplingSettings, guided

CLASSIFIERS: dict[str, Callable[[int], object]] = {
    "logistic": lambda seed: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, random_state=seed)),
    "neighbours": lambda seed: make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
    "forest": lambda seed: RandomForestClassifier(200, random_state=seed),
}


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
