"""A study as a user wrote it, laid over config.yaml as Snakemake does, and what is wrong with it."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filterscope.commands import CommandError, workflow


@dataclass(frozen=True)
class Study:
    """path: None for the embedded study. own: what its file says. config: all settings. mistakes: a sentence each, of
    the schema and of what does not fit together."""

    path: Path | None
    own: dict
    config: dict
    mistakes: list[str]

    @property
    def arguments(self) -> list[str]:
        """What Snakemake is told of it."""
        return [] if self.path is None else ["--configfile", str(self.path)]


def read(path: str | Path | None) -> Study:
    """The study of a file; of None, the embedded one.

    Raises CommandError for a file that is not there, cannot be read or is no mapping in YAML.
    """
    own = {} if path is None else _mapping(Path(path))
    return checked(own, None if path is None else Path(path))


def checked(own: Mapping, path: Path | None = None) -> Study:
    """The study that says this."""
    import yaml

    configuration = workflow.configuration()
    config = _merged(yaml.safe_load((workflow.root() / "config.yaml").read_text(encoding="utf-8")), own)
    try:
        configuration.leave_out_embedded(config, own)
        configuration.check(config, workflow.path_to_schema())
    except configuration.ConfigError as error:
        return Study(path, dict(own), config, [line.removeprefix("  - ") for line in str(error).splitlines()[1:]])
    except (TypeError, AttributeError, KeyError) as error:  # a section that is text where entries should be
        return Study(path, dict(own), config, [f"a section has not the form that it should have ({error})"])
    return Study(path, dict(own), config, [])


def _mapping(path: Path) -> dict:
    import yaml

    if not path.exists():
        there = sorted(each.name for each in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, there, n=3, cutoff=0.5) or there[:3]
        hint = f"; there is {', '.join(near)}" if near else "; `filterscope init` writes one"
        raise CommandError(f"{path}: there is no such study{hint}")
    try:
        own = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: cannot be read ({error.strerror}); should be a study in YAML") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path}: is no text in UTF-8; should be a study in YAML") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise CommandError(f"{path}{where}: is not YAML ({said})") from None
    if own is None:
        raise CommandError(f"{path}: is empty; should be a study, as `filterscope init` writes one")
    if not isinstance(own, dict):
        raise CommandError(f"{path}: holds a {type(own).__name__}; should be keys and values, as `title: My study`")
    return own


def _merged(config: Mapping, updates: Mapping) -> dict:
    """Mappings are joined, whatever else is replaced: what Snakemake makes of two files of settings."""
    result = dict(copy.deepcopy(config))
    for key, value in updates.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else copy.deepcopy(value)
    return result
