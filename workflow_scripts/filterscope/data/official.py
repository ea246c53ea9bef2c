"""The archives that the workflow downloads: where a mirror keeps them, and how to know the official ones.

Sizes and digests are those that TensorFlow Datasets records for COCO (`url_checksums/coco.txt`) and
JuliaText's Embeddings.jl for GloVe 6B (`src/glove.jl`); neither publisher gives any. For Visual Genome they are
those that public manifests agree on; of its pictures only the sizes are beyond doubt, so that their digests are
left to the lock file (`lock.py`). Its mirrors stand in the config, because its hosts come and go.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """An archive: its path on the mirror, its size in bytes and its digest, None where nobody vouches for one."""

    path: str
    size: int
    sha256: str | None

    def address(self, mirror: str) -> str:
        """The archive's URL on a mirror."""
        return f"{mirror.rstrip('/')}/{self.path}"


ZIP = b"PK\x03\x04"  # first bytes of every archive below

ARCHIVES: dict[str, Archive] = {
    "annotations_trainval2017.zip": Archive(
        "annotations/annotations_trainval2017.zip",
        252_907_541,
        "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
    ),
    "train2017.zip": Archive(
        "zips/train2017.zip",
        19_336_861_798,
        "69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
    ),
    "val2017.zip": Archive(
        "zips/val2017.zip",
        815_585_330,
        "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
    ),
    "glove.6B.zip": Archive(
        "glove.6B.zip",
        862_182_613,
        "617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb",
    ),
}

# Keys of the config's `mirrors`: what follows is the file's own name.
VISUAL_GENOME: dict[str, Archive] = {
    "images": Archive("images.zip", 9_731_705_982, None),
    "images2": Archive("images2.zip", 5_471_658_058, None),
    "objects": Archive(
        "objects.json.zip",
        55_323_929,
        "efa456069aedb420b7dabf54f4608c89c78a00de550f1433066e9b6f84fb629c",
    ),
}
