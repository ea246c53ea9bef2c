"""What machines do: disks that are full or may not be written for a while, clocks that jump, a loss of power.

Two runs at once: tests/workflow/test_running.py.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager

import pytest
from tests.faults import comparison
from tests.faults.disks import Disk, NoDiskError
from tests.faults.killing import REPOSITORY, Runs

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

FUTURE = time.time() + 10 * 365 * 86_400  # s
PAST = 500_000_000.0  # s, in 1985
# What to do with files of the future: all get one time, so that none is newer than what it was made of.
TOUCHED = 'find results -newermt now -exec touch -d "$(date)" {} +'


@contextmanager
def mounted(runs: Runs, size: str):
    """A small disk in the place of results/."""
    runs.results.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "filterscope-test", runs.results]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a disk can be mounted by the administrator only: {done.stderr.strip()}")
    try:
        yield
    finally:
        runs.end()
        subprocess.run(["umount", "--lazy", runs.results], check=True)


def remount(runs: Runs, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", runs.results], check=True)


def failed(runs: Runs) -> str:
    """What a run says that must not succeed."""
    assert runs.start().wait() != 0
    return runs.said.read_text()


def assert_goes_on(runs: Runs, undisturbed: Runs) -> None:
    runs.finish()
    assert comparison.differences(runs.results, undisturbed.results) == []
    assert comparison.hidden(runs.results) == set()


def test_a_full_disk(undisturbed, new_runs):
    runs = new_runs("full")
    with mounted(runs, "200k"):
        said = failed(runs)
        assert "No space left on device" in said
        assert "Error in rule prepare_scenes" in said
        assert comparison.files(runs.results) == set(), "what failed leaves nothing that counts as done"
        remount(runs, "size=50m")
        assert_goes_on(runs, undisturbed)


def test_a_disk_that_may_only_be_read_for_a_while(undisturbed, new_runs):
    runs = new_runs("read_only", targets=("results/data/scenes/images.parquet",))
    with mounted(runs, "50m"):
        runs.finish()
        runs.targets = undisturbed.targets
        remount(runs, "ro")
        before = comparison.files(runs.results)
        assert "Read-only file system" in failed(runs)
        assert comparison.files(runs.results) == before
        remount(runs, "rw")
        assert_goes_on(runs, undisturbed)


@pytest.fixture
def finished(undisturbed, new_runs):
    """A copy of the finished study, with its times."""
    runs = new_runs("finished")
    subprocess.run(["cp", "-a", undisturbed.folder, runs.folder], check=True)
    return runs


def set_time(runs: Runs, path: str, when: float) -> None:
    os.utime(runs.results / path, (when, when))


def is_up_to_date(runs: Runs) -> bool:
    return "Nothing to be done" in runs.finish("--dry-run")


def test_tables_from_a_clock_that_was_ahead(finished, undisturbed):
    """As long as they are small, what they hold counts. What is made of them is refused until they are of today."""
    set_time(finished, "data/scenes/images.parquet", FUTURE)
    assert is_up_to_date(finished)
    (finished.results / "data/scenes/repeats.csv").unlink()
    said = failed(finished)
    assert "has older modification time" in said
    assert "clock skew" in said
    assert not list(finished.results.glob("data/scenes/repeats.*"))
    # What docs/clusters.md says to do.
    subprocess.run(TOUCHED, cwd=finished.folder, check=True, shell=True)
    assert TOUCHED in (REPOSITORY / "docs/clusters.md").read_text(encoding="utf-8")
    assert_goes_on(finished, undisturbed)


def test_a_clock_that_fell_back(finished):
    """What is older than what it was made of holds what it held: it is not made again."""
    for path in ("repeats.csv", "repeats.parquet", "images.parquet", "annotations.parquet"):
        set_time(finished, f"data/scenes/{path}", PAST)
    assert is_up_to_date(finished)


@pytest.fixture
def powered(new_runs, tmp_path):
    """The study on a disk of its own, which can lose its power; finished."""
    runs = new_runs("powered")
    runs.disk = Disk(tmp_path / "disk.image", runs.folder, megabytes=100)
    try:
        runs.disk.make()
    except NoDiskError as error:
        pytest.skip(str(error))
    yield runs
    runs.end()
    runs.disk.remove()


def test_a_loss_of_power_takes_nothing_that_counts_as_done(powered, undisturbed):
    """Names are on the disk soon, what is in the files when somebody asks for it: 102 empty files used to be done."""
    powered.finish()
    time.sleep(2.5)
    powered.disk.lose_power()
    powered.disk.restart()
    assert comparison.differences(powered.results, undisturbed.results) == []
    assert_goes_on(powered, undisturbed)
    records = [path for path in (powered.folder / ".snakemake/metadata").rglob("*") if path.is_file()]
    assert len(records) >= 6
    assert all(path.stat().st_size for path in records), "what is known of no file how it was made is made again"


def test_a_loss_of_power_while_jobs_work(powered, undisturbed):
    main = powered.start()
    while not (powered.results / "data/scenes/images.parquet").exists():
        assert main.poll() is None
        time.sleep(0.02)
    powered.disk.lose_power()
    powered.end()
    main.wait()
    powered.disk.restart()
    # The job that was at work may have lost what it had not yet put on the disk; it does not count as done.
    lost = comparison.changed(powered.results, undisturbed.results)
    assert [name for name in lost if not name.startswith("data/scenes/")] == []
    powered.finish("--unlock")
    assert_goes_on(powered, undisturbed)
