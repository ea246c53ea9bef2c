"""What Snakemake's catalog of workflows asks for, and that what is declared to it is so."""

from __future__ import annotations

import re

import pytest
import yaml


@pytest.fixture(scope="module")
def usage(repository) -> dict:
    return yaml.safe_load((repository / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]


@pytest.fixture(scope="module")
def rules(repository) -> dict[str, str]:
    """Text of every rule that runs a script and is no variant of another, by name."""
    found = {}
    for path in sorted((repository / "rules").rglob("*.smk")):
        parts = re.split(r"^rule (\w+):$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found |= {name: text for name, text in zip(parts[1::2], parts[2::2], strict=True) if "script:" in text}
    return found


def test_what_the_catalog_looks_for_is_there(repository):
    readme = (repository / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (repository / "Snakefile").is_file()
    assert list((repository / "rules").glob("*.smk"))
    assert (repository / "config" / "README.md").is_file()


def test_every_rule_has_the_environment_that_is_declared(repository, usage, rules):
    assert usage["software-stack-deployment"]["conda"] is True
    assert len(rules) > 50
    for name, text in rules.items():
        assert "    conda:\n" in text, f"{name} has no environment for --sdm conda"
        for path in re.findall(r"conda:\n +\"[./]*(envs/[^\"]+)\"", text):
            assert (repository / path).is_file(), name


def test_no_image_is_declared_that_no_rule_names(usage, rules):
    declared = usage["software-stack-deployment"]["apptainer"]
    assert declared == any("container:" in text for text in rules.values())


def test_the_report_that_is_declared_has_something_in_it(repository, usage, rules):
    assert usage["report"] is True
    assert sum("report(" in text for text in rules.values()) > 5
    captions = {caption for text in rules.values() for caption in re.findall(r"caption=\"([^\"]+)\"", text)}
    assert captions
    for caption in captions:
        assert list((repository / "rules").rglob(caption.removeprefix("../"))), caption
