"""The page of all that a configuration may say."""

from amiss import config
from amiss.component import Component
from amiss.exports import RemoteWrite
from amiss.reference.words import Pages, table
from amiss.settings import default

HEAD = """\
# Settings

A configuration is one YAML file: `amiss init` writes it with every default, \
`amiss check` looks it over, `amiss schema` prints its JSON Schema for editors. A span of time is \
written 90s, 15m, 6h or 1d, a rate 5/day or 1/week, a secret env:NAME or file:/path.
"""
FOOT = """\
## The whole

What `amiss init` writes, and what runs without a file:
"""
ELSEWHERE = {
    "keep": "see [keep](#keep)",
    "pipelines": "list of [pipelines](#pipelines)",
    "sinks": "names of your choice, each with one of the [sinks](README.md#sinks)",
    "exports": "names of your choice, each with [these](#exports)",
    "source": "one of the [sources](README.md#sources)",
    "features": "one of the [features](README.md#features)",
    "detectors": "list of [detectors](README.md#detectors)",
}


def settings() -> Pages:
    """Of the file, of what is kept, of a pipeline."""
    whole = default()
    parts: tuple[tuple[str, Component], ...] = (
        ("The file", whole),
        ("keep", whole.keep),
        ("pipelines", whole.pipelines[0]),
        ("exports", RemoteWrite(url="http://127.0.0.1:8428/api/v1/write")),
    )
    lines = [HEAD]
    for title, part in parts:
        rows = table(type(part), part.model_dump(mode="json"), ELSEWHERE)
        lines += [f"## {title}", "", *rows, ""]
    yield "settings.md", "\n".join([*lines, FOOT, "```yaml", config.write(whole) + "```", ""])
