"""Linux audit: type=USER_LOGIN msg=audit(1759410307.250:811): pid=991 ... res=failed."""

import re

from amiss.formats.parsed import Parsed, sparse

REASON = "lines that are no record of audit"
LINE = re.compile(
    r"(?:node=(?P<node>\S+) )?type=(?P<type>\S+) msg=audit\((?P<time>\d+\.\d+):(?P<serial>\d+)\):"
    r" ?(?P<rest>.*)",
    re.DOTALL,
)
PAIR = re.compile(r"""(?<![\w-])([\w-]+)=("[^"]*"|'[^']*'|[^\s'"]*)""")
TEXTS = frozenset(
    ("acct", "cmd", "comm", "cwd", "data", "dir", "exe", "key", "name", "path", "proctitle", "vm")
)
"""Fields that are in hexadecimal where they hold a blank, a quotation mark or a control."""
ARGUMENT = re.compile(r"a\d+")
HEX = re.compile(r"(?:[0-9A-F]{2})+")
NOTHING = ("?", "(none)", "(null)", "4294967295")
OUTCOMES = {"1": "success", "0": "failed", "yes": "success", "no": "failed"}


def parse(lines: list[str]) -> Parsed:
    """The pairs, those in msg='...' too; interpreted ones (behind a \\x1d, in capitals) go first.

    `user` is the account, by name if there is one; `ip` where it came from; `event` the outcome of
    logins in one word. What says nothing (?, an unset id) is absent.
    """
    text, rows = [], []
    for line in lines:
        if found := LINE.match(line):
            text.append(line)
            rows.append(_fields(found))
    parsed = sparse(text, rows)
    if len(text) < len(lines):
        parsed.skipped[REASON] = len(lines) - len(text)
    return parsed


def _fields(found: re.Match[str]) -> dict[str, str]:
    raw, _, interpreted = found["rest"].partition("\x1d")
    said = {"type": found["type"], "time": found["time"], "serial": found["serial"]}
    if found["node"]:
        said["node"] = found["node"]
    execve = found["type"] == "EXECVE"
    for name, value in _pairs(raw):
        if plain := _plain(name, value, execve):
            said[name] = plain
    named = {name.lower(): value.strip('"') for name, value in _pairs(interpreted)}
    said |= {name: value for name, value in named.items() if value not in ("", "unset", *NOTHING)}
    if result := said.get("res", said.get("success", "")):
        said["res"] = OUTCOMES.get(result, result)
    user = said.get("acct") or named.get("auid", "") or said.get("auid", "")
    more = {"user": user, "ip": said.get("addr", "")}
    if execve:
        words = [said[name] for name in said if ARGUMENT.fullmatch(name)]
        more["command"] = " ".join(words)
    elif "cmd" in said or "proctitle" in said:
        more["command"] = said.get("cmd") or said["proctitle"]
    return said | {name: value for name, value in more.items() if value and value != "unset"}


def _pairs(text: str) -> list[tuple[str, str]]:
    found = []
    for name, value in PAIR.findall(text):
        if value[:1] == "'":
            found += PAIR.findall(value[1:-1])
        else:
            found.append((name, value))
    return found


def _plain(name: str, value: str, execve: bool) -> str:
    """Without quotes, and text instead of hexadecimal; "" of what says nothing."""
    if value[:1] == '"':
        return value[1:-1]
    if value in NOTHING:
        return ""
    text = name in TEXTS or (execve and ARGUMENT.fullmatch(name) is not None)
    if text and HEX.fullmatch(value):
        return bytes.fromhex(value).replace(b"\0", b" ").decode("utf-8", "backslashreplace").strip()
    return value
