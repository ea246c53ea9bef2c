"""How long does a study take on how many nodes? A simulation of its DAG with the measured times of another one's jobs.

    schedule.py results [STUDY.yaml] [--slower 1] [--layers 1 10 100] [--nodes 1 8 64] [--overhead 10]
    schedule.py photographs.csv STUDY.yaml [--layers 1 10 100] …

`results`: of a finished study; its benchmarks give every rule's median seconds. Or a table of times by rule: `seconds`,
and more of them for a thousand `pictures` and a thousand `objects` of the first explanation's dataset, which the jobs
of a rule share where it is cut into shards. STUDY: whose DAG is simulated; without one, the embedded study. --slower:
how many times longer a job takes there, beyond its start. --layers: the words of so many probes, all like the first
explanation's, and nothing else. --overhead: seconds between a job's being ready and its beginning and from its end to
its being noticed. Groups are one job; local ones run two at a time beside the nodes, each of which runs one job at a
time.

Prints work, critical path, makespan and efficiency: work by nodes times makespan.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import heapq
import io
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Hashable, Mapping
from pathlib import Path

import pandas as pd
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "workflow_scripts"))

import configuration  # noqa: E402  # of the workflow, not installed
from configuration import resources  # noqa: E402

START = 2.0  # seconds that a job spends on importing, whatever its data
UNKNOWN = 5.0  # seconds of a rule that the measured study did not run
LOCAL = 2  # jobs at a time where Snakemake runs
# Rules that `shards` cuts into as many jobs.
SHARDED = (
    "extract_activations",
    "extract_untrained_activations",
    "dissect_shard",
    "dissect_untrained_shard",
    "score_shard",
)
# What a rule does where a dataset is cut, by what it does where it is not: the others' times are not in its own.
IN_SHARDS = {"score_random_network": "score_seen_random_network", "train_explainer": "train_one_explainer"}


def makespan(
    seconds: Mapping[Hashable, float], after: Mapping[Hashable, set], local: set, nodes: int, overhead: float
) -> float:
    """Seconds until all jobs are done: of those that can begin, the one with the longest way to the end does.

    seconds: of each job; after: what each waits for; local: those that no node runs.
    """
    followers = defaultdict(list)
    for job, needed in after.items():
        for each in needed:
            followers[each].append(job)
    way = longest_ways(seconds, followers, local, overhead)
    waiting = {job: len(after.get(job, ())) for job in seconds}
    ready = {True: [], False: []}
    for job in seconds:
        if not waiting[job]:
            heapq.heappush(ready[job in local], (-way[job], str(job), job))
    free, running, now = {True: LOCAL, False: nodes}, [], 0.0
    while running or any(ready.values()):
        for place in ready:
            while free[place] and ready[place]:
                _, name, job = heapq.heappop(ready[place])
                free[place] -= 1
                heapq.heappush(running, (now + seconds[job] + (0 if place else overhead), name, job))
        now, _, done = heapq.heappop(running)
        free[done in local] += 1
        for job in followers[done]:
            waiting[job] -= 1
            if not waiting[job]:
                heapq.heappush(ready[job in local], (-way[job], str(job), job))
    return now


def longest_ways(seconds: Mapping, followers: Mapping, local: set, overhead: float) -> dict[Hashable, float]:
    """Seconds from each job's beginning to the end of the longest chain that it begins."""
    ways = {}

    def way(job):
        stack = [job]
        while stack:
            last = stack[-1]
            missing = [each for each in followers.get(last, ()) if each not in ways]
            if missing:
                stack += missing
            else:
                own = seconds[last] + (0 if last in local else overhead)
                ways[stack.pop()] = own + max((ways[each] for each in followers.get(last, ())), default=0.0)

    for job in seconds:
        if job not in ways:
            way(job)
    return ways


def measured(results: Path) -> dict[str, float]:
    """Median seconds of every rule's jobs."""
    found = defaultdict(list)
    for path in results.glob("benchmarks/**/*.tsv"):
        rule = path.relative_to(results / "benchmarks").parts[0].removesuffix(".tsv")
        found[rule].append(float(pd.read_csv(path, sep="\t")["s"].iloc[0]))
    return {rule: statistics.median(times) for rule, times in found.items()}


