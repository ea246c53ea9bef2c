"""The archives that the workflow downloads: where a mirror keeps them, and how to know the official ones.

Sizes and digests are those that TensorFlow Datasets records for COCO, MNIST, Fashion-MNIST and CIFAR-10's binary
version (`url_checksums/*.txt`) and JuliaText's Embeddings.jl for GloVe 6B (`src/glove.jl`); no publisher gives any.
For Visual Genome they are those that public manifests agree on; of its pictures only the sizes are beyond doubt, so
their digests are left to the lock file (`lock.py`). Its mirrors stand in the config, because its hosts come and go.
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


ZIP = b"PK\x03\x04"  # first bytes of every archive of pictures and words below
GZIP = b"\x1f\x8b"  # and of every file of labelled samples

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

# Labelled samples, by source: the files that make a set.
SAMPLES: dict[str, tuple[Archive, ...]] = {
    "mnist": (
        Archive(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Archive(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        Archive(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        Archive(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    "fashion_mnist": (
        Archive(
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        Archive(
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        Archive(
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        Archive(
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    "cifar10": (
        Archive(
            "cifar-10-binary.tar.gz",
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
}
