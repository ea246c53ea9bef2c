"""A Slurm of one machine: the commands that Snakemake's executor calls, for real jobs without a cluster."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

# Every command notes how it was called. Jobs run at once; their states are files.
PRELUDE = """#!{python}
import os, pathlib, subprocess, sys
home = pathlib.Path({home!r})
name, arguments = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
with open(home / "calls", "a") as calls:
    calls.write(" ".join([name, *arguments]).replace("\\n", " ") + "\\n")
"""
COMMANDS = {
    "sbatch": """
options = dict(zip(arguments, arguments[1:]))
command = next(each.removeprefix("--wrap=") for each in arguments if each.startswith("--wrap="))
number = 1 + len(list(home.glob("*.state")))
state = home / f"{number}.state"
state.write_text("RUNNING")
log = pathlib.Path(options["--output"].replace("%j", str(number)))
if os.fork() == 0:
    os.setsid()
    environment = {**os.environ, "SLURM_JOB_ID": str(number)}
    with open(log, "wb") as output:
        done = subprocess.run(
            command, shell=True, cwd=options["-D"], env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output,
        )
    state.write_text("FAILED" if done.returncode else "COMPLETED")
    os._exit(0)
print(number)
""",
    "srun": """
while arguments[0].startswith("-"):
    arguments.pop(0)
os.execvp(arguments[0], arguments)
""",
    "sacct": """
for state in home.glob("*.state"):
    print(f"{state.stem}|{state.read_text()}")
""",
    "squeue": "",
    "sacctmgr": "print('tests')",
    "sinfo": """
asked = arguments[-1].removeprefix("--format=")
print({"%c|%m|%G": "8|64000|gpu:2", "%c %m": "8 64000"}.get(asked, "PARTITION\\nbatch*"))
""",
    "scontrol": "print('MinJobAge = 300 sec')",
    "scancel": "",
}


class Slurm:
    """Where the pretended commands lie, and what they were asked."""

    def __init__(self, home: Path):
        self.home = home
        for name, body in COMMANDS.items():
            path = home / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(PRELUDE.format(python=sys.executable, home=str(home)) + body)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def submissions(self) -> dict[str, str]:
        """How sbatch was called, by the rule that the job's comment names."""
        calls = [line for line in (self.home / "calls").read_text().splitlines() if line.startswith("sbatch ")]
        return {call.partition("--comment rule_")[2].split()[0].partition("_wildcards")[0]: call for call in calls}


@pytest.fixture
def slurm(tmp_path_factory) -> Slurm:
    """A cluster that is this machine."""
    return Slurm(tmp_path_factory.mktemp("slurm"))
