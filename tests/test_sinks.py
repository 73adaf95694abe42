"""What each sink says, to whom, and what it does when it is not heard."""

import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import orjson
import pytest
from pydantic import ValidationError

from amiss.data import DAY, MINUTE, Incident
from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.masked import Hidden, mask, scrub
from amiss.sinks.apprise import Apprise, _failure
from amiss.sinks.jsonl import Jsonl
from amiss.sinks.stdout import Stdout
from amiss.sinks.webhook import Webhook
from amiss.words.message import as_json, compose, event_of, telling, write_time
from amiss.world import World
from servers.incidents import START, ended, incident, member
from servers.receivers import MailServer, Receiver

# pgpy, which Apprise loads if it is there
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NOW = START + 5 * MINUTE


def at(now: int = NOW, **secrets: str) -> World:
    return World(now=lambda: now, secret=lambda reference: secrets[reference.partition(":")[2]])


# What is worth telling


def test_an_opening_a_doubling_a_rise_and_the_end_are_told() -> None:
    first = incident(breadth=2)
    assert telling(None, first) == "opened"
    assert telling(first, first) is None
    assert telling(first, replace(first, revision=2, breadth=3)) is None
    assert telling(first, replace(first, revision=2, breadth=4)) == "worse"
    assert telling(first, replace(first, revision=2, severity="high")) == "worse"
    assert telling(first, replace(first, revision=2, severity="low")) is None
    assert telling(first, ended(first)) == "resolved"
    assert telling(ended(first), ended(first)) is None
    assert telling(ended(first), replace(ended(first), revision=3)) is None


def test_what_was_missed_is_not_told_late() -> None:
    over = ended(incident())
    assert telling(over, incident()) is None
    assert telling(None, over) == "resolved"


# The words


def test_a_message_says_it_all() -> None:
    now = incident(
        severity="high",
        members=(
            member(),
            member("cpu_percent", observed=97.2, expected=6.0, lower=-1.0, upper=12.0),
            member("load1", observed=12.0, lower=float("nan"), upper=float("nan"), expected=1.0),
            member("picture", blame=("cpu_percent", "load1")),
            member("memory_used_bytes"),
        ),
        evidence=("backup.sh\x1b[31m 92 %\nof a core", "second"),
    )
    said = compose(now, NOW, "https://amiss.example.com/", zone=ZoneInfo("Europe/Berlin"))
    assert said.title == (
        "amiss: web-3: disk write, sda at 310 MB/s"
        " (8 times the usual; 2 to 40 MB/s expected) (high)"
    )
    assert said.body.splitlines() == [
        now.sentence,
        "Also: CPU at 97.2 % (16 times the usual; 0 to 12 % expected); load1 at 12 (12 times the"
        " usual; 1 expected); an unusual picture as a whole, most of all CPU and load1",
        "Since Sat 7 Mar 15:02 CET (5 minutes ago)",
        "Seen then: backup.sh 92 % of a core",
        "https://amiss.example.com/dashboard/incident?id=a1",
    ]


def test_the_end_and_a_change_for_the_worse_say_so() -> None:
    over = compose(ended(incident()), NOW + DAY, zone=UTC)
    assert over.title.startswith("amiss: resolved after 18 minutes: web-3: disk write")
    assert "Over since Sat 7 Mar 14:20 UTC (24 hours ago), after 18 minutes" in over.body
    worse = compose(incident(revision=2, severity="high"), NOW, zone=UTC)
    assert worse.title.startswith("amiss: worse: web-3: disk write")


def test_a_line_with_nothing_to_say_is_left_out() -> None:
    said = compose(incident(evidence=()), NOW, zone=UTC)
    assert said.body.splitlines() == [
        incident().sentence,
        "Since Sat 7 Mar 14:02 UTC (5 minutes ago)",
    ]


def test_rarity_claims_no_more_than_was_watched() -> None:
    assert compose(incident(), NOW, template="$rarity").title == "about once in 3 months"
    short = incident(watched=12.0)
    assert compose(short, NOW, template="$rarity").title == "not seen before in the 12 days watched"
    never = compose(incident(rarity=float("nan")), NOW, template="$rarity")
    assert never.title.startswith("amiss: "), "a message always has a title"


def test_json_holds_times_and_no_numbers_that_are_none() -> None:
    said = as_json(incident(members=(member(expected=float("nan")),)))
    assert said["since"] == "2026-03-07T14:02:10Z"
    assert said["until"] is None
    assert said["members"][0]["expected"] is None
    assert orjson.loads(json.dumps(said, allow_nan=False)) == orjson.loads(orjson.dumps(said))
    assert write_time(START + 250_000_000) == "2026-03-07T14:02:10.25Z"


