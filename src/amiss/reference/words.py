"""Tables of settings, and what may be written where, in words."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import yaml
from pydantic.fields import FieldInfo

from amiss.component import Component
from amiss.spans import RATE, SPAN

Pages: TypeAlias = Iterator[tuple[str, str]]
"""Path below docs/reference and text of each."""

LONG = 40
"""Characters of a default that a table has room for."""
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
    "object": "names and values",
}
WRITTEN = {SPAN: "span of time", RATE: "rate, such as `1/week`"}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def table(
    kind: type[Component], written: Mapping[str, Any], known: Mapping[str, str] | None = None
) -> list[str]:
    """A row for each setting: what it takes, what it is without, what it means. No rows, no table.

    `known` says in other words what some settings take.
    """
    schema = kind.model_json_schema()
    known = known or {}
    rows = []
    for field, info in kind.model_fields.items():
        if field != "type":
            name = info.alias or field
            said = known.get(field) or accepts(schema["properties"][name], schema.get("$defs", {}))
            meaning = " ".join((info.description or "").split())
            rows.append(f"| `{name}` | {said} | {_default(info, written[name])} | {meaning} |")
    return ["| setting | value | default | meaning |", "|-|-|-|-|", *rows] if rows else []


def accepts(schema: dict[str, Any], others: dict[str, Any]) -> str:
    """Which values a setting may have, in words, from its JSON schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return accepts(others[name], others) if "enum" in others.get(name, {}) else name
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(accepts(one, others) for one in several))
    if fixed := schema.get("enum") or [schema[key] for key in schema if key == "const"]:
        return " or ".join(f"`{_inline(value)}`" for value in fixed)
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"list of {accepts(items, others)}" if items else "list"
    words = WRITTEN.get(schema.get("pattern", "")) or WORDS.get(schema.get("type", ""))
    bounds = [f"{said} {schema[bound]}" for bound, said in BOUNDS.items() if bound in schema]
    return ", ".join([words or "anything", *bounds])


def _default(info: FieldInfo, value: object) -> str:
    if info.is_required():
        return "needed"
    text = _inline(None if info.default is None else value)
    return f"`{text}`" if len(text) <= LONG else "see below"


def _inline(value: object) -> str:
    """A value as YAML has it on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("...").strip().replace("|", "\\|")
