"""Bad word vectors, weights and factories: each is told, and nothing is left behind."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.scripts.bad_inputs import LFS, PAGE, Cases

from data.networks.prepare_network import prepare_network
from data.vocabularies.cache_vocabulary import cache_vocabulary

CASES = Cases()
case = CASES.case


# --- word vectors ---


def vectors(given: str, said: str, content: bytes | None, name: str = "glove.txt", **settings) -> None:
    @case(f"vectors: {given}", said)
    def _(folder):
        if content is not None:
            (folder / name).write_bytes(content)
        cache_vocabulary(folder / name, folder.parent / "results/v.parquet", {"source": "glove", **settings})


LINES = b"red 1 2 3\nblue 4 5 6\n"
vectors("a file that is not there", r"glove\.txt: there is no such file of word vectors", None)
vectors("an empty file", r"glove\.txt: holds no word vectors", b"")
vectors("a web page", r"glove\.txt: a web page, not the file", PAGE)
vectors("a line with too few values", "line 2, word 'blue': 2 values, should be 3", b"red 1 2 3\nblue 4 5\n")
vectors("a value that is no number", "line 2, word 'blue': 'five' is not a number", b"red 1 2 3\nblue 4 five 6\n")
vectors("a value that is NaN", "line 2, word 'blue': value 2 is nan, should be finite", b"red 1 2 3\nblue 4 nan 6\n")
vectors("a word twice", "line 3, word 'red': line 1 has the same word", LINES + LINES)
vectors("a vector of zeros", r"glove\.txt: vectors of zero or infinite length: 'blue'", b"red 1 2 3\nblue 0 0 0\n")
vectors("UTF-16", "text in UTF-16: `iconv -f utf-16", LINES.decode().encode("utf-16"))
vectors(
    "a gzip file that is cut off",
    r"glove\.txt\.gz: damaged, cut off, or no \.gz archive",
    gzip.compress(LINES * 99)[:-20],
    "glove.txt.gz",
)
vectors("a zip file without its suffix", r"a zip archive: give it a name that ends in \.zip", b"PK\x03\x04" + bytes(50))
vectors(
    "word2vec whose header counts too few",
    "line 1 promises 1 words, the file holds 2: its count is too low",
    b"1 3\n" + LINES,
    source="word2vec",
)


@case(
    "vectors: a zip archive without the member",
    r"there is no member 'glove\.6B\.300d\.txt'; the archive holds other\.txt",
)
def _(folder):
    with zipfile.ZipFile(folder / "glove.zip", "w") as archive:
        archive.writestr("other.txt", LINES)
    settings = {"source": "glove", "member": "glove.6B.300d.txt"}
    cache_vocabulary(folder / "glove.zip", folder.parent / "results/v.parquet", settings)


# --- networks ---


def network(given: str, said: str, content: bytes | Callable | None, **settings) -> None:
    @case(f"network: {given}", said)
    def _(folder):
        path = folder / "mine.pth"
        if callable(content):
            torch.save(content(), path)
        elif content is not None:
            path.write_bytes(content)
        settings_ = {"source": "checkpoint", "architecture": "squeezenet1_1", "file": str(path), **settings}
        prepare_network(folder.parent / "results/weights.pt", settings_, seed=0)


network("weights that are not there", r"mine\.pth: there is no such file of weights", None)
network("empty weights", "no readable weights: 0 bytes .*fetch it again", b"")
network("a web page as weights", "a web page, not the file: .*wanted are the weights of a PyTorch network", PAGE)
network("a pointer of Git LFS as weights", "a pointer of Git LFS, not the file itself", LFS)
network(
    "weights with code in them",
    "refused, because it holds code that would run on reading",
    pickle.dumps({"weight": Path}),
)
network(
    "a whole network instead of its weights",
    r"refused, because it holds code \(torch\.nn\.modules\.linear\.Linear\)",
    lambda: torch.nn.Linear(2, 2),
)
network(
    "weights of another architecture",
    r"does not fit the network: 52 missing keys .*1 unexpected keys \(fc\.weight\)",
    lambda: {"fc.weight": torch.ones(3, 3)},
)
network("weights that are a list", "holds a list, should be a state_dict", lambda: [torch.ones(3)])
network(
    "an architecture that nobody knows",
    "'squeezenet9' is no architecture of torchvision; did you mean squeezenet1_1",
    lambda: {"a": torch.ones(1)},
    architecture="squeezenet9",
)


def factory(given: str, said: str, text: str, name: str = "build", layers=()) -> None:
    @case(f"factory: {given}", said)
    def _(folder):
        (folder / "mine.py").write_text(text)
        settings = {"source": "factory", "factory": f"{folder / 'mine.py'}:{name}"}
        prepare_network(folder.parent / "results/weights.pt", settings, seed=0, layers=layers)


BUILD = "from torch import nn\n\n\ndef build():\n    return "
factory("no such function", r"mine\.py has no function 'make'", BUILD + "nn.Conv2d(3, 4, 3)\n", name="make")
factory("something else than a network", r"returned a int, should be a torch\.nn\.Module", BUILD + "3\n")
factory("a mistake in its file", r"invalid syntax \(mine\.py, line 1\)", "def build(:\n")
factory("a module that is not installed", "No module named 'surely_not_installed'", "import surely_not_installed\n")
factory(
    "a layer that it does not have",
    "the network has no layer '1'; the nearest names are 0",
    BUILD + "nn.Sequential(nn.Conv2d(3, 4, 3))\n",
    layers=[("1", -1)],
)
factory(
    "a network for grey pictures",
    "its first convolution, '0', takes 1 channels, and pictures have 3",
    BUILD + "nn.Sequential(nn.Conv2d(1, 4, 3))\n",
    layers=[("0", -1)],
)


@pytest.mark.parametrize("given", CASES)
def test_bad_input_is_told_and_leaves_nothing_behind(given, tmp_path):
    CASES.check(given, tmp_path)
