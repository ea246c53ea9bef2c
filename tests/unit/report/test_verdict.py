"""Sentences that anybody understands, from the tables, and which filters are shown first."""

import pandas as pd
import pytest

from filterscope.report.verdict import Explained, best_named, layer_warnings, rival, spread, verdict, why_rivals_win


def names(*statuses):
    named = {"proved", "supported", "untested"}
    return pd.DataFrame(
        {
            "filter": range(len(statuses)),
            "status": statuses,
            "name": [f"n{place % 2}" if each in named else None for place, each in enumerate(statuses)],
            "auprc": [0.1 * place for place in range(len(statuses))],
            "null": 0.05,
            "reference_status": None,
        }
    )


def claims(lent, passed, told=True):
    return pd.DataFrame(
        {
            "told": told,
            "lent": [True] * lent + [False],
            "lent_supported": [True] * passed + [False] * (lent + 1 - passed),
        }
    )


def scores(words, dissection, constant=None, k=5):
    rows = {"words": words, "dissection": dissection, "constant_words": constant}
    table = pd.DataFrame({"row": list(rows), "value": list(rows.values())})
    return table.assign(metric="recall", candidates="vocabulary", k=k)


def test_counts_are_those_of_all_layers():
    first = Explained(names("proved", "supported", "unsupported", "dead"), claims(3, 1), scores(0.64, 0.5, 0.27))
    second = Explained(
        names("proved", "silent"), claims(2, 0), scores(0.771, 0.6, 0.294), pd.DataFrame({"passed": [True, False]})
    )
    assert "\n".join(verdict([first, second])) == (
        "3 of 5 filters (60%) have a name that masks bear out; for 2 of them it is also shown that the named objects "
        "are what they answer to.\n"
        "As a test 5 filters were lent another one's name: 1 of these would have passed.\n"
        "Of 2 filters whose right word is known, 1 got it among the first three words, whether or not it became the "
        "name.\n"
        "A filter's first five words name 64 to 77% of the objects that excite it; the five most frequent words, said "
        "of every filter, 27 to 29%."
    )


def test_too_few_decoys_are_no_test():
    untold = Explained(names("cannot be told"), claims(2, 0, told=False))
    assert "In 1 of 1 layer too few names could be lent to tell." in verdict([untold])
    assert not any("As a test" in line for line in verdict([untold]))


def test_names_without_masks_are_untested():
    album = names("untested", "untested", "dead").assign(reference_status=["proved", None, None])
    (said,) = verdict([Explained(album)])
    assert said.startswith("2 names could not be tested, for these photographs have no masks; 1 of them hold on")
    assert verdict([]) == []


def test_why_a_rival_wins_is_said_in_a_line():
    ahead = Explained(names("proved"), claims(1, 0), scores(0.6, 0.88), tokens=22, vocabulary=439)
    behind = Explained(names("proved"), claims(1, 0), scores(0.7, 0.6), tokens=22, vocabulary=439)
    said = rival([ahead, behind])
    assert said.startswith(
        "The rival Network Dissection names more of them in 1 of 2 layers (88%). It can say nothing but the 22 tokens"
    )
    assert "among all 439 of the vocabulary" in said
    assert rival([behind]) == ""
    later = Explained(names("proved"), claims(1, 0), scores(0.6, 0.9, k=20), tokens=22)
    assert rival([later]) == ""
    assert why_rivals_win([later]).startswith("Network Dissection can say nothing but the 22 tokens")


def test_the_most_certain_come_first_and_every_name_once():
    own = names("untested", "supported", "proved", "proved", "proved", "unsupported")
    # Proved: 2 (n0), 3 (n1), 4 (n0); supported: 1 (n1); untested: 0 (n0).
    assert best_named(own, 10) == [4, 3, 2, 1, 0]
    assert best_named(own, 2) == [4, 3]
    assert best_named(own.assign(name="same"), 3) == [4, 3, 2]


@pytest.mark.parametrize(("most", "wanted"), [(3, [(0, 5), (1, 7), (2, 1)]), (4, [(0, 5), (0, 6), (1, 7), (2, 1)])])
def test_all_layers_take_turns(most, wanted):
    assert spread([[5, 6], [7], [1, 2, 3]], most) == wanted


def test_a_name_of_many_filters_is_warned_of():
    many = names(*["proved"] * 8)
    many = many.assign(name=["a"] * 7 + ["b"], claim=["a"] * 7 + ["b"])
    (warning,) = layer_warnings(many, None, None)
    assert warning == "One name is borne by more than 10% of the 8 live filters and does not tell them apart: “a” (7)."
