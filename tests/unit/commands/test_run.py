"""`filterscope run`: what Snakemake is told, what is shown on a terminal and elsewhere, and what is said at the end."""

import io
import logging
import os
import sys
import time

import pytest
import yaml
from tests.unit.commands.records import begins, ends, record

from filterscope.__main__ import main
from filterscope.commands import run, workflow
from filterscope.commands.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def study(here):
    (here / "my.yaml").write_text(yaml.safe_dump({"title": "Mine", "activations": {"batch_size": 4}}))
    return "my.yaml"


@pytest.fixture
def snakemake(monkeypatch):
    """Stands for Snakemake: keeps what it is given, logs what `records` holds, and ends with `code`."""

    class Stand:
        records, code, given, raises = (), 0, None, None

        def __call__(self, arguments, hear=None):
            self.given, self.heard = list(arguments), hear is not None
            for each in self.records:
                if hear is not None:
                    hear(each)
            os.write(2, b"a job said this\n")
            print("Finished.")
            if self.raises:
                raise self.raises
            return self.code

    stand = Stand()
    monkeypatch.setattr(workflow, "snakemake", stand)
    return stand


def test_snakemake_is_told_of_the_study_and_what_stands_behind_the_dashes(study, snakemake, capfd):
    assert main(["run", study, "--cores", "3", "--", "words", "--keep-going"]) == 0
    assert snakemake.given == ["words", "--keep-going", "--cores", "3", "--configfile", "my.yaml"]
    assert main(["run", study]) == 0
    assert snakemake.given == ["--configfile", "my.yaml"]
    assert main(["run"]) == 0
    assert snakemake.given == []


@pytest.mark.parametrize(
    "arguments",
    [["--verbose"], ["--", "-n"], ["--", "words", "--dry-run"], ["--", "--report=x.html"], ["--", "--unlock"]],
)
def test_snakemake_speaks_itself_where_its_words_are_wanted(study, snakemake, arguments, capfd):
    assert main(["run", study, *arguments]) == 0
    assert not snakemake.heard
    assert "a job said this" in capfd.readouterr().err


def test_a_wrong_study_does_not_reach_snakemake(here, snakemake, capfd):
    (here / "my.yaml").write_text("titel: mine\n")
    assert main(["run", "my.yaml"]) == 1
    assert snakemake.given is None
    assert "titel is not known; did you mean title" in capfd.readouterr().err


def test_jobs_words_go_to_a_file_and_snakemake_s_last_to_the_user(study, snakemake, capfd, here):
    snakemake.records = [
        record("run_info", stats={"a": 1, "total": 1}),
        begins(1, "a", time.time()),
        ends(1, time.time()),
    ]
    snakemake.records.append(record("progress", done=1, total=1))
    assert main(["run", study]) == 0
    out, error = capfd.readouterr()
    assert out == "Finished.\n"
    assert error == "1 of 1 jobs | took 1 s\n"
    assert (here / ".snakemake" / "log" / "jobs.log").read_text() == "a job said this\n"
    assert sys.stdout.isatty() is False  # it is the real one again
    print("back")
    assert capfd.readouterr().out == "back\n"


def test_a_failed_job_is_told_at_once_and_how_to_go_on_at_the_end(study, snakemake, capfd, here):
    log = here / "job.log"
    log.write_text("10:00:00 ValueError: no\n")
    snakemake.code = 1
    snakemake.records = [
        record("run_info", stats={"a": 2, "total": 2}),
        begins(1, "a", 0, [log], "Doing a"),
        record("job_error", jobid=1, rule_name="a", log=[str(log)], level=logging.ERROR),
        record("error", msg="WorkflowError: At least one job did not complete successfully.", level=logging.ERROR),
    ]
    assert main(["run", study]) == 1
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == f"failed: Doing a: ValueError: no; log: {log}"
    assert lines[-1] == "Stopped: 1 job failed; 0 of 2 jobs are done. `filterscope run my.yaml` goes on from there."
    assert not any("At least one job" in line for line in lines)


def test_what_stops_snakemake_before_any_job_is_said(study, snakemake, capfd):
    snakemake.code, snakemake.records = (
        1,
        [record("error", msg="MissingInputException:\ngone.txt\n\n", level=logging.ERROR)],
    )
    assert main(["run", study]) == 1
    assert capfd.readouterr().err == "MissingInputException:\ngone.txt\n"
    snakemake.records = [record("error", msg="LockException:\nDirectory cannot be locked.", level=logging.ERROR)]
    assert main(["run", study]) == 1
    assert "`filterscope run my.yaml -- --unlock`, then `filterscope run my.yaml`" in capfd.readouterr().err


def test_ctrl_c_comes_through_and_it_is_said_that_the_next_run_goes_on(study, snakemake, capfd):
    snakemake.code = 1
    snakemake.records = [
        record("run_info", stats={"a": 2, "total": 2}),
        record(msg="Terminating processes on user request, this might take some time."),
    ]
    assert main(["run", study]) == 1
    assert "Interrupted; 0 of 2 jobs are done. `filterscope run my.yaml` goes on from there." in capfd.readouterr().err
    snakemake.records, snakemake.raises = [], KeyboardInterrupt()  # while it plans
    assert main(["run", study]) == run.INTERRUPTED
    assert "Interrupted" in capfd.readouterr().err
    print("back")
    assert capfd.readouterr().out == "back\n"


def test_nothing_to_do_is_said(study, snakemake, capfd):
    snakemake.records = [record(msg="Nothing to be done (all requested files are present and up to date).")]
    assert main(["run", study]) == 0
    assert capfd.readouterr().err == "Nothing to do: all results are there.\n"


def test_a_terminal_has_one_line_that_is_written_over_and_cut_to_its_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    stream, progress = Terminal(), Progress()
    screen = run.Screen(progress, stream)
    screen._draw(0.0)
    assert stream.getvalue() == "\r\033[Kplanning"
    screen.hear(record("run_info", stats={"a": 2, "total": 2}))
    screen.hear(begins(1, "a", 0.0, said="A long message about a job"))
    screen._draw(1.0)
    shown = stream.getvalue().split("\r\033[K")[-1]
    assert shown == "0 of 2 jobs | A long message…"[:28] + "…"
    assert len(shown) == 29
    run.Above(stream, screen).write("other words\n")
    assert stream.getvalue().endswith("\r\033[Kother words\n")


def test_elsewhere_lines_come_when_jobs_have_ended_and_seldom(monkeypatch):
    stream, progress = io.StringIO(), Progress()
    screen = run.Screen(progress, stream)
    screen._draw(1000.0)
    assert stream.getvalue() == ""  # planning needs no line
    screen.hear(record("run_info", stats={"a": 3, "total": 3}))
    for now, done in ((1000, 0), (1005, 1), (1011, 1), (1030, 1), (1200, 1)):
        screen.hear(record("progress", done=done, total=3))
        screen._draw(float(now))
    assert stream.getvalue().splitlines() == ["0 of 3 jobs", "1 of 3 jobs", "1 of 3 jobs"]  # at 1000, 1011, 1200
    assert "\r" not in stream.getvalue()


def test_nobody_who_reads_stops_no_study():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    screen = run.Screen(Progress(), Closed())
    screen.hear(record(msg="Terminating processes on user request"))
    assert screen.progress.stopping


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(study, snakemake, here, capfd):
    here.chmod(0o555)
    try:
        assert main(["run", study]) == 2
    finally:
        here.chmod(0o755)
    assert "nothing can be written here" in capfd.readouterr().err
