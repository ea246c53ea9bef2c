"""The GPU that a job takes, which no other has, and the cores that it works with."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
import threadpoolctl
import torch

from filterscope import job


class TestDevice:
    @pytest.fixture(autouse=True)
    def _forget(self):
        job.device.cache_clear()
        yield
        job.device.cache_clear()

    def test_is_the_cpu_where_there_is_no_gpu(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert job.device() == torch.device("cpu")

    def test_is_the_only_gpu(self, monkeypatch):
        self.pretend(monkeypatch, 1)
        assert job.device() == torch.device("cuda", 0)

    def test_of_several_gpus_is_one_that_is_free_and_stays_so(self, monkeypatch, tmp_path):
        monkeypatch.setattr(job.tempfile, "gettempdir", lambda: str(tmp_path))
        chosen = self.pretend(monkeypatch, 3)
        with holder(tmp_path, "gpu-0"):
            assert job.device() == torch.device("cuda", 1)
        assert job.device() == torch.device("cuda", 1)
        assert chosen == [torch.device("cuda", 1)]

    def test_is_the_one_that_slurm_has_given_whoever_holds_its_lock(self, monkeypatch, tmp_path):
        """Locks lie in a temporary folder, which other users and containers do not share: Slurm knows better."""
        monkeypatch.setattr(job.tempfile, "gettempdir", lambda: str(tmp_path))
        monkeypatch.setenv("SLURM_JOB_GPUS", "2")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        self.pretend(monkeypatch, 3)
        with holder(tmp_path, "gpu-2"):
            assert job.device() == torch.device("cuda", 2)

    def test_is_free_among_those_that_slurm_has_given(self, monkeypatch, tmp_path):
        """As several steps of one submitted job take theirs."""
        monkeypatch.setattr(job.tempfile, "gettempdir", lambda: str(tmp_path))
        monkeypatch.setenv("SLURM_JOB_GPUS", "1,3")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        self.pretend(monkeypatch, 4)
        with holder(tmp_path, "gpu-1"):
            assert job.device() == torch.device("cuda", 3)

    def test_is_among_those_that_cuda_visible_devices_leaves_whatever_slurm_says(self, monkeypatch, tmp_path):
        monkeypatch.setattr(job.tempfile, "gettempdir", lambda: str(tmp_path))
        monkeypatch.setenv("SLURM_JOB_GPUS", "0")  # of the node: what is visible is counted anew
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2")
        self.pretend(monkeypatch, 2)
        with holder(tmp_path, "gpu-0"):
            assert job.device() == torch.device("cuda", 1)

    def pretend(self, monkeypatch, count):
        chosen = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=f"gpu-{index}"))
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
        return chosen


class holder:  # noqa: N801 - reads as a verb
    """Another process that has taken one of these things, until the block ends."""

    def __init__(self, folder, *names):
        script = f"""
            import sys
            job.tempfile.gettempdir = lambda: {str(folder)!r}
            print(job.take_one({names!r}), flush=True)
            sys.stdin.read()
            """
        path = folder / "holder.py"
        path.write_text("from filterscope import job\n" + textwrap.dedent(script))
        self.command = [sys.executable, path]

    def __enter__(self):
        path_to_library = os.path.dirname(os.path.dirname(job.__file__))
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, "PYTHONPATH": path_to_library},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return int(self.process.stdout.readline())

    def __exit__(self, *_):
        self.process.kill()  # as a scheduler does: the lock must not outlive the job
        self.process.communicate(timeout=20)


def test_each_process_takes_another_one_and_a_killed_one_gives_it_back(tmp_path):
    names = ("a", "b")
    with holder(tmp_path, *names) as first:
        with holder(tmp_path, *names) as second, holder(tmp_path, *names) as shared:
            assert (first, second) == (0, 1)
            assert shared in (0, 1)
        with holder(tmp_path, *names) as again:
            assert again == 1


@pytest.fixture
def threads(monkeypatch):
    """Numbers of threads as they were are put back."""
    before = torch.get_num_threads()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "FILTERSCOPE_THREADS"):
        monkeypatch.setenv(name, "7")
        monkeypatch.delenv(name)
    with threadpoolctl.threadpool_limits(None):
        yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("granted", "of_the_study", "of_the_job", "right"),
    [(2, None, None, 2), (0, None, None, 1), (1, "2", None, 2), (8, "2", None, 2), (1, None, 2, 2), (1, "1", 2, 2)],
)
def test_threads_are_those_of_the_study_whatever_is_granted(
    threads, monkeypatch, granted, of_the_study, of_the_job, right
):
    if of_the_study:
        monkeypatch.setenv("FILTERSCOPE_THREADS", of_the_study)
    job.use_threads(granted, of_the_job)
    assert torch.get_num_threads() == right
    assert os.environ["OMP_NUM_THREADS"] == str(right)
    pools = {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
    assert pools <= {right, 1}, "a library that knows one thread only may have it"


@pytest.mark.parametrize(
    ("environment", "indices"),
    [
        ({}, [0, 1, 2, 3]),
        ({"SLURM_JOB_GPUS": "2"}, [2]),
        ({"SLURM_JOB_GPUS": "2,3", "SLURM_STEP_GPUS": "3"}, [3]),
        ({"SLURM_JOB_GPUS": "2", "CUDA_VISIBLE_DEVICES": "0,1,2,3"}, [0, 1, 2, 3]),
        ({"SLURM_JOB_GPUS": "7"}, [0, 1, 2, 3]),
        ({"SLURM_JOB_GPUS": "a100:1"}, [0, 1, 2, 3]),
    ],
)
def test_the_schedulers_choice_of_gpus_comes_first(environment, indices):
    """Also where the temporary folder, and so the locks, are the job's own."""
    assert job.assigned(environment, 4) == indices
