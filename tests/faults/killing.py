"""Runs that can be killed: every process of one is known by a mark in its environment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tests.faults.disks import Disk

REPOSITORY = Path(__file__).resolve().parents[2]
MARK = "FILTERSCOPE_FAULTS"
PATIENCE = 120  # seconds that a run has to end by itself, or a killed process to be gone


@dataclass
class Runs:
    """One study in one folder, run as often as it takes.

    study: its --configfile. targets: what is asked for, everything where empty. environment: added to that of all runs.
    disk: that is mounted at the folder.
    """

    folder: Path
    study: Path
    cores: int = 2
    targets: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    disk: Disk | None = None
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def said(self) -> Path:
        """What the latest run has said: beside the folder, whose disk may be full."""
        return self.folder.with_name(f"{self.folder.name}.said.txt")

    @property
    def is_locked(self) -> bool:
        """A loss of power may empty a lock, which then is none."""
        with contextlib.suppress(FileNotFoundError):  # a run that ends takes it away
            return any(path.stat().st_size for path in self.folder.glob(".snakemake/locks/*"))
        return False

    def begin_anew(self) -> None:
        """With an empty folder."""
        if self.disk is not None:
            self.disk.clear()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)

    def start(self, *arguments: str, said: Path | None = None) -> subprocess.Popen:
        """Snakemake in a session of its own. said: where it tells what it does, if not in the usual place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "snakemake", *self.targets, *arguments]
        command += ["--snakefile", REPOSITORY / "Snakefile", "--directory", self.folder]
        command += ["--configfile", self.study, "--cores", self.cores]
        with (said or self.said).open("w") as stream:
            return subprocess.Popen(
                list(map(str, command)),
                cwd=self.folder,
                env=self.marked(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def marked(self) -> dict[str, str]:
        """The environment of a run."""
        return {**os.environ, **self.environment, MARK: self.mark}

    def finish(self, *arguments: str) -> str:
        """Run to the end and return what was said; RuntimeError where it failed."""
        code = self.start(*arguments).wait()
        if code:
            raise RuntimeError(f"snakemake ended with {code}:\n{self.said.read_text()[-6000:]}")
        return self.said.read_text()

    def processes(self) -> list[psutil.Process]:
        """Every process that a run of this study has started, whoever its parent is by now."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def left(self, patience: float, but: Collection[int] = ()) -> list[str]:
        """Command lines of the processes, but for these, that are still there after so many seconds."""
        deadline = time.monotonic() + patience
        while (found := [each for each in self.processes() if each.pid not in but]) and time.monotonic() < deadline:
            time.sleep(0.1)
        return [_told(process) for process in found]

    def end(self) -> None:
        """Leave no process behind."""
        for process in self.processes():
            _kill(process)


def kill_main(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """Snakemake dies alone; its jobs are orphans, and the next run begins while they work."""
    main.send_signal(signal.SIGKILL)
    main.wait()
    return []


def kill_job(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """One process of one job dies; Snakemake sees it and ends by itself."""
    others = sorted((process for process in runs.processes() if process.pid != main.pid), key=lambda each: each.pid)
    killed = []
    if others:
        killed = [choose(others)]
        _kill(killed[0])
    else:  # no job was running at that moment
        main.send_signal(signal.SIGKILL)
    main.wait()
    return killed


def kill_process(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """The script of one job dies, in a run that tries it again."""
    scripts = [process for process in runs.processes() if is_script(process)]
    killed = [choose(scripts)] if scripts else []
    for process in killed:
        _kill(process)
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process.wait(PATIENCE)
    return killed


def kill_group(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """Everything dies at once, as by a loss of power."""
    killed = [process for process in runs.processes() if process.pid != main.pid]
    with contextlib.suppress(ProcessLookupError):  # it had just ended
        os.killpg(main.pid, signal.SIGKILL)
    main.wait()
    return killed


def kill_copy(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """Everything dies, and of the last moments is kept what a copy got, made while jobs wrote: as by a lost cache."""
    copy = runs.folder.with_name(f"{runs.folder.name}.copy")
    # Files may come and go in the meantime: a copy that lacks them is all the better.
    subprocess.run(["cp", "-a", f"{runs.folder}/.", copy], stderr=subprocess.DEVNULL, check=False)
    killed = kill_group(runs, main, choose)
    runs.end()
    shutil.rmtree(runs.folder)
    copy.rename(runs.folder)
    return killed


def kill_clock(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """Everything dies, and comes back with a clock that is years or minutes off: all files are of another time."""
    killed = kill_group(runs, main, choose)
    shift = choose([-30 * 365 * 86_400, -90, 90, 3 * 365 * 86_400])  # s
    for path in runs.folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            when = path.stat(follow_symlinks=False).st_mtime + shift
            os.utime(path, (when, when), follow_symlinks=False)
    return killed


def kill_twice(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """Another run begins in the same folder, as by mistake, and is refused; then everything dies."""
    said = runs.said.with_suffix(".second.txt")
    second = runs.start(said=said)
    second.wait()
    # One that found the first before it had locked the folder, or after it had ended, may have run itself.
    if main.poll() is None and second.returncode and "--unlock" not in said.read_text():
        raise RuntimeError(f"a second run in one folder ended with:\n{said.read_text()[-3000:]}")
    return kill_group(runs, main, choose)


def fill_disk(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """The disk is full until the run has failed; then there is room again."""
    runs.disk.fill()
    try:
        main.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        kill_group(runs, main, choose)
    finally:
        runs.disk.make_room()
    return []


def freeze_folder(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """For a moment no file can be made, moved or removed in results/; then everything dies that has not yet failed."""
    runs.disk.set_frozen(True)
    time.sleep(choose([0.2, 1, 3]))
    runs.disk.set_frozen(False)
    try:
        main.wait(choose([1, 5, 10]))
    except subprocess.TimeoutExpired:
        return kill_group(runs, main, choose)
    return []


def lose_power(runs: Runs, main: subprocess.Popen, choose: Callable) -> list[psutil.Process]:
    """Everything dies, and so does what no disk has got yet."""
    runs.disk.lose_power()
    killed = kill_group(runs, main, choose)
    runs.end()
    runs.left(PATIENCE)
    runs.disk.restart()
    return killed


KINDS = {"main": kill_main, "job": kill_job, "group": kill_group, "copy": kill_copy, "clock": kill_clock}
KINDS["twice"] = kill_twice
# Of a folder that is a disk of its own (disks.py), which cannot be exchanged for a copy.
OF_DISKS = {"full": fill_disk, "frozen": freeze_folder, "power": lose_power}


def is_script(process: psutil.Process) -> bool:
    """Whether it is the script of a job, and neither the Snakemake that watches it nor a process that helps it."""
    try:
        return any(part.endswith(".py") and "/.snakemake/scripts/" in part for part in process.cmdline())
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def _told(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline())[:160]}"
    except psutil.Error:
        return f"{process.pid}: gone"
