"""A filter is called by what was tested, not by what was merely said first."""

import pandas as pd
import pytest

from filterscope import tables
from filterscope.words.naming import PICTURES, called, common_names, filter_names, name_remarks, picture_proofs

WORDS = pd.DataFrame(
    {
        "filter": [0, 0, 1, 2],
        "rank": [1, 0, 0, 0],
        "word": ["bowl", "tomato", "person", "cat"],
        "novel": [False, True, False, False],
    }
)
THRESHOLDS = pd.DataFrame({"filter": range(5), "dead": [False, False, False, False, True], "fires_elsewhere": False})
CLAIMS = pd.DataFrame(
    {
        "filter": range(5),
        "claim": ["bowl", "person", "dog", None, None],
        "supported": [True, False, True, False, False],
        "auprc": [0.5, 0.1, 0.4, None, None],
        "low": [0.4, 0.0, 0.3, None, None],
        "high": [0.6, 0.2, 0.5, None, None],
        "null": [0.1, 0.1, 0.1, None, None],
        "told": True,
    }
)
CAUSES = pd.DataFrame(
    {
        "filter": range(5),
        "status": ["caused", "caused", "not_caused", "cannot_be_told", "cannot_be_told"],
        "effect": [0.9, 0.8, 0.1, None, None],
        "low": [0.7, 0.6, -0.1, None, None],
        "high": [1.1, 1.0, 0.3, None, None],
        "null": [0.0, 0.0, 0.0, None, None],
    }
)
CLAIMED = {0: "bowl", 1: "person", 2: "dog"}
APART = pd.DataFrame(
    {
        "filter": [0, 0, 1, 2],
        "rank": [0, 1, 0, 0],
        "word": ["ketchup", "bowl", "hat", "dog"],
        "novel": [True, False, True, False],
    }
)


def test_the_tested_claim_is_the_name():
    table = tables.checked(filter_names(WORDS, THRESHOLDS, CLAIMS, CLAIMED, APART), "filter_names").to_pandas()
    assert table["name"].tolist()[0] == "bowl"  # tomato was said first, but no mask tells tomatoes
    assert table["words"].tolist() == ["tomato*, bowl", "person", "cat", "", ""]
    assert table["apart"].tolist() == ["ketchup*, bowl", "hat*", "dog", "", ""]
    assert table["name"].tolist()[2] == "dog"
    assert table["status"].tolist() == ["supported", "unsupported", "supported", "silent", "dead"]
    assert table["name"].isna().tolist() == [False, True, False, True, True]


def test_without_masks_the_claim_is_the_untested_name():
    found = filter_names(WORDS, THRESHOLDS, None, {**CLAIMED, 3: "car"}, APART)
    table = tables.checked(found, "filter_names").to_pandas()
    assert table["name"].tolist()[:3] == table["claim"].tolist()[:3] == ["bowl", "person", "dog"]
    assert table["status"].tolist() == ["untested", "untested", "untested", "silent", "dead"]
    assert table.loc[3:, ["name", "claim"]].isna().all(axis=None)
    assert table[["auprc", "reference_status"]].isna().all(axis=None)


def test_where_decoys_are_too_few_nothing_is_named():
    claims = CLAIMS.assign(told=False, supported=False)
    found = filter_names(WORDS, THRESHOLDS, claims, CLAIMED, APART)
    table = tables.checked(found, "filter_names").to_pandas()
    assert table["status"].tolist() == ["cannot be told"] * 3 + ["silent", "dead"]
    assert table["name"].isna().all()
    assert table["claim"].tolist()[:3] == ["bowl", "person", "dog"]
    assert table["auprc"].tolist()[:3] == [0.5, 0.1, 0.4]  # what was measured is told all the same


def test_an_album_shows_the_proofs_of_the_reference_for_the_same_claim():
    """As what they are: its own names stay untested, and where it claims something else they prove nothing."""
    reference = filter_names(WORDS, THRESHOLDS, CLAIMS, CLAIMED, APART, causes=CAUSES)
    album = {0: "bowl", 1: "person", 2: "cat", 3: "car"}
    words = pd.concat([WORDS, WORDS.iloc[3:].assign(filter=3)])
    found = filter_names(words, THRESHOLDS, None, album, APART, reference)
    table = tables.checked(found, "filter_names").to_pandas()
    assert table["status"].tolist() == ["untested"] * 4 + ["dead"]
    assert table["name"].tolist()[:4] == ["bowl", "person", "cat", "car"]
    assert table["reference_status"].tolist()[:2] == ["proved", "unsupported"]
    assert table["reference_status"].isna().tolist() == [False, False, True, True, True]
    assert table.loc[0, ["auprc", "low", "high", "null"]].tolist() == [0.5, 0.4, 0.6, 0.1]
    assert table["cause"].tolist()[:2] == ["caused", "caused"]
    caused = ["cause_effect", "cause_low", "cause_high", "cause_null"]
    assert table.loc[0, caused].tolist() == [0.9, 0.7, 1.1, 0.0]
    assert table.loc[2:, ["auprc", "low", "high", "null", "cause", *caused]].isna().all(axis=None)


