"""Snakemake, started as a fork of a process that has imported it: a third of the work of a plan is that import.

What runs is the program itself, in a folder, an environment and a process of its own. Tests that are about processes
(tests/faults, tests/workflow/test_running.py, test_front_door.py) start it as users do.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn


@functools.cache
def _server() -> subprocess.Popen:
    """The process that is forked, one of a test process; it ends with that."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    atexit.register(process.communicate)
    return process


def snakemake(
    arguments: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    largest_file: int = resource.RLIM_INFINITY,
) -> tuple[int, str]:
    """Run `snakemake arguments` in this folder; its exit status and what it said.

    largest_file: bytes beyond which neither it nor its jobs can write a file.
    """
    server = _server()
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace", suffix=".txt") as said:
        asked = {"arguments": arguments, "directory": str(directory), "environment": dict(environment)}
        asked["largest_file"] = largest_file
        try:
            server.stdin.write(json.dumps({**asked, "said": said.name}) + "\n")
            server.stdin.flush()
            status = int(server.stdout.readline())
        except BaseException:  # the test has taken too long: what it began ends, and the next begins anew
            os.killpg(server.pid, signal.SIGKILL)
            _server.cache_clear()
            raise
        return status, said.read()


def _serve() -> None:
    import snakemake.cli  # noqa: F401  what takes a second

    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(arguments: list[str], directory: str, environment: dict[str, str], largest_file: int, said: str) -> NoReturn:
    """As `python -m snakemake` does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    for target, place, how in ((0, os.devnull, os.O_RDONLY), (1, said, os.O_WRONLY | os.O_APPEND)):
        opened = os.open(place, how)
        os.dup2(opened, target)
        os.close(opened)
    os.dup2(1, 2)
    sys.path[0:1] = [directory, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = ["snakemake", *arguments]
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _serve()
