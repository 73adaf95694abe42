"""Incidents as security systems read them: the fields that each of the formats asks for."""

import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Event, Incident
from amiss.siem import cef, ecs, ocsf
from amiss.siem.facts import facts
from servers.incidents import START, ended, incident, member

LOGIN = incident(
    system='host="web-3"',
    members=(
        member('login{source_ip="203.0.113.9",user="joe"}', rules=("too many failures",)),
        member('login{source_ip="2001:db8::1",user="ann"}'),
        member('login{source_ip="joe\'s laptop"}'),
    ),
)
EVENTS: list[Event] = ["opened", "worse", "resolved"]


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """The head and the pairs, as the format says that they are read."""
    parts, at = [], 0
    for _ in range(7):
        found = re.compile(r"((?:[^|\\]|\\.)*)\|").match(line, at)
        assert found, line[at:]
        parts.append(re.sub(r"\\(.)", r"\1", found[1]))
        at = found.end()
    pairs = re.findall(r"(\w+)=((?:[^=\\]|\\.)*)(?=\s\w+=|$)", line[at:])
    means = {"n": "\n", "r": "\r"}
    return parts, {k: re.sub(r"\\(.)", lambda m: means.get(m[1], m[1]), v) for k, v in pairs}


def test_facts_are_read_off_the_labels() -> None:
    found = facts(LOGIN)
    assert (found.hosts, found.users) == (("web-3",), ("joe", "ann"))
    assert found.sources == ("203.0.113.9", "2001:db8::1"), "a name is no address"
    assert (found.rule, found.security) == ("too many failures", True)
    plain = facts(incident(system='instance="web-3:9100"'))
    assert (plain.hosts, plain.security) == (("web-3",), False)
    assert plain.rule == "unusual disk_write_bytes_per_second"
    assert facts(incident(system='host="2001:db8::7"')).hosts == ("2001:db8::7",)


def test_ecs_has_the_fields_of_an_alert() -> None:
    said = ecs(ended(LOGIN), address="https://amiss.example.com/")
    assert said["@timestamp"] == said["event"]["end"] == "2026-03-07T14:20:10Z"
    assert said["event"] | {"reason": ""} == {
        "kind": "alert",
        "category": ["intrusion_detection"],
        "type": ["info"],
        "action": "resolved",
        "id": "a1-2",
        "module": "amiss",
        "dataset": "amiss.incident",
        "provider": "amiss",
        "severity": 47,
        "risk_score": 47.0,
        "reason": "",
        "start": "2026-03-07T14:02:10Z",
        "end": "2026-03-07T14:20:10Z",
        "duration": 18 * 60 * 10**9,
        "url": "https://amiss.example.com/dashboard/incident?id=a1",
    }
    assert said["host"] == {"name": "web-3"}
    assert said["user"] == {"name": "joe"}
    assert said["source"] == {"ip": "203.0.113.9"}
    assert said["related"]["ip"] == ["203.0.113.9", "2001:db8::1"]
    assert said["rule"]["name"] == "too many failures"
    assert said["amiss"]["members"][0]["observed"] == 310e6
    assert "destination" not in said
    assert ecs(incident())["event"]["category"] == ["host"]


def required(said: dict[str, Any], *paths: str) -> None:
    for path in paths:
        value: Any = said
        for name in path.split("."):
            assert name in value, path
            value = value[name]


@pytest.mark.parametrize(("event", "activity"), [("opened", 1), ("worse", 2), ("resolved", 3)])
def test_ocsf_has_all_that_the_class_requires(event: Event, activity: int) -> None:
    now = ended(LOGIN) if event == "resolved" else LOGIN
    said = ocsf(now, event)
    required(
        said,
        "activity_id", "category_uid", "class_uid", "finding_info.title", "finding_info.uid",
        "metadata.product.vendor_name", "metadata.version", "severity_id", "time", "type_uid",
    )  # fmt: skip
    assert (said["class_uid"], said["category_uid"]) == (2004, 2)
    assert (said["activity_id"], said["type_uid"]) == (activity, 200400 + activity)
    assert said["is_alert"] is (event != "resolved")
    assert said["finding_info"]["uid"] == "a1"
    assert said["finding_info"]["analytic"]["type_id"] == 1
    assert said["finding_info"]["first_seen_time"] == START // 10**6
    assert [(o["type_id"], o["value"]) for o in said["observables"]] == [
        (1, "web-3"), (4, "joe"), (4, "ann"), (2, "203.0.113.9"), (2, "2001:db8::1"),
    ]  # fmt: skip
    (evidence,) = said["evidences"]
    assert evidence["actor"]["user"]["name"] == "joe"
    assert evidence["src_endpoint"]["ip"] == "203.0.113.9"


def test_cef_is_read_as_it_was_meant() -> None:
    tricky = replace(
        LOGIN, sentence="a|b \\ c=d\nnext since 14:02 UTC on 7 March", system='host="we|b=3"'
    )
    head, pairs = read_cef(cef(tricky, "worse", "https://amiss.example.com"))
    assert head[:3] == ["CEF:0", "Amiss", "Amiss"]
    assert head[4:] == ["too many failures", "a|b \\ c=d next", "6"]
    assert pairs["msg"] == tricky.sentence
    assert (pairs["dhost"], pairs["suser"], pairs["src"]) == ("we|b=3", "joe", "203.0.113.9")
    assert (pairs["act"], pairs["externalId"], pairs["cn1"]) == ("worse", "a1-1", "47")
    assert pairs["start"] == str(START // 10**6)
    assert pairs["request"] == "https://amiss.example.com/dashboard/incident?id=a1"


def test_cef_has_other_keys_for_long_addresses() -> None:
    six = incident(members=(member('login{src="2001:db8::1",dst="2001:db8::2"}'),))
    _, pairs = read_cef(cef(six))
    assert (pairs["c6a2"], pairs["c6a3"]) == ("2001:db8::1", "2001:db8::2")
    assert pairs["c6a2Label"] == "Source IPv6 Address"
    assert "src" not in pairs and "dst" not in pairs


@given(st.text(max_size=40), st.sampled_from(EVENTS))
def test_whatever_a_log_line_holds_all_formats_can_be_read(said: str, event: Event) -> None:
    said = said.encode("utf-8", "replace").decode()  # as Records see to it
    now = incident(sentence=f"{said} since 14:02 UTC on 7 March", members=(member(said=said),))
    line = cef(now, event)
    head, pairs = read_cef(line)
    assert len(line.splitlines()) == 1
    assert (len(head), pairs["act"], pairs["externalId"]) == (7, event, "a1-1")
    shown = "".join(c if c.isprintable() or c in "\r\n" else " " for c in now.sentence)
    assert pairs["msg"] == shown.replace("\r\n", "\n")
    for document in (ecs(now, event), ocsf(now, event)):
        assert orjson.loads(orjson.dumps(document)) == document


def test_values_of_cef_are_no_longer_than_the_format_allows() -> None:
    long = incident(id="i" * 99, sentence="=" * 5000 + " since 14:02 UTC on 7 March")
    head, pairs = read_cef(cef(long))
    assert [len(pairs[key]) for key in ("externalId", "msg")] == [40, 1023]
    assert len(head[5]) == 512


def test_numbers_that_are_none_are_left_out() -> None:
    unknown: Incident = incident(rarity=float("nan"), members=(member(expected=float("nan")),))
    for document in (ecs(unknown)["amiss"], ocsf(unknown)["evidences"][0]["data"]):
        assert "rarity" not in document
        assert "expected" not in document["members"][0]
