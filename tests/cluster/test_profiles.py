"""Profiles do what they are for: each is read by Snakemake, and Slurm's runs jobs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

PROFILES = ["default", "gpu", "slurm", "kubernetes"]

# Two jobs that each want a GPU and end only when both have begun.
TWO_GPU_JOBS = """
rule all:
    input: expand("{name}.txt", name=["a", "b"])

rule meet:
    output: "{name}.txt"
    threads: 2
    resources: gpu=1, mem_mb=300, runtime="20m"
    shell:
        "touch {wildcards.name}.here; "
        "for second in $(seq 60); do [ -e a.here ] && [ -e b.here ] && break; sleep 1; done; "
        "[ -e a.here ] && [ -e b.here ] && touch {output}"
"""

# Two jobs of which neither bears the other.
TURNS = """
rule all:
    input: expand("{name}.txt", name=["a", "b"])

rule take_turns:
    output: "{name}.txt"
    resources: gpu=1
    shell: "mkdir busy && sleep 1 && rmdir busy && touch {output}"
"""


@pytest.mark.workflow
@pytest.mark.parametrize("profile", PROFILES)
def test_profile_plans_the_embedded_study(profile, repository, run_snakemake, slurm):
    arguments = ("--profile", repository / "profiles" / profile, "--dry-run", "--quiet", "rules")
    done = run_snakemake(*arguments, environment=slurm.environment)  # never a real one that comes or goes
    assert "extract_activations" in done.stdout
    assert "This was a dry-run" in done.stdout


@pytest.mark.workflow
@pytest.mark.parametrize("profile", PROFILES)
def test_profile_may_stand_alone(profile, repository, run_snakemake, slurm):
    """--workflow-profile takes the place of the default profile."""
    chosen = repository / "profiles" / profile
    arguments = ("--workflow-profile", chosen, "--dry-run", "--quiet", "rules")
    done = run_snakemake(*arguments, environment=slurm.environment)
    assert f"workflow specific profile {chosen}" in done.stdout
    assert "This was a dry-run" in done.stdout


def test_rules_that_profiles_name_exist(repository):
    rules = {
        line.split()[-2 if line.startswith("use ") else -1].rstrip(":")
        for path in (repository / "rules").rglob("*.smk")
        for line in path.read_text().splitlines()
        if line.startswith(("rule ", "use rule "))
    }
    for profile in [*PROFILES, "s3"]:  # which is planned beside its server only (test_storage.py)
        settings = yaml.safe_load((repository / "profiles" / profile / "config.yaml").read_text())
        assert set(settings.get("set-threads", {})) <= rules
        assert set(settings.get("set-resources", {})) <= rules


def snakemake(folder, *arguments, environment):
    """A workflow of its own in this folder."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )


@pytest.mark.workflow
def test_default_profile_needs_no_cores_and_lets_gpu_jobs_take_turns(repository, tmp_path):
    """As beside the project's Snakefile, where Snakemake finds it by itself."""
    shutil.copytree(repository / "profiles", tmp_path / "profiles")
    profile = tmp_path / "profiles/default/config.yaml"
    assert "/dev/nvidia[0-9]*" in profile.read_text()
    profile.write_text(profile.read_text().replace("/dev/nvidia[0-9]*", f"{tmp_path}/nvidia[0-9]*"))
    (tmp_path / "nvidia0").touch()  # a machine with one GPU
    (tmp_path / "Snakefile").write_text(TURNS)
    done = snakemake(tmp_path, environment={})
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "a.txt").is_file()
    assert (tmp_path / "b.txt").is_file()


FAST = (
    "--slurm-init-seconds-before-status-checks",
    1,
    "--seconds-between-status-checks",
    1,
    "--latency-wait",
    5,
)


@pytest.mark.workflow
@pytest.mark.slow
@pytest.mark.exhaustive
def test_slurm_shares_its_gpus_though_one_machine_takes_turns(repository, slurm, tmp_path):
    (tmp_path / "Snakefile").write_text(TWO_GPU_JOBS)
    profiles = repository / "profiles"
    both = ("--profile", profiles / "slurm", "--workflow-profile", profiles / "default")
    done = snakemake(tmp_path, *both, "--cores", 2, *FAST, environment=slurm.environment)
    assert done.returncode == 0, done.stdout[-6000:]
    call = slurm.submissions()["meet"]
    for option in ("--gpus=1", "--mem 300", "-t 20"):
        assert option in call
    assert "cpus-per-task=2" in call or "cpus-per-gpu=2" in call


@pytest.mark.workflow
@pytest.mark.slow
@pytest.mark.exhaustive
def test_slurm_runs_the_projects_rules(repository, slurm, run_snakemake, small_config, tmp_path):
    done = run_snakemake(
        "--profile",
        repository / "profiles" / "slurm",
        *FAST,
        "results/data/vocabularies/captions/vocabulary.parquet",
        "results/data/networks/planted/weights.pt",
        config=small_config(),
        environment=slurm.environment,
    )
    assert (tmp_path / "results/data/networks/planted/weights.pt").is_file(), done.stdout[-6000:]
    assert (tmp_path / "results/data/vocabularies/captions/vocabulary.parquet").is_file()
    ((name, call),) = slurm.submissions().items()  # a group; the planted network is made on the login node
    assert {"vocabulary", "train_word_vectors", "cache_vocabulary"} <= set(
        re.findall("vocabulary|train_word_vectors|cache_vocabulary", name)
    ), name
    assert "--gpus" not in call
    assert "-A tests" in call
