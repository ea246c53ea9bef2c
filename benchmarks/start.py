"""What do the jobs of the embedded study spend on starting: CPU seconds of importing their scripts, by rule?

Each script is imported as its job imports it, in a process of its own, without running it; what it imports only where
it uses it is left out. Given what `/usr/bin/time -v -o FILE snakemake` has written of a whole run, the table also says
what share of its CPU seconds that is. (The CPU seconds in Snakemake's benchmarks are samples: of a job of two seconds
they miss a third, of a shorter one all.)
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
REPEATS = 3
RULE = re.compile(r"^rule (\w+):(?:(?!^\S).*\n)*?    script:\n\s+\"([^\"]+)\"", re.MULTILINE)
INHERITED = re.compile(r"^use rule (\w+) as (\w+) with:", re.MULTILINE)


def scripts() -> dict[str, Path]:
    """Script of every rule."""
    found = {}
    texts = {path: path.read_text() for path in sorted(REPOSITORY.glob("rules/**/*.smk"))}
    for path, text in texts.items():
        found |= {rule: (path.parent / script).resolve() for rule, script in RULE.findall(text)}
    for text in texts.values():
        for parent, rule in INHERITED.findall(text):  # in their order: a parent may have inherited its own
            found[rule] = found[parent]
    return found


def jobs() -> dict[str, int]:
    """Number of jobs of every rule in the embedded study."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--quiet", "rules"]
    told = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    found = re.findall(r"^(\w+) +(\d+)$", told.stdout + told.stderr, re.MULTILINE)
    return {rule: int(count) for rule, count in found if rule not in ("all", "total")}


def cpu_seconds(*arguments: str) -> float:
    """User and system time of one fresh Python."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow_scripts")}
    process = subprocess.Popen([sys.executable, *arguments], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def importing(script: Path) -> float:
    """Median CPU seconds of importing a script."""
    program = f"import runpy; __file__ = {str(script)!r}; runpy.run_path(__file__, run_name='script')"
    return statistics.median(cpu_seconds("-c", program) for _ in range(REPEATS))


def spent(told: Path) -> float:
    """CPU seconds of a whole run, Snakemake's own among them, from GNU time's file."""
    found = re.findall(r"^\s*(?:User|System) time \(seconds\): ([\d.]+)$", told.read_text(), re.MULTILINE)
    if len(found) != 2:
        raise ValueError(f"{told} is not what /usr/bin/time -v writes: it has no user and system time")
    return sum(map(float, found))


def main(told: str | None = None) -> None:
    """Print the table, the dearest rule first."""
    script_of, seconds = scripts(), {}
    lines = []
    for rule, count in jobs().items():
        script = script_of[rule]
        if script not in seconds:
            seconds[script] = importing(script)
        lines.append((rule, count, seconds[script], count * seconds[script]))
    print("| rule | jobs | CPU s of its imports | of all its jobs |\n|---|---|---|---|")
    for rule, count, one, together in sorted(lines, key=lambda line: -line[3]):
        print(f"| {rule} | {count} | {one:.2f} | {together:.1f} |")
    count, total = sum(line[1] for line in lines), sum(line[3] for line in lines)
    share = "" if told is None else f", {total / spent(Path(told)):.1%} of the study's CPU seconds"
    print(f"\n{count} jobs, {total:.0f} CPU s of imports{share}")


if __name__ == "__main__":
    main(*sys.argv[1:])
