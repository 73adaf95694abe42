"""What holds for every sink there is: a new one is tested by being in the folder.

A sink is built from the examples in its fields, where every secret is the address of a
receiver on this machine. One that never asks it is local, and is held to the other laws.
"""

import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr, TypeAdapter

from amiss.component import Sink, find
from amiss.doors.transport import Destination
from amiss.errors import Error, Rejected, Unreachable
from amiss.masked import CHATTY
from amiss.world import World
from servers.incidents import incident
from servers.receivers import Receiver, Request

SCHEMES = {"apprise": "json"}
"""By type: the scheme of addresses, where it is not http."""

TOGETHER = {"elastic", "splunk", "sentinel"}
"""Those that send several incidents in one request."""

ELSEWHERE = {"api_key", "token", "secret"}
"""Settings that are references to a secret, and never the secret itself."""

SINKS = find("amiss.sinks", Sink)
PASSWORDS = ("hunter2secret", "T0KEN-IN-PATH", "T0KEN-IN-QUERY")

pytestmark = [
    pytest.mark.parametrize("kind", SINKS.values(), ids=SINKS),
    # pgpy, which Apprise loads if it is there
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def _files_go_to_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(answer=taken) as server:
        yield server


def taken(request: Request) -> bytes:
    """What each of those that are asked answers if all is well."""
    if request.path.endswith("_bulk"):
        rows = request.body.count(b'{"create":')
        items = [{"create": {"status": 201}}] * rows
        return orjson.dumps({"errors": False, "items": items})
    return orjson.dumps({"access_token": "T0KEN", "code": 0})


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """All that a program which logs everything would have in its log."""
    text = StringIO()
    handler, root = logging.StreamHandler(text), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in CHATTY:  # as no sink has hushed them yet
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield text
    root.setLevel(level)
    root.removeHandler(handler)


def secret(kind: type[Sink], place: str) -> str:
    user, path, query = PASSWORDS
    return f"{SCHEMES.get(kind.__name__.lower(), 'http')}://joe:{user}@{place}/{path}?key={query}"


def built(kind: type[Sink], instead: str | None = None) -> Sink:
    """One from its examples; with `instead` where a reference to a secret would stand."""

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(each) for each in value]
        if isinstance(value, dict):
            return {name: put(each) for name, each in value.items()}
        return instead if instead and str(value).startswith("env:") else value

    examples = {name: f.examples[0] for name, f in kind.model_fields.items() if f.examples}
    return kind(
        **{
            name: example if name in ELSEWHERE else put(example)
            for name, example in examples.items()
        }
    )


def world(kind: type[Sink], place: str) -> World:
    return World(secret=lambda reference: secret(kind, place), carry=kept, publish=published)


def kept(to: Destination, messages: Sequence[bytes]) -> None:
    """Instead of a network."""
    with Path("carried").open("ab") as file:
        file.writelines(messages)


def published(
    joining: Mapping[str, str], topic: str, messages: Sequence[tuple[bytes, bytes]], timeout: float
) -> None:
    """Instead of a broker."""
    with Path("published").open("ab") as file:
        file.writelines(value for _, value in messages)


def asks(kind: type[Sink], receiver: Receiver) -> bool:
    built(kind).send((incident(),), world(kind, receiver.place))
    return bool(receiver.all())


def test_a_sink_is_called_as_its_file(kind: type[Sink]) -> None:
    assert kind.__module__.rpartition(".")[2] == kind.model_fields["type"].default


def test_a_sink_that_has_nothing_to_say_is_silent(kind: type[Sink], receiver: Receiver) -> None:
    built(kind).send((), world(kind, receiver.place))
    assert not receiver.all()


def test_each_incident_is_told_on_its_own(kind: type[Sink], receiver: Receiver) -> None:
    if asks(kind, receiver):
        both = (incident("first"), incident("second"))
        built(kind).send(both, world(kind, receiver.place))
        bodies = [request.body for request in receiver.all()]
        if kind.model_fields["type"].default in TOGETHER:
            assert b"first-1" in bodies[-1] and b"second-1" in bodies[-1]
        else:
            assert len(bodies) == 2


def test_it_says_what_it_is_told_an_incident_is(
    kind: type[Sink], receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    for event, said in ((None, True), ("opened", False)):
        there = world(kind, receiver.place)
        built(kind).send((incident(str(event), revision=3),), there, event)  # type: ignore[arg-type]
        heard = [request.body.decode() for request in receiver.all()] + [capfd.readouterr().out]
        files = [path for path in Path.cwd().iterdir() if path.is_file()]
        heard += [path.read_text(encoding="utf-8") for path in files]
        for path in files:
            path.unlink()
        assert any("worse" in each for each in heard) == said


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, None])
def test_no_answer_now_is_unreachable(
    kind: type[Sink], receiver: Receiver, status: int | None
) -> None:
    if asks(kind, receiver):
        receiver.status = status
        with pytest.raises(Unreachable):
            built(kind).send((incident(),), world(kind, receiver.place))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_a_no_is_rejected(kind: type[Sink], receiver: Receiver, status: int) -> None:
    if asks(kind, receiver):
        receiver.status = status
        with pytest.raises(Rejected):
            built(kind).send((incident(),), world(kind, receiver.place))


def test_nobody_there_is_unreachable(kind: type[Sink]) -> None:
    with Receiver(answer=taken) as receiver:
        remote = asks(kind, receiver)
    if remote:
        with pytest.raises(Unreachable):
            built(kind).send((incident(),), world(kind, receiver.place))


@pytest.mark.parametrize("status", [200, 401, 500, None])
@pytest.mark.parametrize("plain", [False, True], ids=["kept elsewhere", "in the settings"])
def test_secrets_are_not_shown(
    kind: type[Sink],
    receiver: Receiver,
    status: int | None,
    plain: bool,
    logged: StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    receiver.status = status
    address = secret(kind, receiver.place)
    sink = built(kind, instead=address) if plain else built(kind)
    said = [repr(sink), str(sink), sink.model_dump_json(), str(sink.model_dump())]
    try:
        sink.send((incident(),), world(kind, receiver.place))
    except Error as exc:
        said += [str(exc), repr(exc), *traceback.format_exception(exc)]
    said += [logged.getvalue(), *capfd.readouterr()]
    for password in PASSWORDS:
        assert not [text for text in said if password in text]


def test_a_bad_setting_is_not_repeated(kind: type[Sink]) -> None:
    written = built(kind).model_dump_json()
    if written != built(kind, "env:OTHER").model_dump_json():  # there is a secret among them
        with pytest.raises(ValueError) as refused:
            kind(**{name: [PASSWORDS[0]] for name in kind.model_fields if name != "type"})
        assert PASSWORDS[0] not in str(refused.value), "set hide_input_in_errors"


def test_settings_can_be_written_and_read_again(kind: type[Sink]) -> None:
    sink = built(kind)
    assert TypeAdapter(kind).validate_json(sink.model_dump_json()) == sink
    assert not [f for f in kind.model_fields.values() if f.annotation is SecretStr], (
        "use amiss.masked.Hidden: it shows where a secret is kept"
    )