def test_a_filter_that_fires_elsewhere_only_cannot_be_told():
    thresholds = THRESHOLDS.assign(dead=[False, True, False, False, True], fires_elsewhere=[False, True] + [False] * 3)
    claims = CLAIMS.assign(claim=["bowl", None, "dog", None, None], told=True)
    found = filter_names(WORDS, thresholds, claims, {0: "bowl", 1: "person", 2: "dog"}, WORDS)
    table = tables.checked(found, "filter_names").to_pandas()
    assert table["status"].tolist() == ["supported", "cannot be told", "supported", "silent", "dead"]
    assert table["name"].isna().tolist() == [False, True, False, True, True]
    assert table["words"][1] == "person"  # its images are told all the same


def names_of(claims, statuses):
    """`filter_names` as far as it matters here."""
    names = [claim if status == "supported" else None for claim, status in zip(claims, statuses, strict=True)]
    return pd.DataFrame({"filter": range(len(claims)), "status": statuses, "name": names, "claim": claims})


def test_names_that_more_than_a_tenth_of_the_live_filters_bear_are_told():
    claims = ["person"] * 12 + ["dog"] * 3 + ["cat"] * 2 + [f"word{n}" for n in range(3)] + [None] * 5
    statuses = ["supported"] * 4 + ["unsupported"] * 16 + ["dead"] * 5
    table = names_of(claims, statuses)
    assert common_names(table).to_dict() == {"person": 12, "dog": 3}  # of 20: two are no more than a tenth
    person, dog = name_remarks(table)
    assert person.startswith("“person” is what 12 of 20 live filters are called (60%; supported for 4 of them)")
    assert dog.startswith("“dog” is what 3 of 20 live filters")


def test_different_names_need_no_remark():
    """Of few filters each name is more than a tenth."""
    table = names_of(["square", "disc", "star", None], ["supported", "unsupported", "supported", "silent"])
    assert name_remarks(table) == []


def test_without_masks_untested_claims_are_what_filters_are_called():
    table = filter_names(WORDS, THRESHOLDS, None, dict.fromkeys(range(3), "person"), WORDS)
    assert called(table).dropna().tolist() == ["person"] * 3
    (said,) = name_remarks(table)
    assert said.startswith("“person” is what 3 of 4 live filters are called")


@pytest.mark.parametrize("status", ["dead", "silent"])
def test_filters_that_are_called_nothing_need_no_remark(status):
    assert name_remarks(names_of([None] * 4, [status] * 4)) == []


def test_a_supported_name_whose_objects_are_the_cause_is_proved():
    """Filter 0 by both, 1 by cause alone (its masks say no), 2 by masks alone."""
    table = tables.checked(
        filter_names(WORDS, THRESHOLDS, CLAIMS, CLAIMED, APART, causes=CAUSES), "filter_names"
    ).to_pandas()
    assert table["status"].tolist() == ["proved", "unsupported", "supported", "silent", "dead"]
    assert table["name"].fillna("").tolist()[:3] == ["bowl", "", "dog"]
    assert table["cause"].tolist()[:4] == ["caused", "caused", "not_caused", "cannot_be_told"]
    first = table.loc[0, ["cause_effect", "cause_low", "cause_high", "cause_null"]]
    assert first.tolist() == [0.9, 0.7, 1.1, 0.0]
    assert table.loc[3, ["cause_effect", "cause_low", "cause_high", "cause_null"]].isna().all()


def test_without_measured_causes_nothing_is_proved():
    table = tables.checked(filter_names(WORDS, THRESHOLDS, CLAIMS, CLAIMED, APART), "filter_names").to_pandas()
    assert "proved" not in set(table["status"])
    assert table[["cause", "cause_effect"]].isna().all(axis=None)


