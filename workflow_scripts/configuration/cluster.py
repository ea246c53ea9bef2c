"""What the machine or the cluster that jobs run on has: GPUs, cores, memory, accounts of jobs."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from glob import glob

# Slurm asks about a job at most so many seconds after it has ended; what it has forgotten by then never ends.
SLOWEST_CHECK = 190
# Cores of a job for each of `threads` where a node of a cluster has no GPU to do the work.
CORES_INSTEAD_OF_GPU = 4
# Set by Slurm in jobs that it has given GPUs: their indices, or their number.
SLURM_GPUS = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS", "SLURM_GPUS_ON_NODE")

GUESSES = (
    "No SLURM account given, trying to guess",
    "not able to get a SLURM account via sacct",
    "Unable to guess SLURM account",
)


def gpus(setting: str | int, executor: str | None, environment: Mapping[str, str] = os.environ) -> int:
    """GPUs that a job asks for which can use one: 1 or 0.

    setting: the config's `gpus`. executor: Snakemake's. Under Slurm a node of the cluster must have one; a job that is
    there already has what it was given. On one machine there must be one in it. Of Kubernetes nothing is known: 1.
    """
    if setting != "auto":
        return int(setting)
    if executor == "slurm":
        return int(any("gpu" in gres for *_, gres in nodes()))
    if "SLURM_JOB_ID" in environment:
        return int(any(environment.get(name) for name in SLURM_GPUS))
    return int(executor == "kubernetes" or bool(glob("/dev/nvidia[0-9]*")))


def cores(threads: int, asked_gpus: int, executor: str | None, environment: Mapping[str, str] = os.environ) -> int:
    """Cores of a job that runs a network: the config's `threads`, and on a Slurm node several times as many where it
    gets no GPU, as long as a node has so many."""
    if asked_gpus:
        return threads
    if executor == "slurm":
        available = max((cpus for cpus, *_ in nodes()), default=threads)
    elif "SLURM_JOB_ID" in environment:
        available = int(environment.get("SLURM_CPUS_ON_NODE", threads))
    else:
        return threads
    return max(threads, min(available, CORES_INSTEAD_OF_GPU * threads))


def largest_memory(executor: str | None) -> int | None:
    """MB of the node that has most; None where it is not known."""
    return max((memory for _, memory, _ in nodes()), default=None) if executor == "slurm" else None


@cache
def nodes() -> list[tuple[int, int, str]]:
    """Cores, memory in MB and generic resources of every kind of node that Slurm's partitions have."""
    found = []
    for line in _said_by("sinfo", "--noheader", "--format=%c|%m|%G").splitlines():
        cpus, memory, gres = line.split("|")
        found.append((int(cpus.rstrip("+")), int(memory.rstrip("+")), gres))
    return found


def unfit(setting: str | int, status_command: str | None) -> str | None:
    """Why nothing would ever finish on this Slurm, in a sentence; None where it would.

    setting: the config's `gpus`. status_command: sacct or squeue, as the executor will ask about jobs.
    """
    if setting == 1 and nodes() and not gpus("auto", "slurm"):
        return "gpus is 1, but no node of this Slurm has a GPU (sinfo --format=%G); 0 or auto would do"
    settings = _said_by("scontrol", "show", "config")
    accounts = re.search(r"AccountingStorageType\s*=\s*(\S+)", settings)
    remembered = re.search(r"MinJobAge\s*=\s*(\d+)", settings)
    if accounts is None or accounts[1] not in ("accounting_storage/none", "(null)"):
        return None
    if status_command == "sacct":
        return (
            "this Slurm keeps no accounts of its jobs, so that sacct never tells when one has ended; "
            "add --slurm-status-command squeue, or take profiles/slurm, which finds out"
        )
    if remembered and int(remembered[1]) < SLOWEST_CHECK:
        return (
            f"this Slurm keeps no accounts of its jobs and forgets those that have ended after {remembered[1]} s "
            f"(MinJobAge), sooner than they are asked about (up to {SLOWEST_CHECK} s): the run would wait for ever; "
            "ask for a MinJobAge of 300 or for accounting"
        )
    return None


def hush_guesses(logger: logging.Logger) -> None:
    """Leave out what the Slurm executor says while it guesses an account, where none is named, by a call that no sacct
    understands."""
    logger.addFilter(lambda record: not any(guess in record.getMessage() for guess in GUESSES))


def _said_by(*command: str) -> str:
    """What a command prints; nothing where there is no such command or it fails."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return ""
    return done.stdout
