"""Download one of COCO's archives."""

from pathlib import Path

from filterscope import job
from filterscope.data.web import download, official


def download_coco(path_to_archive: str | Path, archive: str, mirror: str, verify: bool, **patience) -> None:
    """Fetch an archive by its official name; without `verify` any zip that the mirror serves will do.

    patience: retries, timeout and backoff of `download.fetch`.
    """
    wanted = official.ARCHIVES[archive]
    checks = {"sha256": wanted.sha256, "size": wanted.size} if verify else {}
    download.fetch(wanted.address(mirror), path_to_archive, magic=official.ZIP, **checks, **patience)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    download_coco(
        path_to_archive=snakemake.output.archive,
        archive=snakemake.params.archive,
        mirror=snakemake.params.mirror,
        verify=snakemake.params.verify,
    )
