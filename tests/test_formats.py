"""Lines as programs write them, taken apart."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, SECOND
from amiss.formats import form, times
from amiss.formats.form import Asked, Form

NOW = round(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * SECOND

NGINX = (
    '203.0.113.9 - - [02/Oct/2025:13:05:07 +0200] "GET /cart?id=7 HTTP/1.1" 200 512 '
    '"https://shop.example.org/" "Mozilla/5.0 (X11; Linux x86_64)"'
)
TIMED = f'{NGINX} "10.0.0.4" 0.031'
TORN = r'198.51.100.2 - ann [02/Oct/2025:13:05:08 +0200] "\x16\x03\x01" 400 157 "-" "-"'
COMMON = '192.0.2.77 - - [02/Oct/2025:13:05:09 +0200] "POST /api HTTP/2.0" 502 -'
ZEEK = (
    '{"ts":1759410307.250114,"uid":"CXWv6p3arKYeMETxOg","id.orig_h":"10.0.0.5","id.orig_p":51422,'
    '"id.resp_h":"10.0.0.9","id.resp_p":443,"proto":"tcp","duration":0.50,"local_orig":true}'
)
EVE = (
    '{"timestamp":"2025-10-02T13:05:07.250114+0000","event_type":"alert","src_ip":"10.0.0.5",'
    '"alert":{"signature":"ET SCAN nmap","severity":2,"metadata":{"tag":["scan","nmap"]}},'
    '"flow":{"pkts_toserver":3}}'
)
FLASK = (
    '{"asctime": "2025-10-02 13:05:07,250", "levelname": "ERROR", "route": "/pay", "status": 500, '
    '"ms": 1.0e3, "error": null, "note": "caf\\u00e9 \\ud83d"}'
)
RFC3164 = "<38>Oct  2 13:05:07 web-1 sshd[991]: Failed password for root from 203.0.113.9 port 22"
AUTH = "Oct  2 13:05:08 web-1 su: pam_unix(su:session): session opened for user root(uid=0)"
RFC5424 = (
    '<165>1 2025-10-02T13:05:07.003Z web-1 billing 8710 ID47 [origin@1 ip="10.0.0.5" q="a\\"b"] '
    "invoice made"
)
LOGFMT = 'ts=2025-10-02T13:05:07Z level=warn msg="slow \\"query\\"" took=1.50s rows=3 ok='
AT = round(datetime(2025, 10, 2, 13, 5, 7, tzinfo=UTC).timestamp()) * SECOND


def look(*lines: str, **asked: str) -> Form:
    return form.look(list(lines), Asked(**{"kind": "auto", **asked}), None)


def taken(line: str, *more: str) -> dict[str, str]:
    """The fields of a line, by the form that is found for it."""
    parsed = form.parse([line, *more], look(line, *more))
    assert not parsed.skipped
    return {name: column[0] for name, column in parsed.columns.items() if column[0]}


def test_a_request_of_nginx() -> None:
    said = taken(TIMED, NGINX, TORN, COMMON)
    assert said == {
        "address": "203.0.113.9",
        "time": "02/Oct/2025:13:05:07 +0200",
        "method": "GET",
        "path": "/cart?id=7",
        "protocol": "HTTP/1.1",
        "status": "200",
        "bytes": "512",
        "referer": "https://shop.example.org/",
        "agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "rest": '"10.0.0.4" 0.031',
    }
    assert taken(TORN)["request"] == r"\x16\x03\x01" and taken(TORN)["user"] == "ann"
    assert "bytes" not in taken(COMMON) and taken(COMMON)["method"] == "POST"


def test_a_connection_of_zeek() -> None:
    said = taken(ZEEK)
    assert said["id.orig_h"] == "10.0.0.5" and said["id.resp_p"] == "443"
    assert said["duration"] == "0.50", "as it is written"
    assert said["local_orig"] == "true"
    assert look(ZEEK) == Form("json", "ts", "epoch")


def test_an_alert_of_suricata() -> None:
    said = taken(EVE)
    assert said["alert.signature"] == "ET SCAN nmap" and said["alert.severity"] == "2"
    assert said["alert.metadata.tag"] == "scan,nmap" and said["flow.pkts_toserver"] == "3"
    assert look(EVE) == Form("json", "timestamp", "iso")


def test_a_log_of_flask() -> None:
    said = taken(FLASK)
    assert said["ms"] == "1.0e3" and "error" not in said
    assert said["note"] == "café \ud83d"
    assert look(FLASK).time == "asctime"


def test_syslog_of_both_kinds() -> None:
    assert taken(RFC3164, AUTH) == {
        "priority": "38",
        "severity": "info",
        "facility": "auth",
        "time": "Oct  2 13:05:07",
        "host": "web-1",
        "program": "sshd",
        "pid": "991",
        "message": "Failed password for root from 203.0.113.9 port 22",
    }
    assert taken(AUTH)["program"] == "su" and "pid" not in taken(AUTH)
    said = taken(RFC5424)
    assert (said["host"], said["program"], said["id"]) == ("web-1", "billing", "ID47")
    assert said["origin@1.ip"] == "10.0.0.5" and said["origin@1.q"] == 'a"b'
    assert said["message"] == "invoice made" and said["facility"] == "local4"


def test_logfmt() -> None:
    said = taken(LOGFMT)
    assert said["msg"] == 'slow "query"' and said["took"] == "1.50s" and "ok" not in said
    assert look(LOGFMT) == Form("logfmt", "ts", "iso")


@pytest.mark.parametrize(
    ("begin", "stamp"),
    [
        ("2025-10-02T13:05:07Z ", "iso"),
        ("2025-10-02T13:05:07Z   ", "iso"),
        ("[2025-10-02 13:05:07,250] ", "iso"),
        ("Oct  2 13:05:07 ", "syslog"),
    ],
)
def test_logfmt_behind_a_time_is_no_syslog_of_a_strange_host(begin: str, stamp: str) -> None:
    line = f"{begin}level=info user=bob path=/x"
    assert look(line) == look(line, kind="logfmt") == Form("logfmt", "", stamp)
    assert taken(line) == {"level": "info", "user": "bob", "path": "/x"}
    assert look(line, time="at") == Form("logfmt", "", "", sure=False)
    assert look(f"{begin}level=info ts=1759410307 path=/x").time == "ts"


@pytest.mark.parametrize("level", ["INFO", "warn", "[Error]", "DEBUG:", "info"])
def test_a_level_behind_a_time_is_no_host(level: str) -> None:
    """Its lines would be of a system that is called INFO."""
    form = look(f"2025-10-02T13:05:07.250Z {level} main: started in 3 s")
    assert (form.kind, form.stamp) == ("text", "iso")
    assert look("2025-10-02T13:05:07Z info-web-1 main: started").kind == "syslog"
    assert taken("<34>Oct 11 22:14:15 info su: x")["host"] == "info", "with a priority it is syslog"


def test_syslog_may_say_pairs() -> None:
    assert look("2025-10-02T13:05:07Z web-1 level=info user=bob").kind == "syslog"
    assert taken("2025-10-02T13:05:07Z web-1 level=info user=bob")["host"] == "web-1"


def test_a_table() -> None:
    lines = ["time;name;note", '1759410307;a;"x;y"', "1759410308;b;", "1759410309;c"]
    known = look(*lines[:3])
    assert known == Form("csv", "time", "epoch", ("time", "name", "note"), ";")
    parsed = form.parse(lines, known)
    assert parsed.columns["note"] == ["x;y", ""]
    assert parsed.skipped == {"rows with more or fewer values than the header": 1}


def test_a_header_with_blanks_is_no_row() -> None:
    lines = ["Flow ID, Source IP, Bytes", "1,10.0.0.1,7", "2,10.0.0.2,8"]
    parsed = form.parse(lines, look(*lines))
    assert parsed.columns["Source IP"] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("firstSeen,duration,srcAddr", "2025-10-02 13:05:07.000,5.120,10.0.0.1"),  # nfdump 1.7
        ("start-time|end-time|sip", "2025-10-02 13:05:07.000|2025-10-02 13:06:00.000|10.0.0.1"),
        ("srcip,dur,Stime", "10.0.0.1,0.1,1759410307"),  # UNSW-NB15, Argus
        ("IPV4_SRC_ADDR,FLOW_START_MILLISECONDS", "10.0.0.1,1759410307000"),  # nProbe
    ],
)
def test_the_time_of_flows_is_found(header: str, row: str) -> None:
    known = look(header, row)
    assert known.time and known.sure
    (said,) = form.parse([header, row], known).columns[known.time]
    assert times.reader(known.stamp, "UTC", NOW)(said) == AT


@pytest.mark.parametrize(
    ("before", "address", "user"),
    [
        ("example.org:443 203.0.113.9 - -", "203.0.113.9", ""),
        ("example.org:80 2001:db8::1 - ann", "2001:db8::1", "ann"),
        ("www.example.org 203.0.113.9 - -", "203.0.113.9", ""),
        ("example.org:443 host.example.net - John Doe", "host.example.net", "John Doe"),
        ("2001:db8::1 - -", "2001:db8::1", ""),
        ("203.0.113.9 - John Doe", "203.0.113.9", "John Doe"),
        ("203.0.113.9 - 6.6.6.6 x y", "203.0.113.9", "6.6.6.6 x y"),
    ],
)
def test_the_virtual_host_is_not_the_address(before: str, address: str, user: str) -> None:
    line = f'{before} [02/Oct/2025:13:05:07 +0200] "GET / HTTP/1.1" 200 5 "-" "curl/8"'
    said = taken(line)
    assert (said["address"], said.get("user", "")) == (address, user)
    assert said.get("vhost", "") == (before.split(maxsplit=1)[0] if "example.org" in before else "")


def test_a_table_goes_on_without_its_header() -> None:
    known = look("time,name", "1759410307,a")
    after = form.look(["1759410308,b", "1759410309,c"], Asked("csv"), known)
    assert after.columns == ("time", "name")
    assert form.look(["1759410308,b"], Asked("csv"), None).columns == ("c1", "c2")


@pytest.mark.parametrize(
    "lines",
    [
        ["a sentence, with a comma", "and another", "and, a, third"],
        ["worker 1 is done in 3 ms, all is well", "worker 2 is done in 4 ms, all is well"],
        ["[2025] {not json}", "x"],
        ["error: connection refused code=7", "all well"],
        ["2025-10-02 13:05:07,250 - INFO [main:Server@774] - up"],
    ],
)
def test_what_is_none_of_these_is_text(lines: list[str]) -> None:
    assert look(*lines).kind == "text"
    assert form.parse(lines, look(*lines)).text == lines


@pytest.mark.parametrize(
    ("kind", "bad"),
    [("json", '{"a":'), ("json", "[1]"), ("logfmt", "words"), ("combined", "GET /"),
     ("syslog", "hello"), ("json", "[" * 100_000)],
)  # fmt: skip
def test_what_does_not_fit_is_counted(kind: str, bad: str) -> None:
    good = {"json": ZEEK, "logfmt": LOGFMT, "combined": NGINX, "syslog": AUTH}[kind]
    parsed = form.parse([bad, good, bad], Form(kind))
    assert parsed.text == [good] and list(parsed.skipped.values()) == [2]


def test_a_pattern_of_the_user() -> None:
    regex = r"(?P<who>\w+) did (?P<what>\w+)(?: (?P<how>\w+))?"
    parsed = form.parse(["ann did run fast", "bob did sit", "-"], Form("regex"), regex)
    assert parsed.columns == {"who": ["ann", "bob"], "what": ["run", "sit"], "how": ["fast", ""]}
    assert parsed.skipped == {"lines that the pattern does not fit": 1}


@pytest.mark.parametrize("more", [199, 400])
def test_fields_have_a_cap(more: int) -> None:
    line = json.dumps({f"f{i}": "x" for i in range(more)})
    parsed = form.parse([line, line], Form("json"))
    assert len(parsed.columns) == min(more, 200)
    assert sum(parsed.skipped.values()) == 2 * max(0, more - 200)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=5), max_size=6))
def test_any_json_has_columns_of_one_length(objects: list[dict[str, object]]) -> None:
    parsed = form.parse([json.dumps(one) for one in objects], Form("json"))
    assert len(parsed.text) == len(objects)
    assert all(len(column) == len(objects) for column in parsed.columns.values())
    for name in ("a", "b"):
        flat = [one.get(name) for one in objects]
        if name in parsed.columns and all(isinstance(value, int) for value in flat):
            assert parsed.columns[name] == [json.dumps(value) for value in flat]


@pytest.mark.parametrize(
    ("kind", "text", "after"),
    [
        ("s", "1759410307", 0),
        ("ms", "1759410307250", 250_000_000),
        ("us", "1759410307250114", 250_114_000),
        ("ns", "1759410307250114987", 250_114_987),
        ("epoch", "1759410307.250114", 250_114_000),
        ("epoch", "1759410307250", 250_000_000),
        ("epoch", "1759410307250114987", 250_114_987),
        ("iso", "2025-10-02T13:05:07Z", 0),
        ("iso", "2025-10-02 13:05:07", 0),
        ("iso", "2025-10-02T15:05:07.250114+0200", 250_114_000),
        ("iso", "2025-10-02 13:05:07,250", 250_000_000),
        ("iso", "2025-10-02T13:05:07.250114987Z", 250_114_987),
        ("clf", "02/Oct/2025:15:05:07 +0200", 0),
        ("clf", "02/Oct/2025:09:35:07 -0330", 0),
        ("syslog", "Oct  2 13:05:07", 0),
        ("syslog", "2025-10-02T13:05:07.25+00:00", 250_000_000),
        ("ctime", "Thu Oct 02 13:05:07 2025", 0),
        ("ctime", "Thu Oct 02 13:05:07.250114 2025", 250_114_000),
        ("%d.%m.%Y %H:%M:%S", "02.10.2025 13:05:07", 0),
        ("%d/%m %H:%M:%S", "02/10 13:05:07", 0),
    ],
)
def test_times(kind: str, text: str, after: int) -> None:
    assert times.reader(kind, "UTC", NOW)(text) == AT + after


@pytest.mark.parametrize("kind", times.KINDS)
@pytest.mark.parametrize("text", ["", "-", "soon", "2025-13-45T99:99:99", "9" * 40, "Oct 99 1:2"])
def test_what_is_no_time(kind: str, text: str) -> None:
    assert times.reader(kind, "UTC", NOW)(text) is None


def test_a_time_without_zone_is_of_the_one_that_was_said() -> None:
    read = times.reader("iso", "Europe/Berlin", NOW)
    assert read("2025-10-02 15:05:07") == AT and read("2025-10-02T13:05:07Z") == AT
    assert read("2025-01-02 14:00:00") == read("2025-01-02T13:00:00Z")
    twice = read("2025-10-26 02:30:00")
    assert twice == read("2025-10-26T00:30:00Z"), "the first of the two"
    with pytest.raises(ValueError, match="no time zone"):
        times.reader("iso", "Mars/Base", NOW)


def test_the_turn_of_the_year() -> None:
    new_year = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    read = times.reader("syslog", "UTC", times.latest_of(new_year + SECOND, new_year))
    assert read("Dec 31 23:59:59") == new_year - SECOND
    assert read("Jan  1 00:00:00") == new_year
    assert read("Jan  1 12:00:00") == new_year + DAY // 2, "a clock that is ahead"
    assert read("Feb 29 00:00:00") == round(datetime(2024, 2, 29, tzinfo=UTC).timestamp()) * SECOND


def test_the_year_of_an_archive_is_that_of_the_file() -> None:
    written = AT - 900 * DAY
    read = times.reader("syslog", "UTC", times.latest_of(NOW, written))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=written // SECOND)
    assert read(f"{moment:%b %d %H:%M:%S}") == written


def test_a_stamp_before_a_line() -> None:
    lines = ["[Thu Oct 02 13:05:07 2025] [notice] up", "no time here"]
    kind = times.stamp_of(lines)
    assert kind == "ctime"
    read = times.reader(kind, "UTC", NOW)
    assert times.before(lines, kind, read) == [AT, None]


@pytest.mark.parametrize("kind", ["auto", "json", "logfmt", "combined", "syslog", "auth", "audit"])
@pytest.mark.parametrize(
    "begin",
    [
        "",
        "<34>1 2026-11-22T00:00:00Z h app 1 - [x ",
        "<34>1 2026-11-22T00:00:00Z h app 1 - ",
        "Oct 11 22:14:15 h sudo: ",
        "type=SYSCALL msg=audit(1700000000.123:45): ",
    ],
)
@pytest.mark.parametrize(
    "text", ["a", " ", "\\", "x : PWD=", "-", "=", "[", "[x", '[a b="c"]', '"', 'x="', "{", "\t"]
)
def test_a_line_costs_no_more_than_its_length(kind: str, begin: str, text: str) -> None:
    """The square of it would be hours here, in which nothing else of the program runs."""
    line = begin + text * (1_000_000 // len(text)) + "\t] x"
    found = form.look([line], form.Asked(kind), None)
    assert len(form.parse([line], found).text) <= 1


@pytest.mark.parametrize("first", [0, 1])
def test_times_of_both_kinds_of_syslog_are_read_whichever_came_first(first: int) -> None:
    """Of several senders to one address some are old and some are new."""
    lines = [
        "<34>1 2023-11-14T22:13:20Z web-1 app 1 - - hello",
        "<34>Nov 14 22:13:20 web-2 su[1]: hello",
    ]
    known = form.look([lines[first]] * 10, Asked("auto"), None)
    parsed = form.parse(lines, known)
    clock = times.reader(known.stamp, "UTC", times.latest_of(*[1_700_000_000 * SECOND] * 2))
    assert [clock(text) for text in parsed.columns[known.time]] == [1_700_000_000 * SECOND] * 2
