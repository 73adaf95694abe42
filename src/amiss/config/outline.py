"""What may stand where in a configuration, from the JSON Schema of the settings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from amiss.config.document import Place
from amiss.settings import Settings
from amiss.spans import RATE, SPAN, write_rate, write_span

WRITERS: dict[str, Callable[[Any], str]] = {SPAN: write_span, RATE: write_rate}


@dataclass(frozen=True, slots=True)
class Spot:
    """A value of a configuration: where it is, what it is, and what is wanted there."""

    place: Place
    data: Any
    schema: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """The settings that may stand in it."""
        return list(self.schema.get("properties", {}))

    @property
    def types(self) -> list[str]:
        """The components that it may be, by type."""
        mapping = self.schema.get("discriminator", {}).get("mapping", {})
        return sorted(mapping) or list(_types(self.schema))

    def chosen(self) -> "Spot":
        """The same, as the component that its `type` names."""
        mapping = self.schema.get("discriminator", {}).get("mapping", {})
        kind = self.data.get("type") if isinstance(self.data, dict) else None
        if isinstance(kind, str) and kind in mapping:
            return Spot(self.place, self.data, _resolved({"$ref": mapping[kind]}))
        return self

    def inner(self, part: int | str) -> "Spot":
        """What stands in it under a name or number; None as data if nothing does."""
        place, data = (*self.place, part), None
        if isinstance(part, int):
            if isinstance(self.data, list) and part < len(self.data):
                data = self.data[part]
            return Spot(place, data, _resolved(self.schema.get("items", {})))
        if isinstance(self.data, dict):
            data = self.data.get(part)
        schema = self.schema.get("properties", {}).get(part)
        if schema is None:
            others = self.schema.get("additionalProperties", {})
            schema = others if isinstance(others, dict) else {}
        return Spot(place, data, _resolved(schema))


def top(data: Any) -> Spot:
    """The whole of a configuration."""
    return Spot((), data, json_schema())


def find(data: Any, loc: tuple[int | str, ...]) -> Spot:
    """What pydantic means by a location: it also says which component was chosen."""
    spot, parts = top(data), list(loc)
    while parts:
        if spot.schema.get("discriminator"):
            spot = spot.chosen()
            if parts[0] == spot.data.get("type") and not spot.schema.get("discriminator"):
                parts.pop(0)
                continue
        spot = spot.inner(parts.pop(0))
    return spot


def bare_spans(spot: Spot) -> Iterator[Spot]:
    """Numbers where a span of time is wanted: they would be taken as nanoseconds."""
    spot = spot.chosen()
    if spot.schema.get("pattern") == SPAN and isinstance(spot.data, int | float):
        yield spot
    data = spot.data
    parts = range(len(data)) if isinstance(data, list) else data if isinstance(data, dict) else ()
    for part in parts:
        yield from bare_spans(spot.inner(part))


def _types(schema: dict[str, Any]) -> Iterator[str]:
    kind = schema.get("properties", {}).get("type", {})
    if "const" in kind:
        yield kind["const"]


@cache
def json_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration, defaults as they are written in one: 5m, 5/day."""
    whole: dict[str, Any] = _written(Settings.model_json_schema())
    return whole


def _written(part: Any) -> Any:
    if isinstance(part, list):
        return [_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    pattern, value = part.get("pattern"), part.get("default")
    if isinstance(pattern, str) and pattern in WRITERS and value is not None:
        return part | {"default": WRITERS[pattern](value)}
    return {name: _written(one) for name, one in part.items()}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Without references, and without "or nothing"."""
    while True:
        several = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if "$ref" in schema:
            schema = json_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
        elif len(several) == 1:
            schema = {**schema, **several[0], "anyOf": ()}
        else:
            return schema
