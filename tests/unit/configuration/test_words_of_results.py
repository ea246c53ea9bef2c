"""Whatever word a table of results may hold is explained where a user looks: results/README.md."""

import re

import pytest

from filterscope.diagnosis import fit
from filterscope.diagnosis.resampling import comparison
from filterscope.diagnosis.robustness import observations
from filterscope.pictures import strongest
from filterscope.pictures.quality import figures
from filterscope.pictures.recipes import ascent
from filterscope.schemas import SCHEMAS
from filterscope.temperature import duel, endings, tuning
from filterscope.words.scoring.score_table import ROW_NAMES

# What is a word of a closed list in a column of text: `a, b or c`, with or without an explanation in brackets.
CLOSED = [
    ("filter_names", "status"),
    ("filter_names", "cause"),
    ("filter_causes", "status"),
    ("sanity", "test"),
    ("pictures", "status"),
    ("facet_pictures", "status"),
    ("strongest_filters", "scenario"),
    ("senses", "status"),
]
CLOSED += [("fit", "verdict"), ("duel_pairs", "outcome"), ("occlusions", "kind")]


def explained(repository):
    """The words in the second column of the table, each line of which explains what stands in it."""
    text = (repository / "results" / "README.md").read_text(encoding="utf-8")
    lines = text.split("## What the words in the tables mean")[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert all(len(row) == 3 and row[2] for row in rows)
    return {word.strip() for row in rows for word in row[1].split(",")}


def test_the_words_of_the_code_are_explained(repository):
    words = {*ROW_NAMES, *comparison.VERDICTS, endings.FINISHED, endings.DIVERGED, tuning.FAILED}
    words |= {ascent.OPTIMISED, ascent.DEAD, ascent.STOPPED, strongest.SPIKE, strongest.GROUP, strongest.FLAT}
    words |= {fit.TOO_SMALL, fit.MATCHED, fit.OVERSIZED, fit.NOTHING, duel.WIN, duel.LOSS, duel.UNDECIDED}
    words |= {observations.SMALLER, observations.LARGER, observations.NO_TREND, observations.TOO_FEW, observations.SAME}
    words |= {said for said, _ in figures.VERDICTS.values()}
    assert words - explained(repository) == set()


@pytest.mark.parametrize(("table", "column"), CLOSED)
def test_the_words_of_the_columns_are_explained(repository, table, column):
    (said,) = [each.meaning for each in SCHEMAS[table].columns if each.name == column]
    said = re.sub(r"\(.*?\)|:.*| where .*|, else", lambda found: "," if "else" in found[0] else "", said)
    words = {word.strip() for word in re.split(r",| or ", said) if word.strip()}
    assert len(words) > 1
    assert words - explained(repository) == set()
