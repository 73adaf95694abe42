"""A page for each component, which has it by being in its folder."""

import inspect
from typing import Any

import yaml
from pydantic_core import PydanticUndefined

from amiss.component import Component, Detector, Features, Sink, Source, find
from amiss.reference.words import Pages, table

FAMILIES: dict[str, type[Component]] = {
    "sources": Source,
    "features": Features,
    "detectors": Detector,
    "sinks": Sink,
}
OTHERS = (
    ("Settings", "settings.md", "all that a configuration may say"),
    ("Commands", "commands.md", "what `amiss` can be asked to do"),
    ("API", "api.md", "every address, and what /metrics tells"),
    ("Equations", "equations.md", "from a sample to an incident, and where each is computed"),
)


def own(family: str) -> dict[str, type[Component]]:
    """The components of one folder, by type; without those that plug-ins add."""
    kinds = find(f"amiss.{family}", FAMILIES[family])
    return {
        name: kind
        for name, kind in sorted(kinds.items())
        if kind.__module__.startswith(f"amiss.{family}.")
    }


def components() -> Pages:
    """One page for each component, and a list of all pages."""
    lines = ["# Reference", "", "Made from the code by `make docs`.", ""]
    lines += [f"- [{name}]({path}): {said}" for name, path, said in OTHERS]
    lines.append("")
    for family in FAMILIES:
        if kinds := own(family):
            lines += [f"## {family.capitalize()}", ""]
            lines += [f"- [{name}]({family}/{name}.md): {summary(kinds[name])}" for name in kinds]
            lines.append("")
        for name, kind in kinds.items():
            yield f"{family}/{name}.md", page(name, kind)
    yield "README.md", "\n".join(lines)


def summary(kind: type[Component]) -> str:
    """The first paragraph of what it says of itself, on one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def page(name: str, kind: type[Component]) -> str:
    """What it is, what it can be told, and how that is written."""
    lines = [f"# {name}", "", inspect.getdoc(kind) or "", ""]
    if issubclass(kind, Detector):
        lines += [traits(kind), ""]
    written = example(kind)
    rows = table(kind, written)
    if rows:
        lines += [*rows, ""]
        lines += ["With every default written out:", ""]
    else:
        lines += ["It has no settings:", ""]
    text = yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=90)
    return "\n".join([*lines, "```yaml", text + "```", ""])


def traits(kind: type[Detector]) -> str:
    """What the rest of the pipeline knows of a detector."""
    alone = "single records" if kind.each else "each series by itself"
    told = [
        *([f"reads {', '.join(f'`{need}`' for need in kind.needs)}"] if kind.needs else []),
        f"judges {'a system as a whole' if kind.joint else alone}",
        f"its scores are read by their {kind.calibration}",
        f"state at most {kind.state_bytes:,} bytes a series",
    ]
    if kind.fits():
        told.append("is fitted in a worker process")
    said = "; ".join(told)
    return said[0].upper() + said[1:] + "."


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
        if info.examples and info.default in (None, PydanticUndefined):
            asked[field] = info.examples[0]
    said = kind.model_validate(asked, context={"without_files": True}).model_dump(mode="json")
    return {"type": said.pop("type"), **said}
