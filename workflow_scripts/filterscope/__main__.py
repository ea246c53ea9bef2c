"""Commands: `python -m filterscope layers resnet18` lists what a probe can read."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter

from filterscope.data.layers import LayerCall, list_layers
from filterscope.data.networks import NetworkSettings, build

TITLES = ("layer", "call", "calls", "kind", "filters", "map")


def layer_table(layers: list[LayerCall], calls: str) -> str:
    """A table to print: every call of every layer ("all"), or the last of each, as probes read ("last")."""
    uses = Counter(each.layer for each in layers)
    rows = [
        (
            each.layer,
            str(each.call),
            str(uses[each.layer]),
            each.kind,
            str(each.filters),
            f"{each.height} x {each.width}",
        )
        for each in layers
        if calls == "all" or each.call == uses[each.layer] - 1
    ]
    widths = [max(map(len, column)) for column in zip(TITLES, *rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (TITLES, *rows))


def layers(name: str, size: int, calls: str) -> str:
    """The table of layers of a torchvision architecture or of what a factory returns."""
    source = {"source": "factory", "factory": name} if ":" in name else {"source": "torchvision", "architecture": name}
    return layer_table(list_layers(build(NetworkSettings(**source)), size), calls)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 when all went well, 2 when what was asked for is not there."""
    parser = argparse.ArgumentParser(prog="python -m filterscope", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("layers", help="list the layers of a network with their filters and map sizes")
    command.add_argument("network", help="name of a torchvision model, module:function or file.py:function")
    command.add_argument("--size", type=int, default=224, help="side of the picture, px (default: 224)")
    command.add_argument(
        "--calls",
        choices=("last", "all"),
        default="last",
        help="modules may be used several times in a forward pass: show the last use, or all (default: last)",
    )
    options = parser.parse_args(arguments)
    try:
        print(layers(options.network, options.size, options.calls), flush=True)
    except ValueError as error:
        print(f"filterscope: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # what reads the table, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
