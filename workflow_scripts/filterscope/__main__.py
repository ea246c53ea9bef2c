"""Commands: `filterscope layers resnet18` lists what a probe can read; the others stand in `filterscope.commands`."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from filterscope.commands import atlas, check, init, run, show

if TYPE_CHECKING:
    from filterscope.data.networks.layers import LayerCall

TITLES = ("layer", "call", "calls", "kind", "filters", "map")
USUAL_SIZE = 224  # px, side of ImageNet's pictures
# Modules of the commands, in the order in which they are needed; each has `add`, which tells the parser of its options.
COMMANDS = (init, check, run, show, atlas)
DESCRIPTION = """What every filter of a vision network knows. `filterscope init resnet50 --photos FOLDER` writes a
study, `check` says what would run, `run` runs it, `open` shows the result. Everything is also plain Snakemake."""


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


def layers(name: str, size: int | None, calls: str) -> str:
    """The table of layers of a torchvision architecture, of what a factory returns, or of a Caffe prototxt."""
    import torch  # takes seconds to load, and --help needs none

    from filterscope.data.networks.building import build
    from filterscope.data.networks.layers import list_layers
    from filterscope.data.networks.settings import NetworkSettings

    if name.endswith(".prototxt"):
        from filterscope.data.networks import caffe

        said = caffe.input_size(name)
        with torch.device("meta"):  # only the shapes matter
            network = caffe.build(name, size=size or (None if said else USUAL_SIZE))
            return layer_table(list_layers(network, size or said or USUAL_SIZE), calls)
    source = {"source": "factory", "factory": name} if ":" in name else {"source": "torchvision", "architecture": name}
    return layer_table(list_layers(build(NetworkSettings(**source)), size or USUAL_SIZE), calls)


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    made = argparse.ArgumentParser(prog="filterscope", description=DESCRIPTION)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for each in COMMANDS:
        each.add(commands)
    add_layers(commands)
    return made


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command and its options; rest: what stands after --, for Snakemake. Ends with status 2 for unknown ones."""
    own, rest = arguments, None
    if "--" in arguments:
        place = arguments.index("--")
        own, rest = arguments[:place], arguments[place + 1 :]
    made = parser()
    options = made.parse_args(own)
    if rest is not None and not hasattr(options, "rest"):
        made.error(f"{options.command} hands nothing to Snakemake, so nothing can stand after --")
    options.rest = rest or []
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code, 2 when what was asked for is not there."""
    options = parsed(sys.argv[1:] if arguments is None else arguments)
    try:
        return options.work(options)
    except ValueError as error:
        print(f"filterscope: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # what reads the table, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def add_layers(commands) -> None:
    """Add the options of `layers` to the parser's commands."""
    command = commands.add_parser("layers", help="list the layers of a network with their filters and map sizes")
    command.add_argument(
        "network", help="name of a torchvision model, module:function, file.py:function or a Caffe file.prototxt"
    )
    command.add_argument(
        "--size", type=int, help=f"side of the picture, px (default: what a prototxt says, or {USUAL_SIZE})"
    )
    command.add_argument(
        "--calls",
        choices=("last", "all"),
        default="last",
        help="modules may be used several times in a forward pass: show the last use, or all (default: last)",
    )
    command.set_defaults(work=print_layers)


def print_layers(options: argparse.Namespace) -> int:
    """Print the table of layers."""
    print(layers(options.network, options.size, options.calls), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
