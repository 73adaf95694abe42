"""What a value of a Sigma rule says of the text of a field.

Text is compared whatever its case; * is any characters and ? one, unless a backslash stands before
it. Modifiers are those of the specification: contains, startswith, endswith, all, re (i, m, s),
cidr, base64, base64offset, wide, utf16le, windash, cased, gt, gte, lt, lte.
https://sigmahq.io/sigma-specification/specification/sigma-appendix-modifiers.html
"""

import base64
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias

from amiss.sigma.condition import Unsupported

Match: TypeAlias = Callable[[str], bool]

LONGEST = 8192  # characters of a text that are looked at
ORDER = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
PLACED = ("contains", "startswith", "endswith")
CODED = ("base64", "base64offset", "wide", "utf16le", "windash")
FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
KNOWN = {*ORDER, *PLACED, *CODED, *FLAGS, "all", "re", "cidr", "cased", "exists"}
WILD = {"\0?": ".", "\0-": "[-/\u2013\u2014\u2015]"}
SHIFTS = ((0, None), (2, -3), (3, -2))  # characters that a neighbour has a share in: start, end


def match(value: Any, modifiers: Sequence[str]) -> Match:
    """Whether a text is as a value says. Raises Unsupported with the reason."""
    kind = next((m for m in modifiers if m in (*ORDER, "re", "cidr")), "")
    if kind in ORDER:
        return _number(ORDER[kind], value)
    if kind == "cidr":
        return _network(str(value))
    if kind == "re":
        return _regex(str(value), modifiers)
    placed = next((m for m in modifiers if m in PLACED), "")
    if "base64offset" in modifiers and not placed:
        placed = "contains"
    texts = _coded([_parts(_written(value))], [m for m in modifiers if m in CODED])
    cased = "cased" in modifiers or any(m.startswith("base64") for m in modifiers)
    found = [_text(parts, placed, cased) for parts in texts]
    return found[0] if len(found) == 1 else lambda text: any(one(text) for one in found)


def absent(text: str) -> bool:
    """Whether a field is not there, or empty: what null and "" say, and nothing else does."""
    return text == ""


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(compare: Callable[[float, float], bool], value: Any) -> Match:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unsupported(f"{value!r} is no number to compare with")

    def holds(text: str) -> bool:
        try:
            return compare(float(text), value)
        except ValueError:
            return False

    return holds


def _network(value: str) -> Match:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise Unsupported(f"{value!r} is no network") from None

    def holds(text: str) -> bool:
        try:
            return ip_address(text) in network
        except ValueError:
            return False

    return holds


def _regex(value: str, modifiers: Sequence[str]) -> Match:
    flags = 0
    for name in modifiers:
        flags |= FLAGS.get(name, 0)
    try:
        search = re.compile(value, flags).search
    except (re.error, OverflowError, RecursionError) as exc:
        raise Unsupported(f"its regular expression cannot be read: {exc}") from None
    return lambda text: search(text[:LONGEST]) is not None


Parts: TypeAlias = tuple[str | None, ...]
"""A text between its wildcards: "" before *, None for ?."""


def _parts(value: str) -> tuple[str, ...]:
    """Characters, wildcards as \\0* and \\0?, with what was escaped plain."""
    found, at = list[str](), 0
    while at < len(value):
        here, following = value[at], value[at + 1 : at + 2]
        if here == "\\" and following in ("*", "?", "\\") and following:
            found.append(following)
            at += 2
            continue
        found.append("\0" + here if here in "*?" else here)
        at += 1
    return tuple(found)


def _coded(texts: list[tuple[str, ...]], modifiers: Iterable[str]) -> list[tuple[str, ...]]:
    encoding = "utf-8"
    for name in modifiers:
        if name == "windash":
            texts = [_dashes(parts) for parts in texts]
            continue
        for parts in texts:
            if any(len(part) == 2 and part[0] == "\0" for part in parts):
                raise Unsupported(f"a wildcard or windash cannot be written in {name}")
        bodies = ["".join(parts).encode(encoding, "surrogatepass") for parts in texts]
        if name in ("wide", "utf16le"):
            wide = [body.decode(encoding, "surrogatepass") for body in bodies]
            # a character for each byte, as what is looked at has them
            bodies = [text.encode("utf-16le", "surrogatepass") for text in wide]
            texts, encoding = [tuple(body.decode("latin-1")) for body in bodies], "latin-1"
            continue
        shifts = range(3) if name == "base64offset" else (0,)
        offset = name == "base64offset"
        texts = [_base64(body, shift, offset) for body in bodies for shift in shifts]
    return texts


def _dashes(parts: tuple[str, ...]) -> tuple[str, ...]:
    """With any kind of dash for each that begins a word."""
    word = [False, *(re.fullmatch(r"\w", part) is not None for part in parts), False]
    return tuple(
        "\0-" if part in ("-", "/") and word[i + 2] and not word[i] else part
        for i, part in enumerate(parts)
    )


def _base64(body: bytes, shift: int, offset: bool) -> tuple[str, ...]:
    """What is the same of it wherever it stands in what was encoded, `shift` bytes after three."""
    coded = base64.b64encode(b"\0" * shift + body).decode()
    if not offset:
        return tuple(coded)
    return tuple(coded[SHIFTS[shift][0] : SHIFTS[(len(body) + shift) % 3][1]])


def _text(parts: tuple[str, ...], placed: str, cased: bool) -> Match:
    if any(len(part) == 2 for part in parts):
        flags = re.DOTALL | (0 if cased else re.IGNORECASE)
        full = re.compile(_wild(parts, placed), flags).fullmatch
        return lambda text: full(text[:LONGEST]) is not None
    plain = "".join(parts)
    return Plain(plain if cased else plain.lower(), placed, not cased)


def _wild(parts: tuple[str, ...], placed: str) -> str:
    """The regular expression: each piece between two * is taken where it first is, for good.

    No later place of a piece leaves more for those after it, so nothing is tried twice.
    """
    pieces = [list[str]()]
    for part in parts:
        if part == "\0*":
            pieces.append([])
        else:
            pieces[-1].append(WILD.get(part) or re.escape(part))
    if placed in ("contains", "endswith"):
        pieces.insert(0, [])
    if placed in ("contains", "startswith"):
        pieces.append([])
    first, *between = map("".join, pieces)
    if not between:
        return first
    *between, last = between
    return first + "".join(f"(?>.*?{piece})" for piece in between if piece) + ".*" + last


@dataclass(frozen=True, slots=True)
class Plain:
    """A text without wildcards, and where it stands in what it is looked for in."""

    text: str
    placed: str
    lowered: bool  # whether it is in small letters, and looked for in such

    def __call__(self, text: str) -> bool:
        """Whether it is there."""
        return self.over([text.lower() if self.lowered else text])[0]

    def over(self, texts: Sequence[str]) -> list[bool]:
        """The same of many, in small letters where this is `lowered`: some 50 ns each."""
        own = self.text
        if self.placed == "contains":
            return [own in text for text in texts]
        if self.placed == "startswith":
            return [text.startswith(own) for text in texts]
        if self.placed == "endswith":
            return [text.endswith(own) for text in texts]
        return [text == own for text in texts]
