"""Lines one by one: what they are made of, the equations, and `amiss score --as lines`."""

import csv
import gzip
from collections import Counter, defaultdict
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.decide import lines as module
from amiss.decide import tails
from amiss.decide.lines import Lines
from amiss.features import grams
from amiss.features.parts import parts, vocabulary
from cli.calls import amiss

COMMON = {
    word: 99 for word in ("GET", "index", "user", "logged", "in", "from", "?", "", "user=", "port:")
}


def taken(line: str) -> list[tuple[bytes, int]]:
    return [(value.data, value.length) for value in parts(line, COMMON.get, {}).values]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("GET /index?a=1&b=x%20y HTTP/1.1", [b"0", b"x y", b"HTTP 0.0"]),
        ("user logged in from 10.0.0.1", [b"00.0.0.0"]),
        ('user "Ann, 7" logged in', [b"Ann, 0"]),
        ("user=ann port: 22", [b"ann", b"00"]),
        ("user new words logged in", [b"new words"]),
        ("", []),
    ],
)
def test_a_line_is_taken_apart(line: str, values: list[bytes]) -> None:
    assert [data for data, _ in taken(line)] == values


def test_values_do_not_change_the_skeleton() -> None:
    one, other = (parts(f"user {x} logged in", COMMON.get, {}) for x in ("7", "ann"))
    assert (one.skeleton, one.keys, one.pairs) == (other.skeleton, other.keys, other.pairs)
    third = parts("user 7 logged in from", COMMON.get, {})
    assert third.skeleton != one.skeleton
    assert vocabulary('a/b c1 "quoted" d?x=1 e') == {"a", "b", "d"}


@given(st.text(max_size=300))
def test_any_line_can_be_taken_apart(line: str) -> None:
    assert parts(line, COMMON.get, {}) == parts(line, COMMON.get, {})


class WittenBell:
    """The equations, a character at a time."""

    def __init__(self) -> None:
        self.seen: dict[tuple[object, ...], Counter[int]] = defaultdict(Counter)

    def contexts(self, field: int, data: bytes) -> list[tuple[int, list[tuple[object, ...]]]]:
        text = b"\1" * 2 + data + b"\0"
        return [
            (text[k], [(level, *text[k - order + 1 : k]) for level in ("all", field)
                       for order in (1, 2)])
            for k in range(2, len(text))
        ]  # fmt: skip

    def learn(self, field: int, data: bytes) -> None:
        for character, contexts in self.contexts(field, data):
            for context in contexts:
                self.seen[len(context), *context][character] += 1

    def surprise(self, field: int, data: bytes) -> list[float]:
        out = []
        for character, contexts in self.contexts(field, data):
            p = 1 / 256
            for context in contexts:
                had = self.seen[len(context), *context]
                if t := sum(had.values()):
                    p = (had[character] + len(had) * p) / (t + len(had))
            out.append(-log(p))
        return out


def test_surprise_is_witten_and_bells() -> None:
    plain, state = WittenBell(), grams.init()
    texts = [(1, b"ann"), (1, b"anna"), (2, b"0000"), (1, b"bob"), (1, b"ann"), (2, b"")]
    state = grams.learn(state, texts)
    for text in texts:
        plain.learn(*text)
    asked = [(1, b"ann"), (2, b"ann"), (3, b"<x>"), (2, b"")]
    largest, whole = grams.surprise(state, asked)
    for k, text in enumerate(asked):
        nats = plain.surprise(*text)
        assert largest[k] == pytest.approx(max(nats))
        assert whole[k] == pytest.approx(sum(nats) / sqrt(len(nats)))