# Templates


def test_a_template_changes_all_words() -> None:
    template = "[$severity] $id costs $$5\n\nlook at $address\nstill $state, ${duration} so far"
    said = compose(incident(), NOW, "http://amiss", template)
    assert said.title == "[medium] a1 costs $5"
    assert (
        said.body == "look at http://amiss/dashboard/incident?id=a1\nstill open, 5 minutes so far"
    )


def test_nothing_in_a_template_or_its_values_runs() -> None:
    tricky = incident(sentence="$id {0.__class__} ${state} since now")
    assert (
        compose(tricky, NOW, template="$sentence").title == "$id {0.__class__} ${state} since now"
    )
    for template in ("{title.__class__}", "$title.__class__"):
        assert "object" not in compose(incident(), NOW, template=template).title


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("$sentense", r"names \$sentense, which is no field; did you mean \$sentence\?"),
        ("$xyzzy", r"there are \$title, \$sentence"),
        ("costs 5$", "write \\$\\$ for a dollar"),
        ("  \n", "empty"),
        ("file:/nowhere/words.txt", "no template: /nowhere/words.txt: No such file"),
    ],
)
def test_a_bad_template_is_found_when_it_is_read(template: str, why: str) -> None:
    for sink in (Stdout, lambda **said: Webhook(url="env:X", **said)):
        with pytest.raises(ValidationError, match=why):
            sink(template=template)


def test_a_template_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("$severity\n\n$state\n", encoding="utf-8")
    assert Stdout(template=f"file:{file}").template == "$severity\n\n$state"


# Secrets


def test_masks() -> None:
    shown = {
        "https://hooks.slack.com/services/T1/B2/xyz": "https://hooks.slack.com/***",
        "https://me:pw@example.com": "https://example.com/***",
        "https://example.com?token=abc": "https://example.com/***",
        "http://127.0.0.1:9000": "http://127.0.0.1:9000",
        "https://me:p/w@example.com/": "https://***",
        "https://me:hunter2": "https://***",
        "slack://tokenA/tokenB": "slack://***",
        "mailto://me:pw@example.com": "mailto://***",
        "Bearer abc": "***",
        "env:TOKEN": "env:TOKEN",
    }
    assert {secret: mask(secret) for secret in shown} == shown
    assert {str(Hidden(secret)) for secret in shown} == set(shown.values())


def test_scrubbing_leaves_the_reason() -> None:
    address = "mailto://joe:p%40ss@mail.example.com:587?to=x@y.org&mode=starttls"
    said = "user joe of mail.example.com (p@ss, p%40ss) was refused, error=535, to x@y.org"
    assert (
        scrub(said, address) == "user *** of *** (***@***, ***) was refused, error=535, to ***@***"
    )


# stdout


def test_stdout_prints_a_sentence_or_json(capfd: pytest.CaptureFixture[str]) -> None:
    Stdout().send((incident(), ended(incident())), at())
    opened, over = capfd.readouterr().out.splitlines()
    assert opened.startswith("amiss: web-3: disk write, sda at 310 MB/s")
    assert "(5 minutes ago)" in opened
    assert over.startswith("amiss: resolved after 18 minutes: ")
    Stdout(format="json").send((incident(),), at())
    said = orjson.loads(capfd.readouterr().out)
    assert (said["event"], said["id"], said["revision"]) == ("opened", "a1", 1)
    Stdout(template="$id\n\n$state").send((incident(),), at())
    assert capfd.readouterr().out == "a1\nopen\n"


def test_stdout_may_be_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    Stdout().send((incident(),), at())
    assert capsys.readouterr().out.startswith("amiss: web-3")


PRINT = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from servers.incidents import incident
from amiss.errors import Error
from amiss.sinks.stdout import Stdout
from amiss.world import World
sys.stdin.read()
try:
    Stdout().send([incident(sentence="caf\\u00e9 since now")], World())
except Error as exc:
    sys.stderr.write(f"{type(exc).__name__}: {exc}")
