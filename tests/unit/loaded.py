"""Which heavy packages scripts load when they are imported: `python loaded.py script...` prints them as JSON.

Each script is imported in a process of its own. All are forked from this one, which has loaded torch and pandas so that
they need not load them dozens of times; of these two it is noted whether anything asks for them.
"""

import builtins
import json
import os
import runpy
import sys

import pandas  # noqa: F401
import torch  # noqa: F401

ASKED = ("torch", "pandas")
LOADED = (
    *("torchvision", "torch._dynamo", "sympy", "sklearn", "imblearn", "skimage", "matplotlib", "gensim"),
    *("scipy.stats", "pycocotools"),
)


def loaded(script: str) -> list[str]:
    """Heavy packages of a script; to be called in a process of its own."""
    before = set(sys.modules)
    asked = set()
    import_module = builtins.__import__

    def noting(name, *others, **more):
        asked.add(name.partition(".")[0])
        return import_module(name, *others, **more)

    builtins.__import__ = noting
    runpy.run_path(script, run_name="script")
    return [name for name in ASKED if name in asked] + [name for name in LOADED if name in set(sys.modules) - before]


def main(scripts: list[str]) -> None:
    """Print what each script loads."""
    found = {}
    for script in scripts:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            with os.fdopen(writing, "w") as stream:
                json.dump(loaded(script), stream)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            told = stream.read()
        os.waitpid(child, 0)
        found[script] = json.loads(told)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
