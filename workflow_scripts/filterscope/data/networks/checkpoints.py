"""Files of weights: read without running code, and compared with the network that they are meant for.

Only tensors are read (`weights_only`); a checkpoint that does not fit says what is missing, what is too much
and what would help.
"""

from __future__ import annotations

import argparse
import logging
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn

from filterscope.data import strangers
from filterscope.data.networks.settings import NetworkError

LOGGER = logging.getLogger("filterscope")

# Where training programs put the state_dict in what they save.
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network")
# Prefixes that torch's own wrappers (DataParallel, torch.compile) give to every key.
TORCH_PREFIXES = ("module.", "_orig_mod.")
# Heads that only training uses; files of weights hold them, networks for looking at pictures do not.
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.", "aux_classifier.")
NAMED = 3  # keys that a message names; of the rest it says how many
ALIKE = 0.9  # share of equal tensors above which two architectures count as the same


def read_checkpoint(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, out of the usual wrappers, floating-point ones as float32.

    Raises NetworkError when the file is absent, damaged, holds code (a pickled object), or no state_dict.
    """
    path = Path(path)
    if not path.is_file():
        raise NetworkError(f"{path}: there is no such file of weights")
    return as_float32(_unwrapped(_read(path), path))


def read_packed(path: str | Path) -> dict:
    """What a rule has packed into a file: tensors, numbers and texts by name, as they were.

    Raises NetworkError when the file is absent, damaged, holds code, or nothing by name.
    """
    path = Path(path)
    if not path.is_file():
        raise NetworkError(f"{path}: there is no such file of weights")
    packed = _read(path)
    if not isinstance(packed, Mapping):
        raise NetworkError(f"{path}: holds a {type(packed).__name__}, should be values by name")
    return dict(packed)


def _read(path: Path):
    if (strangers.recognised(_start(path)) or "").startswith("a safetensors"):
        return _read_safetensors(path)
    try:
        # torchvision's training program saves its command line; a Namespace only holds values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error) or _start(path).startswith(pickle.PROTO):
            raise _refused(path, error) from None
        raise _damaged(path) from error
    except (EOFError, OSError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise _damaged(path) from error
    except RuntimeError as error:
        if "TorchScript" in str(error):
            raise _refused(path, error) from None
        raise _damaged(path) from error


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise NetworkError(f"{path}: a safetensors file, which needs a package: pip install safetensors") from error
    try:
        return load_file(path)
    except SafetensorError as error:
        raise NetworkError(f"{path}: a safetensors file, cut off or damaged ({error}); fetch it again") from error


def _refused(path: Path, error: Exception) -> NetworkError:
    words = str(error).split()
    names = [word for before, word in pairwise(words) if before == "GLOBAL"]
    held = f" ({names[0]})" if names else ""
    return NetworkError(
        f"{path}: refused, because it holds code{held} that would run on reading, not just tensors. "
        "Where you trust it, load it yourself and save torch.save(network.state_dict(), file)"
    )


def _start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(12)


def _damaged(path: Path) -> NetworkError:
    what = _stranger(path)
    if what:
        return NetworkError(
            f"{path}: {what}; wanted are the weights of a PyTorch network, torch.save(network.state_dict(), file)"
        )
    return NetworkError(
        f"{path}: no readable weights: {path.stat().st_size} bytes that start with {_start(path)!r}; "
        "it may be cut off, fetch it again"
    )


# Files of other programs that their first bytes do not tell, by suffix.
_BY_SUFFIX = {
    ".onnx": "an ONNX network: its source is onnx, which needs no other file",
    ".json": "a JSON file, no weights: where it lists several files, source huggingface reads their folder",
    ".pb": "a TensorFlow network",
    ".mlmodel": "a Core ML network",
    ".caffemodel": "weights of Caffe: its source is caffe, with a prototxt",
}
# Members of zip archives that tell what they are.
_BY_MEMBER = {
    ".npy": "NumPy arrays: where their names and shapes are PyTorch's, {name: torch.from_numpy(array) for name, array "
    "in numpy.load(file).items()} is a state_dict",
    ".h5": "a Keras network",
    ".mlmodel": "a Core ML network",
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin", ".tar"), "a zip archive of weights: unpack it"),
}


def _stranger(path: Path) -> str | None:
    """What a file is that torch cannot read, None where that cannot be told."""
    with path.open("rb") as stream:
        start = stream.read(strangers.START)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        found = [what for end, what in _BY_MEMBER.items() if any(name.endswith(end) for name in names)]
        return found[0] if found else f"a zip archive of {_named(names)}" if names else "an empty zip archive"
    what = strangers.recognised(start)
    return what or (_BY_SUFFIX.get(path.suffix.lower()) if start else None)


def _unwrapped(data, path: Path) -> dict[str, torch.Tensor]:
    for _ in WRAPPERS:
        if isinstance(data, Mapping) and data and all(isinstance(each, torch.Tensor) for each in data.values()):
            return dict(data)
        inner = [key for key in WRAPPERS if isinstance(data, Mapping) and isinstance(data.get(key), Mapping)]
        if not inner:
            break
        data = data[inner[0]]
    found = f"a mapping with the keys {_named(data)}" if isinstance(data, Mapping) else f"a {type(data).__name__}"
    raise NetworkError(f"{path}: holds {found}, should be a state_dict, plain or under {' or '.join(WRAPPERS)}")


def as_float32(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors, half and double precision ones as float32."""
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def without_prefix(state: Mapping[str, torch.Tensor], prefix: str, source: str) -> dict[str, torch.Tensor]:
    """The tensors under the prefix, without it; also without the prefixes of torch's own wrappers.

    prefix: with or without its last dot; tensors that do not have it are left out.
    Raises NetworkError when no key has the prefix.
    """
    # torch.compile wraps modules at any depth.
    state = {key.replace("._orig_mod.", "."): value for key, value in state.items()}
    state = _without_torch_prefixes(state, prefix)
    if prefix:
        prefix = f"{prefix.rstrip('.')}."
        kept = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        if not kept:
            raise NetworkError(f"{source}: no key starts with the prefix {prefix!r}; keys are {_named(state)}")
        if len(kept) < len(state):
            LOGGER.info("%s: left out %d tensors without %s", source, len(state) - len(kept), prefix)
        state = _without_torch_prefixes(kept)
    return state


def _without_torch_prefixes(state: Mapping[str, torch.Tensor], wanted: str = "") -> dict[str, torch.Tensor]:
    """The state without what torch's wrappers put before every key, but with the prefix that is wanted."""
    state = dict(state)
    while own := [each for each in TORCH_PREFIXES if all(key.startswith(each) for key in state)]:
        if wanted and any(key.startswith(wanted) for key in state):
            break
        state = {key.removeprefix(own[0]): value for key, value in state.items()}
    return state


def fit(network: nn.Module, state: Mapping[str, torch.Tensor], source: str, part: str | None = None) -> None:
    """Load a state_dict into a network that it must fit exactly.

    part: dotted module that alone is needed; other tensors of the file are left out. Counters of batch norm,
    which old files lack, are kept; auxiliary heads, which the network lacks, are left out.
    Raises NetworkError with the missing, unexpected and misshaped keys and what would help.
    """
    wanted = network.state_dict()
    if part:
        state = {key: value for key, value in state.items() if key.startswith(f"{part}.")}
    state = {key: value for key, value in state.items() if key in wanted or not key.startswith(AUXILIARY)}
    counters = {key: value for key, value in wanted.items() if key.endswith(".num_batches_tracked")}
    state = {**{key: value for key, value in counters.items() if key not in state}, **state}
    missing = [key for key in wanted if key not in state]
    unexpected = [key for key in state if key not in wanted]
    misshaped = [key for key in wanted if key in state and state[key].shape != wanted[key].shape]
    if missing or unexpected or misshaped:
        found = []
        if missing:
            found.append(f"{len(missing)} missing keys ({_named(missing)})")
        if unexpected:
            found.append(f"{len(unexpected)} unexpected keys ({_named(unexpected)})")
        if misshaped:
            shapes = [f"{key} is {list(state[key].shape)}, should be {list(wanted[key].shape)}" for key in misshaped]
            found.append(f"{len(misshaped)} of another shape ({_named(shapes)})")
        file = {key: value for key, value in state.items() if key not in counters}
        raise NetworkError(f"{source}: does not fit the network: {'; '.join(found)}{_advice(file, wanted)}")
    damaged = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if damaged:
        raise NetworkError(f"{source}: NaN or infinite weights in {_named(damaged)}")
    network.load_state_dict(dict(state), strict=True)


def _named(keys: Iterable) -> str:
    keys = list(map(str, keys))
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return ", ".join(keys[:NAMED]) + more


def _advice(state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> str:
    """What would make the file fit, where that can be told."""
    fitting = [key for key in wanted if key in state and state[key].shape == wanted[key].shape]
    tops = {key.partition(".")[0] for key in state}
    if len(fitting) == len(state) and len(tops) == 1:
        return f". The file holds only {tops.pop()}: set part to that name if it is all you need"
    prefix = _likely_prefix(state, wanted)
    if prefix:
        return f". It may fit with prefix: {prefix!r}"
    misshaped = [key for key in wanted if key in state and state[key].shape != wanted[key].shape]
    classes = {state[key].shape[0] for key in misshaped if state[key].ndim}
    layers = {key.rpartition(".")[0] for key in misshaped}
    if len(fitting) + len(misshaped) == len(state) and len(classes) == 1 and len(layers) == 1:
        return f". It may fit with arguments: {{num_classes: {classes.pop()}}}"
    from filterscope.data.networks import architectures  # torchvision takes seconds to load

    architecture = architectures.looks_like(state)
    return f". The file looks like the architecture {architecture}" if architecture else ""


def _likely_prefix(state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> str:
    first = next(iter(wanted), "")
    prefixes = {key[: -len(first)] for key in state if first and key.endswith(f".{first}")}
    counts = {prefix: sum(f"{prefix}{key}" in state for key in wanted) for prefix in sorted(prefixes)}
    best = max(counts, key=counts.get, default="")
    return best if counts.get(best, 0) > ALIKE * len(wanted) else ""
