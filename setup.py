"""A wheel carries the workflow beside the library: `filterscope/workflow`, where `filterscope run` finds it.

Everything else stands in pyproject.toml. In a clone, and in an editable installation, the workflow is the clone's.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CLONE = Path(__file__).resolve().parent
# What a run needs. The library comes a second time: jobs in environments of conda find it beside their scripts.
WORKFLOW = ("Snakefile", "config.yaml", "rules", "workflow_scripts", "profiles", "envs", "studies", "results/README.md")


class BuildWithWorkflow(build_py):
    """Copies the workflow into the library, unless the installation is editable."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "filterscope", "workflow")
        shutil.rmtree(target, ignore_errors=True)
        for name in WORKFLOW:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if (CLONE / name).is_dir():
                unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(CLONE / name, target / name, ignore=unwanted)
            else:
                shutil.copy2(CLONE / name, target / name)


setup(cmdclass={"build_py": BuildWithWorkflow})
