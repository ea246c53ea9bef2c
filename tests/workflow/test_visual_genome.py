"""Visual Genome from a server on this machine to its tables, by the rules; the lock file lies in --directory."""

from __future__ import annotations

import functools
import io
import json
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
from PIL import Image

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def picture(number: int) -> bytes:
    memory = io.BytesIO()
    Image.new("RGB", (64, 48), (number, 0, 0)).save(memory, "JPEG")
    return memory.getvalue()


def objects(number: int) -> dict:
    boxes = [("tree.n.01", (0, 0, 20, 30)), ("traffic_light.n.01", (40, 10, 60, 8)), ("tree.n.01", (15, 5, 9, 9))]
    entries = [
        {"object_id": 10 * number + place, "synsets": [synset], "names": [], **dict(zip("xywh", box, strict=True))}
        for place, (synset, box) in enumerate(boxes)
    ]
    return {"image_id": number, "objects": entries}


def pack(folder, name: str, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(folder / name, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


@pytest.fixture
def served(tmp_path):
    """The folder of the three archives of a Visual Genome of six pictures, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, place, first in (("images.zip", "VG_100K", 1), ("images2.zip", "VG_100K_2", 2)):
        pack(folder, name, {f"{place}/{number}.jpg": picture(number) for number in range(first, 7, 2)})
    content = json.dumps([objects(number) for number in range(1, 7)]).encode()
    pack(folder, "objects.json.zip", {"objects.json": content})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def config(small_config, served, tmp_path):
    (tmp_path / "vectors.txt").write_text("tree 1 0 0\ntraffic 0 1 0\nlight 0 0 1\nsky 0 1 1\n")
    (tmp_path / "theirs.txt").write_text("tree\nsky\n")
    _, address = served
    names = {"images": "images.zip", "images2": "images2.zip", "objects": "objects.json.zip"}
    genome = {
        "source": "visual_genome",
        "mirrors": {key: [f"{address}/gone/{name}", f"{address}/{name}"] for key, name in names.items()},
        "verify": False,
        "vocabulary": "words",
        "whole_names": True,
        "min_count": 5,
        "supervised": 0.5,
        "compare_with": "theirs.txt",  # relative to --directory, as everything in the config
    }
    vocabulary = {"source": "glove", "file": str(tmp_path / "vectors.txt")}
    return small_config({"datasets": {"vg": genome}, "vocabularies": {"words": vocabulary}})


def test_from_a_server_to_tables(config, served, run_snakemake, tmp_path):
    target = "results/data/vg/category_comparison.csv"
    environment = {"no_proxy": "127.0.0.1"}
    run_snakemake("--cores", 2, target, config=config, environment=environment)
    data = tmp_path / "results/data/vg"
    passes = pd.read_csv(data / "passes.csv")
    assert passes[["images", "annotations", "categories"]].iloc[[0, -1]].to_numpy().tolist() == [[6, 18, 2], [6, 12, 2]]
    assert pd.read_csv(data / "findings.csv").set_index("finding")["count"]["boxes clipped to their image"] == 6
    comparison = pd.read_csv(tmp_path / target).set_index("category")
    assert comparison["ours"].to_dict() == {"sky": False, "traffic_light": True, "tree": True}
    assert pd.read_parquet(data / "categories.parquet")["supervised"].sum() == 1
    lock = (tmp_path / "visual_genome.lock.yaml").read_text()
    assert all(f"{name}:" in lock for name in ("images.zip", "images2.zip", "objects.json.zip"))

    folder, _ = served
    (folder / "images.zip").write_bytes((folder / "images2.zip").read_bytes())
    archive = "results/data/vg/downloads/images.zip"
    (tmp_path / archive).unlink()
    said = run_snakemake("--cores", 2, archive, config=config, environment=environment, check=False).stdout
    assert "visual_genome.lock.yaml says which images.zip is right" in said
    assert not (tmp_path / archive).exists()
    assert (tmp_path / "visual_genome.lock.yaml").read_text() == lock
