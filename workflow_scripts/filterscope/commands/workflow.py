"""Where the workflow lies that belongs to this library, and how Snakemake is run on it with other ears than its own.

A clone, and an installation that is editable, have it two folders above the library; a wheel carries a copy of it, with
the library, in `filterscope/workflow` (setup.py). The library that runs is always the one beside the workflow, so that
jobs and commands never are of two versions.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

from filterscope.commands import CommandError

if TYPE_CHECKING:
    from logging import LogRecord

LIBRARY = Path(__file__).resolve().parents[1]
LOGGER = "filterscope"  # name of the logger plugin
# How files of rules name a rule; `use rule a as b` makes b.
RULE = re.compile(r"^(?:use rule \w+ as|rule) (\w+)", re.MULTILINE)
# Rules that only gather what others make.
OTHERS = "targets"
# Rules of which a probe of several layers has its own, named after it: extract_activations_resnet for resnet.layer4, ….
SHARED = ("extract_activations", "extract_untrained_activations", "extract_answers", "score_random_network")


@cache
def root() -> Path:
    """The folder with the Snakefile. Raises CommandError where there is none."""
    places = (LIBRARY.parents[1], LIBRARY / "workflow")
    for place in places:
        if (place / "Snakefile").is_file() and (place / "rules" / "config.schema.yaml").is_file():
            return place
    looked = " and ".join(map(str, places))
    raise CommandError(
        f"there is no workflow beside the library (looked in {looked}): install it from a clone, or anew"
    )


def path_to_schema() -> Path:
    """The schema of studies."""
    return root() / "rules" / "config.schema.yaml"


@cache
def configuration() -> ModuleType:
    """The package that checks studies; it belongs to the workflow, not to the library."""
    scripts = str(root() / "workflow_scripts")
    if scripts not in sys.path:
        sys.path.append(scripts)  # last: the library that runs is there already
    return importlib.import_module("configuration")


def rooms() -> dict[str, str]:
    """By rule, the room that it is in."""
    found = {}
    for path in sorted((root() / "rules").rglob("*.smk")):
        room = path.relative_to(root() / "rules").parts[0].removesuffix(".smk")
        found |= dict.fromkeys(RULE.findall(path.read_text(encoding="utf-8")), room)
    return found


def shared(rule: str) -> tuple[str, str | None]:
    """The rule that one for all layers of a probe stands for, and that probe; the rule itself and None for others."""
    base = next((each for each in SHARED if rule.startswith(f"{each}_")), None)
    return (base, rule.removeprefix(f"{base}_")) if base else (rule, None)


def by_room(jobs: Iterable[str]) -> dict[str, Counter]:
    """Jobs, by their rules' names, counted by room and rule, in the order of the Snakefile."""
    room_of, found = rooms(), {}
    order = re.findall(
        r'^include: "rules/(\w+)\.smk"', (root() / "Snakefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    for rule in (shared(job)[0] for job in jobs):
        found.setdefault(room_of.get(rule, OTHERS), Counter())[rule] += 1
    return {room: found[room] for room in sorted(found, key=lambda each: (*order, each).index(each))}


def snakemake(arguments: Iterable[str], hear: Callable[[LogRecord], None] | None = None) -> int:
    """Run Snakemake on the workflow in the current folder; its exit code.

    hear: called with every record that Snakemake logs, in a thread of its own, instead of what it would print; by its
    interface for logger plugins. Its log file in .snakemake/log stays as it is. KeyboardInterrupt comes through where
    Snakemake has not begun to run jobs.
    """
    from snakemake.cli import main

    own = ["--snakefile", str(root() / "Snakefile")]
    if hear is not None:
        _register(hear)
        own.append(f"--logger={LOGGER}")  # as two words it would take what follows for loggers
    try:
        main([*own, *arguments])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _register(hear: Callable[[LogRecord], None]) -> None:
    """Make these ears Snakemake's logger plugin of this process."""
    from snakemake_interface_logger_plugins.base import LogHandlerBase
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    class Ears(LogHandlerBase):
        writes_to_stream, writes_to_file, needs_rulegraph = True, False, False
        has_filter = has_formatter = True

        def emit(self, record: LogRecord) -> None:
            try:
                hear(record)
            except Exception:  # a message lost must not stop the study
                self.handleError(record)

    registry = LoggerPluginRegistry()
    registry.plugins.pop(LOGGER, None)
    registry.register_plugin(LOGGER, SimpleNamespace(LogHandler=Ears))
