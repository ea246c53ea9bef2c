"""Why jobs failed, a line each, with the log that says so: the last words of a run that did not finish."""

from __future__ import annotations

import re
from pathlib import Path

# What Slurm says of jobs that it ended, in their log or as their state.
ENDED = {
    r"DUE TO TIME LIMIT|'TIMEOUT'": "took longer than it had asked for (`runtime`)",
    r"oom.kill|Out Of Memory|'OUT_OF_MEMORY'": "wanted more memory than it had asked for (`mem_mb`)",
    r"NODE FAILURE|'NODE_FAIL'": "its node failed",
    r"CANCELLED AT|'CANCELLED'": "was cancelled",
}
ERROR = re.compile(r"^(?:\d\d:\d\d:\d\d )?((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Warning as error)\w*\b.*)")


def causes(path_to_log: str | Path) -> str:
    """A line for every job that failed for good, from Snakemake's own log of a run: rule, cause, log."""
    failed = {}
    for block in re.split(r"\n(?=\S)", Path(path_to_log).read_text(errors="replace")):
        if found := re.match(r"(?:\[.*\]\n)?Error in (rule|group) (\S+?):?\n", block):
            for rule, logs in _jobs(found[2], block):
                failed[rule, tuple(logs)] = _cause(logs, block)
    lines = [f"  {rule}: {cause}" for (rule, _), cause in failed.items() if cause]
    return "\n".join(["What failed, and the log that says so:", *lines]) if lines else ""


def _jobs(name: str, block: str) -> list[tuple[str, list[str]]]:
    """Rules and logs of the jobs that a complaint is about: one, or those of a group."""
    members = re.split(r"\n\s+rule (\w+):\n", block)
    pairs = zip(members[1::2], members[2::2], strict=True) if len(members) > 1 else [(name, block)]
    return [(rule, re.findall(r"^\s+log: (\S+?),? ", text + " ", re.MULTILINE)) for rule, text in pairs]


def _cause(logs: list[str], block: str) -> str | None:
    """The cause by the job's own log, or by what Slurm says; None for a member of a group that did not fail."""
    for log in logs:
        if said := _last_error(log):
            return f"{said} ({log})"
    slurm = re.findall(r"\S*slurm_logs/\S+?\.log", block)
    text = block + "".join(Path(log).read_text(errors="replace") for log in slurm if Path(log).is_file())
    for sign, meaning in ENDED.items():
        if re.search(sign, text):
            return f"{meaning} ({', '.join(slurm[:1] or logs)})"
    return None


def _last_error(log: str) -> str | None:
    try:
        lines = Path(log).read_text(errors="replace").splitlines()
    except OSError:
        return None
    found = [match[1] for match in map(ERROR.match, lines) if match]
    return found[-1] if found else None
