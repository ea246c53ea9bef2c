"""`filterscope layers`: what a probe can read of a network, and what not."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from filterscope.data.networks.layers import LayerCall, Survey
    from filterscope.data.networks.settings import InputSettings

HELP = "list the layers of a network with their filters and map sizes"
TITLES = ("layer", "call", "calls", "kind", "filters", "map", "end")
USUAL_SIZE = 224  # px, side of ImageNet's pictures
END = "*"  # marks the ends of stages, the layers that are usually asked for
NAMED = 3  # layers that are left out for one reason and named; of the rest it says how many


def layer_table(layers: list[LayerCall], calls: str, ends: list[str]) -> str:
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
            END if each.layer in ends and each.call == _last(uses, each) else "",
        )
        for each in layers
        if calls == "all" or each.call == _last(uses, each)
    ]
    widths = [max(map(len, column)) for column in zip(TITLES, *rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (TITLES, *rows))


def _last(uses: Counter, each: LayerCall) -> int:
    return uses[each.layer] - 1


def remarks(read: Survey, ends: list[str], inputs: InputSettings | None) -> str:
    """What the table does not say: ends of stages, the pictures, tokens that are dropped, what is left out and why."""
    said = [f"ends of stages ({END}), usually asked for: {', '.join(ends)}"] if ends else []
    if inputs is not None:
        mean, std = (", ".join(f"{value:.4g}" for value in getattr(inputs, key)) for key in ("mean", "std"))
        said.append(f"pictures: resized to {inputs.resize} px, cropped to {inputs.crop}; mean {mean}; std {std}")
    dropped = Counter(len(each.layout.extra) for each in read.layers if each.layout.extra)
    said += [f"{count} tokens that stand for no place are dropped in {uses} outputs" for count, uses in dropped.items()]
    said += [f"assumed: {each}" for each in dict.fromkeys(each.layout.assumed for each in read.layers) if each]
    reasons: dict[str, list[str]] = {}
    for each in read.left_out:
        reasons.setdefault(re.sub(r"\[[\d, ]*\]", "[...]", each.reason), []).append(each.layer)
    for reason, layers in reasons.items():
        names = list(dict.fromkeys(layers))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        said.append(f"left out: {', '.join(names[:NAMED])}{more}: {reason}")
    return "\n".join(said)


def as_json(read: Survey, ends: list[str], inputs: InputSettings | None) -> str:
    """Everything as JSON: `layers` with every call, `left_out`, `ends`, `input`."""
    layers = [
        {
            **{key: getattr(each, key) for key in ("layer", "call", "kind", "filters", "height", "width")},
            "layout": each.layout.kind,
            "dropped": len(each.layout.extra),
            "end": each.layer in ends,
        }
        for each in read.layers
    ]
    left_out = [vars(each) for each in read.left_out]
    return json.dumps(
        {"layers": layers, "left_out": left_out, "ends": ends, "input": inputs and vars(inputs)}, indent=1
    )


def network_of(name: str, size: int | None) -> tuple[nn.Module, int | tuple[int, int], InputSettings | None]:
    """The network of a name, untrained, the size of its pictures (px), and how they become its input.

    name: a torchvision architecture, timm:architecture, hf:folder or hf:owner/name, module:function, file.py:function,
    an ONNX file or a Caffe prototxt.
    """
    import torch  # takes seconds to load, and --help needs none

    from filterscope.data.networks.building import build
    from filterscope.data.networks.settings import NetworkSettings

    if name.endswith(".prototxt"):
        from filterscope.data.networks import caffe

        said = caffe.input_size(name)
        with torch.device("meta"):  # only the shapes matter
            return caffe.build(name, size=size or (None if said else USUAL_SIZE)), size or said or USUAL_SIZE, None
    prefix, _, rest = name.partition(":")
    sources = {
        "timm": {"source": "timm", "architecture": rest, "pretrained": False},
        "hf": {"source": "huggingface", "model": rest},
    }
    if prefix in sources:
        entry = sources[prefix]
    elif name.endswith(".onnx"):
        entry = {"source": "onnx", "file": name}
    elif rest:
        entry = {"source": "factory", "factory": name}
    else:
        entry = {"source": "torchvision", "architecture": name, "weights": _usual_weights(name)}
    settings = NetworkSettings.from_mapping({**entry, "input": {"crop": size}})
    return build(settings), settings.input.crop, None if entry["source"] == "factory" else settings.input


def _usual_weights(name: str) -> str | None:
    import torchvision

    known = name in torchvision.models.list_models() and torchvision.models.get_model_weights(name).__members__
    return "DEFAULT" if known else None


def layers(name: str, size: int | None, calls: str, in_json: bool = False) -> tuple[str, str]:
    """The table of a network's layers and the remarks on it, or everything as JSON and no remarks."""
    import contextlib

    import torch

    network, side, inputs = network_of(name, size)
    from filterscope.data.networks.layers import survey
    from filterscope.data.networks.stages import ends_among

    with torch.device("meta") if name.endswith(".prototxt") else contextlib.nullcontext():
        read = survey(network, side)
    ends = ends_among(network, read.layers) if read.layers else []
    if in_json:
        return as_json(read, ends, inputs), ""
    return layer_table(read.layers, calls, ends), remarks(read, ends, inputs)


def add(commands) -> None:
    """Add the command's options to the parser's commands."""
    command = commands.add_parser("layers", help=HELP, description=HELP)
    command.add_argument(
        "network",
        help="name of a torchvision model, timm:name, hf:folder or hf:owner/name (Hugging Face), module:function, "
        "file.py:function, file.onnx or a Caffe file.prototxt",
    )
    command.add_argument(
        "--size", type=int, help=f"side of the picture, px (default: what the network's source says, or {USUAL_SIZE})"
    )
    command.add_argument(
        "--calls",
        choices=("last", "all"),
        default="last",
        help="modules may be used several times in a forward pass: show the last use, or all (default: last)",
    )
    command.add_argument("--json", action="store_true", help="everything as JSON, every call of every layer")
    command.set_defaults(work=print_layers)


def print_layers(options: argparse.Namespace) -> int:
    """Print the table of layers, and what it does not say as errors are said."""
    table, said = layers(options.network, options.size, options.calls, options.json)
    print(table, flush=True)
    if said:
        print(said, file=sys.stderr)
    return 0
