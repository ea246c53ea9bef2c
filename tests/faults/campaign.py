"""A kill campaign: a study is killed again and again at random moments, and must end as if nothing had happened.

    python -m tests.faults.campaign --kills 20

runs a small study undisturbed, then again under kill -9: of Snakemake alone, of one process of one job, of scripts of
one job after the other in a run that tries again, of everything;
of everything with a copy of the folder, made while jobs wrote, in its place, or with a clock that has jumped, or after
another run was begun in the same folder. With --disk, which needs an administrator, the folder is a small disk, which
gets full, cannot be changed for a moment, and loses its power with all that it had not yet got.
After each kill no file that has its final name may differ from the undisturbed run's, and no process may be left but
jobs whose Snakemake was killed; after each round nothing may be missing, left to do, or still running. What is told at
the end are the kills, what was lost, and what was done twice.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.faults import comparison
from tests.faults.disks import Disk, NoDiskError
from tests.faults.killing import KINDS, OF_DISKS, Runs, is_script, kill_group, kill_process

STUDY = Path(__file__).with_name("study.yaml")
PATIENCE = 60  # seconds that an orphan may need to notice that it is one, or to end its work
# What a run says that has failed by itself, by what was done to it.
SAID = {"job": "Error in rule", "full": "No space left on device", "frozen": "Operation not permitted"}


@dataclass
class Report:
    """What a campaign has seen. Times in seconds."""

    kills: Counter = field(default_factory=Counter)
    rounds: int = 0
    files: int = 0  # compared in every round
    undisturbed: float = 0.0  # time of the jobs of a run that nobody disturbs
    killed_work: float = 0.0  # that killed jobs had worked; an upper bound, as trainings go on from checkpoints
    repeated_work: float = 0.0  # of jobs that had ended and were run again
    repeated_jobs: Counter = field(default_factory=Counter)
    counted: int = 0  # how often it was counted after a kill which processes were left
    skewed: int = 0  # runs that refused tables of the future
    lost: list[str] = field(default_factory=list)  # anything that is not as it should be
    leftovers: list[str] = field(default_factory=list)  # hidden files of killed jobs that nobody took away

    def __str__(self) -> str:
        count = self.kills.total()
        kinds = ", ".join(f"{number} of {kind}" for kind, number in sorted(self.kills.items()))
        lines = [
            f"{count} kills ({kinds}) in {self.rounds} rounds of {self.files} files",
            f"lost: {len(self.lost) or 'nothing'}",
            *(f"  {each}" for each in self.lost),
            (
                f"done twice: {self.repeated_work:.0f} s of ended jobs {dict(self.repeated_jobs) or ''}, at most "
                f"{self.killed_work:.0f} s of killed ones; a round takes {self.undisturbed:.0f} s of jobs"
            ),
            f"processes counted after {self.counted} kills; tables of the future refused {self.skewed} times",
            f"hidden files left: {len(self.leftovers) or 'none'}",
            *(f"  {each}" for each in self.leftovers),
        ]
        return "\n".join(lines)


class Campaign:
    """Kills at moments of a seed. undisturbed: has run to its end. killed: the same study elsewhere.

    retried: share of the runs that go on where a job was killed. told: is handed the report whenever there is news.
    longest: seconds after which a run is killed at the latest, mostly from its first job on. kinds: of killing.KINDS,
    and OF_DISKS where the killed study is on one.
    """

    def __init__(
        self,
        undisturbed: Runs,
        killed: Runs,
        seed: int,
        longest: float,
        kinds: Sequence[str] = tuple(KINDS),
        retried: float = 0.2,
        told: Callable[[Report], None] = lambda report: None,
    ):
        self.retried, self.told = retried, told
        self.undisturbed, self.killed = undisturbed, killed
        self._faults = {kind: {**KINDS, **OF_DISKS}[kind] for kind in kinds}
        self._orphans: set[int] = set()  # processes whose Snakemake was killed alone
        self.chance, self.longest, self.kinds = random.Random(seed), longest, kinds
        self._told_how_to_unlock = False
        self.report = Report(files=len(comparison.files(undisturbed.results)))
        self.report.undisturbed = sum(seconds for _, seconds in ended_jobs(undisturbed.results).values())

    def run(self, kills: int, minutes: float = float("inf")) -> Report:
        """Whole rounds, until there were so many kills or so many minutes are over."""
        self._deadline = time.monotonic() + 60 * minutes
        try:
            while self._goes_on(kills):
                self._round(kills)
        finally:
            self.killed.end()
        return self.report

    def _goes_on(self, kills: int) -> bool:
        return self.report.kills.total() < kills and time.monotonic() < self._deadline

    def _round(self, kills: int) -> None:
        """From nothing to the end, with kills as long as there are any left and the study is not finished."""
        self.killed.begin_anew()
        ended: dict[str, tuple[int, float]] = {}
        finished = False
        while not finished:
            self._unlock()
            if not self._goes_on(kills):
                finished = self._ended(self.killed.start().wait())
            elif self.chance.random() < self.retried:
                finished = self._kill_retried(self.killed.start("--retries", "1000"), kills)
            else:
                finished = self._kill(self.killed.start())
            self._count_repeated(ended)
            self.told(self.report)
        self.report.rounds += 1
        self.look_at_the_end()
        self.told(self.report)

    def _unlock(self) -> None:
        """As docs/clusters.md says; the first time, that a user without that page would be told so, too."""
        if not self.killed.is_locked:
            return
        if not self._told_how_to_unlock:
            self._told_how_to_unlock = True
            code = self.killed.start().wait()
            said = self.killed.said.read_text()
            if code == 0 or "Directory cannot be locked" not in said or "--unlock" not in said:
                self.report.lost.append(f"a locked folder, but not a word about --unlock: {said[-400:]}")
            self.killed.finish("--unlock")
        else:  # which does just this
            shutil.rmtree(self.killed.folder / ".snakemake/locks")

    def _kill(self, main: subprocess.Popen) -> bool:
        """Whether the study was finished before the moment came."""
        if self._ended_before(main, self.longest):
            return self._ended(main.returncode)
        kind = self.chance.choice(self.kinds)
        self._do(kind, self._faults[kind], main)
        said = self.killed.said.read_text()
        if main.returncode > 0 and SAID.get(kind, "") not in said:
            number = self.report.kills.total()
            self.report.lost.append(f"kill {number} ({kind}): said nothing of it: {said[-2000:]}")
        return main.returncode == 0

    def _kill_retried(self, main: subprocess.Popen, kills: int) -> bool:
        """Processes of jobs, one after the other, of a run that goes on without them, as on a cluster (`retries`); then
        everything. Whether the study was finished before."""
        for _ in range(self.chance.randint(4, 12)):
            if self._ended_before(main, self.longest / 2):
                return self._ended(main.returncode)
            if self.report.kills.total() < kills - 1 and any(map(is_script, self.killed.processes())):
                self._do("retried", kill_process, main)
        self._do("group", kill_group, main)
        return False

    def _ended_before(self, main: subprocess.Popen, longest: float) -> bool:
        """Whether the run ended before a random moment came."""
        planning = self.chance.random() < 0.1  # few kills are spent on that
        while not planning and not self.killed.is_locked and main.poll() is None:
            time.sleep(0.05)
        try:
            main.wait(self.chance.uniform(0, longest))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _do(self, kind: str, fault: Callable, main: subprocess.Popen) -> None:
        """Disturb the run, and look at what is there then."""
        running = self.killed.processes()
        ages = {process.pid: time.time() - process.create_time() for process in running if is_script(process)}
        dead = fault(self.killed, main, self.chance.choice)
        self.report.kills[kind] += 1
        self.report.killed_work += sum(ages.get(process.pid, 0.0) for process in dead)
        number = self.report.kills.total()
        if kind != "retried":
            self._count_processes(kind, {process.pid for process in running})
        for path in comparison.changed(self.killed.results, self.undisturbed.results):
            self.report.lost.append(f"kill {number} ({kind}): {path} is there and is not what it should be")
        print(f"kill {number}: {kind}, {len(comparison.files(self.killed.results))} files whole", file=sys.stderr)

    def _count_processes(self, kind: str, running: set[int]) -> None:
        """Nothing outlives its job. Jobs whose Snakemake was killed alone go on, and end by themselves."""
        if kind == "main":
            self._orphans |= running
            return
        self.report.counted += 1
        number = self.report.kills.total()
        left = self.killed.left(PATIENCE, but=self._orphans)
        self.report.lost += [f"kill {number} ({kind}), still running: {each}" for each in left]

    def _ended(self, code: int) -> bool:
        """Whether a run that nobody killed came to its end, as it should."""
        if not code:
            return True
        said = self.killed.said.read_text()
        if "clock skew" in said:  # as docs/clusters.md says
            self.report.skewed += 1
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            command = ["find", "results", "-newermt", now, "-exec", "touch", "--date", now, "{}", "+"]
            subprocess.run(command, cwd=self.killed.folder, check=True)
        else:
            self.report.lost.append(f"after kill {self.report.kills.total()} a run failed: {said[-3000:]}")
            if len(self.report.lost) > 20:
                raise RuntimeError(str(self.report))
        return False

    def _count_repeated(self, ended: dict[str, tuple[int, float]]) -> None:
        """Jobs that have ended a second time, by their benchmarks."""
        for path, (when, seconds) in ended_jobs(self.killed.results).items():
            if path in ended and ended[path][0] != when:
                self.report.repeated_work += ended[path][1]
                self.report.repeated_jobs[path.split("/")[0]] += 1
            ended[path] = when, seconds

    def look_at_the_end(self) -> None:
        """Of a round: nothing runs, differs, is missing, is left or is planned."""
        report, killed = self.report, self.killed
        round_ = f"round {report.rounds}"
        report.lost += [f"{round_}, still running: {each}" for each in killed.left(PATIENCE)]
        for path in comparison.differences(killed.results, self.undisturbed.results):
            report.lost.append(f"{round_}: {path} is not as in the undisturbed run")
        report.leftovers += [f"{round_}: {path}" for path in sorted(comparison.hidden(killed.results))]
        if "Nothing to be done" not in killed.finish("--dry-run"):
            report.lost.append(f"{round_}: a finished study plans further jobs")


def ended_jobs(results: Path) -> dict[str, tuple[int, float]]:
    """When (ns) jobs ended and how long (s) they took, by Snakemake's benchmark files."""
    found = {}
    for path in (results / "benchmarks").rglob("*.tsv"):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        if rows:  # written to its end
            seconds = sum(float(row["s"]) for row in rows)
            found[path.relative_to(results / "benchmarks").as_posix()] = path.stat().st_mtime_ns, seconds
    return found


