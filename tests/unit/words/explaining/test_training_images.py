"""One look at the training images gives what its parts give one by one, and tells what it cannot claim."""

import numpy as np
import pytest
from tests.unit.words.explaining.test_attended import CPU, FILTERS, THRESHOLDS, TOKENS, pairs, world

from filterscope.words.explaining.attended import Attended, drawn
from filterscope.words.explaining.evidence import Correlations, Evidence, EvidenceSettings
from filterscope.words.explaining.explanation import ExplanationSettings
from filterscope.words.explaining.training_images import Studied, StudySettings, sample_rows, study_remarks

SETTINGS = StudySettings(EvidenceSettings(), ExplanationSettings(), overlap=0.04, attended=0.5)
NAMES = np.array(["red", "green", "blue"], object)


class Counted:
    """Images that it was shown."""

    def __init__(self):
        self.count = 0

    def add(self, maps, scene):
        self.count += 1


@pytest.fixture
def looked():
    """Evidence, filters that fired, samples by image, and how many images something else was shown."""
    seen, samples, other = world(), {}, Counted()
    items = [(number, *each) for number, each in seen.items()]
    studied = Studied.begun(TOKENS, 18, pairs(seen), THRESHOLDS, SETTINGS, 3, CPU)
    studied.look(items, samples.__setitem__, other)
    evidence, fired = studied.evidence(SETTINGS.evidence), studied.fired
    return evidence, fired, samples, other.count


def test_is_what_its_parts_are_one_by_one(looked):
    evidence, fired, samples, count = looked
    seen = world()
    top = pairs(seen)
    sums = Correlations(FILTERS, TOKENS, CPU)
    shown = Attended(top, drawn(top, 9, 3), THRESHOLDS, TOKENS, 0.04, SETTINGS.explanation, CPU)
    for number, each in seen.items():
        sums.add(*each)
        expected = shown.add(number, *each)
        for name, values in expected.items():
            np.testing.assert_array_equal(samples[number][name], values)
    expected = Evidence.gathered(sums, shown.shown, shown.fired, SETTINGS.evidence)
    np.testing.assert_array_equal(evidence.distinct, expected.distinct)
    np.testing.assert_array_equal(evidence.chance, expected.chance)
    np.testing.assert_array_equal(fired, shown.fired)
    assert count == len(seen)


def test_samples_become_rows_of_their_table(looked):
    number, samples = max(looked[2].items(), key=lambda each: len(each[1]["filter"]))
    rows = sample_rows(number, samples, NAMES)
    assert len(rows["vector"]) == len(rows["filter"]) > 0
    assert set(rows["image_id"]) == {number}
    assert rows["tokens"] == [[NAMES[token] for token in np.flatnonzero(own)] for own in samples["targets"]]


def test_tokens_and_filters_that_show_nothing_are_told(looked):
    evidence, fired, *_ = looked
    assert study_remarks(evidence, fired, NAMES) == ["1 filters fire on no object of their top training images"]
    nobody = Evidence(evidence.correlation, evidence.distinct, evidence.chance, np.array([0, 3, 0]))
    assert study_remarks(nobody, np.ones(FILTERS), NAMES) == ["no training image shows red, blue: never claimed"]
