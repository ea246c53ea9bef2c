"""No file of somebody else's runs code: how the program reads them, looked up in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = [
    path for place in ("workflow_scripts", "docs", "benchmarks") for path in sorted((REPOSITORY / place).rglob("*.py"))
]
# What would run code that comes with a file, whatever it is called with.
FORBIDDEN = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "pickle.load",
    "pickle.loads",
    "joblib.load",
    "pd.read_pickle",
    "pandas.read_pickle",
    "shelve.open",
    "marshal.loads",
    "yaml.unsafe_load",
    "yaml.full_load",
    "torch.jit.load",
    "torch.package.PackageImporter",
    "tarfile.TarFile.extractall",
    "shutil.unpack_archive",
}
# Modules that import by name: factories, which the config names; readers of sources, which stand in a registry.
IMPORT_BY_NAME = {
    "filterscope/data/networks/building.py",
    "filterscope/data/datasets/sources.py",
    "filterscope/commands/workflow.py",  # the workflow's own package that checks configs
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call: where it is, what is called, as it is written, and the call."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}", ast.unparse(node.func), node


def keyword(call: ast.Call, name: str):
    return next((ast.literal_eval(each.value) for each in call.keywords if each.arg == name), None)


@pytest.fixture(scope="module")
def found() -> list[tuple[str, str, ast.Call]]:
    return list(calls())


def test_nothing_that_runs_what_it_reads(found):
    assert len(found) > 5000
    assert [(place, name) for place, name, _ in found if name in FORBIDDEN] == []


def test_yaml_makes_no_objects(found):
    loads = [(place, call) for place, name, call in found if name == "yaml.load"]
    assert len(loads) >= 1
    assert [place for place, call in loads if [ast.unparse(each) for each in call.args[1:]] != ["SafeLoader"]] == []


def test_weights_are_read_as_weights_only(found):
    loads = [(place, call) for place, name, call in found if name == "torch.load"]
    assert len(loads) >= 4
    assert [place for place, call in loads if keyword(call, "weights_only") is not True] == []


def test_arrays_are_read_without_python_objects(found):
    loads = [(place, call) for place, name, call in found if name in ("np.load", "numpy.load")]
    assert loads
    assert [place for place, call in loads if keyword(call, "allow_pickle") is not False] == []


def test_archives_are_unpacked_in_one_place_that_looks_at_every_name(found):
    assert [place for place, name, _ in found if name.endswith((".extractall", ".extract"))] == []


def test_no_command_is_given_to_a_shell(found):
    assert [place for place, name, call in found if keyword_is_true(call, "shell")] == []


def keyword_is_true(call: ast.Call, name: str) -> bool:
    return any(each.arg == name and isinstance(each.value, ast.Constant) and each.value.value for each in call.keywords)


def test_modules_are_imported_by_name_only_where_config_or_registry_name_them(found):
    names = ("importlib.import_module", "__import__", "spec.loader.exec_module", "runpy.run_path", "runpy.run_module")
    places = {place.rpartition(":")[0].removeprefix("workflow_scripts/") for place, name, _ in found if name in names}
    assert places - {each for each in places if each.startswith("docs/")} == IMPORT_BY_NAME
