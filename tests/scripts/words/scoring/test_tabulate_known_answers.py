"""tabulate_known_answers: a colour must come first, anything else among the first three."""

import pytest

from filterscope import tables
from words.scoring.tabulate_known_answers import tabulate_known_answers


def answered(study, folder, *known):
    """known: filter, what it detects, right words."""
    columns = dict(zip(("filter", "detects", "words"), map(list, zip(*known, strict=True)), strict=True))
    tables.write(columns, "known_words", folder / "known.parquet")
    paths = folder / "answers.parquet", folder / "answers.csv"
    tabulate_known_answers(study.filter_words, folder / "known.parquet", *paths)
    return {row["filter"]: row for row in tables.read(paths[0], "known_answers").to_pylist()}


def test_right_names_pass(study, tmp_path):
    found = answered(
        study, tmp_path, (0, "colour", ["red", "crimson"]), (1, "colour", ["blue"]), (2, "texture", ["dotted"])
    )
    assert found[0] == {
        "filter": 0,
        "detects": "colour",
        "right": ["red", "crimson"],
        "found": ["red", *found[0]["found"][1:]],
        "rank": 0,
        "passed": True,
    }
    assert len(found[0]["found"]) == 3
    assert found[1]["passed"]
    assert (found[2]["rank"], found[2]["passed"]) == (None, False)


@pytest.mark.parametrize(("kind", "passed"), [("colour", False), ("texture", True), ("shape", True)])
def test_a_colour_must_come_first(study, tmp_path, kind, passed):
    second = study.table("filter_words").query("filter == 0 and rank == 1")["word"].item()
    row = answered(study, tmp_path, (0, kind, [second]))[0]
    assert (row["rank"], row["passed"]) == (1, passed)


def test_the_fourth_word_is_too_late(study, tmp_path):
    fourth = study.table("filter_words").query("filter == 2 and rank == 3")["word"].item()
    row = answered(study, tmp_path, (2, "texture", [fourth]))[2]
    assert (row["rank"], row["passed"]) == (None, False)


def test_a_filter_without_words_fails(study, tmp_path):
    row = answered(study, tmp_path, (4, "colour", ["red"]))[4]
    assert (row["found"], row["rank"], row["passed"]) == ([], None, False)
