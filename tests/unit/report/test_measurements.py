"""What the summary says about data, networks and trainings."""

import pandas as pd

from filterscope.report.measurements import diagnosis_section, temperature_section
from filterscope.report.summary import as_text


def test_every_verdict_comes_with_its_caveats():
    fit = pd.DataFrame({"sentence": ["a is too small for b."], "caveats": ["b is unbalanced."]})
    text = as_text("t", [diagnosis_section(fit, ["Smaller is not more robust."], [])])
    assert "a is too small for b. b is unbalanced." in text
    assert "Smaller is not more robust." in text


def test_study_without_pairs_has_its_findings_only():
    assert diagnosis_section(None, ["x"], []).lines == ["x"]


COLUMNS = ["schedule", "test_error", "rank", "wins", "losses", "undecided", "unequal", "trials", "cost", "tuned_cost"]


def duel(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).assign(network="net", samples="digits", seeds=3)


def test_best_schedule_is_named_with_what_is_decided():
    rows = [
        ("constant", 2.9, 3, 0, 0, 2, 0, 4, 1.0, 5.0),
        ("one_cycle", 2.0, 2, 0, 1, 1, 0, 4, 1.0, 5.0),
        ("actcoolr", 1.56, 1, 1, 0, 1, 0, 4, 1.72, 8.6),
    ]
    section = temperature_section(duel(*rows), [])
    line, caution = section.lines
    assert line == (
        "net on digits: actcoolr has the least test error, 1.56 %; 1 of 3 pairs of schedules is decided (the interval "
        "of the paired difference excludes 0)."
    )
    assert caution.endswith("of many pairs a few are decided by chance.")
    (table,) = section.tables
    assert table["schedule"].tolist() == ["actcoolr", "one_cycle", "constant"]
    assert table["test error"].tolist() == ["1.56 %", "2.00 %", "2.90 %"]
    assert table["trials"].tolist() == [4, 4, 4]
    assert table["cost with tuning"].tolist() == ["8.60", "5.00", "5.00"]


def test_pairs_of_unequal_budgets_are_told():
    rows = [
        ("constant", 2.9, 3, 0, 0, 1, 1, 0, 1.0, 1.0),
        ("one_cycle", 2.0, 2, 0, 0, 1, 1, 0, 1.0, 1.0),
        ("actcoolr", 1.56, 1, 0, 0, 0, 2, 4, 1.72, 8.6),
    ]
    line, _ = temperature_section(duel(*rows), []).lines
    assert "0 of 1 pairs of schedules are decided" in line
    assert line.endswith("; unequal tuning budgets leave out 2 more.")
