"""GET /docs: all that can be asked, on one page without scripts; and what OpenAPI needs added."""

import re
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from amiss.web.schemas import common, feedback, health, incidents, models, predict, series
from amiss.web.schemas.common import Problem

router = APIRouter(include_in_schema=False)

CODE = re.compile(r"`([^`]+)`")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Amiss: API</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto }}
body {{ padding: 0 1rem }}
pre {{ overflow-x: auto; padding: .6rem; border: 1px solid #8886 }}
h2 {{ margin-top: 2.5rem; font-size: 1.1rem }}
</style>
<h1>Amiss: API</h1>
<p>{intro} The whole description is <a href="/openapi.json">/openapi.json</a>.</p>
{operations}
"""


class Described(FastAPI):
    """FastAPI with our description."""

    def openapi(self) -> dict[str, Any]:
        """Made once."""
        return describe(self)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description: FastAPI's, with examples, problem details and the token."""
    if app.openapi_schema is None:
        said = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        parts = said.setdefault("components", {})
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        shared = parts.setdefault("schemas", {})
        shared |= schema.pop("$defs", {}) | {Problem.__name__: schema}
        for name, model in _models().items():
            extra = model.model_config.get("json_schema_extra")
            if name in shared and isinstance(extra, dict):
                shared[name] |= extra  # FastAPI leaves out what is null in an example
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        said["security"] = [{"token": []}, {}]
        for _, _, operation in _operations(said):
            for place in (operation.get("requestBody", {}), *operation["responses"].values()):
                for media in place.get("content", {}).values():
                    _exemplify(media, shared)
        app.openapi_schema = said
    return app.openapi_schema


@router.get("/docs")
async def page(request: Request) -> HTMLResponse:
    """All operations, for people."""
    said = describe(request.app)
    parts = [_section(method, path, operation) for method, path, operation in _operations(said)]
    intro = escape(said["info"]["description"])
    return HTMLResponse(PAGE.format(intro=intro, operations="\n".join(parts)))


def _models() -> dict[str, type[BaseModel]]:
    parts = (common, feedback, health, incidents, models, predict, series)
    found = [thing for part in parts for thing in vars(part).values() if isinstance(thing, type)]
    return {one.__name__: one for one in found if issubclass(one, BaseModel)}


def _operations(said: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, item in said["paths"].items()
        for method, operation in item.items()
    ]


def _exemplify(media: dict[str, Any], shared: dict[str, Any]) -> None:
    name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
    examples = shared.get(name, {}).get("examples")
    if examples and "example" not in media:
        media["example"] = examples[0]


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        f"<li><code>{escape(one['name'])}</code> {_prose(one.get('description', ''))}</li>"
        for one in operation.get("parameters", ())
    ]
    parts = [
        f"<h2><code>{method} {escape(path)}</code> {escape(operation['summary'])}</h2>",
        f"<p>{_prose(operation['description'])}</p>",
        f"<ul>{''.join(rows)}</ul>" if rows else "",
    ]
    for place in (operation.get("requestBody", {}), operation["responses"].get("200", {})):
        for media in place.get("content", {}).values():
            parts.append(f"<pre>{escape(_shown(media.get('example', '')))}</pre>")
    return "\n".join(filter(None, parts))


def _prose(said: str) -> str:
    return CODE.sub(r"<code>\1</code>", escape(said))


def _shown(example: Any) -> str:
    if isinstance(example, str):
        return example
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
