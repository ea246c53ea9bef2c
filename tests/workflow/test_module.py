"""Another workflow imports this one: `module … use rule *`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import yaml

pytestmark = pytest.mark.workflow

IMPORTER = """
configfile: "study.yaml"

module filterscope:
    snakefile: "{repository}/Snakefile"
    config: config["filterscope"]

use rule * from filterscope{renamed}

rule count_words:
    default_target: True
    input: "results/data/vocabularies/captions/vocabulary.parquet"
    output: "counted.txt"
    shell: "wc -c < {{input}} > {{output}}"
"""
# What differs from config.yaml, as in a study's own file.
STUDY = {
    "title": "Imported",
    "vocabularies": {"captions": {"dimension": 8, "sentences": 500, "epochs": 1}},
    "explanations": [{"dataset": "scenes", "probe": "planted", "vocabulary": "captions"}],
}


@pytest.mark.parametrize("renamed", ["", " as filterscope_*"])
def test_rules_are_imported_with_a_config_of_their_own(renamed, repository, tmp_path):
    (tmp_path / "Snakefile").write_text(IMPORTER.format(repository=repository, renamed=renamed))
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({"filterscope": STUDY}))

    def snakemake(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": ""},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    prefix = "filterscope_" if renamed else ""
    planned = snakemake("--dry-run", "--quiet", "rules", "--cores", "1", f"{prefix}all")
    assert f"{prefix}render_sheets" in planned
    assert "maximise_activations" not in planned  # which only the embedded study asks for
    snakemake("--cores", "1")
    assert int((tmp_path / "counted.txt").read_text()) > 1000
    assert (tmp_path / "results/logs/train_word_vectors/captions.log").is_file()
