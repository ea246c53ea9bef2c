"""Why jobs failed, a line each, with the log that says so: the last words of a run that did not finish."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# What Slurm says of jobs that it ended, in their log or as their state.
ENDED = {
    r"DUE TO TIME LIMIT|'TIMEOUT'": "took longer than it had asked for (`runtime`)",
    r"oom.kill|Out Of Memory|'OUT_OF_MEMORY'": "wanted more memory than it had asked for (`mem_mb`)",
    r"NODE FAILURE|'NODE_FAIL'": "its node failed",
    r"CANCELLED AT|'CANCELLED'": "was cancelled",
}
ERROR = re.compile(r"(?:\d\d:\d\d:\d\d )?(?:\w+\.)*(\w*(?:Error|Exception|Interrupt)\b.*)")
BEGUN = re.compile(r"\s*(?:message: )?(?:Error in (rule|group) (\w+)|(rule) (\w+)):?\s*$")
# What Snakemake says of a job on this machine, just before it names its rule.
EXITED = re.compile(r"Command '.*' (?:died with <Signals\.(\w+): \d+>|returned non-zero exit status (\d+))\.$")
KILLED = 128  # and the signal's number: a shell's exit status
REFUSED = re.compile(r"sbatch failed\. The error message was '(.*)'")


@dataclass
class _Complaint:
    """What Snakemake says about a job or a group that failed."""

    kind: str
    name: str
    exited: str = ""  # how its process ended, where nothing else is known
    jobs: set[str] = field(default_factory=set)
    logs: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def cause(self) -> str | None:
        """By the job's own log, or by what Slurm says of it, or by how its process ended."""
        for log in self.logs:
            if "slurm_logs" not in log and (said := _last_error(log)):
                return f"{said} ({log})"
        if refused := REFUSED.search("\n".join(self.lines)):
            return f"was refused by Slurm: {refused[1]}"
        slurm = [log for log in self.logs if "slurm_logs" in log]
        text = "\n".join([*self.lines, *(_text(log) for log in slurm)])
        for sign, meaning in ENDED.items():
            if re.search(sign, text):
                return f"{meaning} ({', '.join(slurm or self.logs)})"
        return f"{self.exited} ({', '.join(self.logs)})" if self.exited else None


def causes(paths_to_logs: Iterable[str | Path]) -> str:
    """A line for every job that failed for good, from Snakemake's own logs of a run: rule, cause, log.

    Of a group that Slurm ended there is one line, with the group's name. Nothing where no cause is found.
    """
    complaints, finished = _complaints("\n".join(map(_text, paths_to_logs)))
    found = {}
    for each in complaints:
        if not each.jobs & finished and (cause := each.cause()):
            found[f"  {each.name}: {cause}"] = None
    return "\n".join(["What failed, and the log that says so:", *found]) if found else ""


def _complaints(text: str) -> tuple[list[_Complaint], set[str]]:
    """In the order of the log, and the numbers of the jobs that have finished in the end."""
    complaints, finished, group, exited = [], set(), None, ""
    for line in text.splitlines():
        if said := EXITED.match(line):
            exited = _ended(*said.groups())
        elif begun := BEGUN.match(line):
            complaints.append(_Complaint(begun[1] or begun[3], begun[2] or begun[4], exited))
            exited = ""
            if complaints[-1].kind == "group":
                group = complaints[-1]
            elif not line.startswith(" "):
                group = None
        elif done := re.match(r"Finished jobid: (\d+)", line):
            finished.add(done[1])
        elif complaints and line.startswith(" "):
            last = complaints[-1]
            last.lines.append(line)
            if said := re.match(r"\s+jobid: (\d+)", line):
                last.jobs.add(said[1])
                if group:
                    group.jobs.add(said[1])
            elif said := re.match(r"\s+log: (.*?)(?: \(check log|$)", line):
                last.logs += said[1].split(", ")
    return complaints, finished


def _ended(signal_name: str | None, status: str | None) -> str:
    """How a process ended, in words, by the name of a signal or its exit status."""
    if status:
        signal_name = {KILLED + each.value: each.name for each in signal.Signals}.get(int(status))
    if signal_name == "SIGKILL":
        return "was killed, as where memory runs out"
    if signal_name:
        return f"was ended by {signal_name}"
    return f"ended with status {status} and an empty log: the reason stands above, before its name"


def _last_error(log: str) -> str | None:
    found = [match[1] for match in map(ERROR.match, _text(log).splitlines()) if match]
    return found[-1] if found else None


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
