"""Logs of Zeek, Suricata, Linux audit and logins, taken apart; tables without header."""

import pytest

from amiss.formats import audit, auth, eve, form, zeek
from amiss.formats.form import Asked, Form
from amiss.sources.file import File
from amiss.world import World

CONN = [
    r"#separator \x09",
    "#set_separator\t,",
    "#empty_field\t(empty)",
    "#unset_field\t-",
    "#path\tconn",
    "#open\t2025-10-02-13-05-07",
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration",
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval",
    "1759410307.250114\tCXWv6p3\t10.0.0.5\t51422\t10.0.0.9\t443\ttcp\tssl\t0.50",
    "1759410308.000000\tCXWv6p4\t10.0.0.5\t51423\t10.0.0.9\t53\tudp\t-\t-",
]
DNS = [
    r"#separator \x09",
    "#set_separator\t;",
    "#path\tdns",
    "#fields\tts\tquery\tanswers",
    "#types\ttime\tstring\tvector[string]",
    "1759410309.1\tex\\x09ample.org\t192.0.2.1;192.0.2.2",
]


def only(parsed: object, row: int = 0) -> dict[str, str]:
    columns = parsed.columns  # type: ignore[attr-defined]
    return {name: column[row] for name, column in columns.items() if column[row]}


def test_connections_of_zeek() -> None:
    known = form.look(CONN, Asked("auto"), None)
    assert (known.kind, known.time, known.stamp, known.sure) == ("zeek", "ts", "epoch", True)
    parsed = form.parse(CONN, known)
    assert len(parsed.text) == 2 and not parsed.skipped and not parsed.header
    assert only(parsed) == {
        "ts": "1759410307.250114", "uid": "CXWv6p3", "id.orig_h": "10.0.0.5",
        "id.orig_p": "51422", "id.resp_h": "10.0.0.9", "id.resp_p": "443", "proto": "tcp",
        "service": "ssl", "duration": "0.50", "log": "conn",
    }  # fmt: skip
    assert "service" not in only(parsed, 1) and "duration" not in only(parsed, 1)


def test_a_new_header_of_zeek_holds_from_there_on() -> None:
    known = form.look(CONN, Asked("zeek"), None)
    parsed = form.parse([*CONN[-2:], *DNS, "torn\tline"], known)
    assert only(parsed, 2) == {
        "ts": "1759410309.1", "query": "ex\tample.org", "answers": "192.0.2.1,192.0.2.2",
        "log": "dns",
    }  # fmt: skip
    assert parsed.skipped == {zeek.REASON: 1}
    later = form.parse([DNS[-1]], Form("zeek", columns=parsed.header))
    assert only(later)["log"] == "dns"


def test_zeek_before_its_header_and_as_json() -> None:
    assert zeek.parse(["a\tb"], ()).skipped == {zeek.REASON: 1}
    said = zeek.parse(['{"ts":1.5,"id.orig_h":"10.0.0.5"}'], ())
    assert only(said) == {"ts": "1.5", "id.orig_h": "10.0.0.5"}


def test_a_log_of_zeek_that_grows_and_is_rotated(tmp_path) -> None:
    log = tmp_path / "conn.log"
    source = File(path=(str(log),))
    log.write_text("\n".join(CONN[:9]) + "\n")
    cursor, first = source.poll({}, World())
    with log.open("a") as more:
        more.write("\n".join([CONN[9], *DNS]) + "\n")
    cursor, second = source.poll(cursor, World())
    with log.open("a") as more:
        more.write(DNS[-1] + "\n")
    cursor, third = source.poll(cursor, World())
    assert [len(one) for one in (first, second, third)] == [1, 2, 1]
    assert second.labels["log"].tolist() == ["conn", "dns"]
    assert third.labels["query"].tolist() == ["ex\tample.org"]
    log.rename(tmp_path / "conn.log.1")
    later = [line.replace("13-05-07", "14-00-00") for line in CONN]
    log.write_text("\n".join(later) + "\n")
    _, last = source.poll(cursor, World())
    assert last.labels["id.resp_p"].tolist() == ["443", "53"]
    assert not (first.skipped or second.skipped or third.skipped or last.skipped)


def test_events_of_suricata() -> None:
    lines = [
        '{"timestamp":"2025-10-02T13:05:07.250114+0000","event_type":"flow","src_ip":"10.0.0.5",'
        '"dest_ip":"10.0.0.9","dest_port":443,"proto":"TCP","flow":{"bytes_toserver":512}}',
        '{"timestamp":"2025-10-02T13:05:08.250114+0000","event_type":"alert","src_ip":"10.0.0.5",'
        '"alert":{"signature":"Made up scan","severity":2}}',
        '{"timestamp":"2025-10-02T13:05:09.250114+0000","event_type":"stats","stats":{"up":1}}',
        '{"level":"info"}',
        "torn",
    ]
    parsed = eve.parse(lines)
    assert len(parsed.text) == 2
    assert only(parsed)["flow.bytes_toserver"] == "512" and only(parsed)["dest_port"] == "443"
    assert only(parsed, 1)["alert.signature"] == "Made up scan"
    assert "stats.up" not in parsed.columns
    assert parsed.skipped == {eve.REASON: 1, "lines that are no JSON object": 1}
    assert form.look(lines, Asked("eve"), None).time == "timestamp"


