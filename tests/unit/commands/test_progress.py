"""How far a run is, from what Snakemake logs, and why a job failed."""

import logging

import pytest
from tests.unit.commands.records import begins, ends, record

from filterscope.commands.progress import Progress, cause, duration


@pytest.fixture
def progress():
    made = Progress(batch=16)
    made.note(record("run_info", stats={"extract": 2, "explain": 4, "total": 6}))
    return made


def test_before_and_after_anything_is_known():
    progress = Progress()
    assert progress.line(0) == "planning"
    progress.note(record(msg="Nothing to be done (all requested files are present and up to date)."))
    assert progress.nothing


def test_jobs_are_counted_and_the_newest_is_named(progress):
    progress.note(begins(1, "extract", 10, said="Extracting a"))
    progress.note(begins(2, "extract", 11, said="Extracting b"))
    assert progress.line(12) == "0 of 6 jobs | Extracting b and 1 more"
    progress.note(ends(2, 13))
    progress.note(record("progress", done=1, total=6))
    assert progress.line(14) == "1 of 6 jobs | Extracting a"
    progress.note(begins(3, "explain", 14))
    progress.note(ends(1, 15))
    assert progress.line(15) == "1 of 6 jobs | explain"


def test_time_that_is_left_comes_from_finished_jobs_of_the_same_rule(progress):
    assert progress.left(5) is None
    for number, begun, ended in ((1, 0, 10), (2, 10, 20)):
        progress.note(begins(number, "extract", begun))
        progress.note(ends(number, ended))
    assert progress.left(20) is None  # two jobs tell nothing
    progress.note(begins(3, "explain", 20))
    progress.note(ends(3, 22))
    assert progress.left(22) == pytest.approx(3 * 2)
    progress.note(begins(4, "explain", 22))
    assert progress.left(23) == pytest.approx(3 * 2 - 1)
    progress.note(record("progress", done=3, total=6))
    assert progress.line(23).endswith("about 5 s left")


def test_jobs_side_by_side_take_half_of_the_time(progress):
    for number in (1, 2):
        progress.note(begins(number, "extract", 0))
    for number in (1, 2):
        progress.note(ends(number, 10))
    for number in (3, 4):
        progress.note(begins(number, "explain", 10))
    for number in (3, 4):
        progress.note(ends(number, 12))
    assert progress.left(12) == pytest.approx(2 * 2 / 2)


def test_photographs_a_second_come_from_the_logs_of_running_jobs(progress, tmp_path):
    batches, pictures, epochs = (tmp_path / f"{name}.log" for name in ("batches", "pictures", "epochs"))
    batches.write_text("23:59:55 batches of images: 10 of 50\nwords\n00:00:05 batches of images: 15 of 50\n")
    pictures.write_text("10:00:00 reading pictures: 100 of 900\n10:00:10 reading pictures: 150 of 900\n")
    epochs.write_text("10:00:00 epochs: 1 of 30\n10:00:10 epochs: 2 of 30\n")
    progress.note(begins(1, "extract", 0, [epochs], "Training"))
    assert progress.rate() is None
    assert progress.line(1) == "0 of 6 jobs | Training, epochs 2 of 30"
    progress.note(begins(2, "extract", 2, [batches], "Extracting"))
    assert progress.rate() == pytest.approx(5 * 16 / 10)  # over midnight
    progress.note(begins(3, "explain", 1, [pictures]))
    assert progress.rate() == pytest.approx(8 + 5)
    assert progress.line(3) == "0 of 6 jobs | Extracting, batches of images 15 of 50 and 2 more | 13 photographs/s"
    batches.unlink()
    assert progress.rate() == pytest.approx(5)


def test_a_failure_is_one_line_with_its_cause_and_the_log(progress, tmp_path):
    log = tmp_path / "job.log"
    log.write_text(
        "10:00:00 12 words\n10:00:01 VocabularyError: no vector for 'zebra'\nTraceback (most recent call last):\n"
        "  File \"x.py\", line 3, in read\nfilterscope.VocabularyError: no vector for 'zebra'\n"
    )
    progress.note(begins(1, "extract", 0, [log], "Reading words"))
    error = record("job_error", jobid=1, rule_name="extract", log=[str(log)], level=logging.ERROR)
    assert progress.note(error) == f"failed: Reading words: VocabularyError: no vector for 'zebra'; log: {log}"
    assert progress.note(error) is None  # told twice, said once
    assert list(progress.failed) == [1]
    assert progress.running == {}


def test_what_is_tried_again_and_succeeds_has_not_failed(progress):
    progress.note(begins(1, "extract", 0, said="Fetching"))
    progress.note(record("job_error", jobid=1, rule_name="extract", log=[], level=logging.ERROR))
    assert progress.note(record(msg="Trying to restart job 1.")) == "it is tried again: Fetching"
    assert progress.failed == {}
    progress.note(begins(1, "extract", 5))
    progress.note(ends(1, 6))
    assert progress.failed == {}


def test_jobs_that_are_stopped_have_not_failed(progress):
    progress.note(begins(1, "extract", 0))
    said = progress.note(record(msg="Terminating processes on user request, this might take some time."))
    assert said == "stopping: running jobs are ended"
    assert progress.note(record("job_error", jobid=1, rule_name="extract", log=[], level=logging.ERROR)) is None
    assert progress.failed == {}


def test_errors_of_the_workflow_are_kept_and_those_after_a_failed_job_are_not(progress):
    progress.note(record("error", msg="WorkflowError:\n no rule", level=logging.ERROR))
    progress.note(record(msg="something else", level=logging.ERROR))
    assert progress.errors == ["WorkflowError:\n no rule", "something else"]
    progress.note(record("job_error", jobid=1, rule_name="extract", log=[], level=logging.ERROR))
    progress.note(record("error", msg="At least one job did not complete successfully.", level=logging.ERROR))
    assert len(progress.errors) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10:00:00 ValueError: first\n10:00:09 filterscope.x.TableError: second: of two\n", "filterscope.x.TableError"),
        ("10:00:00 RejectionError: 1 of 3 cannot be used:\n  image 2: empty\n", "cannot be used: image 2: empty"),
        ("10:00:00 12 images read\n\n", "as a killed job does (out of memory?), after “10:00:00 12 images read”"),
        ("", "it ended before it wrote a log"),
        (None, "it ended before it wrote a log"),
    ],
)
def test_causes(tmp_path, text, said):
    log = tmp_path / "job.log"
    if text is not None:
        log.write_text(text)
    assert said in cause([log])
    assert "\n" not in cause([log])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3599, "1 h"),
        (11100, "3 h 5 min"),
        (187200, "2 d 4 h"),
        (172800, "2 d"),
    ],
)
def test_durations(seconds, said):
    assert duration(seconds) == said
