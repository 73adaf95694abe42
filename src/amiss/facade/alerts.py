"""E-mail and webhook, by the sinks that Amiss has, in a thread of their own."""

import atexit
import concurrent.futures.thread  # noqa: F401 - Apprise wants it, too late once the program ends
import queue
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from amiss.component import Sink
from amiss.data import Incident
from amiss.errors import Error
from amiss.facade.config import Alerts, Email
from amiss.facade.journal import Journal
from amiss.facade.samples import written
from amiss.masked import Hidden
from amiss.sinks.apprise import Apprise
from amiss.sinks.webhook import Webhook
from amiss.world import World

MOST = 1000  # alerts that wait
LAST = 10.0  # seconds to wait for them when the program ends
ORDER = ("low", "medium", "high")
TEMPLATE = "$title\n\n$sentence\n$evidence"
CHATS = ("https://hooks.slack.com/services/", "https://discord.com/api/webhooks/")
"""What the addresses of webhooks of Slack and Discord begin with."""


class Sender:
    """Sends what it is handed, and keeps nobody waiting; what cannot be sent is logged."""

    def __init__(self, journal: Journal, world: World) -> None:
        self.journal, self.world = journal, world
        self._waiting: queue.Queue[tuple[Incident, Alerts]] = queue.Queue(MOST)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def send(self, result: Mapping[str, Any], sample: Any, config: Alerts) -> None:
        """To whoever is enabled, if it is grave enough."""
        if not (config.email.enabled or config.webhook.enabled):
            return
        if ORDER.index(result["severity"]) < ORDER.index(config.min_severity):
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
                self._thread.start()
                atexit.register(self.end)
        try:
            self._waiting.put_nowait((incident(result, sample), config))
        except queue.Full:
            self.journal.say("ERROR", "an alert was not sent: too many wait")

    def flush(self) -> None:
        """Wait until all that was handed over has been sent or given up."""
        self._waiting.join()

    def end(self) -> None:
        """The same, but for some seconds at most: the program ends."""
        done = self._waiting.all_tasks_done
        with done:
            done.wait_for(lambda: not self._waiting.unfinished_tasks, LAST)
            left = self._waiting.unfinished_tasks
        if left:
            self.journal.say("ERROR", f"alerts that were not sent as the program ended: {left}")

    def _run(self) -> None:
        while True:
            told, config = self._waiting.get()
            for name, make in sinks(config, self.world).items():
                try:
                    make().send((told,), self.world, "opened")
                except Error as exc:
                    self.journal.say("ERROR", f"{name} alert was not sent: {exc}")
                except Exception as exc:
                    # whoever waits in `flush` waits for this thread; the text may have a secret
                    self.journal.say("ERROR", f"{name} alert was not sent: {type(exc).__name__}")
            self._waiting.task_done()


def sinks(config: Alerts, world: World) -> dict[str, Callable[[], Sink]]:
    """What makes those that are enabled: one that cannot be made must not silence the other."""
    found: dict[str, Callable[[], Sink]] = {}
    if config.email.enabled:
        found["email"] = lambda: Apprise(urls=(_mailbox(config.email, world),), template=TEMPLATE)
    if config.webhook.enabled:
        found["webhook"] = lambda: _webhook(config.webhook.url, world)
    return found


def _webhook(url: Hidden, world: World) -> Sink:
    """Chats want messages of their own form, and refuse any other."""
    if url.read(world).startswith(CHATS):
        return Apprise(urls=(url,), template=TEMPLATE)
    return Webhook(url=url)


def _mailbox(email: Email, world: World) -> Hidden:
    """The address of a mailbox as Apprise writes it."""
    password = email.password.read(world) if email.password.get_secret_value() else ""
    login = f"{quote(email.sender, safe='')}:{quote(password, safe='')}@" if password else ""
    scheme = "mailtos" if email.tls else "mailto"
    said = urlencode({"from": email.sender, "to": ",".join(email.recipients)})
    return Hidden(f"{scheme}://{login}{email.smtp_server}:{email.smtp_port}?{said}")


def incident(result: Mapping[str, Any], sample: Any) -> Incident:
    """An anomaly as the sinks take it."""
    at = datetime.fromisoformat(result["timestamp"])
    ns = int(at.timestamp() * 1e9)
    blamed = ", ".join(result["blame"]) or "all of it"
    sentence = (
        f"{result['data_type']} sample with confidence {result['confidence']:.2f}: {blamed} "
        f"since {at.astimezone(UTC):%H:%M} UTC on {at.day} {at:%B}."
    )
    return Incident(
        id=result["id"], revision=1, state="open", system="", since=ns, seen=ns, until=None,
        severity=result["severity"], score=result["score"], p=result["p"], rarity=float("nan"),
        watched=0.0, breadth=1, members=(), sentence=sentence, evidence=(_json(sample),),
    )  # fmt: skip


def _json(sample: Any) -> str:
    """A sample as JSON, or as Python writes it where JSON has no way to."""
    how = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(sample, option=how, default=str).decode()
    except TypeError:  # an int of more than 64 bits, half a surrogate pair
        return written(sample).encode("utf-8", "replace").decode()
