"""The command itself: quick to answer, and every command that a page shows is one that can be given."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from filterscope.__main__ import main, parsed

HEAVY = ("torch", "torchvision", "numpy", "pandas", "pyarrow", "snakemake", "yaml", "jsonschema", "matplotlib")
COMMANDS = ("init", "check", "run", "open", "atlas", "layers")
# Within a sentence, or a line of its own, what follows two spaces or a hash being a comment.
SHOWN = (
    re.compile(r"`(filterscope [^`<]+)`"),
    re.compile(r"^#? {4,}(filterscope .+?)(?: {2,}.*| +#.*)?$", re.MULTILINE),
)
PAGES = ("README.md", "docs/*.md", "studies/*.yaml", "config.yaml", "results/README.md", "benchmarks/*.md")


def test_help_loads_nothing_heavy_and_comes_at_once(repository):
    program = (
        "import sys, time, runpy\nsys.argv = ['filterscope', '--help']\n"
        "try:\n    runpy.run_module('filterscope', run_name='__main__')\nexcept SystemExit:\n    pass\n"
        f"print([each for each in {HEAVY} if each in sys.modules], time.process_time())"
    )
    environment = {**os.environ, "PYTHONPATH": str(repository / "workflow_scripts")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    loaded, _, seconds = done.stdout.splitlines()[-1].rpartition(" ")
    assert loaded == "[]"
    assert float(seconds) < 0.5
    assert all(f"    {each} " in done.stdout for each in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [["initialise"], ["run", "--quick"], ["init", "resnet50"], [], ["open", "--", "-n"]]
)
def test_what_is_no_command_or_option_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: filterscope" in capsys.readouterr().err


def test_what_stands_after_the_dashes_is_for_snakemake():
    assert parsed(["run", "my.yaml", "--", "-n", "--", "words"]).rest == ["-n", "--", "words"]
    assert parsed(["run"]).rest == []


def shown(repository):
    found = {}
    for page in (path for pattern in PAGES for path in repository.glob(pattern)):
        for pattern in SHOWN:
            found |= dict.fromkeys(pattern.findall(page.read_text(encoding="utf-8")), page.name)
    return found


def test_every_command_that_a_page_shows_is_understood(repository):
    found = shown(repository)
    assert {shlex.split(command)[1] for command in found} >= {"init", "check", "run", "open"}
    for command, page in found.items():
        words = [word.strip("[]") for word in shlex.split(command)[1:]]
        if words != ["--help"]:
            assert parsed(words).command in COMMANDS, f"{page}: {command}"
