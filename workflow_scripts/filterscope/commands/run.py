"""`filterscope run`: Snakemake, with one line that tells how far the whole study is."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from filterscope.commands import CommandError, check, studies, workflow
from filterscope.commands.progress import Progress, duration

HELP = "run a study: Snakemake with one progress line"
# Arguments of Snakemake with which it prints something and runs no job; its own words are wanted then.
PRINTING = (
    *("-n", "--dry-run", "--dryrun", "-h", "--help", "-v", "--version", "--unlock", "--lint", "--dag", "--rulegraph"),
    *("--filegraph", "-l", "--list", "--list-rules", "--summary", "-S", "--detailed-summary", "-D", "--report"),
    *("--quiet", "-q", "--verbose", "--logger"),
)
# What jobs say besides their logs, such as a crash.
SAID = Path(".snakemake", "log", "jobs.log")
REDRAWN = 0.5  # s between two looks, where a line can be written over
PLAIN = 10.0  # s between two lines, where it cannot
QUIET = 120.0  # s after which such a line comes even if no job has ended
INTERRUPTED = 130  # exit code of a program that Ctrl-C ended


def add(commands) -> None:
    """Add the command's options to the parser's commands."""
    command = commands.add_parser(
        "run",
        help=HELP,
        description=f"{HELP}; what stands after -- goes to Snakemake as it is, and its exit code comes back.",
        usage="%(prog)s [study] [--cores N] [--verbose] [-- SNAKEMAKE ARGUMENTS]",
    )
    command.add_argument("study", nargs="?", help="the study, as my.yaml (default: the embedded one)")
    command.add_argument("--cores", help="cores that jobs may use at once, a number or all (default: all)")
    command.add_argument("--verbose", action="store_true", help="Snakemake's own log, instead of the progress line")
    command.set_defaults(work=run, rest=[])


def run(options: argparse.Namespace) -> int:
    """Run the study; Snakemake's exit code, 1 where the study is wrong."""
    study = studies.read(options.study)
    if study.mistakes:
        print(check.wrong(study), file=sys.stderr)
        return 1
    cores = [] if options.cores is None else ["--cores", str(options.cores)]
    rest = list(options.rest)
    # Targets come first: --configfile would take them for files.
    arguments = [*rest, *cores, *study.arguments]
    again = " ".join(["filterscope run", *([str(options.study)] if options.study else [])])
    if options.verbose or any(each.partition("=")[0] in PRINTING for each in rest):
        return workflow.snakemake(arguments)
    return _watched(arguments, Progress(batch=study.config["activations"]["batch_size"]), again)


def _watched(arguments: list[str], progress: Progress, again: str) -> int:
    with _apart() as (out, err):
        screen = Screen(progress, err)
        shown, sys.stdout = sys.stdout, Above(out, screen)
        try:
            with screen:
                code = workflow.snakemake(arguments, screen.hear)
        except KeyboardInterrupt:
            progress.stopping, code = True, INTERRUPTED
        finally:
            sys.stdout = shown
        for each in _endings(progress, code, again):
            print(each, file=err, flush=True)
    return code


def _endings(progress: Progress, code: int, again: str) -> Iterator[str]:
    """What is said when it is over."""
    if progress.nothing and not code:
        yield "Nothing to do: all results are there."
    if not code:
        return
    if not progress.stopping and not progress.failed:
        yield from (_explained(each, again) for each in progress.errors)
    if progress.stopping or progress.failed:
        how = "Interrupted" if progress.stopping else "Stopped"
        count = len(progress.failed)
        why = "" if progress.stopping else f": {count} job{'s' * (count != 1)} failed"
        yield f"{how}{why}; {progress.done} of {progress.total} jobs are done. `{again}` goes on from there."


def _explained(error: str, again: str) -> str:
    if "LockException" in error or "cannot be locked" in error:
        return (
            "Another run works in this folder, or one was killed here. If none does: "
            f"`{again} -- --unlock`, then `{again}`."
        )
    lines = [line for line in error.splitlines() if line.strip()]
    return "\n".join(lines if len(lines) < 30 else [*lines[:3], "...", *lines[-20:]])


class Screen:
    """Where progress is shown: a line that is written over on a terminal, a line now and then elsewhere.

    >>> with Screen(progress, sys.stderr) as screen:
    ...     workflow.snakemake(arguments, screen.hear)
    """

    def __init__(self, progress: Progress, stream: IO[str]):
        self.progress, self.stream = progress, stream
        self.terminal = stream.isatty()
        self._lock = threading.RLock()
        self._drawn = False
        self._told = (-1, 0.0)  # jobs and time of the last plain line
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._redraw, daemon=True)

    def __enter__(self) -> Screen:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()
        self._thread.join()
        with self._lock:
            self.clear()
            if self.progress.total and self.progress.began is not None:
                took = duration(time.time() - self.progress.began)
                self._write(f"{self.progress.done} of {self.progress.total} jobs | took {took}\n")

    def hear(self, record) -> None:
        """Take in what Snakemake logs."""
        with self._lock:
            said = self.progress.note(record)
            if said:
                self.clear()
                self._write(f"{said}\n")

    def clear(self) -> None:
        """Make room for other words."""
        with self._lock:
            if self._drawn:
                self._write("\r\033[K")
                self._drawn = False

    def _redraw(self) -> None:
        while not self._over.wait(REDRAWN):
            with self._lock:
                self._draw(time.time())

    def _draw(self, now: float) -> None:
        line = self.progress.line(now)
        if self.terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\033[K{line if len(line) <= width else line[: max(width - 1, 1)] + '…'}")
            self._drawn = True
            return
        done, told = self._told
        if not self.progress.total or now - told < (PLAIN if self.progress.done != done else QUIET):
            return
        self._told = (self.progress.done, now)
        self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more; the study goes on
            self.stream.write(text)
            self.stream.flush()


class Above:
    """Standard output while a line is drawn below it."""

    def __init__(self, stream: IO[str], screen: Screen):
        self._stream, self._screen = stream, screen

    def write(self, text: str) -> int:
        with self._screen._lock:
            self._screen.clear()
            return self._stream.write(text)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


@contextlib.contextmanager
def _apart() -> Iterator[tuple[IO[str], IO[str]]]:
    """Streams to standard output and error as they were; what jobs, which inherit both, write goes to the file SAID.

    It would break the line; all that jobs have to say is in their own logs, too.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        SAID.parent.mkdir(parents=True, exist_ok=True)
        SAID.touch()
    except OSError as error:
        raise CommandError(
            f"{Path.cwd()}: nothing can be written here ({error.strerror}), and results would be"
        ) from None
    kept = os.dup(1), os.dup(2)
    try:
        with (
            os.fdopen(os.dup(kept[0]), "w", buffering=1) as out,
            os.fdopen(os.dup(kept[1]), "w", buffering=1) as err,
            SAID.open("wb") as said,
        ):
            for number in (1, 2):
                os.dup2(said.fileno(), number)
            try:
                yield out, err
            finally:
                sys.stderr.flush()
                for number, each in zip((1, 2), kept, strict=True):
                    os.dup2(each, number)
    finally:
        for each in kept:
            os.close(each)
