"""A configuration as a commented file, from what the models say of themselves."""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from amiss.component import Component
from amiss.settings import Settings, default

WIDTH = 96
LONG = 72  # characters of a list on one line
BLUEPRINTS: dict[str, Callable[[], Settings]] = {"this-host": default}
"""What `amiss init` can write, by name."""
HEAD = """\
# What Amiss watches, and whom it tells. Written by `amiss init`: every setting is here with its
# default, so what you do not want to change can be deleted. Afterwards:
#
#     amiss check {name}     finds mistakes, asks the sources, says what it will cost
#     amiss run {name}       watches; a changed file is read again by itself
#
# A span of time is written 90s, 15m, 6h or 1d; a rate 5/day or 1/week. A secret is written
# env:NAME or file:/path and never stands here itself.
"""
SINKS = """\
# Put what you want of these in the place of {}, without the #:
#  chat:  # Slack, Discord, Telegram, e-mail, ntfy...: https://github.com/caronc/apprise/wiki
#    type: apprise
#    urls:
#      - env:SLACK_URL  # slack://TOKEN_A/TOKEN_B/TOKEN_C/#channel
#      - env:TELEGRAM_URL  # tgram://BOT_TOKEN/CHAT_ID
#      - env:MAIL_URL  # mailtos://USER:PASSWORD@smtp.example.org?to=me@example.org
#      - env:PHONE_URL  # ntfy://ntfy.sh/TOPIC, or pover://USER_KEY@APP_TOKEN
#  hook:  # any address that takes JSON
#    type: webhook
#    url: env:WEBHOOK_URL
#  siem:  # or elastic, splunk, sentinel: see docs/siem.md
#    type: syslog
#    url: tls://siem.example.org:6514
#  file:  # one line of JSON for each event
#    type: jsonl
#    path: incidents.jsonl
"""


def write(settings: Settings, name: str = "amiss.yaml") -> str:
    """The file, which `read` turns into equal settings. `name` is what to call it in it."""
    known: set[tuple[type[Component], str]] = set()
    lines = [HEAD.format(name=name).rstrip("\n"), *_model(settings, known)]
    return "\n".join([*lines, SINKS.rstrip("\n"), ""])


def _model(
    model: Component, known: set[tuple[type[Component], str]], top: bool = True
) -> Iterator[str]:
    """The lines of a model; each setting is explained where it is met first."""
    written = model.model_dump(mode="json")
    fields = type(model).model_fields
    for field, info in sorted(fields.items(), key=lambda one: one[0] != "type"):
        explained = (type(model), field) in known or field == "type"
        known.add((type(model), field))
        if top:
            yield ""
        if not explained:
            yield from _comment(info.description or "")
        name = info.alias or field
        yield from _setting(name, getattr(model, field), written[name], known)


def _setting(
    name: str, value: Any, written: Any, known: set[tuple[type[Component], str]]
) -> Iterator[str]:
    if isinstance(value, Component):
        yield f"{name}:"
        yield from _indented(_model(value, known, top=False))
    elif isinstance(value, Mapping) and value and _components(value.values()):
        yield f"{name}:"
        for key, one in value.items():
            yield from _indented(_setting(key, one, None, known))
    elif isinstance(value, tuple) and value and _components(value):
        yield f"{name}:"
        for one in value:
            yield from _indented(_item(one, known))
    else:
        yield from _plain(name, written)


def _item(one: Component, known: set[tuple[type[Component], str]]) -> Iterator[str]:
    """A component in a list: what it is stands above it, where it is met first."""
    if (type(one), "") not in known and "type" in type(one).model_fields:
        known.add((type(one), ""))
        yield from _comment((inspect.getdoc(type(one)) or "").split("\n\n")[0])
    lines = list(_model(one, known, top=False))
    first = next(n for n, line in enumerate(lines) if not line.startswith("#"))
    yield from lines[:first]
    yield f"- {lines[first]}"
    yield from _indented(iter(lines[first + 1 :]))


def _plain(name: str, written: Any) -> Iterator[str]:
    """A setting as YAML has it: on one line, or a line for each item of a long list."""
    line = f"{name}: {_inline(written)}"
    if len(line) <= LONG or not isinstance(written, list):
        yield line
        return
    yield f"{name}:"
    for one in written:
        yield f"  - {_inline(one)}"


def _inline(written: Any) -> str:
    text = yaml.safe_dump(written, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("...").rstrip("\n")


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(text.split()), WIDTH):
        yield f"# {line}"


def _components(values: Any) -> bool:
    return all(isinstance(value, Component) for value in values)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" if line else "" for line in lines)
