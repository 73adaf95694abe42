"""Chats, e-mail, phones: whatever Apprise knows an address for."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from amiss.component import Sink
from amiss.data import Event, Incident
from amiss.errors import ConfigError, Error, Rejected, Unreachable
from amiss.masked import REFERENCE, Hidden, hush, scrub
from amiss.sinks import Template
from amiss.words.message import compose, event_of
from amiss.world import SETTINGS, World

HTTP_CODE = re.compile(r"\berror=(\d{3})\b")
SMTP_CODE = re.compile(r"^Socket Exception:.*?\((\d{3}), b?['\"]", re.DOTALL)
SMTP_SETTINGS = (530, 534, 535, 538)  # RFC 4954: who sends is not known, or has to say it otherwise
SLACK_CODE = re.compile(r'^Response Details:\s*b.\{"ok":\s*false\b.*?"error":\s*"(\w{1,40})"')
SLACK_SETTINGS = frozenset(
    "access_denied account_inactive channel_not_found invalid_auth is_archived missing_scope"
    " no_permission not_authed not_in_channel restricted_action token_expired token_revoked".split()
)
"""What Slack says with a 200 to who shows a token, of the token and of the channel."""

_heard: ContextVar[list[logging.LogRecord]] = ContextVar("heard")


def _address(url: Hidden) -> Hidden:
    text = url.get_secret_value()
    if not (REFERENCE.fullmatch(text) or re.match(r"[A-Za-z][A-Za-z0-9]*://.", text)):
        raise ValueError("write env:NAME, or an address such as ntfy://ntfy.sh/topic")
    return url


class Apprise(Sink):
    """Sends a message for each incident that opens, gets worse or ends.

    To Slack, Discord, Telegram, e-mail over SMTP, ntfy, Pushover and many more; how their
    addresses are written is listed at https://github.com/caronc/apprise/wiki. Each address
    is told on its own: one that does not answer delays no other. As addresses hold
    passwords, write them as `env:NAME` or `file:/path`.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["apprise"] = "apprise"
    urls: tuple[Annotated[Hidden, AfterValidator(_address)], ...] = Field(
        min_length=1, examples=[["env:AMISS_APPRISE_URL"]]
    )
    """The addresses, each as `env:NAME`, `file:/path`, or as Apprise writes it."""
    template: Template | None = None
    """The words, inline or `file:/path`; the first line is the title,
    the rest the body. Fields: $title $sentence $severity $since $until $duration $rarity
    $members $evidence $address $state $id."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for $address."""

    def apart(self) -> dict[str, Sink]:
        """The same as one sink per address, named by where it is kept or by its kind."""
        sinks: dict[str, Sink] = {}
        for url in self.urls:
            text = url.get_secret_value()
            kept = REFERENCE.fullmatch(text)
            name = text.partition(":")[2].rpartition("/")[2] if kept else text.partition(":")[0]
            numbered, n = name, 1
            while numbered in sinks:
                n += 1
                numbered = f"{name}-{n}"
            sinks[numbered] = self.model_copy(update={"urls": (url,)})
        return sinks

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """Tell each address in turn.

        Raises ConfigError for an address that Apprise does not know, Rejected where the
        other side said no for good (HTTP 4xx, SMTP 5xx), else Unreachable. A Rejected is
        mendable where settings were refused, and none of several receivers has heard it.
        """
        hush()
        for url in self.urls:
            target = url.read(world)
            with _overheard() as heard:
                service = _library().Apprise.instantiate(target, asset=_asset())
                if service is None:
                    raise ConfigError(f"{url} holds no address that Apprise can use")
                for incident in incidents:
                    heard.clear()
                    now = world.now()
                    said = compose(incident, now, self.address, self.template, event=event)
                    sent = service.notify(
                        # without a body, Apprise wants the title in its place
                        title=said.title if said.body else "",
                        body=said.body or said.title,
                        notify_type=_kind(incident),
                        body_format="text",
                    )
                    if not sent:
                        raise _failure(str(service.service_name), target, heard)


def _kind(incident: Incident) -> str:
    if event_of(incident) == "resolved":
        return "success"
    return "failure" if incident.severity == "high" else "warning"


@cache
def _library() -> Any:
    import apprise

    # It names addresses in what it logs: nobody else is to hear it.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(_Listener())
    return apprise


def _asset() -> Any:
    return _library().AppriseAsset(
        app_id="Amiss", app_desc="Amiss", image_url_mask="", async_mode=False, storage_mode="memory"
    )


class _Listener(logging.Handler):
    """Hands what is logged to the thread that is sending, if it listens."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get(None)
        if heard is not None:
            heard.append(record)


@contextmanager
def _overheard() -> Iterator[list[logging.LogRecord]]:
    """What Apprise logs of this thread's sending: its only way to say why it failed."""
    heard: list[logging.LogRecord] = []
    listening = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(listening)


def _failure(service: str, target: str, heard: Sequence[logging.LogRecord]) -> Error:
    """The reason that was logged, without any part of the address, as the right error."""
    loud = [record.getMessage() for record in heard if record.levelno >= logging.WARNING]
    reason = " ".join(scrub(loud[0], target).split())[:200] if loud else "no reason given"
    http = [int(code) for text in loud for code in HTTP_CODE.findall(text)]
    smtp = [int(code) for record in heard for code in SMTP_CODE.findall(record.getMessage())]
    slack = [word for record in heard for word in SLACK_CODE.findall(record.getMessage())]
    refusals = [code < 500 and code not in (408, 425, 429) for code in http]
    refusals += [code >= 500 for code in smtp]  # with SMTP, 4yz is for now and 5yz for good
    refused = bool(refusals) and all(refusals)
    code = f" (SMTP {smtp[0]})" if smtp else f" ({slack[0]})" if slack else ""
    said = f"{service}: {reason}{code}"
    if not refused:
        return Unreachable(said)
    # who heard it would hear it again with each try, for as long as another one refuses
    heard_by_some = any(record.getMessage().startswith("Sent ") for record in heard)
    settings = any(c in SETTINGS for c in http) or any(c in SMTP_SETTINGS for c in smtp)
    settings = settings or any(word in SLACK_SETTINGS for word in slack)
    return Rejected(said, mendable=settings and not heard_by_some)
