"""The page's JavaScript by itself, run by node's own test runner; skipped where there is no node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from filterscope.report.atlas.frame import HERE, page_files
from filterscope.report.atlas.vendoring import VENDOR, VendoringError, check, listed
from filterscope.report.atlas.writing import as_json, packed

UNITS = Path(__file__).parent / "units"


@pytest.fixture(scope="session")
def node() -> str:
    """Path of node, version 18 or later."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("no node: the page's units are not tested")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < 18:
        pytest.skip(f"node {version.strip()} has no test runner")
    return path


@pytest.mark.parametrize("file", sorted(UNITS.glob("*.test.js")), ids=lambda file: file.name)
def test_unit(node, file):
    done = subprocess.run([node, "--test", str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout


def test_what_python_packs_the_page_unpacks(node, tmp_path):
    rng = np.random.default_rng(0)
    codes = [None, 0, 7, *rng.integers(0, 60000, 20).tolist()]
    numbers = [None, -3.5, 0.0, *rng.normal(size=20).tolist()]
    columns = {
        "codes": packed(codes, "u16"),
        "long": packed([None, 70_000], "u32"),
        "numbers": packed(numbers, "u16", linear=True),
    }
    script = (
        "const { store } = require(process.argv[1]); const c = JSON.parse(process.argv[2]);"
        "const all = [store.whole(c.codes, 23), store.whole(c.long, 2), store.real(c.numbers, 23)];"
        "process.stdout.write(JSON.stringify(all.map((each) => [...each])))"
    )
    done = subprocess.run(
        [node, "-e", script, str(UNITS / "page.js"), as_json(columns)], capture_output=True, text=True, check=True
    )
    whole, long, real = json.loads(done.stdout)
    assert whole == [-1 if each is None else each for each in codes]
    assert long == [-1, 70_000]
    assert real[0] is None
    step = (max(numbers[1:]) - min(numbers[1:])) / 65534
    np.testing.assert_allclose(real[1:], numbers[1:], atol=step)


class TestFiles:
    def test_of_the_page_are_all_listed_and_there(self):
        listed_files = page_files()
        assert [file for file in listed_files if not (HERE / file).is_file()] == []
        own = {f"page/{each.name}" for each in (HERE / "page").glob("*.*") if each.suffix in (".js", ".css")}
        assert own == {file for file in listed_files if file.startswith("page/")}

    def test_are_classic_scripts_without_markup_from_texts(self):
        for path in sorted((HERE / "page").glob("*.js")):
            text = path.read_text(encoding="utf-8")
            for forbidden in (
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "dangerouslySetInnerHTML",
                "document.write",
                "eval(",
                "new Function",
                "fetch(",
                "XMLHttpRequest",
                "import(",
            ):
                assert forbidden not in text, f"{path.name}: {forbidden}"

    def test_of_others_are_those_that_were_checked_in(self):
        check(VENDOR, listed())
        kept = {each.name for each in VENDOR.glob("*.js")}
        assert kept == set(listed())
        licences = (VENDOR / "LICENSES.txt").read_text(encoding="utf-8")
        for name in json.loads((VENDOR / "package.json").read_text())["dependencies"]:
            assert f"{name} " in licences

    def test_of_others_that_differ_are_refused(self, tmp_path):
        shutil.copytree(VENDOR, tmp_path, dirs_exist_ok=True)
        (tmp_path / "htm.js").write_text("something else")
        with pytest.raises(VendoringError, match=r"htm\.js has sha256 .*, should be"):
            check(tmp_path, listed())
        (tmp_path / "htm.js").unlink()
        with pytest.raises(VendoringError, match=r"htm\.js is missing"):
            check(tmp_path, listed())
