"""The files of MNIST, Fashion-MNIST, CIFAR-10 and torchvision's sets, downloaded into a folder."""

from __future__ import annotations

import http.client
import socket
import urllib.error
from collections.abc import Mapping, Sequence
from pathlib import Path

from filterscope.data.samples import torchvision_sets
from filterscope.data.samples.labelled_samples import SamplesError
from filterscope.data.web import download, official

# Seconds without a byte after which torchvision's download counts as hanging.
PATIENCE = 60


def fetch_samples(source: str, folder: str | Path, mirrors: Sequence[str], verify: bool, **patience) -> None:
    """Fetch the files of a set in official.SAMPLES into a folder.

    mirrors: addresses of folders that have the files, the first that is right counts. Without `verify` any packed
    file will do. patience: retries, timeout and backoff of `download.fetch`. Files that are there already stay;
    parts of others are continued. Raises DownloadError.
    """
    for wanted in official.SAMPLES[source]:
        path = Path(folder) / wanted.path
        if path.exists():  # of an earlier attempt, which checked it
            continue
        checks = {"sha256": wanted.sha256, "size": wanted.size} if verify else {}
        addresses = [wanted.address(mirror) for mirror in mirrors]
        download.fetch_from_first(addresses, path, magic=official.GZIP, **checks, **patience)


def fetch_torchvision(dataset: str, folder: str | Path, arguments: Mapping) -> None:
    """Let torchvision download one of its sets, all of its splits. Raises SamplesError where it cannot."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)  # torchvision sets none, and would wait for ever
    try:
        torchvision_sets.opened_splits(dataset, folder, arguments, download=True)
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise SamplesError(
            f"torchvision's {dataset} cannot be downloaded ({error or type(error).__name__}); try again later, or give "
            "a folder that has it"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
