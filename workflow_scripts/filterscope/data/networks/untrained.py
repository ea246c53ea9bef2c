"""Probes of networks that were never trained: each has the layer of a probe of the config, and its name."""

from __future__ import annotations

# In no name of the config; before the layer, as the layers of a group are told apart.
MARK = "-untrained"


def untrained(probe: str) -> str:
    """Name of the same layer in the network as it was before any training."""
    group, dot, layer = probe.partition(".")
    return f"{group}{MARK}{dot}{layer}"


def is_untrained(probe: str) -> bool:
    """Whether it is a layer of the network as it was before any training."""
    return MARK in probe


def trained(probe: str) -> str:
    """Name of the config's probe; its own for one of the config."""
    return probe.replace(MARK, "", 1)
