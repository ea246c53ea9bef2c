"""Files whose record was lost with the power are made again; nobody touches the records of a run at work."""

from __future__ import annotations

import pytest

from configuration import doubt_unrecorded


@pytest.fixture
def folder(tmp_path):
    """`.snakemake` with the records of three files, of which two are lost, one with a long name."""
    for name, content in (("a2VwdA==", '{"rule": "a"}'), ("bG9zdA==", ""), ("@bG9u/Z2Vy", "")):
        (tmp_path / "metadata" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "metadata" / name).write_text(content)
    (tmp_path / "locks").mkdir()
    return tmp_path


def test_what_has_no_record_is_marked_as_unfinished(folder):
    assert doubt_unrecorded(folder) == 2
    assert [path.name for path in (folder / "metadata").rglob("*") if path.is_file()] == ["a2VwdA=="]
    marked = sorted(path for path in (folder / "incomplete").rglob("*") if path.is_file())
    assert [path.relative_to(folder / "incomplete").as_posix() for path in marked] == ["@bG9u/Z2Vy", "bG9zdA=="]
    assert doubt_unrecorded(folder) == 0


def test_a_run_that_holds_the_folder_may_just_be_writing_one(folder):
    (folder / "locks/0.output.lock").write_text("results/a\n")
    assert doubt_unrecorded(folder) == 0
    assert not (folder / "incomplete").exists()


def test_a_folder_without_a_run_has_no_records(tmp_path):
    assert doubt_unrecorded(tmp_path / ".snakemake") == 0