def tabulated(path: Path, pictures: int, objects: int, shards: int) -> dict[str, float]:
    """Seconds of a job of every rule that a table of times names, with a dataset of so many pictures and objects."""
    times = pd.read_csv(path).set_index("rule")
    parts = pd.Series([shards if rule in SHARDED else 1 for rule in times.index], times.index)
    thousands = times["pictures"] * pictures / 1000 + times["objects"] * objects / 1000
    found = (times["seconds"] + thousands / parts).to_dict()
    if shards > 1:
        found |= {rule: found[other] for rule, other in IN_SHARDS.items() if other in found}
    return {rule: seconds for rule, seconds in found.items() if rule not in IN_SHARDS.values()}


def planned(config: dict) -> tuple[dict[int, tuple[str, bool]], dict[int, set[int]]]:
    """Rule of every submitted or local job and whether it is local, and what it waits for; a group's is its rules."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study.yaml"
        study.write_text(yaml.safe_dump(config))
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
            settings = ConfigSettings(configfiles=[study], replace_workflow_config=True)
            snakefile = REPOSITORY / "Snakefile"
            flow = api.workflow(ResourceSettings(cores=1), settings, snakefile=snakefile, workdir=Path(folder))
            with contextlib.redirect_stdout(io.StringIO()):
                flow.dag(DAGSettings(forceall=True)).printrulegraph()
            workflow = flow._workflow
            local = set(workflow._localrules)
            jobs = list(workflow.dag.jobs)
            needed = {job: list(workflow.dag.dependencies[job]) for job in jobs}
            # The rule's own word: Snakemake tells groups only to executors that submit.
            groups = grouped({job: None if job.rule.name in local else group_of(job) for job in jobs}, needed)
            rules, after = defaultdict(list), defaultdict(set)
            for job in jobs:
                rules[groups[job]].append(job.rule.name)
                after[groups[job]] |= {groups[each] for each in needed[job]} - {groups[job]}
            where = {job: (names, len(names) == 1 and names[0] in local) for job, names in rules.items()}
    return where, after


def group_of(job) -> str | None:
    """The group that its rule gives a job, where it gives it one for these wildcards."""
    group = job.rule._group
    return group(job.wildcards) if callable(group) else group


def grouped(names: Mapping, needed: Mapping) -> dict[Hashable, int]:
    """A number for every job; those of one group that are connected within it have the same."""
    numbers = {job: number for number, job in enumerate(names)}

    def root(job):
        while roots[job] is not job:
            job = roots[job]
        return job

    roots = {job: job for job in names}
    for job, others in needed.items():
        for other in others:
            if names[job] is not None and names[job] == names[other]:
                roots[root(job)] = root(other)
    return {job: numbers[root(job)] for job in names}


def with_layers(config: dict, count: int) -> dict:
    """The config with so many probes instead of its own: the first explanation's, again and again."""
    config = copy.deepcopy(config)
    first = config["explanations"][0]
    names = [f"layer{number}" for number in range(count)]
    config["probes"] |= dict.fromkeys(names, config["probes"][first["probe"]])
    own = {"explanations": [{**first, "probe": name} for name in names]}
    configuration.leave_out_embedded(config, own)
    return config | own


def main(arguments=None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("study", type=Path, nargs="?")
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--layers", type=int, nargs="*", default=[])
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--overhead", type=float, default=10.0)
    asked = parser.parse_args(arguments)
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    if asked.study:
        own = yaml.safe_load(asked.study.read_text())
        config |= {key: {**config[key], **value} if isinstance(value, dict) else value for key, value in own.items()}
    if asked.results.suffix == ".csv":
        dataset = resources.counted(config["explanations"][0]["dataset"], config)
        times = tabulated(asked.results, *dataset, config["shards"])
    else:
        times = measured(asked.results)
    rows = []
    for count in asked.layers or [None]:
        rules, after = planned(with_layers(config, count) if count else config)
        seconds = {
            job: sum(START + asked.slower * max(0.0, times.get(rule, UNKNOWN) - START) for rule in names)
            for job, (names, _) in rules.items()
            if names != ["all"]
        }
        after = {job: needed for job, needed in after.items() if job in seconds}
        local = {job for job in seconds if rules[job][1]}
        work = sum(each for job, each in seconds.items() if job not in local)
        followers = defaultdict(list)
        for job, needed in after.items():
            for each in needed:
                followers[each].append(job)
        path = max(longest_ways(seconds, followers, local, asked.overhead).values())
        for nodes in asked.nodes:
            span = makespan(seconds, after, local, nodes, asked.overhead)
            rows.append(
                {
                    "layers": count or "as given",
                    "submitted": len(seconds) - len(local),
                    "local": len(local),
                    "work (h)": work / 3600,
                    "path (h)": path / 3600,
                    "nodes": nodes,
                    "takes (h)": span / 3600,
                    "efficiency": work / (nodes * span),
                }
            )
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
