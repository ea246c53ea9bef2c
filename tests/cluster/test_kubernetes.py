"""Kubernetes, as near as one machine comes to it: what is real is told in tests/cluster/kubernetes_api.py.

FILTERSCOPE_STORAGE=1 has a whole small study run in such pods (make test-storage); without it, one job.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.cluster.kubernetes_api import Cluster, mistakes
from tests.faults import comparison
from tests.faults.campaign import STUDY

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("rsync"), reason="Snakemake's storage plugin fs moves files with rsync"),
]

WHOLE = bool(os.environ.get("FILTERSCOPE_STORAGE"))
TARGETS = () if WHOLE else ("results/data/vocabularies/captions/vocabulary.parquet",)
NEEDED = ("Snakefile", "config.yaml", "rules", "workflow_scripts", "profiles", "envs", "studies")


@pytest.fixture
def clone(repository, tmp_path) -> Path:
    """A clone with a study's file in it: the executor sends pods what git knows of the folder that it is begun in."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in NEEDED:
        if (repository / name).is_dir():
            shutil.copytree(repository / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(repository / name, folder / name)
    shutil.copy2(STUDY, folder / "study.yaml")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def snakemake(folder: Path, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "", **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=3000,
        check=False,
    )


def test_pods_make_the_same_bytes_and_their_jobs_fit_the_api(clone, tmp_path):
    claim = tmp_path / "claim"
    claim.mkdir()
    profile = yaml.safe_load((clone / "profiles/kubernetes/config.yaml").read_text())
    with Cluster(tmp_path / "cluster") as cluster:
        options = ("--kubernetes-persistent-volumes", f"filterscope:{claim}", "--default-storage-prefix", claim)
        options += ("--seconds-between-status-checks", "1", "--retries", "0")
        done = snakemake(clone, "--workflow-profile", "kubernetes", *options, *TARGETS, **cluster.environment)
        assert cluster.wrong == []
        assert done.returncode == 0, done.stdout[-8000:]
        assert cluster.secrets == {}, "the run takes its secret away again"
    assert len(cluster.jobs) >= (10 if WHOLE else 1)
    for job in cluster.jobs:
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["image"] == profile["container-image"]
        assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"]["limits"])
    assert all("snakemake-storage-plugin-fs" in line for line in cluster.installed)
    assert len(cluster.installed) == len(cluster.jobs)

    done = snakemake(clone, "--cores", "2", *TARGETS)
    assert done.returncode == 0, done.stdout[-8000:]
    assert comparison.differences(claim / "results", clone / "results") == []


# Jobs that could all run at once, in one pod.
GROUP = """
rule gather:
    input: expand("{number}.txt", number=range(6))
    output: "gathered.txt"
    group: "together"
    shell: "touch {output}"

rule part:
    output: "{number}.txt"
    group: "together"
    threads: 2
    resources: mem_mb=6000, GPUS
    shell: "touch {output}"
"""


@pytest.mark.parametrize(("gpus", "most"), [(1, {"cpu": 2, "memory": 6000}), (0, {"cpu": 4, "memory": 12000})])
def test_a_group_asks_for_one_gpu_and_for_no_more_than_a_node_has(gpus, most, repository, tmp_path):
    """The largest has 16.8 GB and 7 whole cores: two parts fit, and the third waits."""
    (clone := tmp_path / "clone").mkdir()
    (claim := tmp_path / "claim").mkdir()
    (clone / "Snakefile").write_text(GROUP.replace("GPUS", f"gpu={gpus}"))
    (clone / "study.yaml").write_text("{}")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=clone, check=True)
    with Cluster(tmp_path / "cluster") as cluster:
        options = ("--kubernetes-persistent-volumes", f"filterscope:{claim}", "--default-storage-prefix", claim)
        options += ("--seconds-between-status-checks", "1", "--retries", "0")
        profile = repository / "profiles/kubernetes"
        done = snakemake(clone, "--workflow-profile", profile, *options, **cluster.environment)
    assert done.returncode == 0, done.stdout[-8000:]
    assert cluster.wrong == []
    (job,) = cluster.jobs
    asked = job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert asked["nvidia.com/gpu"] == str(gpus)
    assert asked["memory"] == f"{most['memory']}M"
    assert asked["cpu"] == f"{most['cpu'] * 1000}m"
    assert int(asked["ephemeral-storage"].removesuffix("M")) <= 93478


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda container: container["resources"]["requests"].update(memory="2 GB"), "no quantity"),
        (lambda container: container["resources"]["limits"].pop("nvidia.com/gpu"), "requests and limits must be equal"),
        (lambda container: container.update(volumeMount=[]), "volumeMount"),
        (lambda container: container["volumeMounts"][0].update(name="other"), "none of the pod's"),
    ],
)
def test_the_emulation_refuses_what_an_api_server_would(change, said):
    amounts = {"cpu": "950m", "memory": "2000M", "nvidia.com/gpu": "1"}
    container = {
        "name": "snakemake",
        "image": "filterscope",
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "volumeMounts": [{"name": "workdir", "mountPath": "/workdir"}],
    }
    pod = {"restartPolicy": "Never", "containers": [container], "volumes": [{"name": "workdir", "emptyDir": {}}]}
    metadata = {"name": "snakejob-1"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}
    assert mistakes(job) == []
    change(container)
    assert any(said in each for each in mistakes(job))
