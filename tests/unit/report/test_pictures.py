"""What the summary says about pictures: verdicts, judges, what fails, and figures that go with the page."""

import base64

import numpy as np
import pandas as pd
import pytest

from filterscope.report.pictures import pictures_section, pictures_verdict
from filterscope.report.summary import ShownFigure, as_html, as_text

PLAIN, MEAN, NOISE = "plain, from noise", "mean, from the mean image", "mean, from noise"


@pytest.fixture
def maximised():
    return pd.DataFrame({"status": ["optimised", "optimised", "no gradient"], "ratio": [0.5, 1.5, None]})


@pytest.fixture
def summary():
    rows = [(0, "circle", 40, 0.71, None, 3), (0, "circle", 30, 0.71, None, 3), (5, "<ring>", 9, 1.0, 0.9, None)]
    names = ["unit", "class", "members", "seed_stability", "bootstrap_stability", "suggested_facets"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture
def criteria():
    rows = [
        ("photographs", "natural_colours", -1.0, -1.1, -0.9),
        (MEAN, "natural_colours", -2.0, -2.1, -1.9),
        (MEAN, "ratio", 2.5, 2.0, 3.0),
        ("photographs", "judge_top1", 0.9, 0.8, 1.0),
        (MEAN, "judge_top1", 0.75, 0.5, 1.0),
        ("chance", "judge_top1", 0.125, None, None),
    ]
    return pd.DataFrame(rows, columns=["group", "measure", "value", "low", "high"])


def compared(criterion, first, second, better, low, high, paired=False):
    row = {"criterion": criterion, "first": first, "second": second, "paired": paired, "better": better}
    return row | {"low": low, "high": high, "holds": low > 0.5}


@pytest.fixture
def validation():
    rows = [
        compared("natural_colours", "photographs", "mean images", 0.9, 0.8, 1.0),
        compared("natural_colours", "mean images", PLAIN, 0.3, 0.2, 0.4),
        compared("clear_context", "photographs", "mean images", 0.9, 0.8, 1.0),
        compared("clear_context", "mean images", PLAIN, 0.9, 0.8, 1.0),
        compared("clear_context", MEAN, NOISE, 0.625, 0.375, 0.8125, paired=True),
    ]
    return pd.DataFrame(rows)


def test_failing_criteria_are_named_with_what_they_fail_at(maximised, summary, criteria, validation):
    section = pictures_section("p", {"maco": maximised}, summary, criteria, validation, "other_units", [])
    text = as_text("t", [section])
    assert "1 rank photographs above mean images above an ascent without regularisation: clear context." in text
    assert (
        f"Not to be believed here is natural colours (mean images above {PLAIN} 0.3 [0.2, 0.4]; .5 is chance)" in text
    )
    assert "maco: 2 of 3 filters have a picture; its activation is 1.00 times the best image's" in text
    assert (
        f"other_units, sees the right class first in so many of the pictures: photographs 0.9 [0.8, 1]; {MEAN} " in text
    )
    assert "by chance 0.125" in text
    assert "as noise in so many of the facets: clear context 0.625 [0.375, 0.812]." in text
    assert f"best image of the class, mean: {MEAN} 2.5 [2, 3]." in text
    assert "40, 30" in text
    assert "not measured" in text
    assert "nan" not in text.lower().replace("explanation", "")


def test_criteria_of_too_few_pictures_are_left_open(maximised, summary, criteria, validation):
    validation["holds"] = validation["holds"].astype(object)
    validation.loc[validation["criterion"] == "clear_context", "holds"] = None
    text = as_text("t", [pictures_section("p", {}, summary, criteria, validation, "j", [])])
    assert "0 rank photographs above mean images above an ascent without regularisation. Not to be believed" in text
    assert "Too few pictures (below 4 in a group) tell nothing of clear context." in text


def test_what_was_not_made_is_said(maximised, summary, criteria, validation):
    few = validation[(validation["first"] == "photographs") & (validation["second"] == "mean images")]
    own = criteria[~criteria["measure"].str.startswith("judge")]
    text = as_text("t", [pictures_section("p", {}, summary, own, few, None, [])])
    assert "could not be validated: there is no picture without any regularisation (from_noise names no" in text
    assert "No other network judged the pictures." in text
    alone = pictures_section("p", {"maco": maximised}, None, None, None, None, [])
    assert len(alone.lines) == 1
    assert not alone.tables


def test_units_that_no_image_excites_have_no_line_on_what_pictures_reach(summary, criteria, validation):
    """Such pictures have no ratio, and their groups no row of it."""
    silent = criteria[criteria["measure"] != "ratio"]
    section = pictures_section("p", {}, summary, silent, validation, "j", [])
    assert not [line for line in section.lines if "best image of the class" in line or ": ." in line]
    whole = pictures_section("p", {}, summary, criteria, validation, "j", [])
    assert len(whole.lines) == len(section.lines) + 1


def test_figures_are_on_the_page_or_linked(summary, criteria, validation):
    png = bytes(np.arange(40, dtype=np.uint8))
    figures = [
        ShownFigure("sheets: one", "../pictures/one.png", png),
        ShownFigure("sheets: <two>", "../pictures/two.png", None),
    ]
    section = pictures_section("p", {}, summary, criteria, validation, "j", figures)
    text, html = as_text("t", [section]), as_html("t", [section])
    assert "![sheets: one](../pictures/one.png)" in text
    assert "\n[sheets: <two>](../pictures/two.png)" in text
    assert f'src="data:image/png;base64,{base64.b64encode(png).decode()}"' in html
    assert '<a href="../pictures/two.png">sheets: &lt;two&gt;</a>' in html
    assert "&lt;ring&gt;" in html


def test_pictures_called_what_their_filters_are_stand_beside_shuffled_claims(maximised):
    """Three of four filters have words and a claim; another filter's claim would be found for half of one of them."""
    words = pd.DataFrame(
        {
            "categories": [["red", "blue"], ["blue", "red"], ["disc", "red"], []],
            "claim": ["red", "blue", "blue", "red"],
            "found": [True, True, False, None],
            "null": [0.5, 0.0, 0.0, None],
        }
    )
    section = pictures_section("p", {"maco": maximised}, None, None, None, None, [], {"maco": words})
    text = as_text("t", [section])
    assert "maco: for 2 of 3 filters the claim is among the first 2 words of the categories" in text
    assert "with claims shuffled among the filters it would be for 0.5." in text
    nothing = pictures_section("p", {"maco": maximised}, None, None, None, None, [], {"maco": words.tail(1)})
    assert "maco: no filter has both a claim and words for its picture." in as_text("t", [nothing])


def test_senses_are_told_beside_chance(maximised):
    senses = pd.DataFrame({"status": ["several", "one", "one"], "null_senses": [1, 1, 2]})
    text = as_text("t", [pictures_section("p", {"maco": maximised}, None, None, None, None, [], senses=senses)])
    said = "1 of 3 filters have more than one sense; of codes shuffled among the same images 1 of 3 would."
    assert f"Senses: {said}" in text


def test_the_first_page_says_what_pictures_reach_who_recognises_them_and_which_criteria_hold(
    maximised, criteria, validation
):
    said = pictures_verdict("units", {"maco": maximised}, criteria, validation, None)
    assert said == [
        "units: pictures excite their filters 1.00 (maco) times as much as the best image does (median).",
        (
            "units: another network sees the right class first in 75% of the facets' pictures that are drawn best "
            f"({MEAN}); by chance in 12%."
        ),
        "units: 1 of 2 criteria of a good picture hold here.",
    ]


def test_criteria_of_which_nothing_can_be_told_are_not_counted_as_failing(maximised, criteria, validation):
    validation["holds"] = validation["holds"].astype(object)
    validation.loc[validation["criterion"] == "natural_colours", "holds"] = None
    said = pictures_verdict("units", {}, None, None, None) + pictures_verdict("units", {}, None, validation, None)
    assert said == ["units: 1 of 1 criteria of a good picture hold here; too few pictures tell of 1 more."]


def test_the_first_page_says_nothing_of_pictures_that_were_not_measured(maximised, criteria, validation):
    unjudged = criteria[criteria["measure"] != "judge_top1"]
    nothing = maximised.assign(ratio=None, status="no gradient")
    bare = validation[validation["first"] != "mean images"]
    assert pictures_verdict("units", {"maco": nothing}, unjudged, bare, None) == []
    assert pictures_verdict("units", {}, None, None, None) == []


def test_the_first_page_tells_senses_beside_their_null():
    senses = pd.DataFrame({"status": ["several", "one"], "null_senses": [1, 1]})
    (said,) = pictures_verdict("sums", {}, None, None, senses)
    assert said.startswith("sums: ")
    assert "filters have more than one sense; of codes shuffled" in said
