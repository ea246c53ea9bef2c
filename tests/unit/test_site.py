"""The site of the documents: its parts, and that it is built without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from module_reference import LIBRARY, first_sentence, pages, write
from navigation import contents
from outside_links import to_files

# What a page loads as it is opened, from its own folder: the site is read without a network.
LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=\"([^\"]+)\"")


@pytest.fixture
def copied(repository, tmp_path) -> Path:
    """docs/ as the repository has it, without what builds left, beside all that its pages lead to."""
    for path in repository.iterdir():
        if path.name not in ("docs", "site", ".git", ".venv", ".snakemake"):
            (tmp_path / path.name).symlink_to(path)
    for path in [path for path in (repository / "docs").rglob("*") if path.is_file()]:
        place = path.relative_to(repository)
        if place.parts[1] not in ("api", "configuration.md") and "__pycache__" not in place.parts:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_bytes(path.read_bytes())
    return tmp_path


def built(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    strict = ("--fail-on-warning", "--keep-going", "--quiet")
    command = [sys.executable, "-m", "sphinx", *strict, *arguments, "docs", "site"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def assert_only_the_own_branch_is_drawn_out(page: str) -> None:
    """Of api/words/explaining/voting: its neighbours, the other rooms, and no page of theirs."""
    (beside,) = re.findall(r'<div class="sidebar-tree">(.*?)</div>', page, re.DOTALL)
    links = set(re.findall(r'href="([^"#]+)"', beside))
    assert {"candidates.html", "../scoring/index.html", "../../diagnosis/index.html", "../../../data.html"} <= links
    assert not [link for link in links if link.startswith(("../scoring/", "../../diagnosis/")) and "index" not in link]


@pytest.mark.slow
@pytest.mark.exhaustive
def test_the_site_is_built_without_a_warning(copied):
    done = built(copied)
    assert done.returncode == 0, done.stderr
    site = copied / "site"
    modules = [path for path in LIBRARY.rglob("*.py") if not path.stem.startswith("__")]
    assert len(modules) > 100
    for path in modules:
        page = (site / "api" / path.relative_to(LIBRARY)).with_suffix(".html").read_text(encoding="utf-8")
        assert "<h1>" in page, path
    vote = (site / "api" / "words" / "explaining" / "voting.html").read_text(encoding="utf-8")
    assert "ties go to the higher mean cosine" in vote
    assert_only_the_own_branch_is_drawn_out(vote)
    settings = (site / "configuration.html").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `", (copied / "docs" / "configuration.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert settings.count("<tr ") - settings.count("<thead") == len(rows)
    for path in site.rglob("*.html"):
        found = LOADED.findall(path.read_text(encoding="utf-8"))
        assert found, path
        assert not [each for each in found if re.match(r"(?:https?:)?//", each)], path
    for path in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?https?:|@import", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    "broken",
    ["[a page](nowhere.md)", "[a file](../nowhere.md)", "[a heading](#nowhere)", "[another's](other.md#nowhere)",
     "![a picture](nowhere.png)"],
)  # fmt: skip
def test_a_broken_link_fails(broken, repository, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "pyproject.toml").symlink_to(repository / "pyproject.toml")
    for name in ("extensions", "static", "conf.py"):
        (docs / name).symlink_to(repository / "docs" / name)
    (docs / "index.md").write_text("# Index\n\n[Here](#index), [data](data.md#data), [file](../pyproject.toml)\n")
    (docs / "data.md").write_text("# Data\n")
    arguments = ("-D", "extensions=myst_parser,navigation,outside_links")
    assert built(tmp_path, *arguments).returncode == 0
    with (docs / "data.md").open("a") as file:
        file.write(f"\n{broken.replace('other.md', 'index.md')}\n")
    done = built(tmp_path, *arguments)
    assert done.returncode != 0
    assert "nowhere" in done.stderr


def test_every_page_is_named_in_the_navigation(repository):
    text = (repository / "docs" / "conf.py").read_text(encoding="utf-8")
    pages = {path.stem for path in (repository / "docs").glob("*.md")} - {"index"}
    assert pages
    for page in pages:
        assert f'"{page}"' in text


def test_navigation_keeps_the_order_and_leaves_out_what_is_not_there():
    written = contents({"Guide": ["b", "missing", "a"], "Nothing": ["gone"]}, {"a", "b"})
    assert written == "```{toctree}\n:hidden:\n:caption: Guide\n\nb\na\n```"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[m](../benchmarks/measured.md)", "[m](path:../benchmarks/measured.md)"),
        ("[m](../README.md#words), [n](data.md)", "[m](path:../README.md), [n](data.md)"),
        ("[c](../config.yaml)", "[c](../config.yaml)"),
    ],
)
def test_links_out_of_docs_lead_to_files(text, made):
    assert to_files(text) == made


@pytest.fixture
def library(tmp_path) -> Path:
    """A package with a room of a package and a module."""
    for place, docstring in {
        "__init__.py": "All.",
        "__main__.py": "Commands.",
        "shared.py": "What rooms | share. And more.",
        "room/__init__.py": "A room:\n\n- not this",
        "room/deep/__init__.py": "Deeper.",
        "room/deep/down.py": "Goes over\ntwo lines. Not this.",
    }.items():
        path = tmp_path / "library" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""{docstring}"""\n')
    return tmp_path / "library"


def test_every_module_has_a_page_and_every_package_lists_its_own(library):
    made = pages(library)
    assert set(made) == {"index.rst", "shared.rst", "room/index.rst", "room/deep/index.rst", "room/deep/down.rst"}
    assert made["room/deep/down.rst"].startswith(
        "room.deep.down\n==============\n\n.. automodule:: library.room.deep.down"
    )
    assert "| [room](room/index.rst) | A room |" in made["index.rst"]
    assert r"| [shared](shared.rst) | What rooms \| share. |" in made["index.rst"]
    assert "| [down](down.rst) | Goes over two lines. |" in made["room/deep/index.rst"]
    assert made["room/index.rst"].endswith(".. toctree::\n   :hidden:\n\n   deep <deep/index>\n")


def test_pages_of_modules_that_moved_go_and_others_keep_their_time(library, tmp_path):
    folder = tmp_path / "api"
    write(pages(library), folder)
    kept = (folder / "shared.rst").stat().st_mtime_ns
    (library / "room" / "deep" / "down.py").rename(library / "room" / "up.py")
    write(pages(library), folder)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.rst")} == set(pages(library))
    assert (folder / "room" / "up.rst").is_file()
    assert (folder / "shared.rst").stat().st_mtime_ns == kept


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("One. Two.", "One."),
        ("Lin et al. 2014, LaViSE, 4.1. More", "Lin et al. 2014, LaViSE, 4.1."),
        ("A list:\n\n- it", "A list"),
        ("Where? `Here` is. There", "Where? `Here` is."),
    ],
)
def test_the_first_sentence_stands_for_a_module(docstring, sentence):
    assert first_sentence(docstring) == sentence


def test_what_the_site_imports_is_declared(repository):
    extras = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    declared = {re.split(r"[>=<]", each)[0].replace("-", "_") for each in extras["docs"]}
    conf = (repository / "docs" / "conf.py").read_text()
    sources = [path.read_text() for path in (repository / "docs" / "extensions").glob("*.py")]
    found = set(re.findall(r"^(?:from|import) (sphinx|myst_parser|docutils|furo)\b", "\n".join(sources), re.MULTILINE))
    assert found | {"furo"} <= declared
    assert 'html_theme = "furo"' in conf
