"""Every job logs, shows progress, draws its seeds and puts its files in place the same way."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterscope import job


@pytest.fixture(autouse=True)
def _undo_logging():
    excepthook, show = sys.excepthook, warnings.showwarning
    yield
    sys.excepthook = excepthook
    logging.captureWarnings(False)
    warnings.showwarning = show
    for name in ("filterscope", "py.warnings"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()


def run(script: str, folder) -> subprocess.CompletedProcess:
    """A job of its own, as Snakemake starts one."""
    path = folder / "script.py"
    path.write_text("from filterscope import job\n" + textwrap.dedent(script))
    path_to_library = os.path.dirname(os.path.dirname(job.__file__))
    environment = {**os.environ, "PYTHONPATH": path_to_library}
    return subprocess.run(
        [sys.executable, path],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


class TestLog:
    def test_messages_go_to_file_and_terminal(self, tmp_path, capsys):
        path = tmp_path / "deep" / "job.log"
        job.log_to(path)
        job.LOGGER.info("seven images")
        assert "seven images" in path.read_text()
        assert "seven images" in capsys.readouterr().err

    def test_a_later_log_takes_the_place_of_the_earlier(self, tmp_path):
        job.log_to(tmp_path / "one.log")
        job.log_to(tmp_path / "two.log")
        job.LOGGER.info("once")
        assert (tmp_path / "one.log").read_text() == ""
        assert (tmp_path / "two.log").read_text().count("once") == 1

    def test_warnings_go_to_the_file(self, tmp_path):
        job.log_to(tmp_path / "job.log")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(False)
            logging.captureWarnings(True)
            warnings.warn("be careful", UserWarning, stacklevel=1)
            logging.captureWarnings(False)
        assert "be careful" in (tmp_path / "job.log").read_text()

    def test_error_is_traced_in_the_file_and_named_on_the_terminal(self, tmp_path):
        done = run(
            """
            job.log_to("job.log")

            def read_pictures():
                raise ValueError("images.parquet: no such column")

            read_pictures()
            """,
            tmp_path,
        )
        assert done.returncode == 1
        assert "ValueError: images.parquet: no such column" in done.stderr
        assert "Traceback" not in done.stderr
        log = (tmp_path / "job.log").read_text()
        assert "Traceback" in log
        assert "read_pictures" in log
        assert "ValueError: images.parquet: no such column" in log

    @pytest.mark.parametrize(
        ("raised", "said"),
        [
            ('ValueError("\\n$5_$\\n ^\\nParseException: double subscript")', "ValueError: $5_$\n ^\nParseException"),
            ('ValueError("  \\n\\r\\n  what is wrong")', "ValueError: what is wrong\n"),
            ("StopIteration", "StopIteration: an error without a message of script.py, line 5, find; the log file"),
        ],
    )
    def test_what_an_error_says_begins_beside_its_kind(self, tmp_path, raised, said):
        done = run(
            f"""
            job.log_to("job.log")

            def find(): raise {raised}

            find()
            """,
            tmp_path,
        )
        assert said in done.stderr
        assert said in (tmp_path / "job.log").read_text()


class TestProgress:
    def test_passes_everything_on(self):
        assert list(job.progress(range(5), title="counting")) == [0, 1, 2, 3, 4]
        assert list(job.progress(iter("ab"), total=2)) == ["a", "b"]
        assert list(job.progress([])) == []

    @pytest.mark.parametrize(
        ("items", "total", "said"),
        [
            (range(4), None, "images: 2 of 4"),
            (iter(range(4)), 4, "images: 2 of 4"),
            (iter(range(4)), None, "images: 2\n"),
        ],
    )
    def test_writes_a_line_every_ten_seconds(self, tmp_path, monkeypatch, items, total, said):
        seconds = iter(range(0, 600, 6))  # what the clock says, one look after the other
        monkeypatch.setattr(job.time, "monotonic", lambda: next(seconds))
        job.log_to(tmp_path / "job.log")
        assert len(list(job.progress(items, total, "images"))) == 4
        log = (tmp_path / "job.log").read_text()
        assert said in log
        assert len(log.splitlines()) == 2  # six seconds an image, so not one for every image

    def test_is_quiet_where_nobody_watches(self, tmp_path):
        done = run("list(job.progress(range(1000), title='images'))", tmp_path)
        assert done.returncode == 0
        assert done.stderr == ""


class TestSeed:
    def test_is_the_same_on_every_machine(self):
        assert job.derived_seed(0, "train_explainer", "coco") == 1988033911
        assert job.derived_seed(1, "train_explainer", "coco") == 2260743864

    @given(st.integers(0, 2**40), st.lists(st.text(max_size=12) | st.integers(0, 9), max_size=4))
    def test_fits_every_generator(self, seed, names):
        assert 0 <= job.derived_seed(seed, *names) < 2**32

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ((0, "a"), (0, "b")),
            ((0, "a"), (1, "a")),
            ((0, "ab", "c"), (0, "a", "bc")),
            ((0, "abcd", "e"), (0, "abcde")),
            ((0,), (0, "")),
            ((0, "a"), (0, "a", "")),
            ((2**32, "a"), (0, "a")),
            ((0, "a", "b"), (0, "b", "a")),
        ],
    )
    def test_differs_wherever_a_part_differs(self, one, other):
        assert job.derived_seed(*one) != job.derived_seed(*other)


class TestSettling:
    """What a job has written is on the disk before it ends, so that Snakemake counts nothing else as done."""

    SCRIPT = """
        from pathlib import Path
        from types import SimpleNamespace

        snakemake = SimpleNamespace(output=["made/table.csv", "elsewhere/pictures"], log=["logs/job.log"])
        job.log_to(snakemake.log[0])
        for path in snakemake.output:
            Path(path).parent.mkdir()
            Path(path).touch()
        job.settle = lambda paths: print("settled", *paths) if {works} else job._fail()
        """

    def test_log_and_outputs_at_the_end(self, tmp_path):
        done = run(self.SCRIPT.format(works=True), tmp_path)
        assert done.stdout == "settled logs/job.log made/table.csv elsewhere/pictures\n"
        assert done.returncode == 0, done.stderr

    def test_a_disk_that_does_not_hold_it_fails_the_job(self, tmp_path):
        """A network file system may tell only now that it is full."""
        failing = "def _fail(): raise OSError(28, 'No space left on device', 'made')\njob._fail = _fail\n"
        done = run(failing + textwrap.dedent(self.SCRIPT.format(works=False)), tmp_path)
        assert done.returncode == 1
        for said in (done.stderr, (tmp_path / "logs/job.log").read_text()):
            assert "OSError: [Errno 28] No space left on device: 'made'" in said

    def test_files_folders_and_where_they_lie(self, tmp_path, monkeypatch):
        asked, fsync = [], os.fsync

        def noted(opened):
            asked.append(os.readlink(f"/proc/self/fd/{opened}"))
            fsync(opened)

        monkeypatch.setattr(job.os, "fsync", noted)
        (tmp_path / "made" / "deep").mkdir(parents=True)
        for name in ("table", "made/one", "made/deep/two"):
            (tmp_path / name).touch()
        job.settle([tmp_path / "table", tmp_path / "made", tmp_path / "gone", tmp_path / "neither/nor"])
        there = ("table", "made", "made/one", "made/deep", "made/deep/two", "")
        assert set(asked) == {str(tmp_path / each) for each in there}

    @pytest.mark.skipif(sys.platform != "linux", reason="syncfs is Linux's")
    def test_many_files_are_written_together_and_each_is_asked(self, tmp_path, monkeypatch):
        together = []
        monkeypatch.setattr(job.ctypes, "CDLL", lambda *_: SimpleNamespace(syncfs=lambda _: together.append(1)))
        monkeypatch.setattr(job, "MANY", 3)
        for number in range(3):
            (tmp_path / f"{number}").touch()
        job.settle([tmp_path])
        assert together == []
        (tmp_path / "one more").touch()
        job.settle([tmp_path, tmp_path / "0"])
        assert together == [1]

    def test_an_error_of_the_disk_is_told(self, tmp_path, monkeypatch):
        def fail(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(job.os, "fsync", fail)
        with pytest.raises(OSError, match="No space left on device: the disk does not hold what was written"):
            job.settle([tmp_path])

    @pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="/proc is Linux's")
    def test_what_has_no_disk_is_passed_over(self):
        job.settle(["/proc/self/status"])


def test_an_emptied_folder_is_new(tmp_path):
    (tmp_path / "made/before").mkdir(parents=True)
    assert job.empty_folder(tmp_path / "made") == tmp_path / "made"
    assert not list((tmp_path / "made").iterdir())
    assert job.empty_folder(tmp_path / "some/where/else").is_dir()


def test_steps_are_counted_by_their_names_and_end_with_the_work(tmp_path, monkeypatch):
    job.log_to(tmp_path / "log.txt")
    clock = iter(range(0, 1000, 11))
    monkeypatch.setattr(job.time, "monotonic", lambda: next(clock))
    with pytest.raises(ValueError, match="stopped"), job.steps(5, "rounds") as report:
        for step in range(3):
            report(f"step {step}")
        raise ValueError("stopped")
    assert "rounds: 2 of 5" in (tmp_path / "log.txt").read_text()


def test_processes_of_a_killed_job_end_with_it(tmp_path):
    """They wait for a lock that nobody gives back."""
    script = """
        import multiprocessing, os, time

        def wait(lock):
            job.end_with_parent()
            os.write(1, f"{os.getpid()}\\n".encode())
            lock.acquire()

        if __name__ == "__main__":
            lock = multiprocessing.Lock()
            lock.acquire()
            for _ in range(2):
                multiprocessing.Process(target=wait, args=(lock,)).start()
            time.sleep(60)
        """
    path = tmp_path / "parent.py"
    path.write_text("from filterscope import job\n" + textwrap.dedent(script))
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(job.__file__))}
    parent = subprocess.Popen([sys.executable, path], env=environment, stdout=subprocess.PIPE, text=True)
    children = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(map(runs, children))
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not any(map(runs, children)):
            break
        time.sleep(0.1)
    assert [child for child in children if runs(child)] == []


def runs(pid: int) -> bool:
    """Whether there is such a process, not one that has ended and waits to be noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("main", "waits"),
    [
        ("workflow_scripts/data/networks/check_probes.py", True),
        ("workflow_scripts/filterscope/__main__.py", False),
        ("mine/workflow_scripts/train.py", False),
        (None, False),
    ],
)
def test_garbage_is_looked_for_when_a_script_has_imported(main, waits, repository, tmp_path):
    """A script's imports are not interrupted; whatever else imports the library is not touched."""
    path = None if main is None else str(repository / main)
    program = f"""
        import gc
        __file__ = {path!r}
        if __file__ is None:
            del __file__
        from filterscope import job
        print(not gc.isenabled())
        job.log_to({str(tmp_path / "log")!r})
        print(gc.isenabled(), gc.get_freeze_count() > 0)
    """
    environment = {**os.environ, "PYTHONPATH": str(repository / "workflow_scripts")}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    assert told == [str(waits), "True", str(waits)]


