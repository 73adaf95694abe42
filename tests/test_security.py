"""Attacks planted in quiet weeks of flows and of logins: each is found, and said by its name."""

from functools import cache

import numpy as np
import pytest

from amiss.data import DAY, HOUR, MINUTE, SECOND, Array, Incident, Records
from amiss.pipeline import Pipeline
from made import Chance

MONDAY = 1_772_409_600 * SECOND  # 2 March 2026
DAYS = 5
AT = MONDAY + 4 * DAY + 11 * HOUR  # Friday morning
Table = dict[str, Array]

FLOWS = Pipeline.model_validate(
    {
        "name": "flows",
        "source": {"type": "host"},
        "features": {
            "type": "each",
            "names": ["dest_port"],
            "roles": {
                "source": "src_ip", "host": "dest_ip", "port": "dest_port", "protocol": "proto",
            },
        },
        "detectors": [{"type": "conduct"}, {"type": "level"}],
    }
)  # fmt: skip
LOGINS = Pipeline.model_validate(
    {
        "name": "logins",
        "source": {"type": "host"},
        "features": {
            "type": "each",
            "subject": ["user"],
            "roles": {
                "user": "user", "address": "ip", "outcome": "event", "device": "device",
                "latitude": "latitude", "longitude": "longitude", "privilege": "privilege",
            },
        },
        "detectors": [{"type": "conduct"}, {"type": "level"}],
    }
)  # fmt: skip


@cache
def flows() -> Table:
    """Thirty hosts, each with a few services that it uses, around the clock."""
    count, chance = 3000 * DAYS, Chance(1)
    source = (30 * chance.uniform(count) ** 2).astype(int)
    service = (3 * chance.uniform(count)).astype(int)
    port = np.array([443, 443, 443, 53, 22, 80])[(source + service) % 6]
    return {
        "time": MONDAY + (DAYS * DAY * chance.uniform(count)).astype(np.int64),
        "src_ip": address("10.0.0.", source),
        "dest_ip": address("10.0.1.", (source * 3 + service) % 40),
        "dest_port": port.astype(str),
        "proto": np.where(port == 53, "udp", "tcp"),
    }


@cache
def logins() -> Table:
    """Thirty people who log in by day, mistype now and then; some of them are administrators."""
    count, chance = 600 * DAYS, Chance(2)
    who = (30 * chance.uniform(count)).astype(int)
    day = (DAYS * chance.uniform(count)).astype(int) * DAY
    failed, phone = chance.uniform(count) < 0.04, chance.uniform(count) < 0.3
    root = (who % 6 == 0) & (chance.uniform(count) < 0.2)
    return {
        "time": MONDAY + day + 8 * HOUR + (9 * HOUR * chance.uniform(count)).astype(np.int64),
        "user": address("user", who),
        "ip": address("192.0.2.", who),
        "event": np.where(failed, "login_failed", np.where(root, "sudo", "login")),
        "device": np.where(phone, address("phone-", who), address("laptop-", who)),
        "latitude": (48 + who % 5 / 2).astype(str),
        "longitude": (9 + who % 7 / 2).astype(str),
        "privilege": np.where(root, "root", ""),
    }


def address(before: str, numbers: Array) -> Array:
    return np.char.add(before, numbers.astype(str))


def told(pipeline: Pipeline, quiet: Table, planted: Table) -> list[Incident]:
    """All incidents, as they were at last."""
    count = len(planted.get("time", ()))
    both = {
        name: np.concatenate([column, np.broadcast_to(planted.get(name, column[:0]), count)])
        if count
        else column
        for name, column in quiet.items()
    }
    order = np.argsort(both["time"], kind="stable")
    table = {name: column[order] for name, column in both.items()}
    time = table.pop("time")
    records = Records(
        time=time,
        name=np.full(len(time), pipeline.name.removesuffix("s")),
        value=np.full(len(time), np.nan),
        labels=table | {"host": np.full(len(time), "gate")},
    )
    _, outcome = pipeline.step(pipeline.init(), records)
    return list({one.id: one for one in outcome.incidents}.values())


K = np.arange(200)
SCANS: dict[str, tuple[Table, str]] = {
    "vertical scan": (
        {
            "time": AT + K * SECOND // 5,
            "src_ip": np.array("10.0.0.3"),
            "dest_ip": np.array("10.0.1.9"),
            "dest_port": (1000 + K).astype(str),
            "proto": np.array("tcp"),
        },
        "ports of 10.0.1.9 contacted by 10.0.0.3 in 1m: ",
    ),
    "horizontal scan": (
        {
            "time": AT + K * SECOND // 5,
            "src_ip": np.array("10.0.0.3"),
            "dest_ip": address("10.0.1.", K),
            "dest_port": np.array("445"),
            "proto": np.array("tcp"),
        },
        "hosts contacted by 10.0.0.3 on port 445 in 1m: ",
    ),
    "slow scan": (
        {
            "time": AT - 14 * HOUR + K * 5 * MINUTE,
            "src_ip": np.array("10.0.0.3"),
            "dest_ip": address("10.0.1.", K % 40),
            "dest_port": (1 + K).astype(str),
            "proto": np.array("tcp"),
        },
        "ports of hosts contacted by 10.0.0.3 in 1d: ",
    ),
    "protocol mix": (
        {
            "time": AT + K * 2 * SECOND,
            "src_ip": np.array("10.0.0.3"),
            "dest_ip": np.array("10.0.1.9"),
            "dest_port": np.array("443"),
            "proto": np.array("icmp"),
        },
        "protocols of 10.0.0.3 in 10m, nats from the usual ones: ",
    ),
}

