"""What jobs ask for: memory, time and disk that follow the data, from a floor to a cap, and more at every attempt."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path

from filterscope.data.datasets import counting
from filterscope.data.networks.untrained import trained
from filterscope.faithful import Faithful

MB = 1_000_000
LARGEST_MEMORY = 256_000  # MB, where it is not known how much a node has
LONGEST = 7 * 24 * 60  # minutes
GROWTH = 2  # of what an attempt asks for, over the one before

# Pictures of a dataset above which every step takes longer than a job waits for its node: none shares one with others.
LARGE = 20_000
# Objects in a picture, before the tables tell: of COCO, of Visual Genome's that are used, of others.
OBJECTS = {"coco": 7.3, "visual_genome": 20.4}
MOST_OBJECTS = 10
# Filters of the widest layers: of the embedded networks, and of ResNet-50.
FILTERS = {"planted": 22, "scenes_cnn": 64, "scenes_vit": 128, "scenes_convnext": 192}
MOST_FILTERS = 2048
# Variants of a study whose defects are measured: none of them, each alone, all.
VARIANTS = len(Faithful.names()) + 2
# Bytes of a row: of tables without vectors, and of one value in those that have some.
ROW, VALUE = 150, 4


def memory(base: float, times: float, inputs: list[str], config: dict, threads: int, attempt: int, most: int) -> int:
    """MB: a base, so many times the files that are read, and half a GB for each further process that decodes pictures.

    most: MB that cannot be exceeded.
    """
    read = sum(size(path, config) for path in inputs) / MB
    return min(most, round((base + times * read + 500 * (threads - 1)) * GROWTH ** (attempt - 1)))


def minutes(base: float, thousand: float, pictures: float, attempt: int) -> int:
    """Minutes: a base, and so many for a thousand pictures."""
    return min(LONGEST, round((base + thousand * pictures / 1000) * GROWTH ** (attempt - 1)))


def parts(pieces: int, jobs: int) -> float:
    """How many times the largest share of so many jobs is in these pieces, of which none is cut."""
    return pieces / math.ceil(pieces / jobs)


def disk(base: float, times: float, inputs: list[str], attempt: int) -> int:
    """MB on a node's disk: a base, and so many times what is read."""
    read = sum(Path(path).stat().st_size for path in inputs if Path(path).is_file())
    return round((base + times * read / MB) * GROWTH ** (attempt - 1))


def size(path: str | Path, config: dict) -> float:
    """Bytes of a file, as it is, or before it is made as the config lets expect; a folder's are read one by one: 0."""
    if Path(path).is_dir():
        return 0
    try:
        return Path(path).stat().st_size
    except OSError:
        return _expected(str(path), config)


def counted(dataset: str, config: dict) -> tuple[int, int]:
    """Pictures and objects of a dataset, as its source, its folder or the config lets expect."""
    entry = config["datasets"][dataset]
    count = pictures(entry).of(counting.ALL)
    if entry["source"] == "scenes":
        return count, count * max(entry.get("objects", [4]))
    return count, round(count * OBJECTS.get(entry["source"], MOST_OBJECTS))


def pictures(entry: Mapping) -> counting.Photographs:
    """Of an entry of `datasets`. A folder is looked through once in every job's process, as jobs ask for what they need
    many times; where it has very many of what is downloaded, it is taken to have all."""
    return _pictures(json.dumps(entry, sort_keys=True, default=str))


@cache
def _pictures(entry: str) -> counting.Photographs:
    told = json.loads(entry)
    source, folder = told["source"], told.get("folder")
    if folder and any(_has_more(Path(folder, name), LARGE) for name in counting.FOLDERS.get(source, ())):
        return counting.KNOWN[source]
    return counting.photographs(told)


def _has_more(folder: Path, most: int) -> bool:
    """Whether more than so many things lie in a folder, of which no more are listed."""
    try:
        with os.scandir(folder) as entries:
            return next(islice(entries, most, None), None) is not None
    except OSError:  # not there yet; whoever reads it says what is wrong
        return False


def _expected(path: str, config: dict) -> float:
    """Bytes of a table that is not there yet, by where it will lie."""
    if found := re.search(r"activations/(\w+)/([\w.-]+)/(?:shards/\d+-of-(\d+)/)?(\w+)\.parquet$", path):
        dataset, probe, parts, table = found.groups()
        images, objects = counted(dataset, config)
        network = config["networks"][config["probes"][trained(probe)]["network"]]
        filters = FILTERS.get(network["source"], MOST_FILTERS)
        rows = {
            "pooled": objects,
            "attended": objects if config["training"]["attended"] else 0,
            "images": 2 * images,
            "tails": images,
            "sums": 4 * filters * int(parts or 1),
        }
        return rows.get(table, filters) * filters * VALUE / int(parts or 1)
    if found := re.search(r"data/(\w+)/(images|annotations)\.parquet$", path):
        dataset, table = found.groups()
        return counted(dataset, config)[table == "annotations"] * ROW if dataset in config["datasets"] else 0
    if found := re.search(r"vocabularies/(\w+)/vocabulary\.parquet$", path):
        large = config["vocabularies"][found[1]]["source"] != "captions"
        return 400_000 * 300 * VALUE if large else 1000 * config["vocabularies"][found[1]]["dimension"] * VALUE
    return 0
