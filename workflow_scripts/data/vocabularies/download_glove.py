"""Download the archive of GloVe 6B."""

from pathlib import Path

from filterscope import job
from filterscope.data.web import download, official


def download_glove(path_to_archive: str | Path, mirror: str, verify: bool, **patience) -> None:
    """Fetch glove.6B.zip; without `verify` any zip that the mirror serves will do.

    patience: retries, timeout and backoff of `download.fetch`.
    """
    wanted = official.ARCHIVES["glove.6B.zip"]
    checks = {"sha256": wanted.sha256, "size": wanted.size} if verify else {}
    download.fetch(wanted.address(mirror), path_to_archive, magic=official.ZIP, **checks, **patience)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    download_glove(
        path_to_archive=snakemake.output.archive,
        mirror=snakemake.params.mirror,
        verify=snakemake.params.verify,
    )
