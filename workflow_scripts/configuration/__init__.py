"""What is checked before anything runs: the config against its schema and against itself.

Every room has its module here, which tells what of the room's sections does not fit together.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from configuration import data, diagnosis, layers, modules, paths, pictures, report, schema, temperature, words
from configuration.cluster import cores, gpus, hush_guesses, largest_memory, unfit
from configuration.environment import keep_freed_memory, share_library, share_threads, yield_idle_cores
from configuration.failures import causes
from configuration.pods import tell_logs_of_failed_pods
from configuration.records import doubt_unrecorded
from configuration.study import asked_probes, complete, leave_out_embedded

try:  # libyaml's takes a tenth of the time
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader

__all__ = [
    "ConfigError",
    "asked_probes",
    "causes",
    "check",
    "complete",
    "cores",
    "doubt_unrecorded",
    "gpus",
    "hush_guesses",
    "keep_freed_memory",
    "largest_memory",
    "leave_out_embedded",
    "share_library",
    "share_threads",
    "tell_logs_of_failed_pods",
    "unfit",
    "yield_idle_cores",
]

ROOMS = (data, words, pictures, diagnosis, temperature, report)


class ConfigError(ValueError):
    """The config is wrong: says which key, what was found and what would be right."""


def check(config: dict, path_to_schema: str | Path, layers_of: layers.Layers = modules.layers_of) -> list[str]:
    """Check the config, fill in the defaults of its entries, put a probe per layer for those of several, and resolve
    its names. Returns sentences on what patterns of layers stand for.

    layers_of: the layers of an entry of `networks`, asked where a pattern needs them. Raises ConfigError with every
    mistake found, one a line.
    """
    remarks: list[str] = []
    mistakes = schema.mistakes(config, yaml.load(Path(path_to_schema).read_text(), SafeLoader))
    if not mistakes:
        mistakes, remarks = layers.expand(config, layers_of)
    if not mistakes:
        mistakes = [mistake for room in (paths, *ROOMS) for mistake in room.mistakes(config)]
    if mistakes:
        raise ConfigError("the config is wrong:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes))
    return remarks
