"""The log of logins (auth.log, secure): syslog, and what sshd, sudo, su and others say in it."""

import re

from amiss.formats import patterns
from amiss.formats.parsed import Parsed, sparse

OTHER = "other"
USER = r"(?P<user>.*?)"
LONG = r"(?P<user>.*)"
"""What an attacker chooses, up to the last place where an address follows."""
AS = r"PWD=(?P<cwd>(?:(?! ; USER=).)*) ; USER=(?P<target_user>\S+) ; "
COMMAND = r"(?:(?!(?<= ; )COMMAND=).)*COMMAND=(?P<command>.*)"
REPEATED = re.compile(r"message repeated (\d+) times: \[ ?(.*)\]$")
MOST_REPEATS = 1000
MOST_READ = 8192  # characters of a message: some of these patterns begin anew within it
FROM = r"(?: from)? (?P<ip>[0-9A-Fa-f.:]+|UNKNOWN)(?: port (?P<port>\d+))?"
_EVENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "sshd": (
        ("login", rf"Accepted (?P<method>\S+) for {LONG} from (?P<ip>\S+) port (?P<port>\d+)"),
        ("login_failed",
         rf"Failed (?P<method>\S+) for (?P<invalid_user>invalid user )?{LONG}"
         r" from (?P<ip>\S+) port (?P<port>\d+)"),
        ("auth_failure",
         r"pam_unix\(\S+\): authentication failure; .*?rhost=(?P<ip>\S*)(?: +user=(?P<user>\S+))?"),
        ("invalid_user", rf"(?P<invalid_user>Invalid user) {USER}{FROM}$"),
        ("refused",
         rf"error: maximum authentication attempts exceeded for (?:invalid user )?{LONG}"
         r" from (?P<ip>\S+) port (?P<port>\d+)"),
        ("refused", rf"User {LONG} from (?P<ip>\S+) not allowed because"),
        ("session_opened",
         r"pam_unix\(\S+\): session opened for user (?P<user>[^\s(]+)"),
        ("session_closed", r"pam_unix\(\S+\): session closed for user (?P<user>\S+)"),
        ("disconnected",
         rf"(?:Disconnected from|Connection (?:closed|reset) by)"
         rf"(?: (?P<kind>authenticating|invalid) user {USER})?(?: user (?P<name>\S+))?"
         rf" (?P<ip>[0-9A-Fa-f.:]+)(?: port (?P<port>\d+))?(?: \[preauth\])?$"),
        ("disconnected",
         r"Received disconnect from (?P<ip>[0-9A-Fa-f.:]+)(?: port (?P<port>\d+))?"),
    ),
    "sudo": (
        ("sudo_failed",
         rf"\s*+{USER} : (?P<reason>(?:\d+ incorrect password attempts?|user NOT in sudoers"
         r"|[^;]*not allowed[^;]*?|a password is required)) ; "
         rf"(?:TTY=(?P<tty>\S+) ; )?{AS}{COMMAND}"),
        ("sudo",
         rf"\s*+{USER} : (?:TTY=(?P<tty>\S+) ; )?{AS}{COMMAND}"),
        ("session_opened",
         r"pam_unix\(\S+\): session opened for user (?P<target_user>[^\s(]+)(?:\(uid=\d+\))?"
         r" by (?P<user>[^\s(]*)"),
        ("session_closed", r"pam_unix\(\S+\): session closed for user (?P<target_user>\S+)"),
        ("auth_failure",
         r"pam_unix\(\S+\): authentication failure; logname=(?P<user>\S*).*"),
    ),
    "su": (
        ("su_failed", r"FAILED SU \(to (?P<target_user>\S+)\) (?P<user>\S+) on (?P<tty>\S+)"),
        ("su", r"\(to (?P<target_user>\S+)\) (?P<user>\S+) on (?P<tty>\S+)"),
        ("su", r"Successful su for (?P<target_user>\S+) by (?P<user>\S+)"),
        ("su_failed", r"FAILED su for (?P<target_user>\S+) by (?P<user>\S+)"),
        ("session_opened",
         r"pam_unix\(\S+\): session opened for user (?P<target_user>[^\s(]+)(?:\(uid=\d+\))?"
         r" by (?P<user>[^\s(]*)"),
        ("session_closed", r"pam_unix\(\S+\): session closed for user (?P<target_user>\S+)"),
    ),
    "login": (
        ("login_failed",
         r"FAILED LOGIN \(?\d+\)? (?:on '?(?P<tty>[^\s']+)'? )?(?:from '?(?P<ip>[^\s']+)'? )?"
         r"FOR '?(?P<user>[^\s',]+)'?"),
        ("login", r"(?P<user>ROOT) LOGIN +on '?(?P<tty>[^\s']+)'?"),
        ("login", r"LOGIN ON (?P<tty>\S+) BY (?P<user>\S+)"),
        ("session_opened", r"pam_unix\(\S+\): session opened for user (?P<user>[^\s(]+)"),
        ("session_closed", r"pam_unix\(\S+\): session closed for user (?P<user>\S+)"),
    ),
    "useradd": (
        ("user_added", r"new user: name=(?P<target_user>[^,]+), UID=(?P<uid>\d+)"),
        ("group_added", r"new group: name=(?P<group>[^,]+)"),
        ("group_joined", r"add '(?P<target_user>[^']+)' to (?:shadow )?group '(?P<group>[^']+)'"),
    ),
    "usermod": (
        ("group_joined", r"add '(?P<target_user>[^']+)' to (?:shadow )?group '(?P<group>[^']+)'"),
        ("user_changed", r"change user '(?P<target_user>[^']+)' (?P<what>\S+)"),
    ),
}  # fmt: skip
SAME = {"sshd-session": "sshd", "systemd-logind": "logind", "su-l": "su", "adduser": "useradd"}
READERS = {
    program: [(event, re.compile(pattern)) for event, pattern in events]
    for program, events in _EVENTS.items()
}


def parse(lines: list[str]) -> Parsed:
    """What syslog says, and `event`: login, login_failed, sudo, su, user_added and others, with
    `user`, `ip`, `port`, `method`, `invalid_user` (yes), `target_user` and `command`.

    What PAM says of a failure is `auth_failure`: the program says it again as login_failed. A line
    of which nothing of that is known has the event `other`. What syslog says it has left out,
    "message repeated 5 times", comes as often, a thousand times at most.
    """
    text, rows, other = list[str](), list[dict[str, str]](), 0
    for line in lines:
        found = patterns.RFC5424.match(line) or patterns.RFC3164.match(line)
        if found is None:
            other += 1
        else:
            head = patterns.fields(found.groupdict(""))
            times, message = _unfolded(head.get("message", ""))
            text += [line] * times
            rows += [head | _said(head.get("program", ""), message)] * times
    parsed = sparse(text, rows)
    if other:
        parsed.skipped["lines that are no syslog"] = other
    return parsed


def _unfolded(message: str) -> tuple[int, str]:
    """How often it was said, and what."""
    found = REPEATED.match(message)
    return (min(max(int(found[1]), 1), MOST_REPEATS), found[2]) if found else (1, message)


def _said(program: str, message: str) -> dict[str, str]:
    for event, pattern in READERS.get(SAME.get(program, program), ()):
        if found := pattern.match(message[:MOST_READ]):
            said = {name: value for name, value in found.groupdict("").items() if value}
            if "invalid_user" in said or said.pop("kind", "") == "invalid":
                said["invalid_user"] = "yes"
            if name := said.pop("name", ""):
                said["user"] = name
            return {"event": event, **said}
    return {"event": OTHER}