def run_undisturbed(runs: Runs) -> float:
    """Run to the end and return the seconds that it took."""
    began = time.monotonic()
    runs.finish()
    return time.monotonic() - began


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which nothing is killed any more")
    parser.add_argument("--study", type=Path, default=STUDY, help="a --configfile; without it a small one")
    parser.add_argument("--targets", nargs="*", default=[], help="what is made; everything without it")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and of what is killed")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--longest", type=float, help="seconds that a run has at most; a third of an undisturbed one")
    parser.add_argument("--kinds", nargs="*", help=f"of {', '.join([*KINDS, *OF_DISKS])}; all that are possible")
    parser.add_argument("--retried", type=float, default=0.2, help="share of runs that go on where a job was killed")
    parser.add_argument("--disk", action="store_true", help="on a disk of its own, which needs an administrator")
    parser.add_argument("--folder", type=Path, help="is kept, with undisturbed/ in it if that has run; a temporary one")
    parser.add_argument("--report", type=Path, help="a JSON file of what was seen")
    asked = parser.parse_args(arguments)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="filterscope-faults-"))
    study = asked.study.resolve()
    undisturbed, killed = (
        Runs((folder / name).resolve(), study, asked.cores, asked.targets) for name in ("undisturbed", "killed")
    )
    kinds = asked.kinds or [kind for kind in (*KINDS, *OF_DISKS) if kind != ("copy" if asked.disk else None)]
    try:
        if asked.disk:
            killed.disk = Disk(folder / "disk.image", killed.folder)
            killed.disk.make()
        else:
            kinds = [kind for kind in kinds if kind not in OF_DISKS]
        took = run_undisturbed(undisturbed)
        print(f"undisturbed: {took:.0f} s", file=sys.stderr)
        longest = asked.longest or max(10.0, took / 3)
        campaign = Campaign(
            undisturbed, killed, asked.seed, longest, kinds, asked.retried, partial(write, asked.report)
        )
        report = campaign.run(asked.kills, asked.minutes)
    except NoDiskError as error:
        parser.error(f"--disk: {error}")
    finally:
        for runs in (undisturbed, killed):
            runs.end()
        if killed.disk is not None:
            killed.disk.remove()
        if asked.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(report)
    return bool(report.lost)


def write(path: Path | None, report: Report) -> None:
    """The report so far, as JSON, if it has a place."""
    if path is not None:
        path.write_text(json.dumps(vars(report), indent=2))


if __name__ == "__main__":
    sys.exit(main())
