"""The atlas's page with 100 layers of 2,048 filters each, made up: size, time to be ready, to answer, and memory.

    atlas_page.py [layers] [filters]

Needs playwright and a Chromium (FILTERSCOPE_CHROMIUM, or on the path), no photographs. The budget: index at most 15 MB,
ready in 2 s, from a word to its filters in 50 ms, 250 MB of memory.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.atlas.synthetic import PLANTED, Synthetic

BUDGET = {"index, MB": 15, "ready, s": 2, "word to filters, ms": 50, "memory, MB": 250}
REPEATS = 5
# From the answer to a word to the layer's cards on the screen, and the answer alone, in ms.
_ANSWER = """(word) => { const layers = filterscope.store.layersHeld(); const start = performance.now();
    const found = filterscope.search.lookUp(word, layers, []);
    return [performance.now() - start, found.hits.length]; }"""


def measured(page, path: Path, layer: int) -> dict[str, float]:
    """One visit: seconds until the study is drawn and until all layers are searchable, ms of answers, MB."""
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector("main h1")
    ready = time.perf_counter() - start
    page.wait_for_selector("html[data-indexed]", timeout=60_000)
    indexed = time.perf_counter() - start
    first, hits = page.evaluate(_ANSWER, PLANTED)
    again = min(page.evaluate(_ANSWER, word)[0] for word in (PLANTED, "word0007", "word0123"))
    start = time.perf_counter()
    page.evaluate(f"location.hash = '#/layer/{layer}?q={PLANTED}'")
    page.wait_for_selector(".card")
    shown = time.perf_counter() - start
    start = time.perf_counter()
    page.evaluate(f"location.hash = '#/layer/{layer}'")
    page.wait_for_selector(".card:nth-child(100)")
    gallery = time.perf_counter() - start
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    memory = (used["usedSize"] + used.get("backingStorageSize", 0)) / 1e6
    assert hits >= 1, "the planted word was not found"
    return {
        "ready, s": ready,
        "all layers searchable, s": indexed,
        "first word to filters, ms": first,
        "word to filters, ms": again,
        "word to cards, ms": 1000 * shown,
        "layer opened, ms": 1000 * gallery,
        "heap and buffers, MB": memory,
        "memory, MB": renderer(),
    }


def renderer() -> float:
    """MB that the page's process has for itself: what would be free without it."""
    found = [each for each in psutil.Process().children(recursive=True) if "--type=renderer" in each.cmdline()]
    return max(each.memory_full_info().uss for each in found) / 1e6


def main(layers: int = 100, filters: int = 2048) -> None:
    chromium = os.environ.get("FILTERSCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with TemporaryDirectory() as temporary, sync_playwright() as playwright:
        made = Synthetic(layers, filters, photographs=2000, words=5000, planted=(layers // 2, 77), detailed=False)
        path = made.write(Path(temporary))
        size = sum(each.stat().st_size for each in (Path(temporary) / "data/layers").iterdir()) / 1e6
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        runs = []
        for _ in range(REPEATS):
            context = browser.new_context(offline=True)
            runs.append(measured(context.new_page(), path, layers // 2))
            context.close()
        browser.close()
    print(f"{layers} layers of {filters} filters; medians of {REPEATS} visits (least to largest)")
    print(f"index, MB: {size:.1f} (at most {BUDGET['index, MB']})")
    for name in runs[0]:
        values = sorted(run[name] for run in runs)
        bound = f", at most {BUDGET[name]}" if name in BUDGET else ""
        print(f"{name}: {values[len(values) // 2]:.3g} ({values[0]:.3g} to {values[-1]:.3g}{bound})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
