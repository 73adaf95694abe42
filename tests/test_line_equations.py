"""From text to score, as features/parts.py, decide/measures.py and decide/lines.py tell it.

And features/grams.py of characters, decide/novelty.py of pairs and decide/tails.py of ranks. In
plain Python, expressions and dictionaries, a line at a time; and compared with what is said of
whole blocks of bytes.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable
from itertools import pairwise
from math import exp, log, log1p, nan, sqrt
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np

from amiss.decide.lines import init, step
from amiss.text.lines import lines_of
from made import Chance
from test_event_equations import p_of

QUERY = re.compile(rb"\?(?=[^=&?\s]{0,60}=)")
ASKED = re.compile(rb'"|\s(?=HTTP/|"|$)|$')
PAIR = re.compile(
    rb"""(?:^|(?<=[\s,;{(\[&?"']))  ["']?  ([A-Za-z_\x80-\xff][\w.\[\]\x80-\xff-]{0,40})  ["']?
    \s?(=>?|:(?=\s?["'\[{0-9]))\s?  ("[^"]*"|'[^']*'|[^\s&;,)}\]]*)""",
    re.VERBOSE,
)
SLOT, QUOTED, EDGE = "a value", "what is in quotation marks", "an end of the line"


class Parts(NamedTuple):
    """What a line is made of; a field is a key, or the place of a slot, under its skeleton."""

    skeleton: Hashable
    sequence: Hashable
    neighbours: set[Hashable]
    words: set[bytes]
    values: list[tuple[Hashable, bytes]]


def parts(line: bytes, met: Counter[bytes]) -> Parts:
    values, line = lifted(line)
    skeleton, words, digit = list[Hashable](), set[bytes](), re.compile(rb"\d").search
    for chunk in re.findall(rb'"[^"]*"|[^\s"]+' if line.count(b'"') > 1 else rb"\S+", line):
        if chunk[:1] == b'"' and len(chunk) > 1:
            skeleton.append(QUOTED)
            values.append((len(skeleton), chunk[1:-1]))
            continue
        for word in chunk.split(b"/") if len(chunk) > 1 else [chunk]:
            if not digit(word):
                words.add(word)
            if not digit(word) and met[word] >= 8:
                skeleton.append(word)
            elif skeleton[-1:] == [SLOT]:
                key, before = values[-1]
                values[-1] = key, before + b" " + word
            else:
                skeleton.append(SLOT)
                values.append((len(skeleton), word))
    form = tuple(skeleton)
    fields = [((form, key), value) for key, value in values]
    sequence = form, tuple(key for key, _ in values)
    return Parts(form, sequence, set(pairwise([EDGE, *form, EDGE])), words, fields)


def lifted(line: bytes) -> tuple[list[tuple[Hashable, bytes]], bytes]:
    """The keys and values of a query string or of pairs, and the line without the values."""
    if asked := QUERY.search(line):
        end = ASKED.search(line, asked.end())
        assert end is not None
        items = line[asked.end() : end.start()].split(b"&")
        each = [item.split(b"=", 1) if b"=" in item else (b"", item) for item in items]
        values = [(key, unquote_to_bytes(value.replace(b"+", b" "))) for key, value in each]
        return list(values), line[: asked.start()] + b" ?" + line[end.start() :]
    if b"=" not in line and b'":' not in line:
        return [], line
    found = [(pair[1], pair[3]) for pair in PAIR.finditer(line)]
    return list(found), PAIR.sub(rb" \1\2 ", line)


class Characters:
    """Witten and Bell: all fields, then this one; anywhere, then after the one before."""

    def __init__(self) -> None:
        self.seen: dict[Hashable, Counter[int]] = defaultdict(Counter)
        self.total = Counter[Hashable]()

    def contexts(self, field: Hashable, value: bytes) -> list[tuple[int, list[Hashable]]]:
        text = re.sub(rb"\d", b"0", value[:256]) + b"\0"
        return [
            (now, [(of, *some) for of in ("all", field) for some in ((), (before,))])
            for before, now in pairwise(b"\1" + text)
        ]

    def learn(self, field: Hashable, value: bytes) -> None:
        for now, contexts in self.contexts(field, value):
            for context in contexts:
                self.seen[context][now] += 1
                self.total[context] += 1

    def surprise(self, field: Hashable, value: bytes, alone: int) -> list[float]:
        """-ln P of each; `alone`: each came once less."""
        nats = []
        for now, contexts in self.contexts(field, value):
            p, left = 0.0, 1.0
            for context in reversed(contexts):
                seen = self.seen[context]
                c, t = max(seen[now] - alone, 0), self.total[context] - alone
                d = len(seen) - (alone and seen[now] == 1)
                if t > 0:
                    p, left = p + left * c / (t + d), left * d / (t + d)
                if left < p / 1000:
                    break
            nats.append(-log(p + left / 256))
        return nats


def rarity(count: int) -> float:
    return -log(max(count, 0) + 0.5)


class Log:
    """All that was learned, and the past of each number."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.words, self.times = Counter[bytes](), Counter[Hashable]()
        self.characters = Characters()
        self.past: dict[Hashable, list[float]] = {}
        self.fused: list[float] = []

    def numbers(self, line: Parts, alone: int = 0) -> list[tuple[str, Hashable, float]]:
        """Kind, what it is compared with, and the number; `alone`: as if it were not learned."""
        form, times = line.skeleton, self.times
        fields = [times["field", field] for field, _ in line.values]
        new = times["form", form] <= alone
        said: list[tuple[str, Hashable, float]] = [
            ("skeleton", None, rarity(times["form", form] - alone)),
            ("pair", None, self.pair(line.neighbours, alone)),
            ("keys", form, -20 if new else rarity(times["keys", line.sequence] - alone)),
            ("key", form, -20 if new else rarity(min([times["form", form], *fields]) - alone)),
        ]
        for field, value in line.values:
            nats = self.characters.surprise(field, value, alone)
            size = log1p(len(value.decode()))
            said += [
                ("character", field, max(nats)),
                ("all", field, sum(nats) / sqrt(len(nats))),
                ("value", field, rarity(times["value", field, value] - alone)),
                ("long", field, size),
                ("short", field, -size),
            ]
        return said

    def pair(self, neighbours: set[Hashable], alone: int) -> float:
        """Of the rarest, or of what was never met how far its words keep to their company."""
        often = {pair: self.times["pair", pair] - alone for pair in neighbours}
        if min(often.values()) > 0:
            return rarity(min(often.values()))
        return max(log(2) + self.settled(pair, alone) for pair, n in often.items() if n <= 0)

    def settled(self, pair: Hashable, alone: int) -> float:
        nats = 0.0
        for side, word in zip(("after", "before"), pair, strict=True):  # type: ignore[call-overload]
            lines = max(self.words[word] - alone, 0) + 1
            company = max(self.times[side, word] - alone, 0) + 1
            nats += max(log(lines / company), 0.0)
        return nats

    def learn(self, line: Parts) -> None:
        for before, after in (pair for pair in line.neighbours if not self.times["pair", pair]):
            self.times["after", before] += 1
            self.times["before", after] += 1
        self.words.update(line.words)
        self.times["form", line.skeleton] += 1
        self.times["keys", line.sequence] += 1
        self.times.update(("pair", n) for n in line.neighbours)
        self.times.update({("field", field) for field, _ in line.values})
        self.times.update({("value", *value) for value in line.values})
        for value in line.values:
            self.characters.learn(*value)

    def inverse(self, kind: str, group: Hashable, x: float) -> float:
        """1/p among the numbers of its group, or of all of its kind."""
        past = self.past.get((kind, group), [])
        past = past if len(past) >= 24 else self.past.get(kind, [])
        x -= 0.1 if kind in ("character", "all") else 0
        n = len(past)
        t = min(max(4, n // 50), n)
        if not n:
            return 1.0
        least = {"all": 0.5, "long": 0.2, "short": 0.2}.get(kind, 1.0)
        u, beta = past[-t], max(sum(past[-t:]) / t - past[-t], least)
        if x > u:
            return min((n + 1) / t * (1 + (x - u) / (4 * beta)) ** 4, exp(30))
        return (n + 1) / (n - bisect_left(past, x) + 1)

    def mean(self, line: Parts, alone: int = 0) -> float:
        return log(np.mean([self.inverse(*number) for number in self.numbers(line, alone)]))

    def calibrate(self) -> None:
        """The past that each line would have had among the others."""
        known, past = [parts(line, self.words) for line in self.lines], defaultdict(list)
        for line in known:
            for kind, group, number in self.numbers(line, 1):
                past[kind].append(number)
                past[kind, group].append(number)
        self.past = {of: sorted(some) for of, some in past.items()}
        self.fused = [self.mean(line, 1) for line in known]

    def judged(self, F: float) -> float:
        """ln 2 + (F - q50)/beta: an exponential tail through two quantiles."""
        bins, at, quantiles = sorted(int(f * 32) for f in self.fused), 0, []
        for q in (0.5, 0.9):
            at = bins[int(q * len(bins))]
            below, inside = bisect_left(bins, at), bins.count(at)
            quantiles.append((at + (q * len(bins) - below) / inside) / 32)
        beta = max((quantiles[1] - quantiles[0]) / log(5), 1e-3)
        return max((F - quantiles[0]) / beta + log(2), 0.0)


def naive(lines: list[bytes]) -> tuple[list[float], list[bool]]:
    """p and alerts, in blocks that end at 64 and at each 256; calibrated at each doubling."""
    log_, p, alerts, at = Log(), list[float](), list[bool](), 0
    while at < len(lines):
        end = 64 if at < 64 else (at // 256 + 1) * 256
        block = [parts(line, log_.words) for line in lines[at:end]]
        fused = [log_.mean(line) if log_.past else nan for line in block]
        for F in fused:
            p.append(p_of(F, log_.fused) if log_.past else nan)
            alerts.append(bool(log_.past and log_.judged(F) >= 6 and -log(p[-1]) > 4))
        if end > len(lines):
            break
        log_.fused += [F for F in fused if F == F]
        log_.lines += lines[at:end]
        for line in block:
            log_.learn(line)
        if any(at < 64 << k <= end for k in range(10)):
            log_.calibrate()
        at = end
    return p, alerts


def made(count: int) -> list[str]:
    """Lines with pairs, query strings, quotation marks and paths; a few are odd."""
    chance = Chance(3)
    forms = [
        "user {0} logged in from 10.0.0.{1}",
        "GET /index/{0}?id={1}&name={0}+b%20{1}&flag HTTP/1.1",
        'cache hit for {1}: age={1} by="{0} {1}"',
        'said "{0}, {1}" at /var/log//{0}.log',
        '{{"port": {1}, "who": "{0}"}} done',
    ]
    names = ["ann", "bob", "cyd", "dan", "\xe9va"]
    draws = (100 * chance.uniform(3 * count)).astype(int).reshape(count, 3).tolist()
    said = [forms[a % 5].format(names[b % 5], c * c) for a, b, c in draws]
    said[700] = "user zoe logged out again from <8>"
    said[800] = "GET /index/ann?id=1'+OR+1=1;--&name=<script>&debug=1 HTTP/1.1"
    said[750] = 'said nothing "at all"'
    return said


def test_a_line_is_as_strange_as_its_parts_are_rare() -> None:
    lines = made(850)
    _, p, alerts = step(init(), lines_of(lines))
    wanted, told = naive([line.encode() for line in lines])
    np.testing.assert_allclose(p, wanted, rtol=1e-6)
    assert alerts.tolist() == told
    assert {700, 750, 800} & set(np.flatnonzero(alerts).tolist())
