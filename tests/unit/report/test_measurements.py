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


def test_best_schedule_is_named_with_what_is_decided():
    columns = ["network", "samples", "schedule", "seeds", "test_error", "rank", "wins", "losses", "undecided", "cost"]
    rows = [
        ("net", "digits", "constant", 3, 2.9, 3, 0, 0, 2, 1.0),
        ("net", "digits", "one_cycle", 3, 2.0, 2, 0, 1, 1, 1.0),
        ("net", "digits", "actcoolr", 3, 1.56, 1, 1, 0, 1, 1.72),
    ]
    section = temperature_section(pd.DataFrame(rows, columns=columns), [])
    line, caution = section.lines
    assert caution.endswith("of many pairs a few are decided by chance.")
    assert line.startswith(
        "net on digits: actcoolr has the least test error, 1.56 %; 1 of 3 pairs of schedules is decided"
    )
    assert section.tables[0]["schedule"].tolist() == ["actcoolr", "one_cycle", "constant"]
    assert section.tables[0]["test error"].tolist() == ["1.56 %", "2.00 %", "2.90 %"]
