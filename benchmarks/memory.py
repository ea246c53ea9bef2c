"""What a job takes that reads layers of a network, beside what `max_memory` is told that it takes.

The workflow's own script extracts real photographs, each case in a process of its own; its peak is compared with the
sum of `filterscope.activations.needs.parts` and OWN, which the job has whatever it reads.

    memory.py [images of each split] [pictures per batch]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.compute as pc
import torch
from material import NETWORKS, real_study

from activations.extract_activations import extract_activations
from configuration.environment import keep_freed_memory
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import GB, OWN, parts
from filterscope.activations.probing import ProbeSettings, checked
from filterscope.activations.shards import ShardPaths
from filterscope.data.networks import building
from filterscope.data.networks.settings import NetworkSettings
from filterscope.data.networks.weights import write_weights

CASES = {
    "alexnet": ("features",),
    "mobilenet": ("features",),
    "resnet50": ("layer4",),
    "resnet50, four": ("layer1", "layer2", "layer3", "layer4"),
}
KINDS = ("pooled", "images", "tails", "rejected", "maps")


def now() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def prepare(folder: Path, case: str, images: int) -> Path:
    """Tables of so many photographs of each split and the network's weights, in the folder; where the pictures lie."""
    study = real_study(case.partition(",")[0])
    some = study.images.groupby("split").head(images)
    annotations = study.annotations.to_pandas()
    tables.write(some, "images", folder / "images.parquet")
    tables.write(annotations[annotations["image_id"].isin(some["image_id"])], "annotations", folder / "objects.parquet")
    write_weights(study.network, folder / "weights.pt")
    return study.folder


def measure(folder: Path, pictures: str, case: str, batch: int) -> None:
    """Extract in this process, which has read nothing else, and print a line of the table."""
    torch.set_num_threads(1)
    entry, _, _ = NETWORKS[case.partition(",")[0]]
    network = NetworkSettings.from_mapping({**entry, "file": str(folder / "weights.pt")})
    probes = [ProbeSettings(network, layer) for layer in CASES[case]]
    settings = ExtractionSettings(batch_size=batch, workers=1)
    before = now()
    extract_activations(
        path_to_images=folder / "images.parquet",
        path_to_annotations=folder / "objects.parquet",
        path_to_weights=folder / "weights.pt",
        outputs=[ShardPaths(*(folder / f"{layer}.{kind}" for kind in KINDS)) for layer in CASES[case]],
        folder=pictures,
        probes=probes,
        settings=settings,
        scatteritem="1-of-1",
        max_bad_fraction=0,
        most=8,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    built = building.load(network, folder / "weights.pt")
    lines = [checked(probe, probe.layer, built) for probe in probes]
    splits = tables.read(folder / "images.parquet", "images")["split"]
    told = parts(lines, settings, pc.sum(pc.equal(splits, "train")).as_py())
    total = OWN + sum(part.bytes for part in told)
    detail = ", ".join(f"{part.what} {part.bytes / GB:.2f}" for part in told)
    numbers = [f"{each / GB:.2f}" for each in (before, peak, total)]
    print(f"| {case} | {batch} | {' | '.join(numbers)} | {total / peak:.2f} | {detail} |", flush=True)


def main(images: str = "64", batch: str = "32", *own: str) -> None:
    """Run all cases; own: folder, pictures and case of a process that measures one."""
    if own:
        folder, pictures, case = own
        measure(Path(folder), pictures, case, int(batch))
        return
    print(
        "| case | batch | before, GB | taken | told | told / taken | of it |\n|---|---|---|---|---|---|---|", flush=True
    )
    keep_freed_memory()
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            pictures = prepare(Path(folder), case, int(images))
            subprocess.run([sys.executable, __file__, images, batch, folder, str(pictures), case], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
