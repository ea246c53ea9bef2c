"""Download the files of a public set of labelled samples."""

from collections.abc import Mapping
from pathlib import Path

from filterscope import job
from filterscope.data.samples import downloads


def download_samples(path_to_folder: str | Path, settings: Mapping, **patience) -> None:
    """The folder appears when all files are there; until then what has arrived waits beside it for the next attempt.

    settings: source, and mirrors and verify, or torchvision's dataset and arguments. patience: retries, timeout and
    backoff of `download.fetch`.
    """
    folder = Path(path_to_folder)
    arriving = folder.with_name(f".{folder.name}.part")
    arriving.mkdir(parents=True, exist_ok=True)
    if settings["source"] == "torchvision":
        downloads.fetch_torchvision(settings["dataset"], arriving, settings["arguments"])
    else:
        downloads.fetch_samples(settings["source"], arriving, settings["mirrors"], settings["verify"], **patience)
    arriving.replace(folder)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    download_samples(path_to_folder=snakemake.output.folder, settings=snakemake.params.download)
