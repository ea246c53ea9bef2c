"""Comparisons of groups, galleries, and what a judge sees."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import roc_auc_score
from tests.unit.pictures.conftest import UNIT

from filterscope import tables
from filterscope.data.networks.layers import Reader
from filterscope.pictures.quality import figures, gallery, judging, scoring, validation
from filterscope.pictures.quality.criteria import CRITERIA
from filterscope.pictures.quality.validation import Comparison, CriteriaSettings, area_under_curve, validate, verdicts

QUICK = CriteriaSettings(photographs=20, resamples=200, confidence=0.95)
NAN = float("nan")
SCORES = st.lists(st.integers(0, 6), min_size=1, max_size=12)


@settings(max_examples=50)
@given(SCORES, SCORES)
def test_area_is_scikit_learns(first, second):
    labels = [1] * len(first) + [0] * len(second)
    expected = roc_auc_score(labels, first + second)
    assert area_under_curve(np.array(first, float), np.array(second, float)) == pytest.approx(expected)


def test_a_clear_ranking_holds_and_chance_does_not():
    chance = np.random.default_rng(0)
    groups = {
        "photographs": {"a": chance.normal(3, 1, 60), "b": chance.normal(0, 1, 60)},
        "mean images": {"a": chance.normal(0, 1, 30), "b": chance.normal(0, 1, 30)},
        "plain, from noise": {"a": chance.normal(-3, 1, 30), "b": chance.normal(-3, 1, 30)},
    }
    found = validate(groups, ["a", "b"], validation.ranking(["plain, from noise"]), QUICK, seed=1)
    assert len(found) == 6
    assert verdicts(found).to_dict() == {"a": True, "b": False}
    wrong = found[(found["criterion"] == "b") & (found["second"] == "mean images")].iloc[0]
    assert wrong["low"] < 0.5 < wrong["high"]
    assert found["better"].between(found["low"] - 0.02, found["high"] + 0.02).all()
    again = validate(groups, ["a", "b"], validation.ranking(["plain, from noise"]), QUICK, seed=1)
    pd.testing.assert_frame_equal(found, again)


@pytest.mark.parametrize("count", [1, 3, 4])
def test_groups_too_small_to_tell_have_no_verdict(count):
    """However clear they look: two groups of three pictures, drawn alike, would hold in 9 of 100 draws."""
    groups = {
        "photographs": {"a": np.arange(9.0) + 20},
        "mean images": {"a": np.arange(float(count)) + 10},
        "plain, from noise": {"a": np.arange(9.0)},
    }
    found = validate(groups, ["a"], validation.ranking(["plain, from noise"]), QUICK, seed=0)
    assert found["better"].eq(1).all()
    expected = [None, None, True] if count < 4 else [True] * 3
    assert [None if pd.isna(each) else each for each in found["holds"]] == expected
    assert pd.isna(verdicts(found)["a"]) == (count < 4)
    table = tables.checked(found, "criteria_validation").to_pandas()
    assert pd.isna(verdicts(table)["a"]) == (count < 4)
    failed = found.assign(holds=[*found["holds"].tolist()[:2], False])
    assert verdicts(failed).to_dict() == {"a": False}  # one failure is enough, whatever the others are
    means = validation.means(groups, QUICK, 0)
    title = figures.criteria_dots(means, table).axes[0].get_title(loc="left")
    assert title == f"a\n{'too few pictures to tell' if count < 4 else 'ranks as it must'}"


def test_pairs_are_compared_picture_by_picture():
    """A small gain in every picture is certain, although the groups overlap; missing pictures take their pair along."""
    base = np.linspace(0, 10, 12)
    groups = {"first": {"a": base + 0.1}, "second": {"a": base.copy()}}
    groups["first"]["a"][3] = NAN
    paired = validate(groups, ["a"], [Comparison("first", "second", paired=True)], QUICK, seed=0).iloc[0]
    assert (paired["better"], paired["low"], paired["holds"], paired["first_n"]) == (1, 1, True, 11)
    assert paired["difference"] == pytest.approx(0.1)
    groups["second"]["a"][5] = NAN
    assert validate(groups, ["a"], [Comparison("first", "second")], QUICK, seed=0)["second_n"].item() == 11
    assert not validate(groups, ["a"], [Comparison("first", "second")], QUICK, seed=0)["holds"].item()


def test_intervals_cover_the_mean():
    """Of 100 samples of a known mean about 95 intervals contain it."""
    chance, covered = np.random.default_rng(0), 0
    for seed in range(100):
        row = validation.means({"g": {"m": chance.normal(2, 1, 40)}}, QUICK, seed).iloc[0]
        covered += row["low"] <= 2 <= row["high"]
    assert 86 <= covered <= 100
    assert validation.means({"g": {"m": np.array([NAN, NAN])}}, QUICK, 0).empty


# --- gallery --------------------------------------------------------------------------------------------


@pytest.fixture
def members():
    rows = [(unit, 10 * unit + number, number % 2, float(number)) for unit in (3, 5) for number in range(6)]
    return pd.DataFrame(rows, columns=["unit", "image_id", "facet", "activation"])


@pytest.fixture
def pictures():
    rows = [
        (
            unit,
            facet,
            recipe,
            start,
            None if (unit, recipe) == (5, "plain") else f"{unit}{facet}{recipe}{start}.png",
            10.0,
        )
        for recipe, start in (("octaves", "mean"), ("octaves", "noise"), ("plain", "noise"))
        for unit in (3, 5)
        for facet in (0, 1)
    ]
    table = pd.DataFrame(rows, columns=["unit", "facet", "recipe", "start", "path", "activation"])
    return table.assign(mean_path="mean.png", mean_activation=-1.0)


def test_photographs_of_the_norm_are_not_scored(members):
    scored, norm = gallery.sampled(members, np.arange(100), count=20, seed=0)
    assert len(scored) == 6
    assert len(norm) == 10
    assert not set(scored["image_id"]) & set(norm)


def test_a_gallery_has_every_group_and_ratios_to_the_best_of_the_class(members, pictures):
    maximised = {"fourier": made_by_maximisation(), "maco": made_by_maximisation()}
    shown = gallery.gallery(members.iloc[:4], members, pictures, maximised, positioned=["maco"])
    counts = shown.groupby("group", sort=False).size().to_dict()
    assert counts == {
        "photographs": 4,
        "mean images": 4,
        "octaves, from the mean image": 4,
        "octaves, from noise": 4,
        "plain, from noise": 4,
        "fourier": 1,
        "maco": 1,
    }
    ratios = shown.groupby("group")["ratio"].first()
    assert ratios["octaves, from the mean image"] == 2
    assert ratios["mean images"] == 0  # its activation is negative: left out, a mean would be of the better ones
    assert ratios["fourier"] == 0.2  # over the best of the class, not, as in its own table, of the dataset
    assert pd.isna(ratios["maco"])  # of one position, against which the mean of the map says nothing
    assert len(gallery.present(shown)) == 4 + 4 + 4 + 4 + 2 + 1 + 1  # two units of plain are dead
    wanted = gallery.comparisons(list(counts), "octaves", ["plain"])
    assert [each.paired for each in wanted] == [False, False, False, True]
    assert gallery.comparisons(["photographs", "mean images"], "octaves", []) == [
        Comparison("photographs", "mean images")
    ]


def test_pictures_are_read_or_shown_and_fitted(tmp_path):
    Image.new("RGB", (8, 8), (9, 8, 7)).save(tmp_path / "a.png")
    shown = pd.DataFrame({"path": ["a.png", None, None], "image_id": [None, 4, None]}, index=[5, 6, 7], dtype=object)
    views = {4: np.full((16, 16, 3), 100, np.uint8)}
    pixels = gallery.pixels_of(gallery.present(shown), tmp_path, views.get, 16)
    assert list(pixels) == [5, 6], "a dead unit has no picture"
    assert pixels[5].shape == (16, 16, 3)
    assert (pixels[5] == (9, 8, 7)).all()
    assert pixels[6] is views[4]


def made_by_maximisation():
    return pd.DataFrame({"filter": [3, 4], "path": ["a.png", "b.png"], "ratio": [1.5, 9.0], "activation": [1.0, 1.0]})


def test_tables_have_no_nan_and_tell_chance(members, pictures):
    shown = gallery.gallery(members.iloc[:4], members, pictures, {})
    chance = np.random.default_rng(0)
    scored = shown.assign(number=shown.groupby("group").cumcount(), judge_rank=[1, 2, 9, None] * 5)
    for name in CRITERIA:
        scored[name] = chance.normal(size=len(scored))
    made = scoring.tables_of(scored, "octaves", ["plain"], np.zeros((1, 20)), QUICK, seed=0)
    for table in made.values():
        assert not any(isinstance(each, float) and np.isnan(each) for column in table for each in table[column])
    means = made["criteria"].set_index(["group", "measure"])
    assert means.loc[("chance", "judge_top5"), "value"] == 0.25
    assert means.loc[("photographs", "judge_top1"), "value"] == pytest.approx(1 / 3)
    assert means.loc[("photographs", "judge_top5"), "value"] == pytest.approx(2 / 3)
    assert len(made["criteria_validation"]) == 4 * len(CRITERIA)


@pytest.mark.parametrize(("right", "blind"), [([True] * 14 + [False] * 6, False), ([True] + [False] * 19, True)])
def test_a_judge_that_does_not_know_the_photographs_is_told_from_one_that_does(right, blind):
    groups = {"photographs": {"judge_top1": np.array(right, float)}}
    criteria = validation.means(groups, QUICK, seed=0)
    criteria.loc[len(criteria)] = ("chance", "judge_top1", 10, 0.1, None, None)
    assert bool(scoring.blindness(criteria)) == blind
    assert scoring.blindness(criteria.iloc[:0]) == "", "no judge"


# --- judge ----------------------------------------------------------------------------------------------


def test_ranks_count_ties_against_the_right_unit():
    found = np.array([[3.0, 2, 1], [3, 3, 1], [0, 0, 0]])
    assert judging.ranks(found, [1, 0, 2]).tolist() == [2, 2, 3]
    with pytest.raises(ValueError, match="unit 3 is not among the judge's outputs, 0 to 2"):
        judging.ranks(found, [0, 1, 3])


def test_a_judge_sees_colours_at_its_own_size(opponents):
    red, green = np.zeros((2, 40, 40, 3), np.uint8)
    red[..., 0], green[..., 1] = 180, 200
    with Reader(opponents, "layer", input_size=UNIT.crop) as reader:
        found = judging.evidence([red, green, red], reader, UNIT, torch.device("cpu"), batch_size=2)
    assert found.shape == (3, 5)
    assert found[0] == pytest.approx(found[2], abs=1e-6)
    assert judging.ranks(found[:2], [0, 1]).tolist() == [1, 1]
    assert found[0, 0] == pytest.approx(180 / 255, abs=1e-3)
    white = np.full((40, 40, 3), 255, np.uint8)
    with (
        Reader(opponents, "relu", input_size=UNIT.crop) as reader,
        pytest.raises(ValueError, match="to picture 1 of 2"),
    ):
        judging.evidence([green, white], reader, UNIT, torch.device("cpu"), batch_size=2)
