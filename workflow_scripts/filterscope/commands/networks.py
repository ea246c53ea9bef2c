"""Networks as a user names them at the command line, as entries of a study; and the layer of theirs to begin with."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from pathlib import Path

from filterscope.commands import CommandError, workflow

# Sources that a prefix names, and the keys that may hold what stands behind it, the first that the schema knows.
PREFIXES = {"timm": "timm", "hf": "huggingface"}
NAME_KEYS = ("name", "model", "architecture")
WEIGHTS = (".pt", ".pth", ".pth.tar", ".bin", ".ckpt", ".safetensors", ".tar")
BLOCKS = "blocks"  # what a probe calls the ends of its network's stages
DEFAULT_INPUT = {"resize": 256, "crop": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def name_of(network: str) -> str:
    """What the network is called in the study."""
    prefix, _, stem = network.rpartition("/")[2].rpartition(":")
    if prefix and prefix not in PREFIXES:  # a function: what it lies in
        stem = prefix.removesuffix(".py") if prefix.endswith(".py") else prefix.rpartition(".")[2]
    for suffix in (*WEIGHTS, ".prototxt", ".onnx"):
        stem = stem.removesuffix(suffix)
    name = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")
    return name if re.match(r"[A-Za-z]", name) else f"network_{name}".rstrip("_")


def entry_of(options: argparse.Namespace) -> dict:
    """The entry of `networks` that the options of `init` describe. Raises CommandError for what can be none."""
    network, prefix = options.network, options.network.partition(":")[0]
    if prefix in PREFIXES and ":" in network:
        entry = _prefixed(prefix, network.partition(":")[2])
    elif network.endswith(".onnx"):
        entry = {"source": "onnx", "file": file_of("the network", network)}
    elif network.endswith(".prototxt"):
        entry = _caffe(network, options.weights)
    elif re.search(r":[A-Za-z_]\w*$", network):
        entry = _factory(network, options.weights)
    elif Path(network).exists() or network.endswith(WEIGHTS):
        entry = _checkpoint(network, options.architecture)
    else:
        entry = _torchvision(network)
    if options.size:
        entry["input"] = {**entry.get("input", {}), "resize": options.size, "crop": options.size}
    return entry


def _prefixed(prefix: str, name: str) -> dict:
    import yaml

    source = PREFIXES[prefix]
    kinds = yaml.safe_load(workflow.path_to_schema().read_text(encoding="utf-8"))["$defs"]["networks"]
    keys = [key for key in NAME_KEYS if key in kinds.get(source, {}).get("properties", {})]
    if not keys:
        raise CommandError(
            f"{prefix}:{name}: this version reads no networks of source {source!r}; write a function that returns it, "
            "and name that, as in my_network.py:build"
        )
    if not name:
        raise CommandError(f"{prefix}: names no network; should be as {prefix}:NAME")
    return {"source": source, keys[0]: name}


def _caffe(prototxt: str, weights: str | None) -> dict:
    prototxt = file_of("the network", prototxt)
    if weights is None:
        beside = sorted(Path(prototxt).parent.glob("*.caffemodel"))
        same = [each for each in beside if each.stem == Path(prototxt).stem]
        if len(same or beside) != 1:
            found = f"{len(beside)} of them lie" if beside else "none lies"
            raise CommandError(f"{prototxt}: needs a caffemodel, and {found} beside it; name it with --weights FILE")
        weights = str((same or beside)[0])
    return {"source": "caffe", "prototxt": prototxt, "caffemodel": file_of("--weights", weights)}


def _factory(factory: str, weights: str | None) -> dict:
    place, _, function = factory.rpartition(":")
    if place.endswith(".py"):
        place = file_of("the network", place)
    entry = {"source": "factory", "factory": f"{place}:{function}"}
    return {**entry, "file": file_of("--weights", weights)} if weights else entry


def _torchvision(name: str) -> dict:
    import torchvision

    from filterscope.data.networks import architectures
    from filterscope.data.networks.settings import NetworkError, NetworkSettings

    known = torchvision.models.list_models()
    if name not in known:
        try:
            architectures.build(NetworkSettings("torchvision", architecture=name), initialised=False)
        except NetworkError as error:
            raise CommandError(
                f"{str(error).removesuffix('?')}; networks of your own: a checkpoint file, my_network.py:build or "
                "deploy.prototxt"
            ) from None
    weights = list(torchvision.models.get_model_weights(name))
    entry = {"source": "torchvision", "architecture": name}
    if not weights:
        return {**entry, "weights": None}
    inputs = _transforms(torchvision.models.get_model_weights(name).DEFAULT)
    return {**entry, "input": inputs} if inputs else entry


def _transforms(weights) -> dict:
    """How these weights want their pictures, where that is not the schema's way."""
    made = weights.transforms()
    if not hasattr(made, "crop_size"):
        return {}
    found = {"resize": made.resize_size[0], "crop": made.crop_size[0], "mean": list(made.mean), "std": list(made.std)}
    return {} if found == DEFAULT_INPUT else found


