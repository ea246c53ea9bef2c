"""Networks side by side: known differences are found, no others, and the words say what the tables do."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from filterscope.pictures.quality import comparison
from filterscope.pictures.quality.comparison import CHECKED, Drawn
from filterscope.pictures.quality.criteria import CRITERIA
from filterscope.pictures.quality.validation import MEANS, PHOTOGRAPHS, CriteriaSettings

QUICK = CriteriaSettings(photographs=20, resamples=100, confidence=0.95)
CLASSES = {unit: f"class {unit}" for unit in range(8)}
MEANT, NOISE = "mean, from the mean image", "mean, from noise"
VITAL, PLAIN = "vital, from the mean image", "plain, from noise"


def drawn(chance, better=0.0, classes=CLASSES, holds=True, judged=True):
    """Two facets a class; pictures from the mean image beat those from noise by one in every criterion but clarity."""
    rows = []
    for group, (unit, facet) in product((MEANT, NOISE), product(classes, (0, 1))):
        own = {name: chance.normal() * 0.1 for name in CRITERIA}
        for name in CRITERIA[:3]:
            own[name] += 1.0 * (group == MEANT) + better
        rank = 1 if group == MEANT else 700
        rows.append({"group": group, "unit": unit, "facet": facet, "ratio": 1.5, "judge_rank": rank, **own})
    scores = pd.DataFrame(rows)
    if not judged:
        scores["judge_rank"] = None
    values = [
        (group, name, len(own), own[name].mean(), own[name].min(), own[name].max())
        for group, own in scores.groupby("group", sort=False)
        for name in (*CRITERIA, "ratio")
    ]
    criteria = pd.DataFrame(values, columns=["group", "measure", "n", "value", "low", "high"])
    validation = pd.DataFrame({"criterion": CRITERIA, "paired": False, "holds": holds})
    return Drawn(scores, criteria, validation, classes)


def beside_others(chance, each):
    """The same with what stands beside its facets' pictures: photographs, mean images and a bare ascent."""
    like, noisy = each.scores[each.scores["group"] == MEANT], [*CRITERIA, "ratio"]
    others = {
        group: like.assign(group=group, **{name: chance.normal(size=len(like)) for name in noisy})
        for group in (PHOTOGRAPHS, MEANS, PLAIN)
    }
    parts = [others[PHOTOGRAPHS].assign(facet=None), others[MEANS], each.scores, others[PLAIN]]
    return replace(each, scores=pd.concat([part.astype({"facet": float}) for part in parts], ignore_index=True))


def found_in(table, measure, one, other):
    rows = table[(table["measure"] == measure) & (table["first_probe"] == one) & (table["second_probe"] == other)]
    return rows[rows["first"] == MEANT].iloc[0]


def test_a_better_network_is_found_and_an_equal_one_is_not():
    chance = np.random.default_rng(0)
    both = {"a": drawn(chance), "b": drawn(chance, better=0.5)}
    found = comparison.tests(both, QUICK, seed=0)
    better, equal = found_in(found, "natural_colours", "a", "b"), found_in(found, "clarity_of_details", "a", "b")
    assert (better["by"], better["n"]) == ("class", len(CLASSES))
    assert better["high"] < 0
    assert better["p"] == pytest.approx(2 / 2 ** len(CLASSES))
    assert better["p"] < better["adjusted"] < 0.05
    assert equal["p"] > 0.05
    within = found_in(found, "natural_colours", "a", "a")
    assert (within["by"], within["n"]) == ("facet", 2 * len(CLASSES))
    assert within["low"] < 1 < within["high"] + 0.1
    assert not found.isna().any().any()


def test_networks_are_paired_by_the_names_of_classes_whatever_their_units():
    chance = np.random.default_rng(1)
    moved = {unit + 100: name for unit, name in CLASSES.items() if unit < 6}
    found = comparison.tests({"a": drawn(chance), "b": drawn(chance, classes=moved)}, QUICK, seed=0)
    assert found_in(found, "ratio", "a", "b")["n"] == 6


def test_too_few_classes_are_not_tested_and_no_judge_is_no_measure():
    chance = np.random.default_rng(2)
    few = {unit: CLASSES[unit] for unit in range(comparison.FEWEST - 1)}
    found = comparison.tests({"a": drawn(chance, judged=False), "b": drawn(chance, classes=few)}, QUICK, seed=0)
    assert (found["first_probe"] == found["second_probe"]).all()
    assert set(found.loc[found["first_probe"] == "a", "measure"]) == {*CRITERIA, *CHECKED} - {
        "judge_top1",
        "judge_top5",
    }


