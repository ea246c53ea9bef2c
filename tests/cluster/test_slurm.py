"""A real Slurm, of this one machine: a study that is disturbed in every way ends with the bytes of an undisturbed one.

make test-slurm runs it, as root on Debian; it installs Slurm (tests/cluster/slurm_node.sh).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("FILTERSCOPE_SLURM"), reason="FILTERSCOPE_SLURM=1 lets Slurm be installed"),
]

NODE = Path(__file__).with_name("slurm_node.sh")
VECTORS = "results/data/vocabularies/captions/vocabulary.parquet"
PROFILE = ("--workflow-profile", "slurm")  # found beside the Snakefile
# A machine of its own needs not wait for other users, or for a file system that others write.
QUICK = (
    "--slurm-init-seconds-before-status-checks",
    "1",
    "--seconds-between-status-checks",
    "1",
    "--latency-wait",
    "5",
)

# One probe and three shards.
STUDY = {
    "title": "One probe",
    "shards": 3,
    "explanations": [{"dataset": "scenes", "probe": "planted", "vocabulary": "captions"}],
    "defects": [],
}
# Networks that work where Snakemake runs, not on a node: there one never answers and one breaks.
MODULE = """
import os
import time
import torch

class Slow(torch.nn.Module):
    def forward(self, pictures):
        if "SLURM_JOB_ID" in os.environ:
            time.sleep(600)
        return pictures

class Broken(torch.nn.Module):
    def forward(self, pictures):
        if "SLURM_JOB_ID" in os.environ:
            raise ValueError("this network breaks at every picture")
        return pictures

def with_layer(kind):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), kind())
    return network

def slow(): return with_layer(Slow)
def broken(): return with_layer(Broken)
"""


@dataclass
class Run:
    """A study in a folder of its own."""

    repository: Path
    folder: Path
    begun: list[subprocess.Popen]

    def command(self, *arguments: str) -> list[str]:
        snakefile = self.repository / "Snakefile"
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--configfile", "study.yaml"]
        return [*command, *arguments]

    def start(self, *arguments: str) -> subprocess.Popen:
        with open(self.folder / "said.txt", "a") as said:
            process = subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.begun.append(process)
        return process

    def finish(self, process: subprocess.Popen, timeout: float = 1200) -> int:
        return process.wait(timeout)

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    def tables(self) -> dict[str, bytes]:
        """Every table, by its place; times are no results."""
        found = (path for path in self.folder.glob("results/**/*.*") if path.suffix in (".parquet", ".csv", ".md"))
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


@pytest.fixture
def study(repository, small_config, tmp_path):
    """Makes a small study in a folder of this name; `updates` are added to its config."""

    begun = []

    def study(name: str, updates: dict | None = None) -> Run:
        folder = tmp_path / name
        folder.mkdir()
        small = small_config()
        asked = ("datasets", "vocabularies", "training", "words", "scores", "proofs", "sheets", "networks")
        config = {key: small[key] for key in asked} | STUDY | (updates or {})
        (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        return Run(repository, folder, begun)

    yield study
    for process in begun:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory):
    """Brings Slurm up, with what slurm_node.sh is told, and ends it after the test."""
    begun = []

    def cluster(*arguments: str) -> Path:
        folder = tmp_path_factory.mktemp("slurm")
        begun.append(folder)
        done = subprocess.run([NODE, "up", folder, *arguments], text=True, capture_output=True, check=False)
        if done.returncode in (2, 3):
            pytest.skip(f"no Slurm can be had here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        return folder

    yield cluster
    for folder in begun:
        subprocess.run([NODE, "down", folder], check=True, timeout=120)


def slurm(*command: str) -> str:
    return subprocess.run(command, text=True, capture_output=True, timeout=60, check=True).stdout


def wait_for_job(run: Run, process: subprocess.Popen, rule: str) -> str:
    """Number of a running job of this rule or group."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        assert process.poll() is None, run.said[-6000:]
        for line in slurm("squeue", "--noheader", "--states=running", "--format=%i %k").splitlines():
            number, _, comment = line.partition(" ")
            if rule in comment:
                return number
        time.sleep(0.2)
    raise AssertionError(f"{rule} never ran:\n{run.said[-6000:]}")


