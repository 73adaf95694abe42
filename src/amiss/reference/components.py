"""The reference pages, made from the code; never written by hand.

A page is a path below docs/reference and its text. What has pages to add is a function in
GENERATORS that yields them; a component has its page by being in its folder.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic.fields import FieldInfo

from amiss.component import Component, Detector, Features, Sink, Source, find

Pages: TypeAlias = Iterator[tuple[str, str]]

FAMILIES: dict[str, type[Component]] = {
    "sources": Source,
    "features": Features,
    "detectors": Detector,
    "sinks": Sink,
}
SPAN = r"^\d+(\.\d+)?(ms|s|m|h|d)$"
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
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def own(family: str) -> dict[str, type[Component]]:
    """The components of one folder, by type; without those that plug-ins add."""
    kinds = find(f"amiss.{family}", FAMILIES[family])
    return {
        name: kind
        for name, kind in sorted(kinds.items())
        if kind.__module__.startswith(f"amiss.{family}.")
    }


def components() -> Pages:
    """One page for each component, and a list of them all."""
    lines = ["# Reference", "", "Made from the code by `make docs`.", ""]
    for family in FAMILIES:
        if kinds := own(family):
            lines += [f"## {family.capitalize()}", ""]
            lines += [f"- [{name}]({family}/{name}.md): {summary(kinds[name])}" for name in kinds]
            lines.append("")
        for name, kind in kinds.items():
            yield f"{family}/{name}.md", page(name, kind)
    yield "README.md", "\n".join(lines)


GENERATORS: list[Callable[[], Pages]] = [components]


def pages() -> Pages:
    """Every page of the reference as (path, text)."""
    for generate in GENERATORS:
        yield from generate()


def stale(folder: Path) -> dict[str, str]:
    """The pages in `folder` that are not as the code says, and why, by path."""
    wanted = dict(pages())
    found = {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    old = {path: "is missing" for path in wanted if path not in found}
    old |= {path: "belongs to nothing" for path in found if path not in wanted}
    return old | {
        path: "is out of date" for path in wanted if path in found and wanted[path] != found[path]
    }


def summary(kind: type[Component]) -> str:
    """The first paragraph of what it says of itself, on one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def page(name: str, kind: type[Component]) -> str:
    """What it is, what it can be told, and how that is written."""
    lines = [f"# {name}", "", inspect.getdoc(kind) or "", ""]
    if issubclass(kind, Detector):
        lines += [traits(kind), ""]
    schema = kind.model_json_schema()
    written = example(kind)
    rows = [
        f"| `{field}` | {accepts(schema['properties'][field], schema.get('$defs', {}))} "
        f"| {_default(info, written[field])} | {' '.join((info.description or '').split())} |"
        for field, info in kind.model_fields.items()
        if field != "type"
    ]
    if rows:
        lines += ["| setting | value | default | meaning |", "|-|-|-|-|", *rows, ""]
        lines += ["With every default written out:", ""]
    else:
        lines += ["It has no settings:", ""]
    text = yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=90)
    return "\n".join([*lines, "```yaml", text + "```", ""])


def traits(kind: type[Detector]) -> str:
    """What the rest of the pipeline knows of a detector."""
    told = [
        f"Reads {', '.join(f'`{need}`' for need in kind.needs)}",
        "judges a system as a whole" if kind.joint else "judges each series by itself",
        f"its scores are read by their {kind.calibration}",
        f"state at most {kind.state_bytes:,} bytes a series",
    ]
    if kind.fits():
        told.append("is fitted in a worker process")
    return "; ".join(told) + "."


def example(kind: type[Component]) -> dict[str, Any]:
    """Its settings as they are written, every default said.

    A setting that has no default shows the first of its `examples`. Raises TypeError if there is
    none: a page without it would leave the reader guessing.
    """
    asked = {}
    for field, info in kind.model_fields.items():
        if info.is_required():
            if not info.examples:
                raise TypeError(
                    f"{kind.__name__}.{field} has no default: give it Field(examples=[...])"
                )
            asked[field] = info.examples[0]
    said = kind.model_validate(asked).model_dump(mode="json")
    return {"type": said.pop("type"), **said}


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
    words = "span of time" if schema.get("pattern") == SPAN else WORDS.get(schema.get("type", ""))
    bounds = [f"{said} {schema[bound]}" for bound, said in BOUNDS.items() if bound in schema]
    return ", ".join([words or "anything", *bounds])


def _default(info: FieldInfo, value: object) -> str:
    if info.is_required():
        return "needed"
    text = _inline(value)
    return f"`{text}`" if len(text) <= LONG else "see below"


def _inline(value: object) -> str:
    """A value as YAML has it on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("...").strip().replace("|", "\\|")
