"""pyproject.toml, requirements.lock, the conda environment and the container agree."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]

# Extras of packages that the library imports where they are asked for.
EXTRAS = ("clip", "timm", "huggingface", "onnx")
# Import names that are not the package's own.
PACKAGES = {
    "PIL": "pillow",
    "google": "protobuf",
    "imblearn": "imbalanced-learn",
    "open_clip": "open-clip-torch",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def by_name(lines) -> dict[str, Requirement]:
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.fixture(scope="module")
def project(repository) -> dict:
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def lock_lines(repository) -> list[str]:
    lines = (repository / "requirements.lock").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def lock(lock_lines) -> dict[str, Requirement]:
    return by_name(lock_lines)


@pytest.fixture(scope="module")
def conda(repository) -> dict:
    return yaml.safe_load((repository / "envs" / "filterscope.yaml").read_text())


def pip_pins(environment: dict) -> dict[str, Requirement]:
    (pip,) = (each["pip"] for each in environment["dependencies"] if isinstance(each, dict))
    return by_name(pip)


@pytest.fixture(scope="module")
def conda_pins(conda) -> dict[str, Requirement]:
    return pip_pins(conda)


@pytest.fixture(scope="module")
def clip_pins(repository) -> dict[str, Requirement]:
    return pip_pins(yaml.safe_load((repository / "envs" / "clip.yaml").read_text()))


def pinned(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


def test_lock_holds_one_exact_version_each(lock_lines, lock):
    assert len(lock) == len(lock_lines)
    for line in lock_lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9a-z.+]+( ; .+)?", line), line
    for requirement in lock.values():
        assert pinned(requirement)


@pytest.mark.parametrize(
    "name", ["requirements.lock", "envs/filterscope.yaml", "envs/clip.yaml", "envs/Dockerfile", "Makefile"]
)
def test_no_registry_and_no_folder_of_a_machine_is_named(name, repository):
    text = (repository / name).read_text()
    assert not re.search(r"https?:|index-url|find-links|file:|/home/|/root/|/work/", text)


def test_lock_fulfils_every_requirement(project, lock):
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for name, requirement in by_name(wanted).items():
        assert name in lock, f"{name} is not in requirements.lock; run make lock"
        assert pinned(lock[name]) in requirement.specifier, f"{lock[name]} is not {requirement}; run make lock"


def test_torch_and_torchvision_belong_together(lock):
    """torchvision is compiled against one release of torch and breaks with any other."""
    if importlib.metadata.version("torchvision") != pinned(lock["torchvision"]):
        pytest.skip("only the pinned torchvision, which is not installed, says which torch it belongs to")
    wanted = [Requirement(each) for each in importlib.metadata.requires("torchvision")]
    (torch,) = (each for each in wanted if each.name == "torch")
    assert pinned(lock["torch"]) in torch.specifier


def repeats(requirement: Requirement, lock: Requirement) -> bool:
    """Whether a pin is that of the lock; what only some packages want on some machines, a test's may want on all."""
    if lock.marker is None and requirement.marker is not None:
        return (requirement.name, requirement.specifier) == (lock.name, lock.specifier)
    return str(requirement) == str(lock)


def test_conda_environment_repeats_the_lock(conda_pins, lock):
    for name, requirement in conda_pins.items():
        assert repeats(requirement, lock[name]), f"envs/filterscope.yaml has {requirement}; run make lock"


def test_conda_environment_of_open_clip_adds_just_what_that_needs(project, conda_pins, clip_pins, lock):
    for name, requirement in clip_pins.items():
        assert repeats(requirement, lock[name]), f"envs/clip.yaml has {requirement}; run make lock"
    assert set(by_name(project["optional-dependencies"]["clip"])) <= set(clip_pins)
    assert set(conda_pins) <= set(clip_pins)
    assert not set(by_name(project["optional-dependencies"]["clip"])) & set(conda_pins)


def test_conda_environment_holds_all_that_a_job_needs_and_no_more(project, conda_pins):
    """Followed through what the installed packages say that they need."""
    environment = default_environment()
    waiting = [(Requirement(each), "") for each in project["dependencies"]]
    seen = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        for part in ("", *requirement.extras):
            if (name, part) not in seen:
                seen.add((name, part))
                waiting += [(Requirement(each), part) for each in importlib.metadata.requires(name) or []]
    needed = {name for name, _ in seen}
    here = {name for name, pin in conda_pins.items() if pin.marker is None or pin.marker.evaluate(environment)}
    assert here == needed


def test_conda_and_container_have_one_python_that_the_project_supports(project, conda, repository):
    (version,) = (each.removeprefix("python=") for each in conda["dependencies"] if str(each).startswith("python="))
    assert version in SpecifierSet(project["requires-python"])
    dockerfile = (repository / "envs" / "Dockerfile").read_text()
    assert re.search(r"^FROM python:([\d.]+)-", dockerfile, re.MULTILINE)[1] == version
    assert f"--python-version {version}" in (repository / "envs" / "pin.sh").read_text()


def test_container_installs_the_lock_and_pins_nothing_itself(repository):
    dockerfile = (repository / "envs" / "Dockerfile").read_text()
    assert "uv pip install --system --no-cache --compile-bytecode -r requirements.lock" in dockerfile
    assert re.findall(r"[\w-]+==[\w.]+", dockerfile) == []
    copied = re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (repository / name).exists(), f"the container copies {name}, which is not there"


def test_images_and_documents_name_the_version(project, repository):
    version = project["version"]
    citation = yaml.safe_load((repository / "CITATION.cff").read_text())
    assert citation["version"] == version
    assert f"## [{version}]" in (repository / "CHANGELOG.md").read_text()
    assert f"filterscope:{version}" in (repository / "envs" / "Dockerfile").read_text()
    kubernetes = yaml.safe_load((repository / "profiles" / "kubernetes" / "config.yaml").read_text())
    assert kubernetes["container-image"] == f"filterscope:{version}"


def imports(folder, only_on_import: bool = False) -> dict[str, str]:
    """Other people's packages that the code in a folder imports, each with a file that does.

    only_on_import: without those that a function imports when it is called.
    """
    found = {}
    beside = chain.from_iterable((REPOSITORY / name).iterdir() for name in ("workflow_scripts", "docs/extensions"))
    own = {path.stem for path in beside} | {"conftest", "tests"}
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in tree.body if only_on_import else ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in (name.split(".")[0] for name in names):
                if name not in sys.stdlib_module_names and name not in own:
                    found[canonicalize_name(PACKAGES.get(name, name))] = path.relative_to(folder).as_posix()
    return found


def test_every_package_that_the_code_imports_is_declared(project, repository):
    extras = project["optional-dependencies"]
    declared = set(by_name([*project["dependencies"], *chain(*(extras[each] for each in (*EXTRAS, "cluster")))]))
    undeclared = {k: v for k, v in imports(repository / "workflow_scripts").items() if k not in declared}
    assert not undeclared


def test_what_is_an_extra_is_imported_only_where_it_is_used(project, repository):
    extra = set(by_name(chain(*(project["optional-dependencies"][each] for each in EXTRAS))))
    assert extra <= set(imports(repository / "workflow_scripts"))
    assert not extra & set(imports(repository / "workflow_scripts", only_on_import=True))


def test_every_package_that_the_tests_import_is_declared(project, repository):
    extras = project["optional-dependencies"]
    declared = set(
        by_name([*project["dependencies"], *chain(*(extras[each] for each in ("test", "cluster", *EXTRAS)))])
    )
    undeclared = {k: v for k, v in imports(repository / "tests").items() if k not in declared}
    assert not undeclared
