"""The rules as a graph, coloured by room, without what follows from other arrows (needs Graphviz):

snakemake --rulegraph | python docs/draw_rules.py | tred | dot -Tpng > docs/rules.png
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RULES = Path(__file__).parent.parent / "rules"
COLOURS = {
    "data": "#0969da",
    "activations": "#1a7f37",
    "words": "#8250df",
    "pictures": "#bf3989",
    "diagnosis": "#bc4c00",
    "temperature": "#cf222e",
    "report": "#57606a",
}


def rooms() -> dict[str, str]:
    """Room of every rule."""
    found = {}
    for path in RULES.rglob("*.smk"):
        room = path.relative_to(RULES).parts[0].removesuffix(".smk")
        for rule in re.findall(r"^(?:use )?(?:rule|checkpoint) (?:\w+ as )?(\w+)", path.read_text(), re.MULTILINE):
            found[rule] = room
    return found


def drawn(graph: str) -> str:
    """Snakemake's graph in the colours of the rooms, left to right, without the rule `all`."""
    names = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)', graph, re.MULTILINE))
    kept = {number: name for number, name in names.items() if name != "all"}
    room_of = rooms()
    lines = ["digraph rules {", "rankdir=LR; nodesep=0.12; ranksep=0.6; bgcolor=white;"]
    lines.append('node [shape=box, style="rounded,filled", fontname=sans, fontsize=11, fontcolor=white, height=0.3];')
    lines.append('edge [color="#8c959f", arrowsize=0.6];')
    lines += [f'{name} [color="{COLOURS[room_of[name]]}"];' for name in kept.values()]
    for first, second in re.findall(r"^\s*(\d+) -> (\d+)", graph, re.MULTILINE):
        if first in kept and second in kept:
            lines.append(f"{kept[first]} -> {kept[second]};")
    return "\n".join([*lines, "}"])


if __name__ == "__main__":
    print(drawn(sys.stdin.read()))
