"""What the tests share: the real data, a small study, and Snakemake in a folder of its own."""

from __future__ import annotations

import copy
import functools
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tests import started

import configuration

# As the workflow's jobs do (configuration.yield_idle_cores); must be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests are small: threads only wait for each other

# A busy machine is no mistake. CI looks at the same examples every time, everybody else at new ones.
hypothesis.settings.register_profile("filterscope", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("filterscope")

REPOSITORY = Path(__file__).resolve().parents[1]
LISTED, LONG = 30, 10  # files at most, and seconds at least, that are told of in the end

# The embedded study, shrunk until it runs in seconds: enough to exercise every rule, too little to learn.
SMALL = {
    "datasets": {"scenes": {"train": 64, "val": 32, "size": 64}},
    "vocabularies": {"captions": {"dimension": 16, "sentences": 2000, "epochs": 2}},
    "networks": {
        "scenes_cnn": {"epochs": 1, "batch_size": 16, "input": {"resize": 64, "crop": 64}},
        "planted": {"input": {"resize": 64, "crop": 64}},
    },
    "clips": {"scenes_clip": {"epochs": 1, "batch_size": 16, "size": 48, "dimension": 16}},
    "activations": {"batch_size": 16},
    "training": {"epochs": 2, "batch_size": 32},
    "words": {"top_images": 8},
    "scores": {"bootstrap": 20, "resolution": 28},
    "proofs": {"objects": 4, "controls": 20, "places": 1},
    "sheets": {"filters": 2, "images": 4},
    "recipes": {"maco": {"steps": 4}, "fourier": {"steps": 4}, "plain": {"steps": 4}, "sketch": {"steps": 4}},
    "facets": [
        {
            "dataset": "scenes",
            "probe": "cnn_units",
            "classes": {"circle": 0},
            "facets": 2,
            "recipe": "sketch",
            "from_noise": ["plain"],
        }
    ],
    "criteria": {"photographs": 60, "resamples": 20},
    "facetting": {"seeds": 1, "bootstraps": 1},
    "sensing": {"share": 0.5},
    "strongest_filters": [{"dataset": "scenes", "probe": "cnn_last", "images": [64]}],
    "occlusions": [{"dataset": "scenes", "probe": "cnn_last", "images": [64], "cover": "objects"}],
    "occlusion": {"rectangles": 4},
    "samples": {name: {"points": 60} for name in ("xor", "circle", "gauss", "moon", "spiral")},
    "diagnosis": {
        "complexity": {"sizes": [40], "draws": 2, "embedding": {"most": 80, "epochs": 1}},
        "resampling": {"sets": [{"samples": "digits", "rare": "8", "kept": 0.1}], "iterations": 2, "methods": ["both"]},
        "robustness": {
            "sets": [{"samples": "digits", "family": "plain", "shares": [50, 25], "seeds": 1}],
            "training": {"epochs": 3},
            "images": 30,
            "attacks": {"sparse": {"queries": 20}},
            "resolution": 2,
        },
    },
    "temperature": {
        "training": {"epochs": 2, "batch_size": 128, "every": 3, "analysed": 100},
        "trials": 0,
        "duels": [{"network": "convnet", "samples": "digits", "schedules": ["constant", "actcoolr"], "seeds": [0]}],
        "ranges": [{"network": "convnet", "samples": "digits", "schedule": "constant", "moments": [0.0]}],
    },
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first: begun last, one of them would keep one process busy while the others idle.

    That xdist takes them in this order wants --no-loadscope-reorder (Makefile).
    """
    names = (REPOSITORY / "tests" / "longest.txt").read_text(encoding="utf-8").splitlines()
    places = {REPOSITORY / "tests" / name: number for number, name in enumerate(names)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_terminal_summary(terminalreporter) -> None:
    """Where the minutes are: files that took longest, by the clock of the process that ran them, which others slow."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for each in reports:
            if isinstance(each, pytest.TestReport):
                seconds[each.nodeid.partition("::")[0]] += each.duration
    long = [(file, taken) for file, taken in seconds.most_common(LISTED) if taken >= LONG]
    if long:
        terminalreporter.section(f"files that took longest, of {sum(seconds.values()):.0f} s")
        for file, taken in long:
            terminalreporter.write_line(f"{taken:6.0f} s {file}")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Real photographs, networks and vocabularies; the test is skipped where there are none."""
    folder = os.environ.get("FILTERSCOPE_REALDATA")
    if not folder:
        pytest.skip("FILTERSCOPE_REALDATA does not name a folder with real photographs and networks")
    if not Path(folder).is_dir():
        pytest.fail(f"FILTERSCOPE_REALDATA is {folder!r}, which is not a folder")
    return Path(folder).resolve()


def merged(config: dict, updates: dict) -> dict:
    """A copy of the config with updates, as Snakemake's --configfile does: mappings merge, lists do not."""
    result = copy.deepcopy(config)
    for key, value in updates.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


@pytest.fixture(scope="session")
def default_config() -> Callable[..., dict]:
    """The config of the embedded study, complete, with these updates."""
    text = (REPOSITORY / "config.yaml").read_text()
    return lambda updates=None: merged(yaml.safe_load(text), updates or {})


@pytest.fixture(scope="session")
def own_config(default_config) -> Callable[..., dict]:
    """The config, complete, of a study of one's own: nothing that the embedded study asks for, no samples."""

    def own_config(updates: dict) -> dict:
        config = default_config(updates)
        configuration.leave_out_embedded(config, updates)
        return config | {"samples": {}, "clips": {}}

    return own_config


@pytest.fixture(scope="session")
def small_config(default_config) -> Callable[..., dict]:
    """The config of a small study, complete, with these updates."""
    return lambda updates=None: merged(default_config(SMALL), updates or {})


@pytest.fixture
def run_snakemake(tmp_path, run_anywhere) -> Callable[..., subprocess.CompletedProcess]:
    """Runs the workflow in the test's own folder; otherwise as `run_anywhere`."""
    return functools.partial(run_anywhere, directory=tmp_path)


@pytest.fixture(scope="session")
def run_anywhere() -> Callable[..., subprocess.CompletedProcess]:
    """Runs the workflow in a folder and returns what it said.

    Called with Snakemake's arguments; `config` is a complete config (none: the project's config.yaml),
    `directory` where the results go, `environment` what is added to the environment, `check` whether a failure
    fails the test.
    """

    def run(
        *arguments: str | Path,
        directory: Path,
        config: dict | None = None,
        environment: dict[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess:
        command = ["--snakefile", REPOSITORY / "Snakefile", "--directory", directory]
        if config is not None:
            path_to_config = directory / "study.yaml"
            path_to_config.write_text(yaml.safe_dump(config, sort_keys=False))
            command += ["--configfile", path_to_config, "--replace-workflow-config"]
        command = [*map(str, command), *map(str, arguments)]
        code, said = started.snakemake(command, directory, {**os.environ, **(environment or {})})
        if check and code:
            pytest.fail(f"snakemake {' '.join(map(str, arguments))} failed:\n{said[-8000:]}")
        return subprocess.CompletedProcess(command, code, said)

    return run


# Caffe's public format as far as its weights go: number, field, type (* repeated, ** packed).
CAFFE = {
    "NetParameter": "1 name string, 2 layers V1LayerParameter*, 100 layer LayerParameter*",
    "LayerParameter": "1 name string, 2 type string, 7 blobs BlobProto*",
    "V1LayerParameter": "4 name string, 5 type int32, 6 blobs BlobProto*",
    "BlobProto": "1 num int32, 2 channels int32, 3 height int32, 4 width int32, 5 data float**, 7 shape BlobShape, "
    "8 double_data double**",
    "BlobShape": "1 dim int64**",
}


@functools.cache
def caffe_net() -> type:
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    for name, fields in CAFFE.items():
        declared = file.message_type.add(name=name)
        for number, field, kind in (each.split() for each in fields.split(", ")):
            new = declared.field.add(name=field, number=int(number), label=3 if "*" in kind else 1)
            new.options.packed = kind.endswith("**")
            kind = kind.rstrip("*")
            if kind in CAFFE:
                new.type, new.type_name = new.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                new.type = getattr(new, f"TYPE_{kind.upper()}")
            if not new.options.packed:
                new.ClearField("options")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))


@pytest.fixture(scope="session")
def write_caffemodel() -> Callable[..., Path]:
    """Writes the blobs of layers, arrays by name, as Caffe does.

    `old` writes the layers of 2014 and shapes of four axes, `double` double precision.
    """

    def write(path: Path, layers: dict[str, list], old: bool = False, double: bool = False) -> Path:
        net = caffe_net()(name="written")
        for name, arrays in layers.items():
            layer = (net.layers if old else net.layer).add(name=name)
            for array in map(np.asarray, arrays):
                blob = layer.blobs.add()
                if old:
                    shape = (1,) * (4 - array.ndim) + array.shape
                    blob.num, blob.channels, blob.height, blob.width = shape
                else:
                    blob.shape.dim.extend(array.shape)
                (blob.double_data if double else blob.data).extend(array.ravel().tolist())
        path.write_bytes(net.SerializeToString())
        return path

    return write
