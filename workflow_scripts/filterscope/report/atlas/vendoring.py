"""JavaScript libraries of the atlas's page: fetched by npm, checked by their sha256, kept beside the page.

`python -m filterscope.report.atlas.vendoring` fetches the versions that vendor/package.json pins; nobody who uses
Filterscope needs npm or node.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

VENDOR = Path(__file__).resolve().parent / "vendor"
LIST = VENDOR / "vendored.json"  # by file: where it lies in its package, and its sha256
LICENSES = VENDOR / "LICENSES.txt"


class VendoringError(Exception):
    """A vendored file is missing or is not what was checked in."""


def listed() -> dict[str, dict[str, str]]:
    """By name of a kept file: `from`, its path below node_modules, and `sha256`."""
    return json.loads(LIST.read_text(encoding="utf-8"))


def check(folder: Path, files: Mapping[str, Mapping[str, str]]) -> None:
    """Raise VendoringError for the first file in the folder that is missing or differs from its sha256."""
    for name, given in files.items():
        path = folder / name
        if not path.is_file():
            raise VendoringError(f"{path} is missing")
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != given["sha256"]:
            raise VendoringError(f"{path} has sha256 {found}, should be {given['sha256']} as {LIST.name} says")


def fetch(npm: str = "npm") -> None:
    """Fetch the pinned packages, check the files that are kept, and put them and their licences here."""
    files = listed()
    with TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(VENDOR / name, work / name)
        subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=work, check=True)
        fetched = work / "kept"
        fetched.mkdir()
        for name, given in files.items():
            shutil.copyfile(work / "node_modules" / given["from"], fetched / name)
        check(fetched, files)
        for name in files:
            shutil.copyfile(fetched / name, VENDOR / name)
        LICENSES.write_text(_licences(work / "node_modules"), encoding="utf-8")


def _licences(modules: Path) -> str:
    """Licences of the packages, in the order of package.json."""
    parts = []
    for name, version in json.loads((VENDOR / "package.json").read_text(encoding="utf-8"))["dependencies"].items():
        (path,) = sorted((modules / name).glob("LICENSE*"))
        parts.append(f"{name} {version}\n\n{path.read_text(encoding='utf-8').strip()}\n")
    return f"\n{'-' * 80}\n\n".join(parts)


if __name__ == "__main__":
    fetch(*sys.argv[1:])