"""


def printed(stdout: int, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRINT, str(Path(__file__).parent)]
    pipe = subprocess.PIPE
    env = (os.environ if env is None else env) | {"PYTHONUNBUFFERED": ""}
    return subprocess.Popen(command, stdin=pipe, stdout=stdout, stderr=pipe, text=True, env=env)


def test_stdout_whose_reader_is_gone_refuses() -> None:
    with printed(subprocess.PIPE) as program:
        assert program.stdout and program.stdin and program.stderr
        program.stdout.close()
        program.stdin.close()
        assert program.stderr.read() == "Rejected: nobody reads the program's output any more"


def test_stdout_on_a_full_disk_is_tried_again() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with open("/dev/full", "w") as full, printed(full.fileno()) as program:
        _, said = program.communicate()
    assert said == "Unreachable: the program's output cannot be written: No space left on device"


def test_stdout_that_knows_few_letters_prints_what_it_can() -> None:
    with printed(subprocess.PIPE, {"PYTHONIOENCODING": "ascii"}) as program:
        out, said = program.communicate()
    assert (said, out.startswith("amiss: caf?")) == ("", True)


# jsonl


def lines(path: Path) -> list[dict]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_jsonl_writes_each_revision_once(tmp_path: Path) -> None:
    sink = Jsonl(path=tmp_path / "logs" / "incidents.jsonl")
    over = ended(incident())
    for said in ((incident(),), (incident(),), (over,), (incident(), over)):
        sink.send(said, at())
    assert [(s["event"], s["id"], s["revision"]) for s in lines(sink.path)] == [
        ("opened", "a1", 1),
        ("resolved", "a1", 2),
    ]


def test_jsonl_minds_no_lines_of_others(tmp_path: Path) -> None:
    sink = Jsonl(path=tmp_path / "incidents.jsonl", fsync=False)
    sink.path.write_text('not json "a1"\n["a1"]\n', encoding="utf-8")
    sink.send((incident(),), at())
    assert orjson.loads(sink.path.read_bytes().splitlines()[-1])["id"] == "a1"


def test_jsonl_rotates(tmp_path: Path) -> None:
    sink = Jsonl(path=tmp_path / "incidents.jsonl", max_bytes=2000, keep=2, fsync=False)
    sink.send([incident(f"i{n}") for n in range(9)], at())
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "incidents.jsonl",
        "incidents.jsonl.1",
        "incidents.jsonl.2",
    ]


def test_jsonl_that_cannot_be_written_waits(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Unreachable, match=r"in\.jsonl cannot be written"):
        Jsonl(path=tmp_path / "file" / "in.jsonl").send((incident(),), at())


# webhook


def test_webhook_posts_json_with_a_key_and_a_signature() -> None:
    with Receiver() as receiver:
        sink = Webhook(
            url="env:HOOK",
            headers={"Authorization": "env:AUTH", "X-Team": "ops"},
            sign="file:/run/key",
            address="https://amiss.example.com",
        )
        world = at(HOOK=receiver.url, AUTH="Bearer hunter2", **{"/run/key": "s3cret"})
        worse = incident(revision=3, severity="high")
        sink.send((worse,), world)
        got = receiver.next()
    assert got.headers["idempotency-key"] == "a1/3"
    assert got.headers["authorization"] == "Bearer hunter2"
    assert got.headers["x-team"] == "ops"
    mac = hmac.new(b"s3cret", got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-amiss-signature"] == f"sha256={mac}"
    assert got.headers["content-type"] == "application/json"
    assert got.json["event"] == "worse"
    assert got.json["title"].startswith("amiss: worse: web-3")
    assert "https://amiss.example.com/dashboard/incident?id=a1" in got.json["body"]
    assert got.json["incident"] == orjson.loads(orjson.dumps(as_json(worse)))


def test_webhook_gives_up_on_a_receiver_that_hangs() -> None:
    with Receiver() as receiver:
        receiver.open.clear()
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1: ReadTimeout"):
            Webhook(url=receiver.url, timeout="200ms").send((incident(),), at())


def test_webhook_passes_on_how_long_to_stay_away() -> None:
    with Receiver(status=429, headers={"Retry-After": "17"}) as receiver:
        with pytest.raises(Unreachable) as refused:
            Webhook(url=receiver.url).send((incident(),), at())
    assert refused.value.after == 17


def test_webhook_without_its_secret_or_with_a_bad_one_is_the_users_mistake() -> None:
    with pytest.raises(ConfigError, match="environment variable NOT_SET_ANYWHERE is not set"):
        Webhook(url="env:NOT_SET_ANYWHERE").send((incident(),), World())
    with pytest.raises(ConfigError, match="env:HOOK is no address that starts with http") as bad:
        Webhook(url="env:HOOK").send((incident(),), at(HOOK="hooks.example.com/T0KEN"))
    assert "T0KEN" not in str(bad.value)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"url": "hooks.example.com/T0KEN"}, "starts with http:// or https://"),
        ({"url": "env:X", "sign": "T0KEN"}, "a secret is written env:NAME or file:/path"),
        ({"url": "env:X", "timeout": "0s"}, "greater than 0"),
    ],
)
def test_webhook_settings_are_checked_and_not_repeated(said: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        Webhook(**said)
    assert "T0KEN" not in str(refused.value)


# apprise


def test_apprise_posts_to_http() -> None:
    with Receiver() as receiver:
        Apprise(urls=(f"json://{receiver.place}/hook",)).send((incident(),), at())
        said = receiver.next().json
    assert said["title"].startswith("amiss: web-3: disk write")
    assert said["message"].startswith("web-3: disk write")
    assert said["type"] == "warning"


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (incident(severity="low"), "warning"),
        (incident(severity="high"), "failure"),
        (ended(incident(severity="high")), "success"),
    ],
)
def test_apprise_says_how_bad_it_is(now: Incident, kind: str) -> None:
    with Receiver() as receiver:
        sink = Apprise(urls=("env:HOOK",), template="just a title: $id")
        sink.send((now,), at(HOOK=f"json://{receiver.place}/hook"))
        said = receiver.next().json
    assert (said["type"], said["message"]) == (kind, "just a title: a1")


def mail_to(server: MailServer) -> Apprise:
    return Apprise(
        urls=(f"mailto://127.0.0.1:{server.port}?from=amiss@example.com&to=joe@example.com",)
    )


def test_apprise_sends_mail() -> None:
    with MailServer() as server:
        mail_to(server).send((incident(evidence=("naïve.sh 92 %",)),), at())
        mail = server.next()
    assert mail["subject"].startswith("amiss: web-3: disk write")
    assert mail["to"] == "joe@example.com"
    assert "Seen then: naïve.sh 92 %" in mail.get_content()


def test_mail_arrives_whole() -> None:
    """Lines of a single dot, long ones and other letters are what SMTP could spoil."""
    now = incident(
        members=(member(), *(member(f"größe_{n}") for n in range(3))),
        evidence=(f"{'x' * 120} naïve.sh 92 % \N{SNOWMAN}",),
    )
    template = ".\n$title\n..\n$sentence\n.\n$members\n$evidence\n$address\n.\n$id\n."
    here = "https://amiss.example.com"
    with MailServer() as server:
        sink = mail_to(server).model_copy(update={"template": template, "address": here})
        sink.send((now,), at())
        mail = server.next()
    said = compose(now, NOW, here, template)
    assert mail["subject"] == said.title
    assert mail["from"] == "amiss@example.com"
    assert mail.get_content().replace("\r\n", "\n").strip("\n") == said.body


@pytest.mark.parametrize(("user", "shown"), [("", None), ("tk_T0KEN@", "Bearer tk_T0KEN")])
def test_ntfy_is_told_with_priority_and_token(user: str, shown: str | None) -> None:
    with Receiver() as receiver:
        where = f"ntfy://{user}{receiver.place}/on-call?priority=high"
        Apprise(urls=("env:PHONE",)).send((incident(),), at(PHONE=where))
        got = receiver.next()
    assert got.json["topic"] == "on-call"
    assert got.json["title"].startswith("amiss: web-3: disk write")
    assert got.json["message"].startswith(incident().sentence)
    assert got.headers["x-priority"] == "high"
    assert got.headers.get("authorization") == shown


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ({"RCPT": "550 no such user"}, Rejected),
        ({"DATA": "554 that is spam"}, Rejected),
        ({"RCPT": "451 greylisted"}, Unreachable),
        ({"DATA": "452 disk full"}, Unreachable),
    ],
)
def test_mail_that_is_refused_for_good_is_not_for_now(replies: dict, error: type) -> None:
    with MailServer() as server:
        server.replies.update(replies)
        with pytest.raises(error, match=r"E-Mail: .* \(SMTP \d\d\d\)") as refused:
            mail_to(server).send((incident(),), at())
    assert "joe" not in str(refused.value)


@pytest.mark.parametrize(
    ("replies", "mendable"),
    [
        ({"RCPT": "530 authentication required"}, True),
        ({"RCPT": "553 not from here"}, False),
    ],
)
def test_mail_of_a_sender_who_is_not_known_is_mendable(replies: dict, mendable: bool) -> None:
    with MailServer() as server:
        server.replies.update(replies)
        with pytest.raises(Rejected) as refused:
            mail_to(server).send((incident(),), at())
    assert refused.value.mendable is mendable


@pytest.mark.parametrize(
    ("code", "mendable"), [(401, True), (404, True), (410, True), (400, False)]
)
def test_apprise_says_whether_settings_were_refused(code: int, mendable: bool) -> None:
    with Receiver(status=code) as receiver:
        with pytest.raises(Rejected) as refused:
            Apprise(urls=(f"json://{receiver.place}/T0KEN",)).send((incident(),), at())
    assert refused.value.mendable is mendable


def test_of_several_behind_one_address_who_has_heard_it_hears_it_once() -> None:
    """What Apprise logs of ntfy with two topics, of which one is not there."""

    def said(level: int, text: str) -> logging.LogRecord:
        return logging.LogRecord("apprise", level, "", 0, text, None, None)

    sent = said(logging.INFO, "Sent ntfy notification to 'http://127.0.0.1'.")
    no = said(logging.WARNING, "Failed to send ntfy notification: Not Found, error=404.")
    for heard, mendable in (([no, no], True), ([sent, no], False)):
        failure = _failure("ntfy", "ntfy://127.0.0.1/a/b", heard)
        assert isinstance(failure, Rejected)
        assert failure.mendable is mendable


@pytest.mark.parametrize(
    ("word", "mendable"), [("not_in_channel", True), ("invalid_auth", True), ("no_text", False)]
)
def test_a_token_of_slack_that_is_refused_with_200_is_mendable(
    word: str, mendable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address cannot be changed, so the plug-in's own way of asking is."""
    from apprise.plugins import slack

    def answer(*_: object, **__: object) -> SimpleNamespace:
        said = b'{"ok":false,"error":"%b"}' % word.encode()
        return SimpleNamespace(status_code=200, content=said)

    monkeypatch.setattr(slack.requests, "request", answer)
    address = "slack://xoxb-1234567890-1234567890-abcdefghijklmnop/C0123456789"
    with pytest.raises(Rejected, match=word) as refused:
        Apprise(urls=(address,)).send((incident(),), at())
    assert refused.value.mendable is mendable
    assert "xoxb" not in str(refused.value)


