"""Sessions of lines, against plain versions, and `amiss score --as lines --session`."""

import csv
from collections import Counter
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np
import pytest

from amiss.decide import sessions
from amiss.decide.sessions import EDGE, counted, init, order, rare, step
from cli.calls import amiss

Sessions = list[list[int]]


def made(count: int, seed: int = 0) -> Sessions:
    """Open, write one to three times, close; one in four is checked too."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        checked = [4] if rng.random() < 0.25 else []
        out.append([1, *[2] * int(rng.integers(1, 4)), *checked, 3])
    return out


def learned(past: Sessions) -> sessions.States:
    states, *_ = step(init(), past, True)
    return states


def plain_rare(past: Sessions, session: list[int]) -> float:
    n, templates = len(past), {t for one in [*past, session] for t in one}
    inverse = []
    for t in templates:
        c = session.count(t)
        counts = [one.count(t) for one in past]
        if c or 2 * sum(x > 0 for x in counts) > n:
            less, more = sum(x <= c for x in counts), sum(x >= c for x in counts)
            inverse.append(1 / min(1.0, 2 * (min(less, more) + 1) / (n + 1)))
        else:
            inverse.append(1.0)
    return log(np.mean(inverse))


def plain_order(past: Sessions, session: list[int]) -> float:
    def moves(one: list[int]) -> set[tuple[int, int]]:
        return set(pairwise([EDGE, *one, EDGE]))

    def having(t: int) -> int:
        return sum(t == EDGE or t in one for one in past)

    many = Counter(move for one in past for move in moves(one))
    return log(
        np.mean([
            (min(having(a), having(b)) + 1) / (many[a, b] + 1) for a, b in sorted(moves(session))
        ])
    )  # fmt: skip


ODD: Sessions = [[1, 2, 3], [1, 3], [1, 2, 2, 9, 3], [3, 2, 1], [2] * 15, []]


@pytest.mark.parametrize("session", ODD)
def test_rarity_and_order_are_their_equations(session: list[int]) -> None:
    past = made(300)
    seen = learned(past)["seen"]
    levels, moves = counted([session])
    assert rare(seen, levels)[0] == pytest.approx(plain_rare(past, session))
    assert order(seen, moves)[0] == pytest.approx(plain_order(past, session))


def test_one_of_the_past_is_judged_as_if_it_were_not_there() -> None:
    past = [*made(200), [1, 2, 7, 3]]
    seen = learned(past)["seen"]
    levels, moves = counted([past[-1]])
    assert rare(seen, levels, True)[0] == pytest.approx(plain_rare(past[:-1], past[-1]))
    assert order(seen, moves, True)[0] == pytest.approx(plain_order(past[:-1], past[-1]))


def test_large_counts_have_levels_of_equal_ratio() -> None:
    levels, _ = counted([[1] * n for n in (15, 16, 17, 32, 64, 10**5)])
    assert levels[:, 1].tolist() == [15, 16, 16, 24, 32, sessions.LEVELS - 1]


def test_the_odd_is_strange_and_the_new_is_forgiven() -> None:
    states = learned(made(1000))
    rng = np.random.default_rng(4)
    new = [[*one[:-1], 8, 3] if rng.random() < 0.5 else one for one in made(2000, 1)]
    test: Sessions = [*made(200, 2), [1], *new, [1]]
    _, fused, p, anomalous = step(states, test)
    assert np.isfinite(fused).all()
    assert fused[200] > np.quantile(fused[:200], 0.995)
    assert fused[-1] >= np.quantile(fused[1200:-1], 0.98)
    assert ((p > 0) & (p <= 1)).all()
    late = np.array([8 in one for one in test[-1000:]])
    assert anomalous[-1000:-1][late[:-1]].mean() < 0.02


def test_a_quiet_hour_makes_nothing_strange_and_a_busy_one_hides_nothing() -> None:
    """Sessions that vary little for a while are no yardstick, nor are those that vary much."""
    usual, odd = [1, 2, 2, 4, 3], [*[1] * 9, 3]
    quiet, rng = [[1, 2, 3]] * sessions.RECENT, np.random.default_rng(7)
    busy = [[1, *[2] * int(rng.integers(1, 9)), *[4] * int(rng.integers(0, 5)), 3] for _ in quiet]
    for between in (quiet, busy):
        _, fused, _, _ = step(learned(made(1000)), [odd, *between, usual, odd])
        assert fused[-2] < fused[-1]
        assert fused[-1] == pytest.approx(fused[0], rel=0.01)


def test_judged_by_what_came_before() -> None:
    """Cut short: the same. Without a history: nothing until there is something to go by."""
    test = [*made(500), [1], *made(300, 5)]
    _, fused, _, _ = step(init(), test)
    _, short, _, _ = step(init(), test[:410])
    assert np.isnan(fused[:64]).all()
    assert np.isfinite(fused[64:]).all()
    np.testing.assert_array_equal(fused[:410], short)


def test_memory_is_bounded() -> None:
    states, *_ = step(init(), [[n * 7 % 3000, n] for n in range(3000)])
    size = {name: x.nbytes for room in states.values() for name, x in room.items()}
    assert sum(size.values()) < 8_000_000
    assert max(map(len, states["past"].values())) <= sessions.RECENT


def log_of(some: Sessions, first: int = 0) -> str:
    """Lines of sessions that run side by side, two at a time."""
    words = {1: "open", 2: "write 12 bytes to", 3: "close", 4: "check", 9: "cannot find"}
    text = []
    for at in range(0, len(some), 2):
        pair = [
            [f"{words[t]} s{first + at + k}" for t in one] for k, one in enumerate(some[at:][:2])
        ]
        text += [line for one in pair for line in one] if at % 4 else sorted(pair[0] + pair[-1])
    return "".join(f"{line}\n" for line in text)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_command(tmp_path: Path) -> None:
    past, a, b = tmp_path / "past.log", tmp_path / "a.log", tmp_path / "b.log"
    past.write_text(log_of(made(600)))
    a.write_text("nothing to see\n" + log_of([*made(100, 1), [1, 9]], 1000))
    b.write_text(log_of(made(10, 2)))
    out = tmp_path / "out"
    asked = ("--as", "lines", "--session", r"(s\d+)$", "--history", past, "--out", out)
    said = amiss("score", a, b, *asked)
    assert said.code == 0
    found = rows(out / "a.csv")
    assert list(found[0]) == ["session", "first", "last", "lines", "score", "p", "alert"]
    text, names = a.read_text().splitlines(), dict[str, list[int]]()
    for n, line in enumerate(text, 1):
        if line != "nothing to see":
            names.setdefault(line.split()[-1], []).append(n)
    wanted = sorted(names.items(), key=lambda named: named[1][-1])
    assert [(r["session"], r["first"], r["last"], r["lines"]) for r in found] == [
        (name, str(x[0]), str(x[-1]), str(len(x))) for name, x in wanted
    ]
    strangest = max(found, key=lambda row: float(row["score"]))
    assert strangest["session"] == "s1100"
    for row in found:
        assert float(row["p"]) == pytest.approx(np.exp(-float(row["score"])), rel=1e-6)
    alone = tmp_path / "alone"
    assert amiss("score", b, *asked[:-1], alone).code == 0
    assert (alone / "b.csv").read_bytes() == (out / "b.csv").read_bytes()
    assert f"{a}: {len(text):,} lines, 101 sessions, " in said.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--as", "lines", "--session", "(a"), "--session: '(a' is no pattern: "),
        (("--as", "lines", "--session", "a"), "--session: 'a' has no group; "),
        (("--session", "(a)"), "--session: only lines have sessions; add --as lines"),
        (("--as", "lines", "--budget", "1/day"), "--budget: it is not for lines"),
        (("--as", "lines", "--by", "x"), "--by: it is not for lines"),
    ],
)
def test_mistakes_get_a_sentence(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "a.log").write_text("a\n")
    found = amiss("score", tmp_path / "a.log", *options, "--out", tmp_path / "out")
    assert found.code == 2
    assert found.err.startswith(said)


def test_odd_names_and_no_sessions(tmp_path: Path) -> None:
    log, out = tmp_path / "a.log", tmp_path / "o.csv"
    log.write_bytes(b'id=a,"b; x\nid=\xff; x\nnone\n')
    asked = ("--as", "lines", "--out", out, "--session")
    assert amiss("score", log, *asked, "id=(.*);").code == 0
    assert [(r["session"], r["score"], r["alert"]) for r in rows(out)] == [
        ('a,"b', "", "0"), ("\ufffd", "", "0"),
    ]  # fmt: skip
    assert amiss("score", log, *asked, "zzz(q)?").code == 0
    assert rows(out) == []
