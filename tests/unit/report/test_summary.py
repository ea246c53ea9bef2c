"""The page that a person reads first."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from filterscope.report.summary import Section, as_html, as_text, explanation_section

SANITY = pd.DataFrame(
    {
        "test": ["missing_labels", "missing_labels", "extra_labels", "extra_labels"],
        "metric": ["iou", "auprc", "iou", "auprc"],
        "passed": [False, True, False, None],
    }
)


@pytest.fixture
def words() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "filter": [0, 0, 1],
            "rank": [0, 1, 0],
            "word": ["red", "crimson", "<b>blue</b>"],
            "votes": [25, 20, 9],
            "cosine": [0.9, 0.8, 0.3],
            "novel": [False, True, False],
        }
    )


@pytest.fixture
def names() -> pd.DataFrame:
    """Without masks, as of an album; filter 2 is dead."""
    return pd.DataFrame(
        {
            "filter": [0, 1, 2],
            "status": ["untested", "untested", "dead"],
            "name": ["red", "sky", None],
            "claim": ["red", "sky", None],
            "reference_status": None,
            "auprc": None,
            "low": None,
            "high": None,
            "null": None,
        }
    )


@pytest.fixture
def claims() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "filter": [0, 1, 2],
            "dead": [False, False, True],
            "claim": ["red", "blue", None],
            "auprc": [0.9, 0.1, None],
            "low": [0.8, 0.05, None],
            "high": [0.95, 0.2, None],
            "null": [0.1, 0.1, None],
            "told": True,
            "supported": [True, False, False],
            "lent": [True, True, False],
            "lent_supported": [False, True, False],
        }
    )


@pytest.fixture
def scores() -> pd.DataFrame:
    nothing = (None,) * 5
    rows = [
        ("words", 0.8, 0.7, 0.9, None, None),
        ("constant_words", 0.3, 0.2, 0.4, 0.4, 0.6),
        ("random_network", *nothing),
    ]
    table = pd.DataFrame(rows, columns=["row", "value", "low", "high", "margin_low", "margin_high"])
    return table.assign(metric="recall", k=5, candidates="vocabulary")


def test_scores_names_and_support_are_told(words, names, claims, scores):
    text = as_text("My study", [explanation_section("probe on data", words, names, claims, scores, None, SANITY)])
    assert text.startswith("# My study")
    assert "1 of 2 live filters" in text
    assert "Which row wins which score: words (ours) wins recall@5 over the vocabulary." in text
    assert "missing labels by AUPRC; extra labels by no score (of 2 scores" in text
    assert "1 filters are dead (2)" in text
    assert "0.800 [0.700, 0.900]" in text
    assert "not measurable" in text, "what could not be measured is said, never shown as nan"
    assert "nan" not in text
    assert "red, crimson*" in text, "new words are marked"
    assert "<b>blue" not in text, "unsupported filters are not named"


def test_the_share_of_new_words_stands_beside_recall(words, names, claims, scores):
    def told(scores):
        return as_text("t", [explanation_section("p", words, names, claims, scores, None, SANITY, new=0.273)])

    said = "27% of the first 5 words of an image are new: no category has their lemma"
    assert f"{said}; their recall@5 is 0.800 [0.700, 0.900]." in told(scores)
    assert f"{said}; recall@5 was not measured." in told(scores.assign(k=3))
    album = as_text("t", [explanation_section("album", words, names, None, None, None, None, new=0.273)])
    assert f"{said}." in album


def test_too_few_decoys_are_not_told_as_no_support(words, names, claims, scores):
    untold = claims.assign(told=False, supported=False, lent_supported=False)
    text = as_text("My study", [explanation_section("probe on data", words, names, untold, scores, None, SANITY)])
    assert "Which of 2 live filters have a supported claim cannot be told: there are too few decoys" in text
    assert "1 filters are dead (2)" in text
    assert "0 of 2" not in text


def test_remarks_stand_above_the_names(words, names, claims, scores):
    remarks = ["2 filters are saturated.", "“red” is everywhere."]
    text = as_text("t", [explanation_section("p", words, names, claims, scores, None, SANITY, remarks=remarks)])
    assert text.index("live filters") < text.index(remarks[0]) < text.index(remarks[1]) < text.index("red, crimson*")
    assert remarks[0] in as_text(
        "t", [explanation_section("album", words, names, None, None, None, None, remarks=remarks)]
    )


@pytest.fixture
def causes() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "filter": [0, 1, 2],
            "claim": ["red", "blue", None],
            "status": ["caused", "caused", "cannot_be_told"],
            "reason": ["", "", "the filter is dead"],
            "effect": [0.5, 0.4, None],
            "low": [0.4, 0.3, None],
            "high": [0.6, 0.5, None],
            "null": [0.02, 0.02, None],
            "lent_caused": [False, True, None],
        }
    )


def test_proofs_stand_beside_their_decoys(words, names, claims, scores, causes):
    """Two claims are caused, one of which masks support: that one is proved."""
    text = as_text("t", [explanation_section("p", words, names, claims, scores, None, SANITY, causes)])
    assert "1 names are proved" in text
    assert "2 of the 2 claims of which it can be told, and for 1 of 2 claims lent by other filters." in text
    assert "caused: 0.50 [0.40, 0.60], null 0.02" in text


def test_what_cannot_be_told_is_counted_by_reason(words, names, claims, scores, causes):
    causes.loc[0, ["status", "reason"]] = ["cannot_be_told", "too few usable objects of its claim: 2 of 4"]
    causes.loc[0, ["effect", "low", "high", "null"]] = None
    text = as_text("t", [explanation_section("p", words, names, claims, scores, None, SANITY, causes)])
    assert "0 names are proved" in text
    assert "; it cannot be told of 1 more (1 too few usable objects of its claim)." in text
    assert "cannot be told: too few usable objects of its claim: 2 of 4" in text
    assert "nan" not in text


def test_null_rows_stand_below_the_words(words, names, claims, scores):
    text = as_text("t", [explanation_section("p", words, names, claims, scores.iloc[::-1], None, SANITY)])
    assert text.index("words (ours)") < text.index("constant words") < text.index("random network")


def test_what_was_never_supervised_has_a_table_of_its_own(words, names, claims, scores):
    auprc = scores.assign(metric="auprc", candidates="unsupervised", k=1, value=[0.6, 0.2, None])
    both = pd.concat([scores, scores.assign(candidates="vocabulary_unsupervised"), auprc])
    tables = explanation_section("p", words, names, claims, both, None, SANITY).tables
    assert tables[0].columns.tolist() == ["", "recall@5, vocabulary"]
    assert tables[1].columns.tolist() == ["", "recall@5, vocabulary, never supervised", "AUPRC, never supervised"]
    assert tables[1].iloc[0].tolist() == ["words (ours)", "0.800 [0.700, 0.900]", "0.600 [0.700, 0.900]"]


def test_photographs_without_masks_say_that_there_are_no_scores(words, names):
    text = as_text("t", [explanation_section("album", words, names, None, None, None, None)])
    assert "no masks" in text
    assert "<b>blue</b>" in text


def test_photographs_without_masks_show_their_names(words, names):
    text = as_text("t", [explanation_section("album", words, names, None, None, None, None)])
    assert re.search(r"\| filter *\| untested name *\| words", text)
    assert re.search(r"\| 1 *\| sky *\| <b>blue</b> *\| 9 *\|", text)
    assert "reference" not in text, "the study has no names by the reference"


def test_the_proofs_of_the_reference_are_told_as_such(words, names):
    names.loc[0, ["reference_status", "auprc", "low", "high", "null"]] = ["proved", 0.42, 0.33, 0.55, 0.11]
    text = as_text("t", [explanation_section("album", words, names, None, None, None, None)])
    assert "Of 1 filters that claim the same on the reference dataset, 1 are supported there, 1 of them proved." in text
    assert "status on the reference | AUPRC on the reference" in text
    assert re.search(r"\| 0 *\| red .*\| proved +\| 0.420 \[0.330, 0.550\], null 0.110 \|", text)
    assert re.search(r"\| 1 *\| sky .*\| 9 +\|  +\|  +\|", text), "what the reference does not claim is left empty"
    assert "nan" not in text.lower()


def test_known_answers_are_counted_by_kind(words, names, claims, scores):
    known = pd.DataFrame({"filter": [0, 1], "detects": ["colour", "texture"], "passed": [True, False]})
    text = as_text("t", [explanation_section("p", words, names, claims, scores, known, SANITY)])
    assert "1 of 2 filters got a right word (1 of 1 colour filters, 0 of 1 texture filters)" in text


def test_html_escapes_what_comes_from_data(words, names):
    html = as_html("<study>", [explanation_section("album", words, names, None, None, None, None)])
    assert "&lt;b&gt;blue" in html
    assert "<b>blue" not in html
    assert "<h1>&lt;study&gt;</h1>" in html


def test_where_there_is_no_value_a_cell_is_empty(words, names, claims, scores):
    """The best possible claims have no recall."""
    ceiling = pd.DataFrame(
        [["iou", "categories", 1, "words", 0.1], ["iou", "categories", 1, "ceiling", 0.2]],
        columns=["metric", "candidates", "k", "row", "value"],
    )
    text = as_text("t", [explanation_section("p", words, names, claims, pd.concat([scores, ceiling]), None, SANITY)])
    assert re.search(r"\| best possible claims *\|  +\| 0.200 *\|", text)
    assert "nan" not in text.lower()


def test_names_stay_in_their_cell():
    """A class of the user's may be called anything."""
    table = pd.DataFrame({"filter": [0], "name": ["cat|dog\nor \\both"], "words": ["$a_$, new*"]})
    line = as_text("study", [Section("names", [], [table], [])]).splitlines()[-1]
    assert line == r"| 0      | cat\|dog or \\both | $a_$, new* |"