def test_apprise_gives_up_on_a_receiver_that_hangs() -> None:
    with Receiver() as receiver:
        receiver.open.clear()
        with pytest.raises(Unreachable, match="JSON: A Connection error") as given_up:
            Apprise(urls=(f"json://{receiver.place}/T0KEN?rto=0.2",)).send((incident(),), at())
    assert "T0KEN" not in str(given_up.value)


def test_apprise_says_which_address_it_cannot_use() -> None:
    with pytest.raises(ConfigError, match="env:CHAT holds no address that Apprise can use"):
        Apprise(urls=("env:CHAT",)).send((incident(),), at(CHAT="nosuch://T0KEN"))
    with pytest.raises(ValidationError, match="write env:NAME, or an address") as refused:
        Apprise(urls=("T0KEN",))
    assert "T0KEN" not in str(refused.value)


@pytest.mark.parametrize(
    ("urls", "names"),
    [
        (
            ("slack://a/b/c", "env:TEAM_CHAT", "slack://d/e/f", "file:/run/secrets/phone"),
            ["slack", "TEAM_CHAT", "slack-2", "phone"],
        ),
        (("file:/a/on-call", "file:/b/on-call", "file:/c/on"), ["on-call", "on-call-2", "on"]),
        (("slack://a", "file:/a/slack-2", "slack://b"), ["slack", "slack-2", "slack-3"]),
        (("slack://a", "slack://b", "file:/a/slack-2"), ["slack", "slack-2", "slack-2-2"]),
    ],
)
def test_apprise_is_taken_apart_by_address(urls: tuple[str, ...], names: list[str]) -> None:
    parts = Apprise(urls=urls, template="$id").apart()
    assert list(parts) == names
    assert [[url.get_secret_value() for url in part.urls] for part in parts.values()] == [
        [url] for url in urls
    ]
    assert all(part.template == "$id" for part in parts.values())


def test_events_are_told_from_the_incident() -> None:
    assert event_of(incident()) == "opened"
    assert event_of(incident(revision=7)) == "worse"
    assert event_of(incident(revision=7), "opened") == "opened"
    assert event_of(ended(incident())) == "resolved"
