"""The page of every address, and of what /metrics tells."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from fastapi import FastAPI

from amiss.reference.words import Pages, accepts
from amiss.run.live import Live
from amiss.settings import default
from amiss.web.app import build
from amiss.web.exposition import SERIES
from amiss.world import World

METRICS = """\
## What /metrics tells

| metric | kind | meaning |
|-|-|-|"""
OF_OTHERS = "With them come `process_...` and `python_...` of the Prometheus client."


def api() -> Pages:
    """The operations of the OpenAPI description, and the families of the exposition."""
    with TemporaryDirectory() as home:
        live = Live(default(), Path(home), World())  # not started: nothing is watched
        try:
            app = build(live)
            lines = ["# API", "", app.description, ""]
            lines += ["The whole description is `/openapi.json`; `/docs` shows it.", ""]
            lines += [*_operations(app.openapi()), METRICS, *_families(app), "", OF_OTHERS, ""]
        finally:
            live.stop()
    yield "api.md", "\n".join(lines)


def _operations(said: dict[str, Any]) -> Iterator[str]:
    schemas = said["components"]["schemas"]
    for path, item in said["paths"].items():
        for method, operation in item.items():
            yield f"## {method.upper()} {path}\n"
            yield f"{operation['summary']}. {operation['description']}\n"
            if asked := operation.get("parameters"):
                yield "| parameter | value | meaning |\n|-|-|-|"
                for one in asked:
                    takes = accepts(one["schema"], schemas)
                    meaning = " ".join(one.get("description", "").split())
                    yield f"| `{one['name']}` | {takes} | {meaning} |"
                yield ""
            if body := operation.get("requestBody"):
                example = body["content"]["application/json"]["example"]
                yield f"Takes `{orjson.dumps(example).decode()}`.\n"
            yield f"Answers {', '.join(operation['responses'])}.\n"


def _families(app: FastAPI) -> Iterator[str]:
    for field, text in SERIES.items():
        yield f"| `amiss_{field}` | gauge | {text} |"
    for family in app.state.registry.collect():
        if family.name.startswith("amiss_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield f"| `{name}` | {family.type} | {family.documentation} |"
