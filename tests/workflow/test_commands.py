"""Every command that a page or the head of a file shows is one that can be given."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from snakemake.cli import get_argument_parser
from tests.conftest import merged
from tests.pages import blocks

import configuration
from filterscope.__main__ import main

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "*/README.md", "docs/*.md", "docs/*.py")
PAGES += ("config.yaml", "studies/*.yaml", "profiles/*/config.yaml", "envs/*.yaml")
# Pages whose blocks of settings are added to the study that README shows.
ADDED = ("data", "words", "pictures", "diagnosis", "temperature")
# A line of its own in a page or in the head of a file; in the running text; at the end of a sentence in such a head.
SHOWN = (
    re.compile(
        r"^(?:#? {3,}(?:\w+=\S+ )?|(?=snakemake -))((?:snakemake|make|\S*python)(?: .*?)?)(?: +#.*)?$", re.MULTILINE
    ),
    re.compile(r"`((?:snakemake|make|python) [^`]+)`"),
    re.compile(r"^#[^`\n]*: ((?:snakemake|make) [^`,\n]+?)(?:[,.] .*)?$", re.MULTILINE),
)


def shown() -> dict[str, str]:
    """By command, without what it is piped into, the page that shows it."""
    found = {}
    for page in sorted({path for pattern in PAGES for path in REPOSITORY.glob(pattern) if path.is_file()}):
        text = page.read_text(encoding="utf-8")
        for pattern in SHOWN:
            for command in pattern.findall(text):
                found.setdefault(command.split(" | ")[0].strip(), page.relative_to(REPOSITORY).as_posix())
    return found


COMMANDS = shown()
OF_SNAKEMAKE = [command for command in COMMANDS if command.startswith("snakemake")]
# What is planned as it stands: not what asks for a plugin, a conda, or results that are there already.
PLANNED = [
    command
    for command in OF_SNAKEMAKE
    if not re.search(r"--(workflow-profile|report|sdm|unlock|rulegraph)", command)
    and not re.search(r"studies/(?!debugger)", command)  # test_plans.py plans those
]
# They change nothing in what is planned: commands that differ by them alone are planned at once, with all of them.
LIKE = re.compile(r" (--cores all|--keep-going|-n)\b")


def together(commands: list[str]) -> list[str]:
    found: dict[str, dict[str, None]] = {}
    for command in commands:
        found.setdefault(LIKE.sub("", command), {}).update(dict.fromkeys(LIKE.findall(command)))
    return [" ".join([command, *options]) for command, options in found.items()]


def rules() -> set[str]:
    named = r"^(?:use )?rule (?:\w+ as )?(\w+)"
    files = [REPOSITORY / "Snakefile", *(REPOSITORY / "rules").rglob("*.smk")]
    return {name for path in files for name in re.findall(named, path.read_text(), re.MULTILINE)}


def test_commands_are_found_where_they_are_shown():
    assert len(OF_SNAKEMAKE) > 15
    assert {"snakemake words", "snakemake -n", "snakemake --unlock", "snakemake --rulegraph"} <= set(OF_SNAKEMAKE)
    assert {page for page in COMMANDS.values() if page.startswith("studies/")} == {
        path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "studies").glob("*.yaml")
    }
    assert COMMANDS["snakemake --workflow-profile profiles/kubernetes"] == "profiles/kubernetes/config.yaml"
    assert {"make results", "make test"} <= set(COMMANDS)


@pytest.mark.parametrize("command", OF_SNAKEMAKE)
def test_snakemake_understands_what_is_meant(command):
    """`--configfile my.yaml pictures` would name two files, because it takes all that follows it."""
    said = get_argument_parser().parse_args(shlex.split(command)[1:])
    for path in said.configfile or ():
        assert path.name == "my.yaml" or (REPOSITORY / path).is_file(), f"{path} is read as a file of settings"
    for name in {*said.targets, *said.until, *said.omit_from, *said.forcerun}:
        assert name in rules() or name.startswith("results/"), f"{name} is no rule and no result"
    if said.workflow_profile:
        assert (REPOSITORY / said.workflow_profile / "config.yaml").is_file()


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.startswith("snakemake")])
def test_make_and_python_know_it_too(command, capsys):
    program, *arguments = shlex.split(command)
    if program == "make":
        done = subprocess.run(["make", "--dry-run", *arguments], cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    elif arguments[:2] == ["-m", "filterscope"]:  # what follows is held by tests/unit/commands/test_door.py
        assert main(["layers", "resnet18"]) == 0
        assert "layer4" in capsys.readouterr().out
    else:
        assert (REPOSITORY / arguments[0]).is_file()


def settings_shown(page: str) -> list[dict]:
    """The blocks of settings of a page, in order."""
    found = blocks((REPOSITORY / page).read_text(encoding="utf-8"))
    return [yaml.safe_load(block.text) for block in found if block.language == "yaml"]


@pytest.mark.parametrize("page", ADDED)
def test_the_settings_that_pages_show_are_right(page, default_config, own_study):
    """Each block is added to README's study, beside the networks that it takes for known."""
    others = settings_shown(f"docs/{page}.md")
    assert others
    known = {"my_network": {"source": "torchvision", "weights": None, "architecture": "resnet18"}}
    study = merged(own_study, {"networks": known, "samples": {"mine": {"source": "digits"}}})
    for block in others:
        path_to_schema = REPOSITORY / "rules" / "config.schema.yaml"
        configuration.check(default_config(merged(study, block)), path_to_schema)


def test_the_study_that_the_readme_shows_has_ten_lines_and_is_right(default_config, own_study):
    (block,) = [each for each in blocks((REPOSITORY / "README.md").read_text(encoding="utf-8")) if each.language]
    assert len(block.text.splitlines()) == 10
    configuration.check(default_config(own_study), REPOSITORY / "rules" / "config.schema.yaml")


@pytest.fixture
def own_study() -> dict:
    (study,) = settings_shown("README.md")
    return study


@pytest.mark.workflow
@pytest.mark.slow
@pytest.mark.parametrize("command", together(PLANNED))
def test_it_is_planned(command, run_snakemake, tmp_path, own_study):
    """As it is shown, beside a study of one's own for which all files are there."""
    text = yaml.safe_dump(own_study, sort_keys=False).replace("/data/", f"{tmp_path}/data/")
    (tmp_path / "my.yaml").write_text(text)
    for name in ("coco", "album"):
        (tmp_path / "data" / name).mkdir(parents=True)
    for name in ("data/glove.6B.zip", "my_network.py", "weights.pt"):
        (tmp_path / name).touch()
    arguments = [str(REPOSITORY / word) if word.startswith("studies/") else word for word in shlex.split(command)[1:]]
    if "--directory" in arguments:
        arguments[arguments.index("--directory") + 1] = str(tmp_path)
    done = run_snakemake(*arguments, "--dry-run", "--quiet", "rules")
    assert re.search(r"^total +\d+$", done.stdout, re.MULTILINE), done.stdout
