"""The config against its schema: defaults that are filled in, and what the schema refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from jsonschema import Draft202012Validator

from configuration.names import suggestion

# Sections whose entries differ by this key; the schema of each stands in $defs/<section>/<its value>. A dot leads into
# a section of a room, whose own name is the one in $defs.
SOURCED = {
    "datasets": "source",
    "vocabularies": "source",
    "networks": "source",
    "samples": "source",
    "clips": "source",
    "recipes": "method",
    "temperature.schedules": "method",
}


def fill(value, schema: dict) -> None:
    """Give the keys that are missing, at any depth, the defaults that the schema writes out beside them."""
    if isinstance(value, dict):
        described = schema.get("properties", {})
        for key, rules in described.items():
            if "default" in rules and key not in value:
                value[key] = copy.deepcopy(rules["default"])
        others = schema.get("additionalProperties")
        for key, entry in value.items():
            fill(entry, described.get(key, others if isinstance(others, dict) else {}))
    elif isinstance(value, list):
        for entry in value:
            fill(entry, schema.get("items", {}))


def mistakes(config: dict, schema: dict) -> list[str]:
    """What the schema refuses, a sentence each; defaults are filled in on the way."""
    fill(config, schema)
    found = list(_mistakes(config, schema, ""))
    for section in SOURCED:
        entries = _within(config, section)
        if isinstance(entries, dict):
            for name, entry in entries.items():
                found += _entry_mistakes(section, name, entry, schema)
    return found


def _within(config: dict, section: str):
    """What stands in a section, or in one below another; None where there is no such section."""
    for part in section.split("."):
        config = config.get(part) if isinstance(config, dict) else None
    return config


def _entry_mistakes(section: str, name: str, entry, schema: dict) -> list[str]:
    """Mistakes of one dataset, vocabulary, network or recipe."""
    kinds, kind_key = schema["$defs"][section.rpartition(".")[2]], SOURCED[section]
    if not isinstance(name, str):
        return [f"{section}: {name!r} is not a name of letters, digits and underscores"]
    if not isinstance(entry, dict) or entry.get(kind_key) not in kinds:
        found = entry.get(kind_key) if isinstance(entry, dict) else entry
        return [f"{section}.{name}.{kind_key} is {found!r}, should be one of {', '.join(kinds)}"]
    kind = kinds[entry[kind_key]]
    fill(entry, kind)
    return list(_mistakes(entry, {**kind, "$defs": schema["$defs"]}, f"{section}.{name}"))


def _mistakes(value, schema: dict, place: str) -> Iterator[str]:
    errors = Draft202012Validator(schema).iter_errors(value)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.path]):
        key = ".".join(filter(None, [place, *map(str, error.path)])) or "config"
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            prefix = "" if key == "config" else f"{key}."
            for unknown in (k for k in error.instance if k not in known):
                yield f"{prefix}{unknown} is not known{suggestion(unknown, known)}"
        elif error.validator == "pattern" and error.schema["pattern"] == schema["$defs"]["name"]["pattern"]:
            yield f"{key}: {error.instance!r} is not a name of letters, digits and underscores"
        elif error.validator == "required":
            yield f"{key}: {error.message.replace('is a required property', 'is missing')}"
        else:
            described = f" ({error.schema['description']})" if "description" in error.schema else ""
            yield f"{key} is {error.instance!r}: {error.message}{described}{_hint(error)}"


def _hint(error) -> str:
    """YAML reads 1e-3 as text: numbers need a point before the exponent; and a layer's name that is a number as one."""
    if error.validator != "type":
        return ""
    if "string" in error.schema["type"] and type(error.instance) in (int, float):
        return f"; write it in quotes, as '{error.instance}'"
    if error.schema["type"] != "number" or not isinstance(error.instance, str):
        return ""
    try:
        return f"; write it as {float(error.instance)!r}" if "e" in error.instance.lower() else ""
    except ValueError:
        return ""