def test_every_script_begins_with_its_log(repository):
    """Which turns the collector of garbage on again, too."""
    scripts = sorted((repository / "workflow_scripts").glob("[!cf]*/**/*.py"))
    assert len(scripts) > 60
    for path in scripts:
        _, _, block = path.read_text().partition('\nif __name__ == "__main__":\n')
        assert block.startswith("    job.log_to(snakemake.log[0])\n"), path


COPIES = ["/scratch/s3/bucket/mine/results/words/a.parquet", "/scratch/s3/bucket/mine/results/pictures/sheets"]


def test_named_results_are_found_where_the_job_has_them():
    named = {
        "one": {"words": "results/words/a.parquet", "none": None, "k": 5},
        "all": [["results/pictures/sheets"], "a"],
    }
    assert job.located(named, COPIES) == {
        "one": {"words": COPIES[0], "none": None, "k": 5},
        "all": [[COPIES[1]], "a"],
    }
    at_home = ["results/words/a.parquet"]
    assert job.located(at_home, at_home) == at_home


@pytest.mark.parametrize("other", ["results/words/a.csv", "results/a.parquet"])
def test_what_is_read_and_is_no_input_is_named(other):
    with pytest.raises(ValueError, match=f"{other} is read, but is no input"):
        job.located([other], COPIES)
