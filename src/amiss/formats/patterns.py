"""Lines by regular expressions: web servers, syslog, and patterns of the user's own."""

import re

from amiss.formats.parsed import Parsed, sparse

COMBINED = re.compile(
    r"(?:(?P<vhost>[^\s:]+(?::\d{1,5}(?= [^\s-])|(?= [\da-fA-F]+[.:][\da-fA-F.:]+ \S+ \S))) )?"
    r"(?P<address>\S+) (?P<ident>\S+) (?P<user>\S+(?: [^\s\[]+)*) \[(?P<time>[^\]]+)\] "
    r'"(?:(?P<method>[A-Z_-]+) (?P<path>\S*)(?: (?P<protocol>[A-Z]+/[\d.]+))?'
    r'|(?P<request>[^"\\]*(?:\\.[^"\\]*)*))" '
    r"(?P<status>\d{3}|-) (?P<bytes>\d+|-)"
    r'(?: "(?P<referer>[^"\\]*(?:\\.[^"\\]*)*)" "(?P<agent>[^"\\]*(?:\\.[^"\\]*)*)")?'
    r"(?: (?P<rest>.*))?"
)
"""Common and combined log format of Apache and nginx, with what may stand behind it, and the
virtual host before it (%v:%p of Apache's vhost_combined; %v where an address follows)."""
FACILITY = r"(?:auth|authpriv|user|daemon|cron|kern|mail|news|syslog|local\d)\.[a-z]{3,7} "
"""What syslogd of BusyBox writes before the program."""
STAMP = r"[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*"
LEVEL = (
    r"[\[(]?(?i:trace|debug|info|notice|warn|warning|err|error|crit|critical|alert|fatal|panic)"
    r"[\]):]?(?= )"
)
"""What stands where syslog has a host, in the lines of an application: 2025-10-02T13:05:07 INFO."""
RFC3164 = re.compile(
    rf"(?:<(?P<priority>\d{{1,3}})>)?(?P<time>{STAMP}) (?(priority)|(?!{LEVEL}))"
    rf"(?P<host>[^\s=]+) (?:{FACILITY})?"
    r"(?:(?P<program>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: ?)?(?P<message>.*)",
    re.DOTALL,
)
RFC5424 = re.compile(
    r"<(?P<priority>\d{1,3})>\d (?P<time>\S+) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) "
    r'(?P<id>\S+) (?P<data>-|(?:\[[^\]"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^\]"]*)*\])+)'
    r"(?: \ufeff?(?P<message>.*))?",
    re.DOTALL,
)
PARAMETER = re.compile(
    r'(?:\[([^\s="\[\]]{1,200})(?=[ \]]))|(?<![^\s="\]])([^\s="\]]+)="((?:[^"\\]|\\.)*)"'
)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", *(f"local{i}" for i in range(8)),
)  # fmt: skip


def by_pattern(lines: list[str], pattern: re.Pattern[str], reason: str) -> Parsed:
    """The named groups of a pattern that a line begins with; what took no part is absent."""
    match = pattern.match
    text, rows = [], []
    for line in lines:
        if found := match(line):
            text.append(line)
            rows.append(found.groups(""))
    columns = list(map(list, zip(*rows, strict=True)))
    named = pattern.groupindex.items()
    parsed = Parsed(text, {name: columns[place - 1] for name, place in named} if rows else {})
    if len(text) < len(lines):
        parsed.skipped[reason] = len(lines) - len(text)
    return parsed


def combined(lines: list[str]) -> Parsed:
    """Requests; "-" is absent."""
    parsed = by_pattern(lines, COMBINED, "lines that are no request of a web server")
    if not any(parsed.columns.get("vhost", ())):
        parsed.columns.pop("vhost", None)
    for name in ("ident", "user", "bytes", "referer", "agent"):
        if name in parsed.columns:
            parsed.columns[name] = ["" if v == "-" else v for v in parsed.columns[name]]
    return parsed


def syslog(lines: list[str]) -> Parsed:
    """RFC 5424 and RFC 3164, with or without a priority; what has no program has none."""
    text, rows = [], []
    for line in lines:
        found = RFC5424.match(line) or RFC3164.match(line)
        if found is not None:
            text.append(line)
            rows.append(fields(found.groupdict("")))
    parsed = sparse(text, rows)
    if len(text) < len(lines):
        parsed.skipped["lines that are no syslog"] = len(lines) - len(text)
    return parsed


def fields(said: dict[str, str]) -> dict[str, str]:
    """What a line of syslog says of itself, with names for its priority."""
    data = said.pop("data", "-")
    if said["priority"]:
        number = int(said["priority"])
        said["severity"] = SEVERITIES[number & 7]
        said["facility"] = FACILITIES[number >> 3] if number < 192 else ""
    found = {name: value for name, value in said.items() if value and value != "-"}
    return found | _parameters(data) if data != "-" else found


def _parameters(data: str) -> dict[str, str]:
    """[id name="value"] as id.name."""
    inside, said = "", {}
    for found in PARAMETER.finditer(data):
        if found[1]:
            inside = found[1]
        else:
            said[f"{inside}.{found[2]}"] = re.sub(r'\\(["\\\]])', r"\1", found[3])
    return said