@pytest.mark.timeout(3300)
def test_a_disturbed_study_ends_with_the_bytes_of_an_undisturbed_one(study, cluster):
    cluster()
    undisturbed, disturbed = study("undisturbed"), study("disturbed")
    on_slurm = (*PROFILE, *QUICK, "--slurm-keep-successful-logs")

    process = disturbed.start(*on_slurm)
    slurm("scancel", wait_for_job(disturbed, process, "extract_activations"))
    wait_for_job(disturbed, process, "dissecting")
    os.kill(process.pid, signal.SIGKILL)  # its jobs know nothing of it
    process.wait()
    slurm("scancel", "--name", re.search(r"SLURM run ID: (\S+)", disturbed.said)[1])  # as docs/clusters.md says
    unlock = subprocess.run(disturbed.command("--unlock"), cwd=disturbed.folder, capture_output=True, check=False)
    assert unlock.returncode == 0, unlock.stderr

    process = disturbed.start(*on_slurm)
    wait_for_job(disturbed, process, "explaining")
    node = slurm("sinfo", "--noheader", "--format=%n").strip()
    slurm("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    for _ in range(60):  # Slurm may take it back by itself, and then refuses to be told so
        time.sleep(1)
        if "down" not in slurm("sinfo", "--noheader", "--format=%T"):
            break
        subprocess.run(["scontrol", "update", f"NodeName={node}", "State=RESUME"], capture_output=True, check=False)

    reference = undisturbed.start("--cores", "1")
    assert disturbed.finish(process) == 0, disturbed.said[-6000:]
    assert undisturbed.finish(reference) == 0, undisturbed.said[-6000:]
    expected, found = undisturbed.tables(), disturbed.tables()
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    logs = disturbed.folder.glob(".snakemake/slurm_logs/**/*.log")
    submitted = {log.parent for log in logs}
    assert 5 < len(submitted) <= 12, sorted(map(str, submitted))


@pytest.mark.timeout(800)
def test_causes_are_named_in_a_line_each(study, cluster):
    cluster()
    picture = {"resize": 64, "crop": 64}
    run = study(
        "causes",
        {
            "shards": 1,
            "networks": {
                name: {"source": "factory", "factory": f"networks.py:{name}", "input": picture}
                for name in ("slow", "broken")
            },
            "probes": {name: {"network": name, "layer": "1"} for name in ("slow", "broken")},
            "explanations": [
                {"dataset": "scenes", "probe": name, "vocabulary": "captions"} for name in ("slow", "broken")
            ],
        },
    )
    (run.folder / "networks.py").write_text(MODULE)
    shard = "results/activations/scenes/{}/shards/1-of-1/pooled.parquet"
    # Time for `broken` to begin on a full machine, less than `slow` wants.
    minutes = ("--retries", "0", "--set-resources", "extract_activations:runtime=2")
    process = run.start(*PROFILE, *QUICK, *minutes, "--", shard.format("slow"), shard.format("broken"))
    assert run.finish(process, 600) == 1, run.said[-6000:]
    assert "invalid option" not in run.said
    last = run.said.partition("What failed, and the log that says so:\n")[2]
    log = "results/logs/extract_activations/scenes/broken/1-of-1.log"
    broken = next(line for line in last.splitlines() if line.endswith(f"({log})"))
    assert broken.startswith("  extract_activations: LayerError: the network fails on a picture of 3 channels")
    assert "ValueError: this network breaks at every picture" in broken
    assert re.search(
        r"extract_activations: took longer than it had asked for \(`runtime`\) \(\S+slurm_logs\S+\.log\)", last
    )


@pytest.mark.timeout(400)
def test_a_run_that_would_wait_for_ever_is_refused(study, cluster):
    cluster()
    run = study("sacct")
    assert run.finish(run.start(*PROFILE, "--slurm-status-command", "sacct", VECTORS), 150) == 1
    assert "this Slurm keeps no accounts of its jobs, so that sacct never tells when one has ended" in run.said
    run = study("gpus", {"gpus": 1})
    assert run.finish(run.start(*PROFILE, VECTORS), 150) == 1
    assert "gpus is 1, but no node of this Slurm has a GPU" in run.said
    assert not slurm("squeue", "--noheader", "--states=all")


@pytest.mark.timeout(800)
def test_a_cluster_with_accounting_and_gpus(study, cluster):
    cluster("--accounting", "--gpus", "1")
    run = study("accounted", {"shards": 1})
    shard = "results/activations/scenes/planted/shards/1-of-1/pooled.parquet"
    assert run.finish(run.start(*PROFILE, *QUICK, "--", VECTORS, shard), 600) == 0, run.said[-6000:]
    jobs = slurm("sacct", "-X", "--noheader", "--parsable2", "--format=State,AllocTRES,Comment").splitlines()
    asked = {re.search(r"rule_([a-z_]+?)(_wildcards|$)", job)[1]: job for job in jobs}
    assert len(asked) == 3
    assert all(job.startswith("COMPLETED|") for job in jobs)
    assert [rule for rule, job in asked.items() if "gres/gpu=1" in job] == ["extract_activations"]
    assert "invalid option" not in run.said


def test_the_script_says_what_it_lacks():
    """Before it installs or begins anything."""
    user = shutil.which("setpriv")
    if os.geteuid() or not user:
        pytest.skip("only root can be somebody else")
    with tempfile.TemporaryDirectory() as folder:  # which everybody may read, as not every checkout
        Path(folder).chmod(0o755)
        for script in (NODE, NODE.with_name("debian.sh")):
            shutil.copy(script, folder)
        as_nobody = [user, "--reuid=65534", "--regid=65534", "--clear-groups"]
        command = [*as_nobody, "bash", f"{folder}/{NODE.name}", "up", "/tmp/none"]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert "want root" in done.stderr
