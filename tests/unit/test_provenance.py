"""The digest of a rule's code changes with the program that it runs, and with nothing else."""

from __future__ import annotations

import os
import re

import pytest

from filterscope import provenance, remembered

LIBRARY = {
    "filterscope/__init__.py": '"""The library."""\n',
    "filterscope/job.py": "import logging\n",
    "filterscope/tables.py": "def read():\n    return 1\n",
    "filterscope/words/__init__.py": "",
    "filterscope/words/voting.py": "from .losses import loss\nfrom ..tables import read\nVOTES = loss()\n",
    "filterscope/words/losses.py": "def loss():\n    return 2\n",
    "filterscope/words/recall.py": "def recall():\n    return 3\n",
    "filterscope/data/__init__.py": "from . import scenes\n",
    "filterscope/data/scenes.py": "def lazily():\n    from filterscope.data import drawing\n",
    "filterscope/data/drawing.py": "import filterscope.data.scenes\n",
    "words/explain.py": "import numpy\nfrom filterscope import job\nfrom filterscope.words import voting\n",
    "data/prepare.py": "import filterscope.data.scenes as scenes\n",
    "data/alone.py": "import os\n",
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A library and scripts that may be edited."""
    for name, text in LIBRARY.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(provenance, "LIBRARY", tmp_path / "filterscope")
    monkeypatch.setattr(provenance, "PARSED", remembered.Remembered(tmp_path / "cache/programs.json"))
    provenance.module.cache_clear()
    yield tmp_path
    provenance.module.cache_clear()


def digest(path):
    """As a new run of Snakemake computes it."""
    provenance.module.cache_clear()
    return provenance.digest(path)


def names(tree, script):
    return {str(path.relative_to(tree)) for path in provenance.code_files(tree / script)}


def test_digest_is_sixteen_hexadecimal_digits_and_repeatable(tree):
    first = digest(tree / "words/explain.py")
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert digest(tree / "words/explain.py") == first


def test_modules_are_followed_through_every_form_of_import(tree):
    assert names(tree, "words/explain.py") == {
        "words/explain.py",
        "filterscope/__init__.py",
        "filterscope/job.py",
        "filterscope/tables.py",
        "filterscope/words/__init__.py",
        "filterscope/words/voting.py",
        "filterscope/words/losses.py",
    }


def test_imports_inside_functions_and_circles_are_followed(tree):
    assert names(tree, "data/prepare.py") == {
        "data/prepare.py",
        "filterscope/__init__.py",
        "filterscope/data/__init__.py",
        "filterscope/data/scenes.py",
        "filterscope/data/drawing.py",
    }


def test_other_packages_are_not_followed(tree):
    assert names(tree, "data/alone.py") == {"data/alone.py"}


@pytest.mark.parametrize(
    "edited",
    [
        "words/explain.py",
        "filterscope/job.py",
        "filterscope/words/voting.py",
        "filterscope/words/losses.py",  # imported by what the script imports
        "filterscope/tables.py",  # imported through two dots
        "filterscope/words/__init__.py",
    ],
)
def test_edit_of_an_imported_module_changes_the_digest(tree, edited):
    before = digest(tree / "words/explain.py")
    path = tree / edited
    path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert digest(tree / "words/explain.py") != before


@pytest.mark.parametrize("edited", ["filterscope/words/recall.py", "filterscope/data/scenes.py", "data/prepare.py"])
def test_edit_of_an_unrelated_module_does_not(tree, edited):
    before = digest(tree / "words/explain.py")
    path = tree / edited
    path.write_text(path.read_text() + "\nCHANGED = True\n")
    assert digest(tree / "words/explain.py") == before


@pytest.mark.parametrize(
    "text",
    [
        "def loss():  # a comment\n    return 2\n",
        "\n\n\ndef loss():\n\n    return (\n        2\n    )\n",
        '"""What the module is."""\n\n\ndef loss():\n    """What the function does."""\n    return 2\n',
    ],
    ids=["comment", "layout", "docstring"],
)
def test_comments_layout_and_docstrings_do_not(tree, text):
    before = digest(tree / "words/explain.py")
    (tree / "filterscope/words/losses.py").write_text(text)
    assert digest(tree / "words/explain.py") == before


@pytest.mark.parametrize(
    "text",
    [
        "def loss():\n    return 2.0\n",
        'def loss():\n    return "2"\n',
        "def loss(margin=1):\n    return 2\n",
        "def loss():\n    return -2\n",
    ],
)
def test_every_change_of_the_program_does(tree, text):
    before = digest(tree / "words/explain.py")
    (tree / "filterscope/words/losses.py").write_text(text)
    assert digest(tree / "words/explain.py") != before


def test_text_that_is_no_docstring_counts(tree):
    """Strings after the first statement are values of the program, as in a table of messages."""
    losses = tree / "filterscope/words/losses.py"
    losses.write_text("MESSAGE = 'one'\n")
    before = digest(tree / "words/explain.py")
    losses.write_text("MESSAGE = 'two'\n")
    assert digest(tree / "words/explain.py") != before


def test_new_import_brings_its_module_in(tree):
    losses = tree / "filterscope/words/losses.py"
    losses.write_text("from filterscope.words import recall\n")
    before = digest(tree / "words/explain.py")
    (tree / "filterscope/words/recall.py").write_text("def recall():\n    return 4\n")
    assert digest(tree / "words/explain.py") != before


def test_two_scripts_have_two_digests(tree):
    assert digest(tree / "words/explain.py") != digest(tree / "data/prepare.py")


def test_folder_does_not_matter(tree, tmp_path_factory, monkeypatch):
    before = digest(tree / "words/explain.py")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "clone"
    tree.rename(elsewhere)
    monkeypatch.setattr(provenance, "LIBRARY", elsewhere / "filterscope")
    assert digest(elsewhere / "words/explain.py") == before
    elsewhere.rename(tree)


def test_modules_named_as_text_count(tree):
    """A misspelt one would leave its edits unnoticed."""
    script, losses = tree / "data/alone.py", tree / "filterscope/words/losses.py"
    plain, before = provenance.digest(script), provenance.digest(script, "filterscope.words.losses")
    assert plain != before
    losses.write_text("def loss():\n    return 3\n")
    provenance.module.cache_clear()
    assert provenance.digest(script) == plain
    assert provenance.digest(script, "filterscope.words.losses") != before
    for name in ("filterscope.words.loses", "mine.readers", "mine"):
        with pytest.raises(ValueError, match=f"{name} is no module of filterscope"):
            provenance.digest(script, name)


def test_syntax_error_names_the_module(tree):
    (tree / "filterscope/words/losses.py").write_text("def loss(:\n")
    with pytest.raises(SyntaxError) as error:
        digest(tree / "words/explain.py")
    assert str(error.value.filename).endswith("filterscope/words/losses.py")


def test_folder_without_init_is_passed_over(tree):
    (tree / "filterscope/plain").mkdir()
    (tree / "filterscope/plain/module.py").write_text("VALUE = 1\n")
    (tree / "data/alone.py").write_text("from filterscope.plain import module\n")
    assert names(tree, "data/alone.py") == {
        "data/alone.py",
        "filterscope/__init__.py",
        "filterscope/plain/module.py",
    }


def as_a_new_process(script):
    """What is remembered was written, and is read again."""
    provenance.PARSED.write()
    provenance.PARSED = remembered.Remembered(provenance.PARSED.path)
    return digest(script)


@pytest.mark.parametrize(
    ("edited", "text"),
    [
        ("filterscope/words/losses.py", "def loss():\n    return 7\n"),
        ("filterscope/words/losses.py", "from filterscope.words import recall\n"),
    ],
)
def test_what_is_remembered_is_what_a_reading_finds(tree, edited, text, monkeypatch):
    """Before an edit, after it and when it is taken back; without any memory the digests are the same."""
    script, before = tree / "words/explain.py", (tree / edited).read_text()
    first = as_a_new_process(script)
    (tree / edited).write_text(text)
    second = as_a_new_process(script)
    (tree / edited).write_text(before)
    assert as_a_new_process(script) == first != second
    monkeypatch.setattr(provenance, "_parsed", lambda *_: pytest.fail("it was read before"))
    assert as_a_new_process(script) == first
    (tree / edited).write_text(text)
    assert as_a_new_process(script) == second
    monkeypatch.undo()
    monkeypatch.setattr(provenance, "LIBRARY", tree / "filterscope")
    monkeypatch.setattr(provenance, "PARSED", remembered.Remembered(None))
    assert digest(script) == second


def test_the_same_relative_import_in_two_packages_is_two(tree):
    """Their texts are the same, and what they import is not."""
    for package in ("words", "data"):
        (tree / "filterscope" / package / "near.py").write_text("from .voting import VOTES\n")
        (tree / package / "near.py").write_text(f"from filterscope.{package} import near\n")
    (tree / "filterscope/data/voting.py").write_text("VOTES = 0\n")
    assert "filterscope/words/voting.py" in names(tree, "words/near.py")
    assert "filterscope/data/voting.py" in names(tree, "data/near.py")


def test_a_factory_is_found_where_python_would_import_it(tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text("raise RuntimeError('looking for it does not run it')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert provenance.factory_module("my_networks:build") == provenance.contents(tmp_path / "my_networks.py")
    assert provenance.factory_file("my_networks:build") is None, "a place in this folder ties results to it"
    assert provenance.factory_file("some/where.py:build") == "some/where.py"
    for other in ("some/where.py:build", "nowhere_to_be_found:build", "nowhere.to.be.found:build", "sys:exit"):
        assert provenance.factory_module(other) is None


def test_contents_are_all_that_counts_in_a_text(tmp_path):
    path = tmp_path / "net.prototxt"
    assert provenance.contents(path) is None
    path.write_text("stride: 1")
    first = provenance.contents(path)
    assert len(first) == 16
    path.write_text("stride: 2")
    assert provenance.contents(path) != first
    path.write_text("stride: 1")
    assert provenance.contents(path) == first


def test_every_script_of_the_project_has_a_digest_of_its_own(repository):
    scripts = sorted((repository / "workflow_scripts").glob("[!cf]*/**/*.py"))
    digests = {script: provenance.digest(script) for script in scripts}
    assert len(set(digests.values())) == len(scripts)


def test_a_listing_changes_with_what_is_in_the_folder(tmp_path):
    folder = tmp_path / "album"
    (folder / "holiday").mkdir(parents=True)
    seen = [provenance.listing(folder)]
    (folder / "holiday/one.jpg").write_bytes(b"picture")
    seen.append(provenance.listing(folder))
    assert provenance.listing(folder) == seen[-1]
    os.utime(folder / "holiday/one.jpg", ns=(1, 1))
    seen.append(provenance.listing(folder))
    (folder / "holiday/one.jpg").rename(folder / "two.jpg")
    seen.append(provenance.listing(folder))
    assert len(set(seen)) == 4
    moved = folder.rename(tmp_path / "elsewhere")
    assert provenance.listing(moved) == seen[-1]
