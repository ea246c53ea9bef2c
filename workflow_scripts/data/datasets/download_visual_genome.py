"""Download one of Visual Genome's archives from the first mirror that has it."""

from collections.abc import Sequence
from pathlib import Path

from filterscope import job
from filterscope.data.web import download, lock, official


def download_visual_genome(
    path_to_archive: str | Path,
    path_to_lock: str | Path,
    archive: str,
    mirrors: Sequence[str],
    verify: bool,
    **patience,
) -> None:
    """Fetch an archive: images, images2 or objects; without `verify` any zip that a mirror serves will do.

    Where no official checksum is asked for, the one in the lock file must be right; if it has none yet, what
    arrives is recorded there. patience: retries, timeout and backoff of `download.fetch`.
    """
    wanted = official.VISUAL_GENOME[archive]
    checks = {"sha256": wanted.sha256, "size": wanted.size} if verify else {"sha256": None}
    locked = lock.read(path_to_lock).get(wanted.path)
    by_lock = checks["sha256"] is None and locked is not None
    if by_lock:
        checks = {"sha256": locked.sha256, "size": locked.size}
    try:
        url = download.fetch_from_first(mirrors, path_to_archive, magic=official.ZIP, **checks, **patience)
    except download.DownloadError as error:
        if by_lock:
            raise download.DownloadError(
                f"{error}\n{path_to_lock} says which {wanted.path} is right, as it came from {locked.url}; "
                "if the file has a new version that you trust, delete its entry there"
            ) from error
        raise
    if checks["sha256"] is None:
        path = Path(path_to_archive)
        lock.record(path_to_lock, wanted.path, lock.Locked(download.digest(path), path.stat().st_size, url))
        job.LOGGER.info("%s: its checksum is now in %s; commit that file", wanted.path, path_to_lock)


if __name__ == "__main__":
    job.log_to(snakemake.log[0])
    download_visual_genome(
        path_to_archive=snakemake.output.archive,
        path_to_lock=snakemake.params.lock,
        archive=snakemake.params.archive,
        mirrors=snakemake.params.mirrors,
        verify=snakemake.params.verify,
    )