HEAD = "Oct  2 13:05:07 web-1 "
LOGINS = {
    "sshd[991]: Accepted publickey for ann from 203.0.113.9 port 51000 ssh2: ED25519 SHA256:x": {
        "event": "login", "user": "ann", "ip": "203.0.113.9", "port": "51000",
        "method": "publickey",
    },
    "sshd[991]: Failed password for root from 203.0.113.9 port 22 ssh2": {
        "event": "login_failed", "user": "root", "ip": "203.0.113.9", "port": "22",
        "method": "password",
    },
    "sshd[991]: Failed password for invalid user a b from 2001:db8::1 port 4022 ssh2": {
        "event": "login_failed", "user": "a b", "ip": "2001:db8::1", "port": "4022",
        "method": "password", "invalid_user": "yes",
    },
    "sshd-session[991]: Invalid user admin from 203.0.113.9 port 4022": {
        "event": "invalid_user", "user": "admin", "ip": "203.0.113.9", "port": "4022",
        "invalid_user": "yes",
    },
    "sshd[9]: Connection closed by invalid user admin 203.0.113.9 port 4022 [preauth]": {
        "event": "disconnected", "user": "admin", "ip": "203.0.113.9", "port": "4022",
        "invalid_user": "yes",
    },
    "sshd[9]: Disconnected from user ann 203.0.113.9 port 51000": {
        "event": "disconnected", "user": "ann", "ip": "203.0.113.9", "port": "51000",
    },
    "sshd[9]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
    "rhost=203.0.113.9  user=ann": {
        "event": "auth_failure", "user": "ann", "ip": "203.0.113.9",
    },
    "sshd[9]: Server listening on 0.0.0.0 port 22.": {"event": "other"},
    "sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/apt update": {
        "event": "sudo", "user": "ann", "target_user": "root", "tty": "pts/0",
        "cwd": "/home/ann", "command": "/usr/bin/apt update",
    },
    "sudo:      bob : user NOT in sudoers ; TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/bin/sh": {
        "event": "sudo_failed", "user": "bob", "target_user": "root", "tty": "pts/1",
        "cwd": "/tmp", "command": "/bin/sh", "reason": "user NOT in sudoers",
    },
    "sudo:  ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls":
    {
        "event": "sudo_failed", "user": "ann", "target_user": "root", "tty": "pts/0",
        "cwd": "/", "command": "/bin/ls", "reason": "3 incorrect password attempts",
    },
    "su[12]: (to root) ann on pts/0": {
        "event": "su", "user": "ann", "target_user": "root", "tty": "pts/0",
    },
    "su[12]: FAILED SU (to root) bob on pts/1": {
        "event": "su_failed", "user": "bob", "target_user": "root", "tty": "pts/1",
    },
    "su[12]: pam_unix(su:session): session opened for user root(uid=0) by ann(uid=1000)": {
        "event": "session_opened", "user": "ann", "target_user": "root",
    },
    "login[4]: FAILED LOGIN (1) on '/dev/tty1' FOR 'ann', Authentication failure": {
        "event": "login_failed", "user": "ann", "tty": "/dev/tty1",
    },
    "useradd[7]: new user: name=eve, UID=1002, GID=1002, home=/home/eve, shell=/bin/sh": {
        "event": "user_added", "target_user": "eve", "uid": "1002",
    },
    "usermod[8]: add 'eve' to group 'sudo'": {
        "event": "group_joined", "target_user": "eve", "group": "sudo",
    },
    "cron[8]: (root) CMD (true)": {"event": "other"},
}  # fmt: skip


@pytest.mark.parametrize("line", LOGINS)
def test_logins(line: str) -> None:
    parsed = auth.parse([HEAD + line])
    said = only(parsed)
    for name in ("time", "host", "program", "pid", "message"):
        said.pop(name, None)
    assert said == LOGINS[line]


def test_a_log_of_logins() -> None:
    lines = [HEAD + line for line in LOGINS]
    known = form.look(lines, Asked("auth"), None)
    assert (known.kind, known.time, known.stamp) == ("auth", "time", "syslog")
    parsed = form.parse([*lines, "torn"], known)
    assert len(parsed.text) == len(LOGINS)
    assert parsed.skipped == {"lines that are no syslog": 1}


SYSCALL = (
    "type=SYSCALL msg=audit(1759410307.250:811): arch=c000003e syscall=59 success=yes exit=0 "
    'ppid=990 pid=991 auid=1000 uid=0 tty=pts0 ses=4 comm="cat" exe="/usr/bin/cat" key=(null)'
    '\x1dARCH=x86_64 SYSCALL=execve AUID="ann" UID="root"'
)
LOGIN = (
    "type=USER_LOGIN msg=audit(1759410308.000:812): pid=12 uid=0 auid=4294967295 ses=4294967295 "
    'msg=\'op=login acct=28696E76616C6964207573657229 exe="/usr/sbin/sshd" hostname=? '
    "addr=203.0.113.9 terminal=ssh res=failed'"
)
EXECVE = 'type=EXECVE msg=audit(1759410309.000:813): argc=3 a0="sh" a1="-c" a2=6C73202D6C61'
TITLE = "type=PROCTITLE msg=audit(1759410309.000:813): proctitle=7368002D63006C73"


