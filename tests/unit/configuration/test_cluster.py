"""What the cluster has decides what jobs ask for, and whether a run would wait for ever."""

from __future__ import annotations

import pytest

from configuration import cluster

CPU_NODES = "2|23081|(null)\n64|250000+|(null)\n"
GPU_NODES = "2|23081|(null)\n16+|96000|gpu:a100:4(S:0-1)\n"


@pytest.fixture
def slurm(monkeypatch):
    """A Slurm whose commands print this."""

    def slurm(sinfo="", scontrol=""):
        cluster.nodes.cache_clear()
        printed = {"sinfo": sinfo, "scontrol": scontrol}
        monkeypatch.setattr(cluster, "_said_by", lambda command, *_: printed[command])

    yield slurm
    cluster.nodes.cache_clear()


@pytest.mark.parametrize(
    ("nodes", "setting", "asked"),
    [(CPU_NODES, "auto", 0), (GPU_NODES, "auto", 1), ("", "auto", 0), (CPU_NODES, 1, 1), (GPU_NODES, 0, 0)],
)
def test_a_gpu_is_asked_for_where_a_node_has_one_or_the_config_says_so(slurm, nodes, setting, asked):
    slurm(nodes)
    assert cluster.gpus(setting, "slurm", {}) == asked


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({"SLURM_JOB_ID": "7"}, 0),
        ({"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "0"}, 1),
        ({"SLURM_JOB_ID": "7", "SLURM_GPUS": "1"}, 1),
    ],
)
def test_a_job_has_what_slurm_gave_it_whatever_other_nodes_have(slurm, environment, asked):
    slurm(GPU_NODES)
    assert cluster.gpus("auto", "slurm-jobstep", environment) == asked


def test_of_kubernetes_nothing_is_known_and_one_machine_is_looked_at(monkeypatch):
    monkeypatch.setattr(cluster, "glob", lambda pattern: [])
    assert cluster.gpus("auto", "kubernetes", {}) == 1
    assert cluster.gpus("auto", "local", {}) == 0
    monkeypatch.setattr(cluster, "glob", lambda pattern: ["/dev/nvidia0"])
    assert cluster.gpus("auto", "local", {}) == 1


def test_a_node_without_gpu_gives_more_cores_as_far_as_it_has_them(slurm):
    slurm(CPU_NODES)
    assert cluster.cores(3, 0, "slurm", {}) == 12
    assert cluster.cores(3, 1, "slurm", {}) == 3
    assert cluster.cores(100, 0, "slurm", {}) == 100
    assert cluster.cores(3, 0, "local", {}) == 3
    assert cluster.cores(3, 0, "slurm-jobstep", {"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "8"}) == 8
    assert cluster.largest_memory("slurm") == 250000
    assert cluster.largest_memory("local") is None


ACCOUNTS = "AccountingStorageType   = accounting_storage/slurmdbd\nMinJobAge               = 2 sec\n"
NONE = "AccountingStorageType   = accounting_storage/none\nMinJobAge               = {} sec\n"


@pytest.mark.parametrize(
    ("settings", "command", "wrong"),
    [
        (ACCOUNTS, "sacct", None),
        ("", "sacct", None),
        (NONE.format(300), "squeue", None),
        (NONE.format(300), "sacct", "add --slurm-status-command squeue"),
        (NONE.format(60), "squeue", "forgets those that have ended after 60 s (MinJobAge)"),
    ],
)
def test_a_cluster_that_tells_nobody_when_a_job_ends_is_refused(slurm, settings, command, wrong):
    slurm(scontrol=settings)
    said = cluster.unfit("auto", command)
    assert said is None if wrong is None else wrong in said


def test_a_cluster_without_the_gpus_that_the_config_wants_is_refused(slurm):
    slurm(CPU_NODES, ACCOUNTS)
    assert "gpus is 1, but no node of this Slurm has a GPU" in cluster.unfit(1, "sacct")
    assert cluster.unfit(0, "sacct") is None
    slurm(GPU_NODES, ACCOUNTS)
    assert cluster.unfit(1, "sacct") is None
