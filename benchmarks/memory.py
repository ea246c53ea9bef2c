"""What a job takes that reads layers of a network, beside what `max_memory` is told that it takes.

The workflow's own script extracts real photographs, each case in a process of its own; its peak is compared with the
sum of `filterscope.activations.needs.parts`, and what is told with what was there before, Python and its libraries.

    memory.py [images of each split] [pictures per batch]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from material import real_study

from activations.extract_activations import extract_activations
from configuration.environment import keep_freed_memory
from filterscope import tables
from filterscope.activations.extraction import ExtractionSettings
from filterscope.activations.needs import GB, parts
from filterscope.activations.probing import checked
from filterscope.activations.shards import ShardPaths
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


def measure(case: str, images: int, batch: int) -> None:
    """Print a line of the table."""
    torch.set_num_threads(1)
    study = real_study(case.partition(",")[0])
    some = study.images.groupby("split").head(images)
    probes = [replace(study.probe, layer=layer) for layer in CASES[case]]
    lines = [checked(probe, layer, study.network) for layer, probe in zip(CASES[case], probes, strict=True)]
    settings = ExtractionSettings(batch_size=batch, workers=1)
    told = parts(lines, settings, int((some["split"] == "train").sum()))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tables.write(some, "images", folder / "images.parquet")
        chosen = study.annotations.to_pandas()
        chosen = chosen[chosen["image_id"].isin(some["image_id"])]
        tables.write(chosen, "annotations", folder / "annotations.parquet")
        write_weights(study.network, folder / "weights.pt")
        pictures = study.folder
        del study
        before = now()
        extract_activations(
            path_to_images=folder / "images.parquet",
            path_to_annotations=folder / "annotations.parquet",
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
    total = sum(part.bytes for part in told)
    detail = ", ".join(f"{part.what} {part.bytes / GB:.2f}" for part in told)
    numbers = [f"{each / GB:.2f}" for each in (before, peak - before, total)]
    print(f"| {case} | {batch} | {' | '.join(numbers)} | {total / (peak - before):.2f} | {detail} |", flush=True)


def main(images: str = "64", batch: str = "32", case: str | None = None) -> None:
    """Run all cases, or the one that is named."""
    if case is not None:
        measure(case, int(images), int(batch))
        return
    print(
        "| case | batch | before, GB | taken | told | told / taken | of it |\n|---|---|---|---|---|---|---|", flush=True
    )
    keep_freed_memory()
    for name in CASES:
        subprocess.run([sys.executable, __file__, images, batch, name], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