# Words, found and null of the pictures of filters 0 to 3 by two recipes; filter 3 is silent in its picture.
PICTURE_WORDS = pd.DataFrame(
    [
        (0, "maco", ["bowl", "ketchup", "cup", "plate", "dish", "pan"], True, 0.5),
        (1, "maco", ["hats"], False, 0.25),
        (2, "maco", ["dogs", "hat"], True, 0.0),
        (3, "maco", [], None, None),
        (0, "fourier", ["tomato", "bowl"], False, 0.0),
        (1, "fourier", [], None, None),
    ],
    columns=["filter", "recipe", "words", "found", "null"],
).assign(number=0)
TOKENS = ["bowl", "cup", "plate", "dish", "pan", "dog", "person"]
BY_RECIPE = "maco: bowl, ketchup*, cup, plate, dish; fourier: tomato*, bowl"


def test_pictures_of_several_recipes_are_counted_together_and_told_apart():
    table = picture_proofs(PICTURE_WORDS, TOKENS).set_index("filter")
    assert table.loc[:2, "picture"].tolist() == [BY_RECIPE, "maco: hats*", "maco: dogs, hat*"]
    assert table.loc[:2, "picture_count"].tolist() == [2, 1, 1]
    assert table.loc[:2, "picture_found"].tolist() == [0.5, 0, 1]
    assert table.loc[:2, "picture_null"].tolist() == [0.25, 0.25, 0]
    assert table.loc[3].isna().all()


def test_a_null_of_other_pictures_than_what_was_found_is_none():
    """The second recipe has one picture, so that there is no other claim to look for."""
    own = {"filter": 7, "number": 0, "words": [["hat"], ["hat"]], "recipe": ["maco", "fourier"], "found": [True, True]}
    (line,) = picture_proofs(pd.DataFrame({**own, "null": [0.1, None]}), TOKENS).to_dict("records")
    assert (line["picture_count"], line["picture_found"]) == (2, 1)
    assert pd.isna(line["picture_null"])


def test_words_of_several_pictures_by_one_recipe_are_taken_in_turns():
    """Each once; one recipe need not be named."""
    several = pd.DataFrame({"filter": 7, "number": range(2), "recipe": "maco", "found": None, "null": None})
    several["words"] = [["bowl", "cup", "hat"], ["cup", "bowl", "pan"]]
    (line,) = picture_proofs(several, TOKENS).to_dict("records")
    assert line["picture"] == "bowl, cup, hat*, pan"
    assert pd.isna([line[column] for column in PICTURES[1:]]).all()  # there was no claim to look for


def test_what_pictures_are_called_stands_beside_the_name_and_decides_nothing():
    """Filter 1 has no claim in its picture, filter 3 no words, filter 4 no picture."""
    proofs = picture_proofs(PICTURE_WORDS, TOKENS)
    plain = filter_names(WORDS, THRESHOLDS, CLAIMS, CLAIMED, APART, causes=CAUSES)
    found = filter_names(WORDS, THRESHOLDS, CLAIMS, CLAIMED, APART, causes=CAUSES, pictures=proofs)
    table = tables.checked(found, "filter_names").to_pandas()
    assert table["picture"].tolist()[:3] == [BY_RECIPE, "maco: hats*", "maco: dogs, hat*"]
    assert table.loc[:2, [*PICTURES[1:]]].to_numpy().tolist() == [[2, 0.5, 0.25], [1, 0, 0.25], [1, 1, 0]]
    assert table.loc[3:, [*PICTURES]].isna().all(axis=None)
    assert found.drop(columns=[*PICTURES]).equals(plain.drop(columns=[*PICTURES]))
    assert plain[[*PICTURES]].isna().all(axis=None)


def test_an_album_shows_the_pictures_of_the_reference_for_the_same_claim_else_its_own():
    """Its own have words, but without masks nothing was looked for in them."""
    proofs = picture_proofs(PICTURE_WORDS, TOKENS)
    reference = filter_names(WORDS, THRESHOLDS, CLAIMS, CLAIMED, APART, pictures=proofs)
    own = picture_proofs(PICTURE_WORDS[PICTURE_WORDS["recipe"] == "maco"].assign(found=None, null=None), TOKENS)
    album = {0: "bowl", 1: "person", 2: "cat"}
    found = filter_names(WORDS, THRESHOLDS, None, album, APART, reference, pictures=own)
    table = tables.checked(found, "filter_names").to_pandas()
    assert table["picture"].tolist()[:3] == [BY_RECIPE, "maco: hats*", "dogs, hat*"]
    assert table.loc[:1, [*PICTURES[1:]]].to_numpy().tolist() == [[2, 0.5, 0.25], [1, 0, 0.25]]
    assert table.loc[2:, [*PICTURES[1:]]].isna().all(axis=None)
    without = tables.checked(filter_names(WORDS, THRESHOLDS, None, album, APART, reference), "filter_names").to_pandas()
    assert without["picture"].isna().tolist() == [False, False, True, True, True]
