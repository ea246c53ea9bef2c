"""`filterscope check`: what is wrong with a study, or what would run, be downloaded, take and fill.

Nothing is computed, and nothing downloaded but the config of a network of Hugging Face's.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filterscope.commands import costs, studies, workflow
from filterscope.commands.costs import Layer
from filterscope.commands.progress import duration
from filterscope.commands.studies import Study

if TYPE_CHECKING:
    from logging import LogRecord

HELP = "say what is wrong with a study, or what would run, for how long and on how much disk"
NAMED = 3  # rules of a room that are named, those with most jobs


def add(commands) -> None:
    """Add the command's options to the parser's commands."""
    command = commands.add_parser(
        "check",
        help=HELP,
        description=f"{HELP}; nothing is computed, and nothing downloaded but the config of a Hugging Face network.",
    )
    command.add_argument("study", nargs="?", help="the study, as my.yaml (default: the embedded one)")
    command.add_argument("--cores", type=int, help="cores that the time is told for (default: those of this machine)")
    command.set_defaults(work=check)


def wrong(study: Study) -> str:
    """What is wrong with a study, for people."""
    count = len(study.mistakes)
    head = f"{study.path or 'config.yaml'}: {count} thing{'s' * (count != 1)} to put right"
    return "\n".join([f"{head}:", *(f"  - {each}" for each in study.mistakes)])


def check(options: argparse.Namespace) -> int:
    """Tell of the study; 0 where it could run, else 1."""
    study = studies.read(options.study)
    found = None
    if not study.mistakes:
        from filterscope.commands import findings  # torch takes seconds to load

        found = findings.look(study)
        study.mistakes.extend(found.mistakes)
    if study.mistakes:
        print(wrong(study))
        return 1
    plan = planned(study)
    if plan.errors:
        print(f"{study.path or 'config.yaml'}: Snakemake cannot plan it:")
        print("\n".join(plan.errors))
        return 1
    print("\n".join(told(study, plan, options.cores or os.cpu_count() or 1, found.layers)))
    return 0


@dataclass
class Plan:
    """Jobs that would run, as (rule, wildcards), and what Snakemake found wrong."""

    jobs: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, record: LogRecord) -> None:
        """Take in what Snakemake logs while it plans."""
        event = str(getattr(record, "event", None) or "")
        if event == "job_info":
            self.jobs.append((record.rule_name, dict(record.wildcards or {})))
        elif record.levelno >= 40 and str(record.msg or "").strip():
            self.errors.append(str(record.msg).strip())


def planned(study: Study) -> Plan:
    """What Snakemake would do for the study in the current folder."""
    plan = Plan()
    with contextlib.redirect_stderr(io.StringIO()):  # it tells of its profile
        code = workflow.snakemake(["--dry-run", "--cores", "1", "--nolock", *study.arguments], plan.note)
    if code and not plan.errors:
        plan.errors.append(f"it ended with exit code {code} and did not say why; `snakemake -n` may")
    return plan


def by_layer(jobs: Iterable[tuple[str, dict[str, str]]], config: Mapping) -> Iterator[tuple[str, dict[str, str]]]:
    """The jobs, with one for every layer in the place of those that read all layers of a probe in one pass."""
    for rule, names in jobs:
        base, group = workflow.shared(rule)
        own = [probe for probe in config["probes"] if group and probe.startswith(f"{group}.")]
        shared = {costs.SHARED: str(len(own))}
        yield from [(base, {**names, "probe": probe, **shared}) for probe in own] if own else [(rule, names)]


def told(study: Study, plan: Plan, cores: int, layers: Mapping[str, Layer]) -> list[str]:
    """The report on a study that could run, line by line. layers: by probe, where they are known."""
    found = workflow.by_room(rule for rule, _ in plan.jobs)
    jobs = {room: rules for room, rules in found.items() if room != workflow.OTHERS}
    found = [f"{study.path or 'config.yaml'}: nothing is wrong with it ({study.config['title']})."]
    count = sum(map(Counter.total, jobs.values()))
    if not count:
        return [*found, "Nothing would run: all results are there. `filterscope open` shows them."]
    found += [f"{count} jobs would run:", *(f"  {room:<12} {_rules(rules)}" for room, rules in jobs.items())]
    layerwise = list(by_layer(plan.jobs, study.config))
    downloads = costs.downloads(study.config, layerwise)
    if downloads:
        known = sum(each.bytes or 0 for each in downloads)
        found.append(f"To be downloaded: {costs.size(known) if known else 'nobody says how much'}")
        found += [f"  {each}" for each in downloads]
    else:
        found.append("To be downloaded: nothing.")
    time = costs.time(study.config, layerwise, Path("results"), cores, layers)
    found.append(f"Time: about {duration(time.seconds)} on {cores} cores without a GPU, downloads aside; {time.basis}.")
    disk = costs.disk(study.config, layerwise, downloads, layers)
    free = shutil.disk_usage(Path.cwd()).free
    short = f"; {'only ' if disk.bytes > free else ''}{costs.size(free)} are free here"
    found.append(f"Disk: about {costs.size(disk.bytes)}{short}; {disk.basis}.")
    return found


def _rules(rules: Counter) -> str:
    most = [f"{name} ({count})" if count > 1 else name for name, count in rules.most_common(NAMED)]
    more = len(rules) - len(most)
    others = f" and {more} other{'s' * (more != 1)}" if more else ""
    return f"{rules.total():>4}  {', '.join(most)}{others}"