@pytest.mark.parametrize("count", [6, 20])
def test_signs_are_flipped(count):
    chance = np.random.default_rng(3)
    assert comparison.flipped(np.ones(count), chance) == pytest.approx(2 / 2**count, abs=2e-3)
    assert comparison.flipped(np.array([1.0, -1] * (count // 2)), chance) == 1
    assert comparison.flipped(np.zeros(count), chance) == 1


def test_null_differences_have_uniform_p():
    chance = np.random.default_rng(4)
    values = [comparison.flipped(chance.normal(size=8), chance) for _ in range(400)]
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.05)


def test_the_words_say_what_the_tables_do():
    chance = np.random.default_rng(5)
    both = {"a": drawn(chance), "b": drawn(chance, better=0.5)}
    criteria, tests = comparison.side_by_side(both), comparison.tests(both, QUICK, seed=0)
    said = comparison.in_words(criteria, tests, dict.fromkeys(both, MEANT))
    assert "By natural colours b draws best (1.5" in said
    assert "next a (" in said
    assert "p 0.0078" in said
    assert "Their units' activation is 1.50" in said
    real = {"probe": "a", "group": PHOTOGRAPHS, "measure": "ratio", "n": 9, "value": 0.56}
    beside = comparison.in_words(pd.concat([criteria, pd.DataFrame([real])]), tests, dict.fromkeys(both, MEANT))
    assert "activation is 1.50 [1.50, 1.50] (a; photographs 0.56), 1.50 [1.50, 1.50] (b) times" in beside


def test_what_the_judge_sees_in_pictures_stands_beside_what_it_sees_in_photographs():
    each = drawn(np.random.default_rng(9))
    judged = [(group, "judge_top5", 16, value, value, value) for group, value in ((MEANT, 0.75), (PHOTOGRAPHS, 0.9))]
    judged = pd.DataFrame(judged, columns=each.criteria.columns)
    both = {"a": each, "b": replace(each, criteria=pd.concat([each.criteria, judged], ignore_index=True))}
    criteria, tests = comparison.side_by_side(both), comparison.tests(both, QUICK, 0)
    said = comparison.in_words(criteria, tests, dict.fromkeys(both, MEANT))
    assert "first five in so many of the pictures: 0.75 [0.75, 0.75] (b; photographs 0.90)." in said


def test_the_p_that_is_quoted_is_of_the_two_networks_pictures():
    """Not of what stands beside them, which comes first in the table."""
    chance = np.random.default_rng(7)
    both = {name: beside_others(chance, drawn(chance, better=better)) for name, better in (("a", 0.0), ("b", 0.5))}
    criteria, tests = comparison.side_by_side(both), comparison.tests(both, QUICK, seed=0)
    between = tests[tests["first_probe"] != tests["second_probe"]]
    assert list(between["first"].unique()) == [MEANT, NOISE, PLAIN]  # the others are no pictures that they drew
    assert (between["first"] == between["second"]).all()
    own = found_in(tests, "natural_colours", "a", "b")
    assert own["p"] == pytest.approx(2 / 2 ** len(CLASSES))
    assert found_in(tests, "clarity_of_details", "a", "b")["p"] > 0.05
    said = comparison.in_words(criteria, tests, dict.fromkeys(both, MEANT))
    for measure in CRITERIA:
        row, name = found_in(tests, measure, "a", "b"), measure.replace("_", " ")
        sentence = next(each for each in said.split(". ") if each.startswith(f"By {name} "))
        chance = "" if row["adjusted"] <= 0.05 else ": chance does as much"
        tested = f"p {row['p']:.2g}, {row['adjusted']:.2g} adjusted for all tests{chance})"
        assert sentence.endswith(f"; paired by class, {tested}")
    assert ": chance does as much" in said, "by clarity of details neither is better"


def test_no_p_is_quoted_where_two_networks_draw_by_different_recipes():
    chance = np.random.default_rng(8)
    first, second = (beside_others(chance, drawn(chance, better=better)) for better in (0.0, 0.5))
    second = replace(second, **{name: getattr(second, name).replace({MEANT: VITAL}) for name in ("scores", "criteria")})
    both = {"a": first, "b": second}
    criteria, tests = comparison.side_by_side(both), comparison.tests(both, QUICK, seed=0)
    assert {NOISE, PLAIN} == set(tests.loc[tests["first_probe"] != tests["second_probe"], "first"])
    said = comparison.in_words(criteria, tests, {"a": MEANT, "b": VITAL})
    assert "By natural colours b draws best (1.5" in said
    assert "paired by class" not in said


def test_a_criterion_that_fails_anywhere_is_not_believed():
    chance = np.random.default_rng(6)
    both = {"a": drawn(chance), "b": drawn(chance, better=0.5, holds=False), "c": drawn(chance, holds=None)}
    criteria = comparison.side_by_side(both)
    assert criteria.loc[criteria["probe"] == "b", "believed"].eq(False).sum() == 2 * len(CRITERIA)
    said = comparison.in_words(criteria, comparison.tests(both, QUICK, seed=0), dict.fromkeys(both, MEANT))
    assert "The criterion clear context cannot be believed here: it does not rank as it must with b." in said
    assert "draws best" not in said
    told = comparison.in_words(criteria, comparison.tests(both, QUICK, 0), {"a": MEANT, "c": MEANT})
    assert "of c there are too few pictures to tell" in told
