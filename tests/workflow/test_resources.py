"""What jobs ask for is what they need: held against Snakemake's own benchmarks of a finished study."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import pytest
import yaml

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

FLOOR = 1500  # MB below which no job is worth asking more precisely
MEASURED = 2.0  # seconds that a job takes at least before its benchmark tells its memory

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
        if row["max_rss"] in ("NA", "-") or float(row["s"]) < MEASURED:
            continue
        used = float(row["max_rss"])
        measured.add(rule)
        if not used <= asked <= max(FLOOR, 3 * used):
            wrong[benchmark] = f"{asked} MB asked for, {used:.0f} MB used"
    assert len(measured) > 15
    assert wrong == {}
