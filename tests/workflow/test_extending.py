"""What docs/extending.md adds, put into a copy of the project, works in a study."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from tests.conftest import REPOSITORY, merged
from tests.unit.test_extending_page import EXAMPLES, described, examples, file_of, stencilled

from filterscope import tables

COPIED = ("Snakefile", "config.yaml", "rules", "envs", "studies", "profiles", "workflow_scripts")
WORDS = ["cat", "dog"]
TARGETS = (
    "results/data/cut_out/repeats.csv",
    "results/data/vocabularies/lines/vocabulary.parquet",
    "results/data/samples/clouds/samples.parquet",
    "results/temperature/convnet/digits/straight/0/steps.parquet",
)


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the project in which every block of the page stands where it says."""
    copy = tmp_path_factory.mktemp("extended")
    for name in COPIED:
        place = REPOSITORY / name
        if place.is_dir():
            shutil.copytree(place, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, copy / name)
    added = []
    for title in EXAMPLES:
        for block in examples(title, "workflow_scripts/") + examples(title, "rules/"):
            if block.language == "yaml":
                added.append(block)
                continue
            with (copy / file_of(block)).open("a") as file:
                file.write(f"\n\n{block.text}")
    (copy / "rules" / "config.schema.yaml").write_text(yaml.safe_dump(described(added), sort_keys=False))
    return copy


@pytest.mark.workflow
@pytest.mark.slow
def test_all_examples_together(extended, small_config, tmp_path):
    config = small_config({"explanations": []})
    for title in EXAMPLES:
        for block in examples(title, "my.yaml"):
            config = merged(config, yaml.safe_load(block.text))
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    stencilled(tmp_path / "stencils")
    lines = [json.dumps({"word": word, "vector": [number, 1]}) for number, word in enumerate(WORDS)]
    (tmp_path / "words.jsonl").write_text("\n".join(lines))

    def run(*arguments):
        command = [sys.executable, "-m", "snakemake", "--snakefile", extended / "Snakefile", "--directory", tmp_path]
        command += ["--configfile", tmp_path / "my.yaml", "--replace-workflow-config", "--cores", "1", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(extended / "workflow_scripts")}
        done = subprocess.run([*map(str, command)], env=environment, cwd=tmp_path, text=True, capture_output=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
        return done.stdout + done.stderr

    planned = run("--dry-run", "--quiet", "rules")
    for rule in ("prepare_dataset", "attack_network", "maximise_activations", "train_with_schedule"):
        assert rule in planned
    run(*TARGETS)
    folder = tmp_path / "results"
    assert len(tables.read(folder / "data/cut_out/annotations.parquet", "annotations")) == 4
    assert tables.read(folder / "data/vocabularies/lines/vocabulary.parquet", "vocabulary")["word"].to_pylist() == WORDS
    steps = tables.read(folder / "temperature/convnet/digits/straight/0/steps.parquet", "training_steps").to_pandas()
    assert steps["learning_rate"].iloc[0] == pytest.approx(0.3)
    assert (steps["learning_rate"].diff().iloc[1:] < 0).all()