def test_records_of_audit() -> None:
    lines = [SYSCALL, LOGIN, EXECVE, TITLE]
    known = form.look(lines, Asked("auto"), None)
    assert (known.kind, known.time, known.stamp) == ("audit", "time", "epoch")
    parsed = form.parse([*lines, "torn"], known)
    assert parsed.skipped == {audit.REASON: 1}
    said = only(parsed)
    assert said["comm"] == "cat" and said["syscall"] == "execve" and "key" not in said
    assert (said["user"], said["uid"], said["res"]) == ("ann", "root", "success")
    said = only(parsed, 1)
    assert said["user"] == said["acct"] == "(invalid user)" and said["ip"] == "203.0.113.9"
    assert said["res"] == "failed" and "hostname" not in said and "auid" not in said
    assert only(parsed, 2)["command"] == "sh -c ls -la"
    assert only(parsed, 3)["command"] == "sh -c ls"


def test_flows_of_a_table_without_header() -> None:
    columns = ("srcip", "sport", "dstip", "dsport", "proto", "state", "dur", "Stime")
    lines = [
        "10.40.0.1,1390,10.41.0.6,53,udp,CON,0.001055,1421927414",
        "10.40.0.1,33661,10.41.0.9,1024,udp,CON,0.036133,1421927415",
    ]
    known = form.look(lines, Asked("csv", time="Stime", columns=columns), None)
    assert (known.time, known.stamp, known.sure) == ("Stime", "epoch", True)
    parsed = form.parse(lines, known)
    assert only(parsed)["dur"] == "0.001055" and only(parsed, 1)["dsport"] == "1024"


def said(message: str, program: str = "sshd[7]") -> dict[str, str]:
    return only(auth.parse([f"Mar  7 14:02:10 web-1 {program}: {message}"]))


@pytest.mark.parametrize(
    "message",
    [
        "Failed password for invalid user root from 1.2.3.4 port 22 from 6.6.6.6 port 5555 ssh2",
        "Invalid user root from 1.2.3.4 port 22 from 6.6.6.6 port 5555",
        "Disconnected from invalid user x 1.2.3.4 port 22 6.6.6.6 port 5555 [preauth]",
        "User x from 1.2.3.4 not allowed because x from 6.6.6.6 not allowed because not listed",
        "error: maximum authentication attempts exceeded for invalid user x from 1.2.3.4 port 22"
        " from 6.6.6.6 port 5555 ssh2 [preauth]",
    ],
)
def test_who_logs_in_cannot_choose_the_address_that_is_blamed(message: str) -> None:
    assert said(message)["ip"] == "6.6.6.6"


def test_logins_as_busybox_writes_them() -> None:
    line = "Mar  7 14:02:10 web-1 auth.info sshd[7]: Failed password for root from 6.6.6.6 port 5"
    taken = only(auth.parse([line + " ssh2"]))
    assert (taken["program"], taken["event"], taken["ip"]) == ("sshd", "login_failed", "6.6.6.6")


def test_what_syslog_has_left_out_counts() -> None:
    line = "message repeated 5 times: [ Failed password for root from 6.6.6.6 port 5555 ssh2]"
    parsed = auth.parse([f"Mar  7 14:02:10 web-1 sshd[7]: {line}"])
    assert parsed.columns["event"] == ["login_failed"] * 5
    assert parsed.columns["ip"] == ["6.6.6.6"] * 5
    many = line.replace("5 times", "99999999 times")
    assert len(auth.parse([f"Mar  7 14:02:10 web-1 sshd[7]: {many}"]).text) == auth.MOST_REPEATS


def test_no_line_of_sudo_takes_long() -> None:
    head = "joe : PWD=/ ; USER=root ; "
    assert said(f"{head}{'a=b ; ' * 1300}", "sudo")["event"] == "other"
    usual = said(f"{head}TSID=01 ; COMMAND=/bin/sh -c a ; COMMAND=b", "sudo")
    assert (usual["event"], usual["command"]) == ("sudo", "/bin/sh -c a ; COMMAND=b")
    failed = said(
        "joe : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=a", "sudo"
    )
    assert (failed["event"], failed["user"], failed["command"]) == ("sudo_failed", "joe", "a")


def test_one_torn_line_of_zeek_as_json_costs_that_line() -> None:
    lines = [f'{{"ts": {n}, "uid": "C{n}"}}' for n in range(1, 10)]
    parsed = zeek.parse([*lines[:4], '{"ts": 4', "torn", *lines[4:]], ())
    assert len(parsed.text) == 9
    assert sum(parsed.skipped.values()) == 2


def test_zeek_escapes_bytes_of_what_was_utf8() -> None:
    row = only(zeek.parse([*DNS[:-1], "1\tm\\xc3\\xbcnchen.example\t-"], ()))
    assert row["query"] == "m\u00fcnchen.example"
