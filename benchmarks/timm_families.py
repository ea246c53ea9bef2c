"""What is read of timm's networks: a small member of every family, random weights; the table of docs/networks.md.

    nice python benchmarks/timm_families.py [family ...]

Where a network has timm's own way to its maps (forward_intermediates), these are looked for among the maps read.
"""

from __future__ import annotations

import contextlib
import re
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

import timm  # noqa: E402

from filterscope.data.networks.layers import LayerError, Survey, survey  # noqa: E402
from filterscope.data.networks.layout_kinds import KINDS  # noqa: E402
from filterscope.data.networks.passes import hooked, tensor_at  # noqa: E402
from filterscope.data.networks.stages import ends_among  # noqa: E402

PAGE, START, END = ROOT / "docs" / "networks.md", "<!-- families -->\n", "<!-- end of families -->"
MOST_WEIGHTS = 1.4e8  # larger members are not run
LARGE, SIDE = 448, 224  # px; networks for larger pictures than the first are shown pictures of the second
BLANK = [""] * (len(KINDS) + 2)  # of a row that has no counts
TRIED = 4  # members of a family whose weights are counted, those first whose names say that they are small
SMALL = (
    *("test_", "atto", "femto", "pico", "nano", "xxtiny", "xxt", "xxs", "_xt", "tiny", "_ti", "xs", "small", "mini"),
    *("_t0", "_s0", "b0", "lite0", "_050", "_035", "18", "26", "_t", "_s"),
)


def smallest(family: str) -> tuple[str, int]:
    """The smallest member of a family among those whose names promise it, and its number of weights."""
    names = timm.list_models(module=family)
    ranks = {name: next((rank for rank, part in enumerate(SMALL) if part in name), len(SMALL)) for name in names}
    sizes = {}
    for name in sorted(names, key=lambda name: (ranks[name], len(name)))[:TRIED]:
        try:
            with torch.device("meta"):
                sizes[name] = sum(each.numel() for each in timm.create_model(name).parameters())
        except (RuntimeError, NotImplementedError, ValueError):
            sizes[name] = sys.maxsize
    return min(sizes.items(), key=lambda each: each[1])


def found_again(network: torch.nn.Module, read: Survey, side: int) -> str:
    """How many of timm's own intermediate maps are among those read."""
    if not hasattr(network, "forward_intermediates"):
        return "–"
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        try:
            wanted = network.forward_intermediates(images, intermediates_only=True, output_fmt="NCHW")
        except (TypeError, AssertionError, RuntimeError, ValueError):
            return "–"
    open_ones = dict(enumerate(wanted))
    layouts = {(each.layer, each.call): each.layout for each in read.layers}
    names, calls = {module: name for name, module in network.named_modules()}, Counter()

    def look(module, _, output):
        layout = layouts.get((names[module], calls[module]))
        calls[module] += 1
        if layout is not None:
            maps = layout.maps(tensor_at(output, layout.path))
            same = [
                key
                for key, each in open_ones.items()
                if each.shape == maps.shape and torch.allclose(each, maps, atol=1e-5, rtol=1e-4)
            ]
            for key in same:
                del open_ones[key]

    with torch.inference_mode(), hooked([each for each in names if names[each]], look):
        network(images)
    return f"{len(wanted) - len(open_ones)} of {len(wanted)}"


def examined(family: str) -> list[str]:
    """A row of the table."""
    name, weights = smallest(family)
    if weights > MOST_WEIGHTS:
        return [family, name, "not run: too large", *BLANK]
    network = timm.create_model(name)
    side = network.pretrained_cfg["input_size"][-1]
    if side > LARGE:
        with contextlib.suppress(TypeError):  # some take pictures of any size and know no img_size
            network = timm.create_model(name, img_size=SIDE)
        side = SIDE
    network.eval().requires_grad_(False)
    try:
        read = survey(network, side)
    except LayerError as error:
        return [family, name, f"refused: {str(error)[:160]}", *BLANK]
    kinds = Counter(each.layout.kind for each in read.layers)
    reasons = Counter(reason_of(each.reason) for each in read.left_out)
    ends = ends_among(network, read.layers)
    counts = [str(kinds[kind]) for kind in KINDS]
    most = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common(2))
    marked = ", ".join(f"`{end}`" for end in ends)
    return [family, name, *counts, most, found_again(network, read, side), marked]


def reason_of(sentence: str) -> str:
    """The kind of a reason, without shapes and brackets."""
    plain = re.sub(r"\[[^\]]*\]|\(.*?\)", "", sentence)
    return re.sub(r"\s+", " ", plain.rpartition(": ")[2]).strip()


def main(families: list[str]) -> None:
    """Print a row for every family, and write the page: the whole table, or these rows of it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    titles = ["family", "member", *KINDS, "left out", "timm's own", "ends of stages"]
    rows = []
    for family in families or timm.list_modules():
        if timm.list_models(module=family):
            begun = time.perf_counter()
            rows.append(examined(family))
            print(" | ".join(rows[-1]), f"{time.perf_counter() - begun:.1f} s", flush=True)
        if rows and families:
            renew(rows)
        elif rows:
            write([titles, ["---"] * len(titles), *rows])


def renew(rows: list[list[str]]) -> None:
    """These rows in the place of those of the same families; the others stay."""
    found = PAGE.read_text(encoding="utf-8").partition(START)[2].partition(END)[0].strip().splitlines()
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in found]
    own = {row[0]: row for row in rows}
    write([own.get(line[0], line) for line in lines])


def write(lines: list[list[str]]) -> None:
    """The table into its place in the page."""
    table = "\n".join(f"| {' | '.join(row)} |" for row in lines)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(f"{before}{START}\n{table}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