def _checkpoint(file: str, architecture: str | None) -> dict:
    from filterscope.data.networks import architectures, building, checkpoints
    from filterscope.data.networks.settings import NetworkError, NetworkSettings

    file = file_of("the network", file)
    state = checkpoints.without_prefix(checkpoints.read_checkpoint(file), "", file)
    architecture = architecture or _named_architecture(file) or architectures.looks_like(state)
    if architecture is None:
        raise CommandError(
            f"{file}: its tensors are those of no architecture of torchvision; name it with --architecture, or write a "
            "function that returns the network: init my_network.py:build --weights FILE"
        )
    entry = {"source": "checkpoint", "architecture": architecture, "file": file}
    network = building.build(NetworkSettings(**entry))
    try:
        checkpoints.fit(network, state, file)
    except NetworkError:
        wanted = network.state_dict()
        other = {key for key in wanted if key in state and state[key].shape != wanted[key].shape}
        classes = {state[key].shape[0] for key in other if state[key].ndim}
        if len(classes) != 1 or len({key.rpartition(".")[0] for key in other}) != 1:
            raise
        entry["arguments"] = {"num_classes": classes.pop()}  # another head, as fine-tuning makes it
        checkpoints.fit(building.build(NetworkSettings(**entry)), state, file)
    return entry


def _named_architecture(file: str) -> str | None:
    """The architecture that the file's name begins with, as torchvision's files do."""
    import torchvision

    stem = Path(file).name.lower()
    named = [each for each in torchvision.models.list_models(module=torchvision.models) if stem.startswith(each)]
    return max(named, key=len, default=None)


def layer_of(entry: Mapping, wanted: str | None) -> tuple[str, str, list[str]]:
    """The layer to read, what is said of it, and the ends of the network's stages.

    wanted: BLOCKS stands for all of these ends; None for the last of them. Raises CommandError, or NetworkError where
    the network cannot be built.
    """
    from filterscope.data.networks import building
    from filterscope.data.networks.layers import LayerError, Reader, list_layers
    from filterscope.data.networks.settings import NetworkError, NetworkSettings
    from filterscope.data.networks.stages import ends_among

    settings = NetworkSettings.from_mapping(entry)
    side = settings.input.crop
    try:
        network = building.build(settings)
    except NetworkError:
        raise
    except Exception as error:  # a factory is anybody's code
        raise CommandError(f"the network cannot be built ({type(error).__name__}: {error})") from error
    try:
        found = list_layers(network, side)
        ends = ends_among(network, found) if any(each.height * each.width > 1 for each in found) else []
        if not ends and wanted in (None, BLOCKS):
            raise CommandError("no layer of the network puts out maps that can be read; name one with --layer")
        if wanted == BLOCKS:
            return BLOCKS, f"the ends of its stages, layers {', '.join(ends)}", ends
        why = "" if wanted else ", the end of its last stage"
        reader = Reader(network, wanted or ends[-1], input_size=side)
    except LayerError as error:
        raise CommandError(f"{error}. Another size of its pictures: --size") from None
    size = f"{reader.filters} filters of {reader.height} x {reader.width} cells"
    return reader.layer, f"layer {reader.layer}, {size}{why}", ends


def file_of(option: str, path: str) -> str:
    """The absolute path of a file that an option names. Raises CommandError where there is none."""
    if not Path(path).is_file():
        raise CommandError(f"{option} {path}: there is no such file")
    return os.path.abspath(path)
