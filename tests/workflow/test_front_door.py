"""From a network and a folder of pictures to a result and a notebook, by the commands alone, in one's own folder."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from tests.conftest import SMALL, merged
from tests.pages import blocks

REPOSITORY = Path(__file__).resolve().parents[2]
OWN = """
import torch
from torch import nn

def build():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4),
        )
"""
TINY = {key: SMALL[key] for key in ("activations", "training", "words", "scores", "proofs", "sheets")}
TINY |= {"datasets": {"scenes": SMALL["datasets"]["scenes"]}, "vocabularies": SMALL["vocabularies"]}

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.timeout(1800)]


def filterscope(folder, *arguments, library=REPOSITORY / "workflow_scripts"):
    """Give a command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "filterscope", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A folder with an album, a network, and the study that `init` writes for them, made small."""
    folder = tmp_path_factory.mktemp("door")
    (folder / "album").mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 255, (60 + number, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "album" / f"{number:02}.png")
    (folder / "own.py").write_text(OWN)
    done = filterscope(folder, "init", "own.py:build", "--photos", "album", "--teacher", "scenes", "--size", 64)
    assert done.returncode == 0, done.stderr
    assert "12 photographs; words from drawn scenes" in done.stdout
    path = folder / "my.yaml"
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), TINY), sort_keys=False))
    return folder


@pytest.fixture(scope="module")
def checked(begun):
    """What `check` says before anything has run."""
    return filterscope(begun, "check", "my.yaml", "--cores", 2)


@pytest.fixture(scope="module")
def ran(begun, checked):
    """The finished run; the folder has its results."""
    return filterscope(begun, "run", "my.yaml", "--cores", 2)


def test_check_counts_the_jobs_that_then_run(checked, ran):
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr == ""
    assert "my.yaml: nothing is wrong with it (own on my photographs)." in checked.stdout
    jobs = int(re.search(r"^(\d+) jobs would run:", checked.stdout, re.MULTILINE)[1])
    total = int(re.search(r"^(\d+) of \1 jobs \| took", ran.stderr, re.MULTILINE)[1])
    assert total == jobs + 1  # and rule all
    assert "To be downloaded: nothing." in checked.stdout
    assert "on 2 cores without a GPU" in checked.stdout


def test_run_makes_the_study_and_says_where_to_read_in_plain_lines(begun, ran):
    assert ran.returncode == 0, ran.stderr
    assert (
        "Finished. Open results/report/atlas/index.html in a browser, or read results/report/summary.md" in ran.stdout
    )
    lines = ran.stderr.splitlines()
    assert all(re.match(r"\d+ of \d+ jobs( \||$)", line) for line in lines), ran.stderr
    assert any("left" in line for line in lines)
    names = pd.read_csv(begun / "results/words/album/deep/captions/filter_names.csv")
    assert set(names["status"]) <= {"untested", "dead", "silent"}
    assert len(names) == 16


def test_afterwards_nothing_is_to_be_done(begun, ran):
    assert "Nothing would run: all results are there." in filterscope(begun, "check", "my.yaml").stdout
    again = filterscope(begun, "run", "my.yaml")
    assert again.returncode == 0
    assert again.stderr == "Nothing to do: all results are there.\n"


def test_open_shows_the_atlas(begun, ran, monkeypatch):
    monkeypatch.setenv("BROWSER", "true")  # a program that opens nothing and succeeds
    done = filterscope(begun, "open")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == str(begun.resolve() / "results" / "report" / "atlas" / "index.html")


@pytest.fixture(scope="module")
def notebook_lines():
    """The lines that the page shows."""
    found = blocks((REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8"))
    (block,) = [each for each in found if each.language == "python"]
    return block.text


def test_the_notebook_s_ten_lines_name_filters_as_the_workflow_does(
    begun, ran, notebook_lines, tmp_path, capsys, monkeypatch
):
    assert len([line for line in notebook_lines.splitlines() if line and "import" not in line]) <= 10
    shutil.copytree(begun, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    said = {}
    exec(compile(notebook_lines, "docs/commands.md", "exec"), said)
    table = said["table"]
    names = pd.read_csv("results/words/album/deep/captions/filter_names.csv").set_index("filter")
    for column in ("status", "name", "words", "apart", "reference_status"):
        assert table[column].fillna("").tolist() == names[column].fillna("").tolist(), column
    assert set(table["status"]) <= {"untested", "dead", "silent"}
    assert "of the 12 that were mined" in capsys.readouterr().out
    for name in ("names.png", "filter_3.png"):
        assert Image.open(name).size[0] > 300
    assert said["named"].sheet(3)._repr_png_().startswith(b"\x89PNG")


def test_other_weights_and_pictures_in_a_notebook(begun, ran, monkeypatch):
    from filterscope import notebook

    monkeypatch.chdir(begun)
    trained = notebook.load("my.yaml")
    pictures = [np.full((30, 40, 3), 9 * number, np.uint8) for number in range(6)]
    pictures += [Image.fromarray(each) for each in pictures]
    own = trained.network()
    named = trained.name(own, pictures)
    assert named.remarks[0] != notebook.OTHER_WEIGHTS
    other = trained.network()
    other[0].weight.mul_(-1)
    changed = trained.name(other.train(), pictures)
    assert other.training  # as it was given
    assert changed.remarks[0] == notebook.OTHER_WEIGHTS
    assert changed.table["reference_status"].isna().all()
    assert set(changed.table["status"]) <= {"untested", "dead", "silent"}
    alone = notebook.load(results="results")
    assert alone.layer is None
    assert alone.name(own, pictures, layer="3", inputs=trained.inputs).remarks[0] == notebook.UNKNOWN_WEIGHTS


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda load, name: load("my.yaml", probe="depe"), r"no explainer \*/depe/\*.*scenes/deep/captions"),
        (lambda load, name: load("my.yaml", results="no"), "there is no such file; the study must be finished"),
        (lambda load, name: load(results="no"), "no has none"),
        (lambda load, name: load("their.yaml"), "their.yaml: there is no such study; there is my.yaml"),
        (lambda load, name: load(results="results").network(), "only its study tells"),
        (lambda load, name: name(load(results="results")), "no layer is given: should be the one with the 16 filters"),
        (
            lambda load, name: name(load("my.yaml"), layer="1"),
            "layer '1' gives 8 values, the explainer was trained on 16",
        ),
        (lambda load, name: name(load("my.yaml"), layer="30"), "the network has no layer '30'"),
        (lambda load, name: name(load("my.yaml"), []), "pictures is empty"),
        (lambda load, name: name(load("my.yaml"), ["gone.png"]), "gone.png: the file is missing"),
        (
            lambda load, name: name(load("my.yaml"), [np.zeros((4, 4))]),
            r"picture 0 is float64 \[4, 4\]; should be a file",
        ),
        (lambda load, name: name(load("my.yaml")).sheet(16), "there is no filter 16; should be from 0 to 15"),
    ],
)
def test_what_a_notebook_asks_for_and_is_not_there(begun, ran, monkeypatch, ask, said):
    from filterscope import notebook

    monkeypatch.chdir(begun)
    network = notebook.load("my.yaml").network()

    def name(trained, pictures=("album/00.png",), layer=None):
        return trained.name(network, list(pictures), layer=layer)

    with pytest.raises(ValueError, match=said):
        ask(notebook.load, name)


def copied(begun, target) -> Path:
    """The study elsewhere, without results."""
    target.mkdir()
    for name in ("my.yaml", "own.py"):
        shutil.copy(begun / name, target / name)
    return target


def test_a_failed_job_is_one_line_with_cause_and_log(begun, tmp_path):
    folder = copied(begun, tmp_path / "broken")
    shutil.copytree(begun / "album", folder / "album")
    (folder / "album" / "bad.png").write_text("no picture")
    text = (folder / "my.yaml").read_text().replace(str(begun / "album"), str(folder / "album"))
    (folder / "my.yaml").write_text(text)
    done = filterscope(folder, "run", "my.yaml", "--", "results/data/album/images.parquet")
    assert done.returncode == 1
    (failed,) = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    assert failed.startswith("failed: Listing the pictures of album: RejectionError: 1 of 13 images")
    assert "bad.png" in failed
    assert failed.endswith(f"; log: {folder.resolve()}/results/logs/prepare_folder/album.log")
    assert "Stopped: 1 job failed" in done.stderr.splitlines()[-1]
    (folder / "album" / "bad.png").unlink()
    assert filterscope(folder, "run", "my.yaml", "--", "results/data/album/images.parquet").returncode == 0


def test_ctrl_c_in_a_terminal_ends_the_jobs_and_the_next_run_goes_on(begun, tmp_path):
    folder = copied(begun, tmp_path / "stopped")
    command = [sys.executable, "-m", "filterscope", "run", "my.yaml", "--cores", "2"]  # all: it is not done at once
    process, terminal = pty.fork()
    if not process:
        # As a shell on a terminal has it; tests that were begun in the background of a script ignore it, and so would
        # all that they start.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(folder)
        os.environ |= {"PYTHONPATH": str(REPOSITORY / "workflow_scripts"), "COLUMNS": "100"}
        os.execv(command[0], command)
    shown, sent, end = b"", False, time.monotonic() + 300
    while time.monotonic() < end:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the program has ended
            break
        if not sent and re.search(rb"\d of \d+ jobs \| ", shown):
            os.write(terminal, b"\x03")
            sent = True
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(terminal)
    text = shown.decode()
    assert sent, text
    assert code == 1, text  # Snakemake's
    assert "\r\033[Kplanning" in text
    assert "stopping: running jobs are ended" in text
    assert "`filterscope run my.yaml` goes on from there." in text.splitlines()[-1]
    again = filterscope(folder, "run", "my.yaml", "--cores", 2, "--", "data")
    assert again.returncode == 0, again.stderr
    assert (folder / "results/data/networks/own/weights.pt").is_file()


def test_sigterm_lets_running_jobs_end(begun, tmp_path):
    folder = copied(begun, tmp_path / "ended")
    process = subprocess.Popen(
        [sys.executable, "-m", "filterscope", "run", "my.yaml", "--cores", "2", "--", "data"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow_scripts")},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    process.stderr.readline()  # the first line: a job has begun
    # Snakemake's handler takes a lock that its own thread holds while it picks jobs: a signal just then blocks it.
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=300)
    assert process.returncode == 1, rest
    assert not list((folder / ".snakemake" / "locks").glob("*"))


def test_a_wheel_carries_the_workflow(begun, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(
        REPOSITORY,
        source,
        ignore=shutil.ignore_patterns(
            ".git", ".venv", "docs", "tests", "[!R]*.parquet", ".snakemake", "*.egg-info", "build"
        ),
        symlinks=True,
    )
    built = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            tmp_path,
            source,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    folder = copied(begun, tmp_path / "elsewhere")
    done = filterscope(folder, "run", "my.yaml", "--", "results/data/album/images.parquet", library=tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert (folder / "results/data/album/images.parquet").is_file()
    done = filterscope(folder, "check", "my.yaml", library=tmp_path / "site")
    assert "my.yaml: nothing is wrong with it" in done.stdout
