"""A filter is called by what was tested, not by what was merely said first."""

import pandas as pd

from filterscope import tables
from filterscope.words.naming import filter_names

WORDS = pd.DataFrame(
    {
        "filter": [0, 0, 1, 2],
        "rank": [1, 0, 0, 0],
        "word": ["bowl", "tomato", "person", "cat"],
        "novel": [False, True, False, False],
    }
)
THRESHOLDS = pd.DataFrame({"filter": range(5), "dead": [False, False, False, False, True]})
CLAIMS = pd.DataFrame(
    {
        "filter": range(5),
        "claim": ["bowl", "person", "dog", None, None],
        "supported": [True, False, True, False, False],
        "auprc": [0.5, 0.1, 0.4, None, None],
        "low": [0.4, 0.0, 0.3, None, None],
        "high": [0.6, 0.2, 0.5, None, None],
        "null": [0.1, 0.1, 0.1, None, None],
    }
)


def test_the_tested_claim_is_the_name():
    table = tables.checked(filter_names(WORDS, THRESHOLDS, CLAIMS), "filter_names").to_pandas()
    assert table["name"].tolist()[0] == "bowl"  # tomato was said first, but no mask tells tomatoes
    assert table["words"].tolist() == ["tomato*, bowl", "person", "cat", "", ""]
    assert table["name"].tolist()[2] == "dog"
    assert table["status"].tolist() == ["supported", "unsupported", "supported", "silent", "dead"]
    assert table["name"].isna().tolist() == [False, True, False, True, True]


def test_without_masks_the_first_word_is_the_untested_name():
    table = tables.checked(filter_names(WORDS, THRESHOLDS, None), "filter_names").to_pandas()
    assert table["name"].tolist()[:3] == ["tomato", "person", "cat"]
    assert table["status"].tolist() == ["untested", "untested", "untested", "silent", "dead"]
    assert table[["claim", "auprc"]].isna().all(axis=None)


def test_a_supported_name_whose_objects_are_the_cause_is_proved():
    """Filter 0 by both, 1 by cause alone (its masks say no), 2 by masks alone."""
    causes = pd.DataFrame(
        {
            "filter": range(5),
            "status": ["caused", "caused", "not_caused", "cannot_be_told", "cannot_be_told"],
            "effect": [0.9, 0.8, 0.1, None, None],
            "low": [0.7, 0.6, -0.1, None, None],
            "high": [1.1, 1.0, 0.3, None, None],
            "null": [0.0, 0.0, 0.0, None, None],
        }
    )
    table = tables.checked(filter_names(WORDS, THRESHOLDS, CLAIMS, causes), "filter_names").to_pandas()
    assert table["status"].tolist() == ["proved", "unsupported", "supported", "silent", "dead"]
    assert table["name"].fillna("").tolist()[:3] == ["bowl", "", "dog"]
    assert table["cause"].tolist()[:4] == ["caused", "caused", "not_caused", "cannot_be_told"]
    first = table.loc[0, ["cause_effect", "cause_low", "cause_high", "cause_null"]]
    assert first.tolist() == [0.9, 0.7, 1.1, 0.0]
    assert table.loc[3, ["cause_effect", "cause_low", "cause_high", "cause_null"]].isna().all()


def test_without_measured_causes_nothing_is_proved():
    table = tables.checked(filter_names(WORDS, THRESHOLDS, CLAIMS), "filter_names").to_pandas()
    assert "proved" not in set(table["status"])
    assert table[["cause", "cause_effect"]].isna().all(axis=None)
