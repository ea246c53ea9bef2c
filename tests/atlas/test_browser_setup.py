"""What `make browser` does: Chromium is installed as root on Debian; elsewhere it is said why tests will be skipped."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "browser.sh"


@pytest.fixture
def ran(tmp_path):
    """The script where there are just these commands, by name what their shell scripts do; what it said."""

    def run(chromium=None, **commands):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, does in commands.items():
            (folder / name.replace("_", "-")).write_text(f"#!/bin/sh\n{does}\n")
        for path in folder.iterdir():
            path.chmod(0o755)
        environment = {"PATH": str(folder), "MADE": str(folder / "chromium")}
        environment |= {} if chromium is None else {"FILTERSCOPE_CHROMIUM": chromium}
        shell = shutil.which("sh")
        done = subprocess.run([shell, str(SCRIPT)], env=environment, capture_output=True, text=True, check=True)
        return done.stdout, done.stderr, (folder / "chromium").exists()

    return run


MAKES = 'case "$*" in *install*) : > "$MADE"; /bin/chmod 755 "$MADE" ;; esac'
# As on a fresh machine, whose lists of packages are empty.
UPDATES = f'case "$*" in *update*) : > "$MADE.lists" ;; *) [ -e "$MADE.lists" ] || exit 100; {MAKES} ;; esac'


def test_one_that_is_there_is_enough(ran):
    assert ran(chromium_browser="", id="echo 0", apt_get="exit 1") == ("", "", False)


def test_one_that_is_named_is_enough(ran):
    assert ran(chromium="/opt/chromium", id="echo 0", apt_get="exit 1") == ("", "", False)


@pytest.mark.parametrize("apt", [MAKES, UPDATES], ids=["lists there", "lists empty"])
def test_root_on_debian_installs_it(ran, apt):
    said, complained, there = ran(id="echo 0", apt_get=apt)
    assert said.startswith("Installing Chromium")
    assert (complained, there) == ("", True)


def test_what_cannot_be_installed_is_told_and_nothing_fails(ran):
    _, complained, there = ran(id="echo 0", apt_get="exit 100")
    assert "could not be installed" in complained
    assert "tests that open the atlas in a browser are skipped" in complained
    assert not there


@pytest.mark.parametrize(
    "commands", [{"id": "echo 1000", "apt_get": MAKES}, {"id": "echo 0"}], ids=["no root", "no Debian"]
)
def test_elsewhere_it_is_told(ran, commands):
    said, complained, there = ran(**commands)
    assert said == ""
    assert "only root on Debian" in complained
    assert not there
