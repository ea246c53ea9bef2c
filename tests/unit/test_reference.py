"""The page of all settings, docs/configuration.md, as it is written of the schema and config.yaml."""

from __future__ import annotations

import re

import configuration_reference
import pytest
import yaml
from configuration_reference import Reference, cell, written

from configuration.schema import SOURCED

ROW = re.compile(r"(?<!\\)\|")  # where a cell ends


@pytest.fixture(scope="module")
def schema(repository) -> dict:
    return yaml.safe_load((repository / "rules" / "config.schema.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def config(repository) -> dict:
    return yaml.safe_load((repository / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sections(repository) -> dict[str, str]:
    """Text below every heading, by the heading without its marks. Comments of config.yaml are none."""
    parts = re.split(r"^#{2,4} (`.+)$", configuration_reference.written_page(repository), flags=re.MULTILINE)
    return {name.replace("`", ""): text for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def rows(text: str) -> dict[str, list[str]]:
    """Cells of the tables in a section by their key."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    cells = [[each.strip() for each in ROW.split(line)[1:-1]] for line in lines]
    return {each[0].strip("`"): each for each in cells}


def resolved(rules: dict, schema: dict) -> dict:
    if "$ref" in rules:
        rules = {**schema["$defs"][rules["$ref"].rpartition("/")[2]], **rules}
    return rules


def keys(rules: dict, schema: dict):
    """Dotted keys of everything below, also of entries in lists and by name, without what tells these apart."""
    rules = resolved(rules, schema)
    for key, each in rules.get("properties", {}).items():
        yield key
        yield from (f"{key}.{inner}" for inner in keys(each, schema))
    for inner in (rules.get("items"), rules.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from keys(inner, schema)


def settings(value, rules: dict, schema: dict, path: tuple[str, ...] = ()):
    """What config.yaml sets at keys that every study has."""
    rules = resolved(rules, schema)
    if isinstance(value, dict) and "properties" in rules:
        for key, each in value.items():
            yield from settings(each, rules["properties"][key], schema, (*path, key))
    else:
        yield path, value


def test_every_key_of_the_schema_is_there(schema, sections):
    for key, rules in schema["properties"].items():
        shown = {key}
        for name, text in sections.items():
            if name.split(".")[0] == key:
                shown |= {name, *(f"{name}.{each}" for each in rows(text))}
        shown = {re.sub(r"\[\]|\.<name>", "", each) for each in shown}
        wanted = {f"{key}.{each}" for each in keys(rules, schema)}
        if key == "reproduction":  # null in config.yaml, so its own name stands in its table
            wanted = {f"{key}.{each}" for each in wanted}
        assert wanted <= shown, wanted - shown
        assert key in sections


@pytest.mark.parametrize("section", SOURCED)
def test_every_kind_of_entry_has_a_table_of_its_keys(section, schema, sections):
    name = section.rpartition(".")[2]
    kinds = schema["$defs"][name]
    assert kinds
    for kind, rules in kinds.items():
        shown = rows(sections[f"{name}, {SOURCED[section]}: {kind}"])
        assert set(shown) == set(keys(rules, schema))
        assert shown[SOURCED[section]][1] == f"`{kind}`"


def test_defaults_are_those_of_the_config(schema, config, sections):
    compared = 0
    for path, value in settings(config, schema, schema):
        cut = max(length for length in range(1, len(path) + 1) if ".".join(path[:length]) in sections)
        text, key = sections[".".join(path[:cut])], ".".join(path[cut:]) or path[-1]
        of_entries = len(path) == cut and "Every entry has:" in text  # one of these may have the same name
        default = "below" if of_entries or key not in rows(text) else rows(text)[key][2]
        if default == "below":
            shown = yaml.safe_load(re.search(r"```yaml\n(.+?)```", text, re.DOTALL)[1])
            for part in path[cut - 1 :]:
                shown = shown[part]
        else:
            shown = yaml.safe_load(default.strip("`").replace(r"\|", "|"))
        assert shown == value, path
        compared += 1
    assert compared > 150


def test_defaults_of_entries_are_those_of_the_schema(sections):
    shown = rows(sections["networks, source: torchvision"])
    assert {key: shown[key][2] for key in ("architecture", "weights", "input.resize")} == {
        "architecture": "**required**",
        "weights": "`DEFAULT`",
        "input.resize": "`null`",
    }


def test_every_key_says_what_it_is(sections):
    unsaid = [(name, key) for name, text in sections.items() for key, each in rows(text).items() if not each[3]]
    assert not unsaid


def test_tables_have_as_many_cells_in_every_row(sections):
    found = 0
    for text in sections.values():
        for line in text.splitlines():
            if line.startswith("|"):
                assert len(ROW.split(line)) == 6, line
                assert line.endswith("|")
                assert line.count("`") % 2 == 0, line
                found += 1
    assert found > 400


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"type": "integer", "minimum": 1}, "whole number ≥ 1"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number > 0 and ≤ 1"),
        ({"type": ["integer", "null"], "minimum": 2}, "whole number ≥ 2 or `null`"),
        ({"type": "integer", "minimum": 1, "not": {"multipleOf": 2}}, "whole number ≥ 1, no multiple of 2"),
        ({"enum": ["mean", None, "2"]}, "`mean`, `null`, `'2'`"),
        ({"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "integer"}}]}, "`all` or list: whole number"),
        ({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}, "list of 2: number"),
        ({"type": "array", "minItems": 1, "items": {"enum": ["a", "b"]}}, "list, not empty: `a`, `b`"),
        (
            {"type": "array", "minItems": 1, "maxItems": 2, "prefixItems": [{"type": "integer"}, {"type": "string"}]},
            "list of 1 to 2: (whole number, text)",
        ),
        ({"$ref": "#/$defs/name"}, "name"),
        ({"type": "string", "pattern": "^a|b$"}, r"text like `^a\|b$`"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "mapping to `true` or `false`"),
    ],
)
def test_values_are_told_in_words(rules, said):
    schema = {
        "$defs": {"name": {"type": "string", "pattern": "^[A-Z]$"}},
        "properties": {"key": {**rules, "description": "what"}},
        "required": ["key"],
    }
    page = Reference(schema, "key: 1\n").page()
    assert f"| `key` | {said} | `1` | what |" in page


def test_a_key_that_is_null_where_it_may_be_a_mapping_shows_both():
    inner = {"type": ["object", "null"], "properties": {"b": {"type": "integer"}}, "required": ["b"]}
    page = Reference({"properties": {"a": inner}, "required": ["a"]}, "a: null\n").page()
    assert "| `a` | mapping or `null` | `null` |  |\n| `a.b` | whole number | **required** |  |" in page


def test_the_lines_of_the_config_come_with_their_comment_and_end_where_the_key_does():
    entries = {"type": "object", "additionalProperties": {"properties": {"n": {"type": "integer"}}}}
    schema = {"properties": {"first": entries, "second": entries}, "required": []}
    page = Reference(schema, "# Of one.\nfirst:\n  x: {n: 1} # here\n\n# Of two.\nsecond:\n  y:\n    n: 2\n").page()
    assert "```yaml\n# Of one.\nfirst:\n  x: {n: 1} # here\n```" in page
    assert "```yaml\n# Of two.\nsecond:\n  y:\n    n: 2\n```" in page


def test_a_config_with_other_keys_than_the_schema_has_no_page():
    schema = {"properties": {"a": {"type": "integer"}}, "required": []}
    with pytest.raises(ValueError, match="differ in their keys: b"):
        Reference(schema, "a: 1\nb: 2\n").page()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b", r"a \| b"),
        ("two\nlines", "two lines"),
        ("number < 1 * 2", r"number \< 1 \* 2"),
        ("`a.<name>|b` and <name>", r"`a.<name>\|b` and \<name>"),
        ("**required**", "**required**"),
    ],
)
def test_a_cell_stays_one_cell(text, shown):
    assert cell(text) == shown


@pytest.mark.parametrize(
    ("value", "code"),
    [(0.00005, "`0.00005`"), (2.0, "`2.0`"), (None, "`null`"), ("", "`''`"), ({"b": [1], "a": 2}, "`{b: [1], a: 2}`")],
)
def test_values_are_written_as_in_the_config(value, code):
    assert written(value) == code
    assert yaml.safe_load(code.strip("`")) == value