def test_tails_are_their_equations() -> None:
    rng = np.random.default_rng(0)
    kind, group = np.repeat([0, 1], 300), np.tile(np.repeat([5, 6, 7], [200, 90, 10]), 2)
    x = rng.exponential(1.0, 600)
    past = tails.past(kind, group, x, np.array([0.1, 0.1]))
    for k, g, v in ((0, 5, 0.3), (0, 6, 1.0), (1, 5, 9.0), (1, 7, 2.0), (0, 99, 12.0)):
        own = x[(kind == k) & (group == g)]
        own = np.sort(own if len(own) >= tails.LEAST else x[kind == k])
        n, t = len(own), max(4, len(own) // 50)
        u = own[-t]
        beta = max((own[-t:] - u).mean(), 0.1)
        wanted = -log(((own >= v).sum() + 1) / (n + 1))
        if v > u:
            wanted = log((n + 1) / t) + 4 * log(1 + (v - u) / (4 * beta))
        found = tails.nats(past, np.array([k]), np.array([g]), np.array([v]))
        assert found[0] == pytest.approx(wanted)


def made(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    names = ["ann", "bob", "cyd", "dan"]
    forms = ["user {0} logged in from 10.0.0.{1}", "GET /index?id={1}&name={0} HTTP/1.1",
             "cache hit for {1}: age={1}"]  # fmt: skip
    draws = rng.integers(0, 255, (count, 3)).tolist()
    return [forms[a % 3].format(names[b % 4], c) for a, b, c in draws]


ODD = "GET /index?id=1'+OR+1=1;--&name=<script> HTTP/1.1"


def test_the_odd_is_strange() -> None:
    scorer = Lines()
    scorer.step(made(3000), True)
    scorer.learn(True)
    lines = made(1000, 1)
    lines[700] = ODD
    p, alert = scorer.step(lines)
    assert p.argmin() == 700
    assert alert[700]
    assert alert.sum() < 15


def test_judged_by_what_came_before_in_whatever_pieces() -> None:
    lines = [*made(700), ODD, *made(600, 3)]
    p, alert = Lines().step(lines)
    assert np.isnan(p[:64]).all()
    assert np.isfinite(p[64:]).all()
    for cuts in ([100], [1, 63, 64, 65, 300, 999], [701]):
        scorer, found = Lines(), []
        for part in np.split(np.arange(len(lines)), cuts):
            found.append(scorer.step([lines[k] for k in part])[0])
        np.testing.assert_array_equal(np.concatenate(found), p)
    short, told = Lines().step(lines[:900])
    np.testing.assert_array_equal(short, p[:900])
    np.testing.assert_array_equal(told, alert[:900])


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORDS", 100)
    monkeypatch.setattr(module, "BITS", 10)
    monkeypatch.setattr(module, "SAMPLE", 200)
    scorer = Lines(counts=np.zeros(1 << 10, np.int32))
    letters = "abcdefghijklmnop"
    words = ["".join(letters[n // 16**k % 16] for k in range(3)) for n in range(2000)]
    p, _ = scorer.step([f"{word} said {word}" for word in words])
    assert np.isfinite(p[64:]).all()
    assert len(scorer.words) <= 100 + 3
    assert len(scorer.sample) <= 200
    assert 2 * np.count_nonzero(scorer.counts) <= 1 << 10


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_command(tmp_path: Path) -> None:
    past, a, b = tmp_path / "past.log", tmp_path / "a.log.gz", tmp_path / "b.log"
    past.write_text("".join(f"{line}\r\n" for line in made(2000)))
    text = [*made(300, 1), ODD]
    a.write_bytes(gzip.compress("\n".join(text).encode()))
    b.write_text("".join(f"{line}\n" for line in made(50, 2)))
    asked = ("--as", "lines", "--history", past, "--out")
    said = amiss("score", a, b, *asked, tmp_path / "out")
    assert said.code == 0
    assert f"{b}: 50 lines, 0 alerts: " in said.err
    found = rows(tmp_path / "out" / "a.csv")
    assert list(found[0]) == ["line", "score", "p", "alert"]
    assert [row["line"] for row in found] == [str(n) for n in range(1, 302)]
    assert max(found, key=lambda row: float(row["score"]))["line"] == "301"
    assert found[-1]["alert"] == "1"
    assert amiss("score", b, *asked, tmp_path / "alone").code == 0
    alone, both = (tmp_path / name / "b.csv" for name in ("alone", "out"))
    assert alone.read_bytes() == both.read_bytes()
    said = amiss("score", b, *asked, tmp_path / "o.csv", "--json")
    assert said.json["rows"] == said.json["lines"] == 50


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"", 0),
        (b"\n", 1),
        (b"\n\none\n\n\ntwo", 6),
        (b"\xff\xfe\x00\x80\n\x00\x00\nplain\n", 3),
        ("a\u2028b\x85c\x0bd\x0ce\nsecond\r\n".encode(), 2),
        (b"short\n" + b"x y=" * 700_000 + b"\nshort\r", 3),
    ],
)
def test_odd_files_have_a_row_for_each_line(tmp_path: Path, content: bytes, count: int) -> None:
    log, out = tmp_path / "a.log", tmp_path / "a.csv"
    log.write_bytes(content)
    assert amiss("score", log, "--as", "lines", "--out", out).code == 0
    assert len(rows(out)) == count
    assert all(row["score"] == row["p"] == "" for row in rows(out))


def test_mistakes_get_a_sentence(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    said = amiss("score", log, "--as", "lines", "--out", tmp_path / "o.csv")
    assert (said.code, said.err) == (2, f"{log}: cannot be read: No such file or directory\n")
    damaged = tmp_path / "b.log.gz"
    damaged.write_bytes(gzip.compress(b"line\n" * 9999)[:-12])
    said = amiss("score", damaged, "--as", "lines", "--out", tmp_path / "o.csv")
    assert said.code == 2
    assert said.err.startswith(f"{damaged}: it is damaged: ")
