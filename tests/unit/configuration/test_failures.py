"""The last words of a run that failed: a line for every cause, with the log that has it."""

from __future__ import annotations

import pytest

from configuration import causes

RUN = """[Mon Nov 30 03:07:16 2026]
Finished jobid: 4 (Rule: plant_scenes_network)
[Mon Nov 30 03:07:16 2026]
Error in rule extract_activations:
    message: SLURM-job '4' failed, SLURM status is: 'FAILED'. For further error details see the logs.
    jobid: 1
    output: pooled.parquet
    log: {logs}/extract.log, {logs}/.snakemake/slurm_logs/rule_extract/4.log (check log file(s) for error details)
    external_jobid: 4
[Mon Nov 30 03:08:16 2026]
Error in rule score_words:
    message: SLURM-job '5' failed, SLURM status is: 'TIMEOUT'. For further error details see the logs.
    jobid: 2
    log: {logs}/score.log, {logs}/.snakemake/slurm_logs/rule_score/5.log (check log file(s) for error details)
    external_jobid: 5
[Mon Nov 30 03:09:16 2026]
    message: Error in group explaining
    log: {logs}/.snakemake/slurm_logs/group_explaining/6.log (check log file(s) for error details)
    jobs:
        rule train_explainer:
            jobid: 7
            output: explainer.pt
            log: {logs}/train.log (check log file(s) for error details)
        rule explain_filters:
            jobid: 8
            log: {logs}/explain.log (check log file(s) for error details)
    [Mon Nov 30 03:09:16 2026]
    Error in rule train_explainer:
        message: None
        jobid: 7
        log: {logs}/train.log (check log file(s) for error details)
Shutting down, this might take some time.
"""


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run.log"
    path.write_text(RUN.format(logs=tmp_path))
    return path


def test_each_cause_is_said_once_with_its_log(run, tmp_path):
    (tmp_path / "extract.log").write_text(
        "03:07:10 going on\n03:07:11 ValueError: images.parquet: no such column\n  trace\n"
    )
    (tmp_path / "train.log").write_text("03:09:10 KeyError: 'square'\nTraceback\npackage.module.KeyError: 'square'\n")
    (tmp_path / "explain.log").write_text("")
    slurm = tmp_path / ".snakemake/slurm_logs"
    assert causes([run]).splitlines() == [
        "What failed, and the log that says so:",
        f"  extract_activations: ValueError: images.parquet: no such column ({tmp_path}/extract.log)",
        f"  score_words: took longer than it had asked for (`runtime`) ({slurm}/rule_score/5.log)",
        f"  train_explainer: KeyError: 'square' ({tmp_path}/train.log)",
    ]


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=5.0", "wanted more memory"),
        ("slurmstepd: error: *** JOB 5 ON vm CANCELLED AT 2026 DUE TO NODE FAILURE, SEE ***", "its node failed"),
        ("slurmstepd: error: *** JOB 5 ON vm CANCELLED AT 2026 ***", "was cancelled"),
    ],
)
def test_what_slurm_says_is_read_from_its_log(run, tmp_path, said, meaning):
    log = tmp_path / ".snakemake/slurm_logs/group_explaining/6.log"
    log.parent.mkdir(parents=True)
    log.write_text(said)
    assert f"explaining: {meaning}" in causes([run])


def test_a_job_that_finished_at_a_second_attempt_is_left_out(run, tmp_path):
    (tmp_path / ".snakemake/slurm_logs/group_explaining").mkdir(parents=True)
    (tmp_path / ".snakemake/slurm_logs/group_explaining/6.log").write_text("*** JOB 6 ON vm CANCELLED AT 2026 ***")
    assert "explaining: was cancelled" in causes([run])
    with open(run, "a") as log:
        log.write("Finished jobid: 2 (Rule: score_words)\nFinished jobid: 7 (Rule: train_explainer)\n")
    assert causes([run]) == ""


def test_nothing_is_said_of_a_run_without_errors(tmp_path):
    (tmp_path / "run.log").write_text("Finished jobid: 4\n")
    assert causes([tmp_path / "run.log"]) == ""


LOCAL = """RuleException:
CalledProcessError in file "rules/data/datasets.smk", line 95:
Command 'set -euo pipefail;  python .snakemake/scripts/tmp6s.prepare_scenes.py' {ended}.
[Mon Nov 30 09:50:41 2026]
Error in rule prepare_scenes:
    message: None
    jobid: 0
    output: images.parquet
    log: {logs}/scenes.log (check log file(s) for error details)
Logfile {logs}/scenes.log: empty file
"""


@pytest.mark.parametrize(
    ("ended", "meaning"),
    [
        ("died with <Signals.SIGKILL: 9>", "was killed, as where memory runs out"),
        ("returned non-zero exit status 137", "was killed, as where memory runs out"),
        ("died with <Signals.SIGSEGV: 11>", "was ended by SIGSEGV"),
        ("returned non-zero exit status 1", "ended with status 1 and an empty log: the reason stands above"),
    ],
)
def test_of_a_job_on_this_machine_that_could_not_say_why_it_ended_it_is_told_how(tmp_path, ended, meaning):
    (tmp_path / "scenes.log").touch()
    (tmp_path / "run.log").write_text(LOCAL.format(ended=ended, logs=tmp_path))
    (line,) = causes([tmp_path / "run.log"]).splitlines()[1:]
    assert line.startswith(f"  prepare_scenes: {meaning}")
    assert line.endswith(f"({tmp_path}/scenes.log)")


def test_what_a_job_on_this_machine_says_itself_comes_first(tmp_path):
    (tmp_path / "scenes.log").write_text("09:50:41 ValueError: no scenes\n")
    (tmp_path / "run.log").write_text(LOCAL.format(ended="returned non-zero exit status 1", logs=tmp_path))
    assert f"  prepare_scenes: ValueError: no scenes ({tmp_path}/scenes.log)" in causes([tmp_path / "run.log"])
