"""How far a study is, from what Snakemake logs: one line, and the cause of whatever failed."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import LogRecord

# What `job.progress` writes into a job's log every ten seconds, and of how many photographs one of its units is, where
# it is of photographs at all; batches are as large as the study says.
STEP = re.compile(r"^(\d\d):(\d\d):(\d\d) (.+): (\d+)(?: of (\d+))?$", re.MULTILINE)
BATCHES, SINGLE = ("batches of images",), ("reading pictures", "drawing scenes")
# What `job.log_to` writes where a job ends by an error.
CAUSE = re.compile(
    r"^\d\d:\d\d:\d\d ((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit|Iteration): .*(?:(?<=:)\n.+)?)$", re.MULTILINE
)
TAIL = 4096  # bytes of a log that its last steps stand in
DAY = 86400  # s
# Finished jobs from which the time that is left is told.
FEWEST = 3


@dataclass
class Running:
    """A job that has begun. since: Unix time, s."""

    rule: str
    said: str
    logs: list[Path]
    since: float


@dataclass
class Progress:
    """The state of a run. batch: pictures in a batch of the study."""

    batch: int = 32
    planned: Counter = field(default_factory=Counter)  # jobs by rule
    running: dict[int, Running] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)  # what is said of each
    errors: list[str] = field(default_factory=list)  # of the workflow, not of a job
    done: int = 0
    total: int = 0
    stopping: bool = False
    nothing: bool = False  # to be done
    began: float | None = None
    _seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def note(self, record: LogRecord) -> str | None:
        """Take in what Snakemake logs; a line that must stay, where there is one."""
        event = str(getattr(record, "event", None) or "")
        known = getattr(self, f"_{event}", None)
        if known is not None:
            return known(record)
        said = str(record.msg or "")
        if said.startswith("Nothing to be done"):
            self.nothing = True
        elif said.startswith("Terminating processes"):
            self.stopping = True
            return "stopping: running jobs are ended"
        elif said.startswith("Trying to restart job"):
            number = int(re.findall(r"\d+", said)[0])
            return f"it is tried again: {self.failed.pop(number, 'a job').partition(': ')[0]}"
        elif record.levelno >= 40 and said.strip() and not self.failed:
            self.errors.append(said.strip())
        return None

    def _run_info(self, record) -> None:
        stats = dict(record.stats)
        self.total = max(self.total, stats.pop("total", 0))
        self.planned = Counter(stats)

    def _job_info(self, record) -> None:
        self.began = record.created if self.began is None else self.began
        said = record.rule_msg or record.rule_name
        self.running[record.jobid] = Running(record.rule_name, said, [*map(Path, record.log)], record.created)

    def _job_finished(self, record) -> None:
        ended = self.running.pop(record.job_id, None)
        self.failed.pop(record.job_id, None)
        if ended is not None:
            self._seconds[ended.rule].append(record.created - ended.since)

    def _progress(self, record) -> None:
        self.done, self.total = record.done, record.total

    def _job_error(self, record) -> str | None:
        if self.stopping:  # its jobs are ended, which is no failure of theirs
            self.running.pop(record.jobid, None)
            return None
        if record.jobid in self.failed:  # Snakemake tells some errors twice
            return None
        job = self.running.pop(record.jobid, None)
        said = job.said if job else record.rule_name
        logs = [*map(Path, record.log)]
        where = f"; log: {logs[0].absolute()}" if logs else ""
        self.failed[record.jobid] = f"{said}: {cause(logs)}{where}"
        return f"failed: {self.failed[record.jobid]}"

    def _error(self, record) -> None:
        said = str(record.msg or "").strip()
        if said and not self.failed and not self.running:
            self.errors.append(said)

    def left(self, now: float) -> float | None:
        """Seconds that are left, from those of finished jobs; None where these are too few to tell.

        A rule of which no job is finished yet counts as the mean of those that are; as many go on side by side as did.
        """
        finished = [each for seconds in self._seconds.values() for each in seconds]
        if len(finished) < FEWEST or self.began is None or now <= self.began:
            return None
        typical = {rule: sum(each) / len(each) for rule, each in self._seconds.items()}
        mean = sum(finished) / len(finished)
        waiting = self.planned - Counter({rule: len(each) for rule, each in self._seconds.items()})
        to_do = sum(typical.get(rule, mean) * count for rule, count in waiting.items())
        spent = [(now - job.since, typical.get(job.rule, mean)) for job in self.running.values()]
        to_do -= sum(min(pair) for pair in spent)
        worked = sum(finished) + sum(each for each, _ in spent)
        return max(to_do, 0.0) * (now - self.began) / worked if worked else None

    def rate(self) -> float | None:
        """Photographs a second, of all running jobs whose logs tell it; None where none does."""
        rates = [found for job in self.running.values() if (found := self._rate(job.logs)) is not None]
        return sum(rates) if rates else None

    def _rate(self, logs: Iterable[Path]) -> float | None:
        steps = [step for step in _steps(logs) if step[1] in (*BATCHES, *SINGLE)]
        if len(steps) < 2 or steps[-1][1] != steps[-2][1]:
            return None
        (before, _, first, _), (now, title, last, _) = steps[-2:]
        seconds, count = (now - before) % DAY, last - first
        return count * (self.batch if title in BATCHES else 1) / seconds if seconds and count > 0 else None

    def line(self, now: float) -> str:
        """How far it is: jobs, what runs, photographs a second, time that is left."""
        if not self.total:
            return "planning"
        parts = [f"{self.done} of {self.total} jobs"]
        if self.running:
            newest = max(self.running.values(), key=lambda job: job.since)
            steps = _steps(newest.logs)
            share = f", {steps[-1][1]} {steps[-1][2]} of {steps[-1][3]}" if steps and steps[-1][3] else ""
            others = f" and {len(self.running) - 1} more" if len(self.running) > 1 else ""
            parts.append(f"{newest.said}{share}{others}")
        if (rate := self.rate()) is not None:
            parts.append(f"{rate:.0f} photographs/s" if rate >= 10 else f"{rate:.1f} photographs/s")
        if (left := self.left(now)) is not None and self.done < self.total:
            parts.append(f"about {duration(left)} left")
        return " | ".join(parts)


def _steps(logs: Iterable[Path]) -> list[tuple[int, str, int, int | None]]:
    """The last steps in a job's log: second of the day, title, count and total."""
    for path in logs:
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - TAIL))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            continue
        return [
            (int(hour) * 3600 + int(minute) * 60 + int(second), title, int(count), int(total) if total else None)
            for hour, minute, second, title, count, total in STEP.findall(text)
        ]
    return []


def cause(logs: Iterable[Path]) -> str:
    """Why a job failed, in one line, as its log tells."""
    for path in logs:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if found := CAUSE.findall(text):
            return " ".join(found[-1].split())
        if lines := [line.strip() for line in text.splitlines() if line.strip()]:
            return f"it ended without an error of its own, as a killed job does (out of memory?), after “{lines[-1]}”"
    return "it ended before it wrote a log"


def duration(seconds: float) -> str:
    """In the two largest units: 40 s, 12 min, 3 h 5 min, 2 d 4 h."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
