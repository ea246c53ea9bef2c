"""Commands: `layers resnet18` lists what a probe can read, `atlas results --out folder` makes a study's atlas anew."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterscope.data.networks.layers import LayerCall

TITLES = ("layer", "call", "calls", "kind", "filters", "map")
USUAL_SIZE = 224  # px, side of ImageNet's pictures


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


def atlas(options: argparse.Namespace) -> str:
    """Make the atlas of a finished study; what to do with it."""
    from filterscope.report.atlas.assembling import make_atlas  # --help needs no tables

    named = options.filters in (None, "all", "named")
    try:
        filters = options.filters if named else [int(each) for each in options.filters.split(",")]
    except ValueError:
        raise ValueError(f"--filters is {options.filters!r}, should be all, named or channels such as 0,5,12") from None

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    make_atlas(options.results, options.out, options.pictures, filters, options.threads, options.exports, say)
    return f"Open {os.path.join(options.out, 'index.html')} in a browser."


def _add_atlas(commands) -> None:
    """Arguments of the command `atlas`."""
    command = commands.add_parser("atlas", help="make the atlas of a study's results anew, without the workflow")
    command.add_argument("results", help="folder of the results of a study that the workflow has run")
    command.add_argument("--out", required=True, help="folder to make; an atlas that lies there is replaced")
    command.add_argument(
        "--pictures", choices=("none", "thumbnails", "full"), help="photographs in it (default: as the study's config)"
    )
    command.add_argument("--filters", help="all, named, or channels such as 0,5,12 (default: as the study's config)")
    command.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="photographs decoded at a time")
    command.add_argument(
        "--exports", action="store_true", help="also write tables and exemplars for other programs into exports/"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 when all went well, 2 when what was asked for is not there."""
    parser = argparse.ArgumentParser(prog="python -m filterscope", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
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
    _add_atlas(commands)
    options = parser.parse_args(arguments)
    try:
        if options.command == "atlas":
            print(atlas(options), flush=True)
        else:
            print(layers(options.network, options.size, options.calls), flush=True)
    except ValueError as error:
        print(f"filterscope: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # what reads the table, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
