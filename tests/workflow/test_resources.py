"""What jobs ask for is what they need: held against Snakemake's own benchmarks of a finished study."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

FLOOR = 1500  # MB below which no job is worth asking more precisely
# CPU seconds of a job at which its benchmark, taken every half a second, has seen its memory. Not seconds by the clock,
# which a busy machine stretches: a job that is done before it is looked at again was seen with what Python takes.
MEASURED = 1.5
ROOM = 1.2  # times what a job uses: other versions and machines take more

# The plan of everything, and what each of its jobs asks for, by its benchmark.
ASK = """
import contextlib, io, json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

snakefile, study, folder = map(Path, sys.argv[1:])
with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
    config = ConfigSettings(configfiles=[study], replace_workflow_config=True)
    flow = api.workflow(ResourceSettings(cores=1), config, snakefile=snakefile, workdir=folder)
    with contextlib.redirect_stdout(io.StringIO()):
        flow.dag(DAGSettings(forceall=True)).printrulegraph()
    jobs = {job.benchmark: (job.rule.name, job.resources["mem_mb"]) for job in flow._workflow.dag.jobs if job.benchmark}
print(json.dumps(jobs))
"""


def fault(asked: float, row: dict[str, str]) -> str | None:
    """What is wrong with the MB that a job asks for, by its benchmark."""
    if row["max_rss"] in ("NA", "-"):
        return None
    used = float(row["max_rss"])
    if ROOM * used > asked or (seen_to_its_end(row) and asked > max(FLOOR, 3 * used)):
        return f"{asked} MB asked for, {used:.0f} MB used"
    return None


def seen_to_its_end(row: dict[str, str]) -> bool:
    return row["cpu_time"] not in ("NA", "-") and float(row["cpu_time"]) >= MEASURED


@pytest.mark.parametrize(
    ("asked", "seconds", "cpu_time", "used", "wrong"),
    [
        (1600, "4.31", "0.46", "155.00", False),  # short, on a busy machine: nobody looked when it used most
        (1600, "4.31", "1.61", "155.00", True),
        (1500, "4.31", "1.61", "155.00", False),
        (2400, "2.01", "1.61", "801.00", False),
        (2400, "2.01", "1.61", "799.00", True),
        (2400, "1.01", "0.61", "2001.00", True),  # too little is too little, however short
        (2400, "0.31", "NA", "NA", False),
    ],
)
def test_what_a_benchmark_says_of_memory_does_not_depend_on_the_clock(asked, seconds, cpu_time, used, wrong):
    row = {"s": seconds, "cpu_time": cpu_time, "max_rss": used}
    assert bool(fault(asked, row)) == wrong


def test_no_base_lies_at_the_floor_where_inputs_add_to_it(repository):
    """It would be above it by whatever is read, and a job that uses next to nothing would ask for too much."""
    bases = [
        (path.name, int(base))
        for path in sorted((repository / "rules").rglob("*.smk"))
        for base in re.findall(r"memory\((\d+), (?:times|objects)=", path.read_text(encoding="utf-8"))
    ]
    assert len(bases) > 40
    assert [each for each in bases if 0.95 * FLOOR < each[1] < 1.05 * FLOOR] == []


def test_memory_that_is_asked_for_is_used_and_no_third_of_it(finished_study, tmp_path):
    study = tmp_path / "study.yaml"  # not in the study's folder, where others write theirs
    study.write_text(yaml.safe_dump(finished_study.config, sort_keys=False))
    command = [
        sys.executable,
        "-c",
        ASK,
        finished_study.workflow / "Snakefile",
        study,
        finished_study.directory,
    ]
    done = subprocess.run(
        [*map(str, command)], env={**os.environ, "PYTHONPATH": ""}, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    wrong, measured = {}, set()
    for benchmark, (rule, asked) in json.loads(done.stdout.splitlines()[-1]).items():
        with open(finished_study.directory / benchmark) as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        if seen_to_its_end(row):
            measured.add(rule)
        if said := fault(asked, row):
            wrong[benchmark] = said
    assert len(measured) > 15
    assert wrong == {}
