"""Kubernetes, as near as one machine comes to it: what is real is told in tests/cluster/kubernetes_api.py.

FILTERSCOPE_STORAGE has a whole small study run in such pods (make test-storage); without it, one job.
FILTERSCOPE_KUBERNETES names the folder of a real API, scheduler and controllers (tests/cluster/kubernetes_server.sh),
which then are asked the same, and more (make test-kubernetes).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kubernetes.client import ApiException
from kubernetes.utils import parse_quantity
from tests.cluster.kubernetes_api import Cluster, mistakes
from tests.cluster.kubernetes_server import RealCluster, Servers
from tests.faults import comparison
from tests.faults.campaign import STUDY

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not shutil.which("rsync"), reason="Snakemake's storage plugin fs moves files with rsync"),
]

PROGRAMS = Path(os.environ.get("FILTERSCOPE_KUBERNETES", "")).resolve()
on_servers = pytest.mark.skipif(
    not (PROGRAMS / "kube-apiserver").exists(), reason="FILTERSCOPE_KUBERNETES names no folder with a real API"
)
WHOLE = bool(os.environ.get("FILTERSCOPE_STORAGE"))
TARGETS = () if WHOLE else ("results/data/vocabularies/captions/vocabulary.parquet",)
NEEDED = ("Snakefile", "config.yaml", "rules", "workflow_scripts", "profiles", "envs", "studies")


@pytest.fixture(params=["emulated", pytest.param("real", marks=on_servers)])
def cluster(request, tmp_path):
    home = tmp_path / "cluster"
    with Cluster(home) if request.param == "emulated" else RealCluster(home, PROGRAMS) as cluster:
        yield cluster


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


@pytest.fixture
def claim(cluster, tmp_path) -> Path:
    """A folder that is a volume claim of the cluster."""
    (folder := tmp_path / "claim").mkdir()
    cluster.claim("filterscope", folder)
    return folder


def stored(claim: Path) -> tuple[str | Path, ...]:
    """Options: files in this claim, nothing tried again, no long waits."""
    options = ("--kubernetes-persistent-volumes", f"filterscope:{claim}", "--default-storage-prefix", claim)
    return (*options, "--seconds-between-status-checks", "1", "--retries", "0")


def snakemake(folder: Path, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "", **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=3000 if WHOLE else 600,
        check=False,
    )


@pytest.mark.exhaustive
def test_pods_make_the_same_bytes_and_their_jobs_fit_the_api(cluster, claim, clone):
    profile = yaml.safe_load((clone / "profiles/kubernetes/config.yaml").read_text())
    done = snakemake(clone, "--workflow-profile", "kubernetes", *stored(claim), *TARGETS, **cluster.environment)
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


def of_one_rule(folder: Path, rules: str) -> Path:
    """A clone of another workflow."""
    folder.mkdir()
    (folder / "Snakefile").write_text(rules)
    (folder / "study.yaml").write_text("{}")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(("gpus", "most"), [(1, {"cpu": 2, "memory": 6000}), (0, {"cpu": 4, "memory": 12000})])
def test_a_group_asks_for_one_gpu_and_for_no_more_than_a_node_has(gpus, most, cluster, claim, repository, tmp_path):
    """The largest has 16.8 GB and 7 whole cores: two parts fit, and the third waits."""
    clone = of_one_rule(tmp_path / "clone", GROUP.replace("GPUS", f"gpu={gpus}"))
    profile = ("--workflow-profile", repository / "profiles/kubernetes")
    done = snakemake(clone, *profile, *stored(claim), **cluster.environment)
    assert done.returncode == 0, done.stdout[-8000:]
    assert cluster.wrong == []
    (job,) = cluster.jobs
    asked = job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    asked = {name: parse_quantity(amount) for name, amount in asked.items()}  # which a real API writes in its own way
    disk = asked.pop("ephemeral-storage")
    assert asked == {"nvidia.com/gpu": gpus, "memory": most["memory"] * 10**6, "cpu": most["cpu"]}
    assert disk <= 93_478_772_582
    if isinstance(cluster, RealCluster):
        assert cluster.nodes.placed == ["larger"]


@pytest.mark.exhaustive
def test_a_failed_pod_is_a_failed_job_that_is_tried_again(cluster, claim, clone):
    """No pod has an earlier try, for whose log the executor asks: once that refusal ended the run, untold why."""
    with (clone / "Snakefile").open("a") as snakefile:
        snakefile.write('\nrule broken:\n    output: "results/made.txt"\n    shell: "echo seen $((6 * 7)); exit 3"\n')
    profile = ("--workflow-profile", "kubernetes", *stored(claim), "--retries", "1")
    done = snakemake(clone, *profile, "results/made.txt", **cluster.environment)
    assert done.returncode == 1
    assert done.stdout.count("seen 42") >= 2, done.stdout[-8000:]
    assert len(cluster.jobs) == 2
    assert cluster.secrets == {}


MISTAKES = {
    "no quantity": lambda container: container["resources"]["requests"].update(memory="2 GB"),
    "requests and limits must be equal": lambda container: container["resources"]["limits"].pop("nvidia.com/gpu"),
    "none of the pod's": lambda container: container["volumeMounts"][0].update(name="other"),
    "volumeMount": lambda container: container.update(volumeMount=[]),
}


def a_job() -> tuple[dict, dict]:
    """A Job without mistakes, and its container."""
    amounts = {"cpu": "950m", "memory": "2000M", "nvidia.com/gpu": "1"}
    container = {
        "name": "snakemake",
        "image": "filterscope",
        "resources": {"requests": dict(amounts), "limits": dict(amounts)},
        "volumeMounts": [{"name": "workdir", "mountPath": "/workdir"}],
    }
    pod = {"restartPolicy": "Never", "containers": [container], "volumes": [{"name": "workdir", "emptyDir": {}}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "snakejob-1"},
        "spec": {"template": {"spec": pod}},
    }
    return job, container


@pytest.mark.parametrize("said", MISTAKES)
def test_the_emulation_refuses_what_an_api_server_would(said):
    job, container = a_job()
    assert mistakes(job) == []
    MISTAKES[said](container)
    assert any(said in each for each in mistakes(job))


@on_servers
def test_a_real_api_refuses_the_same(tmp_path):
    """But for keys that it does not know: Kubernetes 1.20 passes over them, as one of today does unless it is asked."""
    with Servers(PROGRAMS, tmp_path / "servers") as servers:
        api = servers.batch()
        api.create_namespaced_job("default", a_job()[0], dry_run="All")
        for said in list(MISTAKES)[:3]:
            job, container = a_job()
            MISTAKES[said](container)
            with pytest.raises(ApiException) as refused:
                api.create_namespaced_job("default", job, dry_run="All")
            assert refused.value.status in (400, 422), said
