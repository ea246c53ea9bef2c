"""What does making an atlas cost? Layers of 2,048 filters with 25 top images each, made up, on 2 threads.

`atlas.py 1` measures one layer with 1,500 photographs of 640 x 480 px in seconds and memory, `atlas.py 100` the index
of a hundred layers in bytes. Without a number one layer is measured.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from filterscope.report.atlas import photographs
from filterscope.report.atlas.assembling import make_atlas

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.synthetic_study import Synthetic

FILTERS, PHOTOGRAPHS, TOP, WORDS, TOKENS = 2048, 1500, 25, 2500, 80


def measure(layers: int, folder: Path) -> None:
    """Make the study and its atlas in the folder, and print what that cost."""
    words = tuple(f"word{number}" for number in range(WORDS))
    study = Synthetic(
        layers, FILTERS, PHOTOGRAPHS, size=(640, 480), words=words, tokens=words[:TOKENS], top=TOP, drawn=False
    )
    results = study.write(folder / "results")
    read, opened = Counter(), photographs.opened

    def counting(path, *settings):
        read[path] += 1
        return opened(path, *settings)

    photographs.opened = counting
    wall, cpu = time.perf_counter(), time.process_time()
    make_atlas(results, folder / "atlas", threads=2)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sizes = {
        name: sum(path.stat().st_size for path in (folder / "atlas").glob(pattern) if path.is_file())
        for name, pattern in (("index", "data/layers/*.js"), ("details", "data/details/*/*.js"), ("all", "**/*"))
    }
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{layers} layers of {FILTERS} filters: {wall:.0f} s, {cpu:.0f} s of CPU, {memory:.2f} GiB at most")
    print(", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in sizes.items()))
    print(f"{len(read)} photographs, each read {max(read.values(), default=0)} times at most")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1, Path(temporary))
