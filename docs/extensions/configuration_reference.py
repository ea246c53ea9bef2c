"""The reference of all settings, written of rules/config.schema.yaml and config.yaml.

The schema says what a key may be, by default is where config.yaml leaves it to the schema, and is for; config.yaml says
what it is in the embedded study, which every study starts from. docs/configuration.md is made with the site;
config/README.md, which Snakemake's catalog of workflows shows, is kept, and `make settings` writes it anew.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import yaml

from configuration.schema import SOURCED

REPOSITORY = Path(__file__).resolve().parents[2]
INTRODUCTION = """# Configuration

A study is a YAML file whose keys override those of [config.yaml](../config.yaml), the embedded study:
`snakemake --configfile my.yaml`. Everything is checked before anything runs: a key that is not known here is refused,
with the nearest that is.

The *default* is what config.yaml sets, or, in entries of your own, what an entry has that does not say it; **required**
is what it must say. *Below* stands where the value is in the lines that follow. A *name* has letters, digits and
underscores and begins with a letter. `a.b` is the key `b` in `a`, `a[].b` the key `b` of every entry of the list `a`,
and `a.<name>.b` of every entry that has a name. Relative paths start in the folder that `snakemake` runs in."""
CATALOG = REPOSITORY / "config" / "README.md"
WRITTEN = "<!-- Written by `make settings` of rules/config.schema.yaml and config.yaml: change those. -->"
COLUMNS = ("key", "values", "default", "what it is")
BELOW, REQUIRED, NONE = "below", "**required**", "–"
CHOOSES = "chooses these keys"
TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "array": "list",
    "object": "mapping",
}
LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
# A section is cut into sections of its keys where these reach further down than one table shows well.
DEEPEST = 2


@dataclass(frozen=True)
class Row:
    """A key in a table, each cell as Markdown."""

    key: str
    values: str
    default: str
    description: str

    def __str__(self) -> str:
        cells = (f"`{self.key}`", self.values, self.default, self.description)
        return f"| {' | '.join(map(cell, cells))} |"


def cell(text: str) -> str:
    """Text in one line that ends no cell; < begins no tag and * no emphasis, but where they are code or bold."""
    parts = re.split(r"(`[^`]*`|\*\*\w+\*\*)", " ".join(text.split()))
    parts[::2] = [re.sub(r"([<*\\])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts).replace("|", "\\|")


class _Decimals(yaml.SafeDumper):
    """0.00005 and not 5.0e-05."""


_Decimals.add_representer(
    float,
    lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", format(Decimal(repr(value)), "f")),
)


def written(value) -> str:
    """A value as config.yaml would have it, as code."""
    text = yaml.dump(value, Dumper=_Decimals, default_flow_style=True, sort_keys=False, width=float("inf"))
    text = text.removesuffix("\n").removesuffix("\n...")  # YAML ends a document that is one scalar
    return f"`{text}`"


class Reference:
    """The page.

    schema: of the config. text: of config.yaml, whose comments are shown.
    """

    def __init__(self, schema: dict, text: str):
        self.schema = schema
        self.config = yaml.safe_load(text)
        self.lines = text.splitlines()
        self.tree = yaml.compose(text, yaml.SafeLoader)

    def page(self) -> str:
        properties = self.schema["properties"]
        missing = set(properties) ^ set(self.config)
        if missing:
            raise ValueError(f"config.yaml and its schema differ in their keys: {', '.join(sorted(missing))}")
        parts = [INTRODUCTION]
        for key, value in self.config.items():
            parts += self._section([key], self._resolved(properties[key]), value)
        return "\n\n".join(parts) + "\n"

    def _resolved(self, rules: dict) -> dict:
        """Rules without $ref; what stands beside it counts more."""
        while "$ref" in rules:
            target = self.schema
            for part in rules["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            rules = {**target, **{key: value for key, value in rules.items() if key != "$ref"}}
        return rules

    def _fields(self, rules: dict) -> tuple[str, dict] | None:
        """What stands between a key and the keys in it, and the rules that have their properties; None without such."""
        if "properties" in rules:
            return ".", rules
        for between, inner in (("[].", rules.get("items")), (".<name>.", rules.get("additionalProperties"))):
            inner = self._resolved(inner) if isinstance(inner, dict) else {}
            if "properties" in inner:
                return between, inner
        return None

    def _depth(self, rules: dict) -> int:
        fields = self._fields(rules)
        return 1 + max(self._depth(self._resolved(each)) for each in fields[1]["properties"].values()) if fields else 0

    def _section(self, path: list[str], rules: dict, value) -> Iterator[str]:
        name, fields = ".".join(path), self._fields(rules)
        yield f"{'#' * (len(path) + 1)} `{name}`"
        if "description" in rules and (fields or name in SOURCED):
            yield f"{sentence(rules['description'])}."
        if name in SOURCED:
            yield from self._kinds(path, value)
            return
        if fields is None:
            required = path[-1] in self.schema["required"]
            yield table([self._row(path[-1], rules, {path[-1]: value}, required)])
        elif fields[0] != ".":
            yield f"{'A list' if fields[0] == '[].' else 'Entries by name'}. Every entry has:"
            yield table(self._rows(fields[1], {}))
        elif value is None:
            rows = self._rows(rules, {}, f"{name}.")
            yield table([self._row(name, rules, {name: None}, True), *rows])
        elif len(path) == 1 and self._is_deep(name, rules):
            yield from self._parts(path, rules, value)
            return
        else:
            yield table(self._rows(rules, value))
        if is_structure(value) or (fields and fields[0] != "."):
            yield self._excerpt(path)

    def _is_deep(self, name: str, rules: dict) -> bool:
        return self._depth(rules) > DEEPEST or any(section.startswith(f"{name}.") for section in SOURCED)

    def _parts(self, path: list[str], rules: dict, value: dict) -> Iterator[str]:
        """A table of the keys that have none in them, and a section of each other."""
        parts = [
            key
            for key, each in rules["properties"].items()
            if self._fields(self._resolved(each)) or ".".join([*path, key]) in SOURCED
        ]
        plain = [row for row in self._rows(rules, value) if row.key in set(rules["properties"]) - set(parts)]
        if plain:
            yield table(plain)
        for key in parts:
            yield from self._section([*path, key], self._resolved(rules["properties"][key]), value[key])

    def _kinds(self, path: list[str], value) -> Iterator[str]:
        name = ".".join(path)
        kinds, chosen_by = self.schema["$defs"][path[-1]], SOURCED[name]
        yield f"Entries by name. `{chosen_by}` says what an entry is, and so which keys it has."
        if value:
            yield self._excerpt(path)
        for kind, rules in kinds.items():
            yield f"{'#' * (len(path) + 2)} `{path[-1]}`, `{chosen_by}: {kind}`"
            if "description" in rules:
                yield f"{sentence(rules['description'])}."
            yield table(self._rows(rules, {}))

    def _rows(self, rules: dict, given, prefix: str = "") -> list[Row]:
        """given: what config.yaml has for these keys, where it can be told."""
        found = []
        for key, each in rules["properties"].items():
            each = self._resolved(each)
            found.append(self._row(f"{prefix}{key}", each, given, key in rules.get("required", [])))
            fields = self._fields(each)
            if fields:
                inner = given.get(key) if isinstance(given, dict) and fields[0] == "." else {}
                found += self._rows(fields[1], inner, f"{prefix}{key}{fields[0]}")
        return found

    def _row(self, name: str, rules: dict, given, required: bool) -> Row:
        key = re.split(r"[.\]>]", name)[-1]
        if isinstance(given, dict) and key in given:
            default = BELOW if given[key] and (is_structure(given[key]) or self._fields(rules)) else written(given[key])
        elif required:
            default = REQUIRED
        elif "default" not in rules:
            default = NONE
        else:
            told_by_its_keys = any("default" in each for each in rules.get("properties", {}).values())
            default = BELOW if told_by_its_keys else written(rules["default"])
        return Row(name, self._values(rules), default, rules.get("description", CHOOSES if "const" in rules else ""))

    def _values(self, rules: dict) -> str:
        """What a key may be, in words."""
        rules = self._resolved(rules)
        if "const" in rules:
            return written(rules["const"])
        if "enum" in rules:
            return ", ".join(map(written, rules["enum"]))
        if "anyOf" in rules:
            return " or ".join(map(self._values, rules["anyOf"]))
        types = rules["type"] if isinstance(rules["type"], list) else [rules["type"]]
        return " or ".join(self._one_type(each, rules) for each in types)

    def _one_type(self, kind: str, rules: dict) -> str:
        if kind in ("integer", "number"):
            limits = [f"{sign} {rules[limit]}" for limit, sign in LIMITS.items() if limit in rules]
            text = " ".join([TYPES[kind], " and ".join(limits)]).strip()
            excluded = rules.get("not", {})
            text += f", not {excluded['const']}" if "const" in excluded else ""
            return text + (f", no multiple of {excluded['multipleOf']}" if "multipleOf" in excluded else "")
        if kind == "string" and "pattern" in rules:
            is_name = rules["pattern"] == self.schema["$defs"]["name"]["pattern"]
            return "name" if is_name else f"text like `{rules['pattern']}`"
        if kind == "array":
            return self._list(rules)
        if kind == "object" and isinstance(rules.get("additionalProperties"), dict) and not self._fields(rules):
            return f"{TYPES[kind]} to {self._values(rules['additionalProperties'])}"
        return TYPES[kind]

    def _list(self, rules: dict) -> str:
        fewest, most = rules.get("minItems", 0), rules.get("maxItems")
        amount = f" of {fewest}" if fewest == most else f" of {fewest} to {most}" if most else ""
        amount += ", not empty" if fewest == 1 and not most else ""
        each = [self._values(item) for item in rules.get("prefixItems", [])] or (
            [self._values(rules["items"])] if "items" in rules and not self._fields(rules) else []
        )
        items = each[0] if len(each) == 1 else f"({', '.join(each)})" if each else ""
        return f"list{amount}{': ' if items else ''}{items}"

    def _excerpt(self, path: list[str]) -> str:
        """The lines of config.yaml that set a key, and the comment above them."""
        node = self.tree
        for key in path:
            name, node = next(pair for pair in node.value if pair[0].value == key)
        first, column = name.start_mark.line, name.start_mark.column
        last = node.end_mark.line
        if not self.lines[last : last + 1] or not self.lines[last][: node.end_mark.column].strip():
            last -= 1  # where the next key begins
        while not self.lines[last].strip() or re.match(rf" {{0,{column}}}#", self.lines[last]):
            last -= 1
        while first and re.match(rf" {{{column}}}#", self.lines[first - 1]):
            first -= 1
        lines = textwrap.dedent("\n".join(self.lines[first : last + 1]))
        return f"In config.yaml:\n\n```yaml\n{lines}\n```"


def is_structure(value) -> bool:
    """Whether a table's cell has no place for it: entries with keys, by name or in a list."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(isinstance(each, dict) or (isinstance(value, dict) and is_structure(each)) for each in inner)


def sentence(description: str) -> str:
    return cell(description[0].upper() + description[1:])


def table(rows: list[Row]) -> str:
    head = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    return "\n".join([*head, *map(str, rows)])


def written_page(repository: Path = REPOSITORY) -> str:
    """The page of the schema and the config as they are now."""
    schema = yaml.safe_load((repository / "rules" / "config.schema.yaml").read_text(encoding="utf-8"))
    return Reference(schema, (repository / "config.yaml").read_text(encoding="utf-8")).page()


def catalog_page(repository: Path = REPOSITORY) -> str:
    """The same page, as it is kept in config/."""
    return f"{WRITTEN}\n\n{written_page(repository)}"


def _before_build(app) -> None:
    path, text = Path(app.srcdir) / "configuration.md", written_page()
    if not path.is_file() or path.read_text(encoding="utf-8") != text:  # else Sphinx would read it again
        path.write_text(text, encoding="utf-8")


def setup(app) -> dict[str, bool]:
    app.connect("builder-inited", _before_build)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    CATALOG.write_text(catalog_page(), encoding="utf-8")
