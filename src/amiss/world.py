"""The only door to the outside. What is not handed a World cannot touch one."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amiss.doors.files import Files
from amiss.doors.inbox import Inbox
from amiss.doors.transport import Destination, Trust, carry, why
from amiss.errors import ConfigError, Rejected, Unreachable

if TYPE_CHECKING:
    import httpx

    from amiss.doors.brokers import Reader, Subscription
    from amiss.doors.databases import Database

SETTINGS = {
    401: ": the token or password is missing, wrong or has expired",
    403: ": the token or user that was shown may not do this",
    404: ": nothing is at this address",
    407: ": the proxy asks for a password",
    410: ": what was at this address is closed or gone",
}
"""Answers that are about the settings here or there, and not about what was said; in words."""


def reveal(reference: str) -> str:
    """Turn `env:NAME` or `file:/path` into the secret; ConfigError if there is none."""
    kind, _, rest = reference.partition(":")
    if kind == "env":
        try:
            return os.environ[rest]
        except (KeyError, ValueError):  # the latter of a name that none can have
            raise ConfigError(f"no secret: the environment variable {rest} is not set") from None
    if kind == "file":
        try:
            return Path(rest).read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise ConfigError(f"no secret: {rest}: {exc.strerror}") from exc
        except ValueError:  # without the cause, which would show what is in the file
            raise ConfigError(f"no secret: {rest} is not a text in UTF-8") from None
    raise ConfigError("a secret is written env:NAME or file:/path, never in the file itself")


@cache
def _psutil() -> Any:
    import psutil

    return psutil


@cache
def _client(trust: Trust | None = None) -> "httpx.Client":
    import httpx

    verify = trust.context() if trust else True
    return httpx.Client(timeout=10, follow_redirects=False, verify=verify)


@cache
def _files() -> Files:
    return Files()


@cache
def _inbox(name: str) -> Inbox:
    return Inbox(Path(os.devnull, name))


@cache
def _places(path: str) -> Any:
    """Where addresses are, by a file in MaxMind's format. ConfigError if that cannot be read."""
    try:
        import maxminddb
    except ImportError:
        raise ConfigError(
            "places: the library maxminddb is not there; pip install 'amiss[places]'"
        ) from None
    try:
        return maxminddb.open_database(path)
    except OSError as exc:
        raise ConfigError(f"places: {path}: {exc.strerror or exc}") from None
    except maxminddb.InvalidDatabaseError:
        raise ConfigError(f"places: {path} is no file in MaxMind's format") from None


@cache
def _database(address: str) -> "Database":
    from amiss.doors.databases import Database

    return Database(address)


def _subscribe(asked: "Subscription") -> "Reader":
    from amiss.doors.brokers import reader

    return reader(asked)


def _publish(
    joining: Mapping[str, str], topic: str, messages: Sequence[tuple[bytes, bytes]], timeout: float
) -> None:
    from amiss.doors.brokers import publish

    publish(joining, topic, messages, timeout)


@dataclass(frozen=True, slots=True)
class World:
    """Network, files, clock, this machine and secrets. Tests build one out of other parts."""

    http: Callable[..., "httpx.Client"] = _client
    """A client; with a Trust as argument, one that shows and trusts these certificates."""
    now: Callable[[], int] = time.time_ns
    monotonic: Callable[[], int] = time.monotonic_ns
    wait: Callable[[threading.Event, float], bool] = field(default=threading.Event.wait)
    """Sleep so many seconds, or less if the event is set meanwhile; says whether it was."""
    secret: Callable[[str], str] = reveal
    machine: Callable[[], Any] = _psutil
    """psutil, or something that answers like it."""
    files: Callable[[], Files] = _files
    places: Callable[[str], Any] = _places
    """A reader of maxminddb, of which `get` says where an address is."""
    inbox: Callable[[str], Inbox] = _inbox
    """What was pushed to the running program, by the inbox's name; nothing where none runs."""
    carry: Callable[[Destination, Sequence[bytes]], None] = carry
    """Messages over UDP, TCP or TLS."""
    database: Callable[[str], "Database"] = _database
    """The SQL database at an address, to be read."""
    subscribe: Callable[["Subscription"], "Reader"] = _subscribe
    """A reader of topics of Kafka."""
    publish: Callable[[Mapping[str, str], str, Sequence[tuple[bytes, bytes]], float], None] = (
        _publish
    )
    """Keys and values to a topic of Kafka, within so many seconds."""

    def ask(
        self,
        method: str,
        url: str,
        *,
        trust: Trust | None = None,
        told: Callable[["httpx.Response"], str] = lambda reply: "",
        settings: Callable[["httpx.Response"], bool] = lambda reply: False,
        **kwargs: Any,
    ) -> "httpx.Response":
        """One request. Raises Unreachable if it may work later, Rejected if it will not: one that
        is mendable for an address that cannot be asked, for SETTINGS, and where it sends elsewhere.

        The message names the host alone: addresses of webhooks are secrets themselves. `told`
        adds what a server says of a failure, where that can be no secret; `settings` says whether
        another answer than SETTINGS is about these.
        """
        import httpx

        try:
            reply = (self.http(trust) if trust else self.http()).request(method, url, **kwargs)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
            wrong = f"not an address that can be asked: {type(exc).__name__}"
            raise Rejected(wrong, mendable=True) from None
        except httpx.RequestError as exc:
            raise Unreachable(f"{httpx.URL(url).host}: {why(exc)}") from None
        if reply.status_code in (408, 425, 429) or reply.status_code >= 500:
            wait = reply.headers.get("retry-after", "")
            after = float(wait) if wait.isdigit() else None
            raise Unreachable(f"{reply.url.host} answered {reply.status_code}{told(reply)}", after)
        if not reply.is_success:
            code, said = reply.status_code, told(reply)
            if reply.is_redirect:
                said = said or ": it is at another address, which is to be written instead"
            said = said or SETTINGS.get(code, "")
            mendable = code in SETTINGS or reply.is_redirect or settings(reply)
            raise Rejected(f"{reply.url.host} answered {code}{said}", mendable)
        return reply