GUESSES: Table = {
    "time": AT + K[:40] * 5 * SECOND,
    "user": np.array("user3"),
    "ip": np.array("198.51.100.9"),
    "event": np.array("login_failed"),
    "device": np.array("laptop-3"),
    "latitude": np.array(""),
    "longitude": np.array(""),
    "privilege": np.array(""),
}
USUAL = GUESSES | {
    "time": np.array([AT]),
    "ip": np.array("192.0.2.3"),
    "event": np.array("login"),
    "latitude": np.array("49.5"),
    "longitude": np.array("10.5"),
}
BREAKINS: dict[str, tuple[Table, str]] = {
    "brute force": (GUESSES, "failures of user3 in 10m: "),
    "guessed password": (
        GUESSES
        | {
            "time": AT + K[:15] * 4 * MINUTE,
            "event": np.where(K[:15] < 14, "login_failed", "login"),
        },
        "failures of user3 in 1h before a success: ",
    ),
    "password spraying": (
        GUESSES | {"time": AT + K[:30] * 20 * SECOND, "user": address("user", K[:30])},
        "users that failed from 198.51.100.9 in 1h: ",
    ),
    "impossible travel": (
        USUAL | {"latitude": np.array("35.7"), "longitude": np.array("139.7")},
        "km/h between two places of user3: ",
    ),
    "new device": (USUAL | {"device": np.array("toaster")}, "per device before toaster: "),
    "odd hour": (USUAL | {"time": np.array([AT - 8 * HOUR])}, "hour for user"),
    "privilege escalation": (
        USUAL | {"event": np.array("sudo"), "privilege": np.array("root")},
        "events of user3 before the first as root: ",
    ),
}
STORIES = {
    name: (FLOWS, flows, *story) for name, story in SCANS.items()
} | {name: (LOGINS, logins, *story) for name, story in BREAKINS.items()}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_it_is_found_within_the_budget_and_said_by_its_name(name: str) -> None:
    pipeline, quiet, planted, words = STORIES[name]
    when = planted["time"]
    found = told(pipeline, quiet(), planted)
    mine = [
        one
        for one in found
        for member in one.members
        if one.since <= when[-1] + MINUTE
        and one.seen >= when[0]
        and any(words in reason for reason in member.blame)
    ]
    assert mine
    assert len(found) <= pipeline.budget * DAYS


@pytest.mark.parametrize("name", ["vertical scan", "horizontal scan"])
def test_a_scan_is_titled_by_what_it_scans_and_not_by_what_goes_along_with_it(name: str) -> None:
    pipeline, quiet, planted, words = STORIES[name]
    when = planted["time"]
    [title] = [
        one.title for one in told(pipeline, quiet(), planted) if when[0] <= one.since <= when[-1]
    ]
    first, *others = (part.strip() for part in title.partition("most of all ")[2].split(" and "))
    assert first.startswith(("ports of hosts contacted by ", words))
    assert [title.count(text) for text in (words, "protocols of ")] == [1, 1]
    assert others[-1].startswith("protocols of ")


def test_passwords_tried_on_many_are_titled_by_who_tries_them_and_not_by_a_victim() -> None:
    pipeline, quiet, planted, _ = STORIES["password spraying"]
    found = [one for one in told(pipeline, quiet(), planted) if one.since >= AT]
    assert found[0].title.startswith("gate: odd logins in a row of 198.51.100.9, ")
    keys = [member.series for member in found[0].members]
    assert keys[0] == 'logins_in_a_row{host="gate",ip="198.51.100.9"}'
    assert 'login{host="gate",ip="198.51.100.9"}' in keys
    assert sum("user=" in key for key in keys) < 5  # of thirty: the first ones, who could be anyone
    pipeline, quiet, planted, _ = STORIES["brute force"]
    found = [one for one in told(pipeline, quiet(), planted) if one.since >= AT]
    assert found[0].title.startswith("gate: odd logins in a row of user3, ")


@pytest.mark.parametrize("pipeline, quiet", [(FLOWS, flows), (LOGINS, logins)])
def test_quiet_days_stay_within_the_budget_and_none_of_it_is_said(pipeline, quiet) -> None:
    found = told(pipeline, quiet(), {})
    assert len(found) <= pipeline.budget * DAYS
    reasons = [reason for one in found for member in one.members for reason in member.blame]
    for _, _, _, words in STORIES.values():
        assert words == "hour for user" or not any(words in reason for reason in reasons)
