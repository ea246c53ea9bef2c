"""What layers a network has, asked once of a process that builds it: the answer lies beside Snakemake's own files."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from filterscope import provenance

FOLDER = Path(".snakemake/filterscope/layers")
ASKED = "filterscope.data.networks.planning"
SCRIPTS = Path(__file__).resolve().parents[1]


class UnknownLayersError(ValueError):
    """A network's layers cannot be told: says why."""


def layers_of(network: Mapping, folder: Path = FOLDER) -> dict[str, list[str]]:
    """The layers of an entry of `networks`, see `filterscope.data.networks.planning`.

    folder: where answers are kept. An answer holds as long as the entry, the files that define the network, torch,
    torchvision and our code that builds it are the same. Raises UnknownLayersError.
    """
    path = folder / f"{_key(network)}.json"
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SCRIPTS), os.environ.get("PYTHONPATH", "")])}
    asked = subprocess.run(
        [sys.executable, "-m", ASKED],
        input=json.dumps(network),
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    lines = asked.stdout.strip().splitlines() or ["{}"]
    try:
        answer = json.loads(lines[-1])  # a factory may have printed something before
    except json.JSONDecodeError:
        answer = {}
    if "found" not in answer:
        said = answer.get("error") or (asked.stderr.strip().splitlines() or ["no answer"])[-1]
        raise UnknownLayersError(said)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    temporary.write_text(json.dumps(answer["found"]), encoding="utf-8")
    os.replace(temporary, path)
    return answer["found"]


def _key(network: Mapping) -> str:
    """Digest of everything that decides what the network's layers are."""
    factory = network.get("factory")
    holds = [
        json.dumps(network, sort_keys=True),
        provenance.factory_module(factory) if factory else None,
        provenance.contents(network["prototxt"]) if network.get("prototxt") else None,
        provenance.contents(network["file"]) if network["source"] == "onnx" else None,
        provenance.contents(provenance.factory_file(factory) or "") if factory else None,
        provenance.contents(Path(network["model"]) / "config.json") if "model" in network else None,
        *(_version(name) for name in ("torch", "torchvision", "timm", "transformers", "onnx2pytorch")),
        provenance.digest(SCRIPTS / (ASKED.replace(".", "/") + ".py")),
    ]
    return hashlib.sha256(repr(holds).encode()).hexdigest()[:16]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
