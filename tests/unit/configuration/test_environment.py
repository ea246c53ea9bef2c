"""What the jobs of a run find in their environment."""

from __future__ import annotations

import os

import pytest

import configuration


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "lib"), ("", "lib"), ("a:b", "lib:a:b"), ("a:lib:b", "lib:a:b"), ("lib", "lib")],
)
def test_library_is_first_on_the_path_of_jobs_and_there_once(before, after, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    configuration.share_library("lib")
    assert os.environ["PYTHONPATH"] == after


def test_jobs_are_told_the_threads_of_the_study(monkeypatch):
    monkeypatch.setenv("FILTERSCOPE_THREADS", "7")
    configuration.share_threads(3)
    assert os.environ["FILTERSCOPE_THREADS"] == "3"
