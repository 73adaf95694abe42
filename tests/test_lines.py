"""Lines one by one: what they are made of, the equations, and `amiss score --as lines`."""

import csv
import gzip
import io
import re
from collections import Counter, defaultdict
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import log, sqrt
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.data import Array, Floats, Frame, Reason, Records
from amiss.decide import lines as module
from amiss.decide import tails
from amiss.decide.line_reasons import reason
from amiss.decide.lines import Block, init, settle, step
from amiss.decide.measures import States
from amiss.detectors.lines import Lines as Detector
from amiss.features import grams
from amiss.features.parts import OFTEN, parts
from amiss.formats.timeless import HEAD, TIME, timeless
from amiss.text import characters as characters_module
from amiss.text.characters import Characters, characters
from amiss.text.hashes import count, had, halve, mixed
from amiss.text.lines import Lines, lines_of, split
from cli.calls import amiss


def common() -> Array:
    """A table of words that were met often."""
    cells, used = np.zeros(1024, np.uint64), np.zeros(1, np.int64)
    found = parts(
        lines_of(["GET index user logged in from ? / port: HTTP user=>1 user=2 //"]), cells
    )
    for word in found.word[: found.words_to[1]]:
        count(cells, used, word, OFTEN)
    return cells


COMMON = common()


def taken(line: str) -> list[tuple[bytes, int]]:
    found = parts(lines_of([line]), COMMON)
    ends = found.text_to[: found.values_to[1] + 1].tolist()
    texts = [found.text[a:b].tobytes() for a, b in pairwise(ends)]
    return list(zip(texts, found.length.tolist(), strict=False))


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("GET /index?a=1&b=x%20y HTTP/1.1", [b"1", b"x y", b"1.1"]),
        ("GET /index?a=%zz+%4 HTTP/1.1", [b"%zz %4", b"1.1"]),
        ("GET /index?a=1&b", [b"1", b"b"]),
        ("user logged in from 10.0.0.1", [b"10.0.0.1"]),
        ('user "Ann, 7" logged in', [b"Ann, 7"]),
        ("user=ann port: 22", [b"ann", b"22"]),
        ("user=>ann", [b"ann"]),
        ("user='a b' in \"c", [b"'a b'", b'"c']),
        ("user new words logged in", [b"new words"]),
        ("user/new//words", [b"new", b"words"]),
        ("user \xff\u2028", ["\xff\u2028".encode()]),
        ("user " + "a" * 5000, [b"a" * 256]),
        ("", []),
    ],
)
def test_a_line_is_taken_apart(line: str, values: list[bytes]) -> None:
    assert [data for data, _ in taken(line)] == values


def test_length_is_in_characters() -> None:
    assert taken("user \xe4\u20ac7") == [("\xe4\u20ac7".encode(), 3)]
    assert taken("user " + "a" * 4000)[0][1] == 4000


def of(line: str) -> tuple[int, list[int], list[int], list[int]]:
    found = parts(lines_of([line]), COMMON)
    some = found.field[: found.values_to[1]], found.pair[: found.pairs_to[1]]
    return (
        int(found.skeleton[0]),
        *(x.tolist() for x in some),
        found.form[: found.values_to[1]].tolist(),
    )


def test_values_do_not_change_the_skeleton() -> None:
    one, other, third = (of(f"user {x} logged in") for x in ("17", "42", "ann"))
    assert one == other
    assert third[:3] == one[:3]
    assert third[3] != one[3]
    assert of("user 7 logged in from")[0] != one[0]


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_any_lines_can_be_taken_apart_alone_or_together(some: list[bytes]) -> None:
    together, at = parts(lines_of(some), COMMON), 0
    for n, line in enumerate(some):
        alone = parts(lines_of([line]), COMMON)
        assert alone.skeleton[0] == together.skeleton[n]
        many = int(alone.values_to[1])
        np.testing.assert_array_equal(alone.itself[:many], together.itself[at : at + many])
        at += many
        assert at == together.values_to[n + 1]


@given(st.binary(max_size=60), st.integers(1, 9))
def test_lines_end_with_newlines_alone(block: bytes, longest: int) -> None:
    lines, rest = split(block, longest)
    whole = block.split(b"\n")
    assert block[rest:] == whole[-1]
    found = [lines.of(n) for n in range(len(lines.begin))]
    assert found == [line.removesuffix(b"\r")[:longest] for line in whole[:-1]]


@settings(max_examples=20)
@given(st.lists(st.integers(0, 400), max_size=600))
def test_a_table_is_a_dictionary(some: list[int]) -> None:
    cells, used, plain = np.zeros(512, np.uint64), np.zeros(1, np.int64), Counter[int]()
    keys = [np.uint64(mixed(np.uint64(n + 1))) for n in range(401)]
    for n in some:
        if n in plain or len(plain) < 384:
            plain[n] += 1
        count(cells, used, keys[n], 1)
    assert [had(cells, key) for key in keys] == [plain[n] for n in range(401)]
    halve(cells, used)
    assert [had(cells, key) for key in keys] == [plain[n] // 2 for n in range(401)]
    assert used[0] == sum(n > 1 for n in plain.values())


class WittenBell:
    """The equations, a character at a time."""

    def __init__(self) -> None:
        self.seen: dict[tuple[object, ...], Counter[int]] = defaultdict(Counter)

    def contexts(self, field: int, data: bytes) -> list[tuple[int, list[tuple[object, ...]]]]:
        text = b"\1" * 2 + re.sub(rb"\d", b"0", data) + b"\0"
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


def values_of(*texts: tuple[int, bytes]) -> Characters:
    """The characters of values in fields; those that differ in digits alone are the same."""
    text = np.frombuffer(b"".join(data for _, data in texts), np.uint8)
    to = np.cumsum([0, *(len(data) for _, data in texts)], dtype=np.int64)
    field = np.array([field << 20 for field, _ in texts], np.uint64)
    known = {(field, re.sub(rb"\d", b"0", data)): n for n, (field, data) in enumerate(texts)}
    forms = [known[field, re.sub(rb"\d", b"0", data)] + 1 for field, data in texts]
    return characters(text, to, field, np.array(forms, np.uint64) << np.uint64(40))


def learned(state: dict[str, Array], *texts: tuple[int, bytes], times: int = 1) -> None:
    for _ in range(times):
        values = values_of(*texts)
        grams.learn(state, values, np.bincount(values.same, minlength=len(texts)))


def asked(state: dict[str, Array], *texts: tuple[int, bytes]) -> list[tuple[float, float]]:
    largest, whole = grams.surprise(state, values_of(*texts), False)
    return list(zip(largest.tolist(), whole.tolist(), strict=True))


TEXTS = [(1, b"ann"), (1, b"anna"), (2, b"1234"), (1, b"bob"), (1, b"ann"), (2, b"")]


def test_surprise_is_witten_and_bells() -> None:
    plain, state = WittenBell(), grams.init()
    for text in TEXTS:
        plain.learn(*text)
    learned(state, *TEXTS)
    for text in [(1, b"ann"), (2, b"77"), (2, b"ann"), (3, b"<x>"), (2, b"")]:
        nats = plain.surprise(*text)
        [(largest, whole)] = asked(state, text)
        assert largest == pytest.approx(max(nats), abs=0.01)
        assert whole == pytest.approx(sum(nats) / sqrt(len(nats)), abs=0.01)


SOME = st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=40)), min_size=1, max_size=9)


@given(SOME, st.sampled_from([200, characters_module.MOST]))
def test_at_once_or_one_by_one_the_same_is_learned_and_said(
    some: list[tuple[int, bytes]], most: int
) -> None:
    together, alone, more = grams.init(), grams.init(), [*some, (4, b"ann")]
    with mock.patch.object(characters_module, "MOST", most):  # room for two values or for all
        learned(together, *some)
        said = asked(together, *more)
    for text in some:
        learned(alone, text)
    assert (together["used"] == alone["used"]).all()
    assert said == [asked(alone, text)[0] for text in more]


@given(SOME)
def test_what_was_judged_is_learned_as_what_was_not(some: list[tuple[int, bytes]]) -> None:
    judged, plain, values = grams.init(), grams.init(), values_of(*some)
    for state in (judged, plain):
        learned(state, *TEXTS)
    taken = np.bincount(values.same[::2], minlength=len(some))
    grams.surprise(judged, values, False)
    grams.learn(judged, values, taken)
    grams.learn(plain, values_of(*some), taken)
    for name, array in plain.items():
        np.testing.assert_array_equal(judged[name], array)


def test_half_of_what_was_learned_twice_is_what_was_learned_once() -> None:
    once, twice = grams.init(), grams.init()
    learned(once, *TEXTS)
    learned(twice, *TEXTS, times=2)
    learned(twice, (1, b"zy"))
    half = grams.halved(twice)
    assert half["used"][1] < twice["used"][1]
    for field, data in [*TEXTS, (1, b"q"), (9, b"bob")]:
        assert asked(half, (field, data)) == asked(once, (field, data))
    assert not grams.full(half)


def test_tails_are_their_equations() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.array([5, 6, 7], np.uint64), [200, 90, 10])
    kind, group = np.repeat([0, 1], 300), np.tile(groups, 2)
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
        asked = np.arange(2), np.array([g], np.uint64), np.array([v + 0.5])
        inverse, total = np.empty(1), np.ones(1)
        tails.inverse(past, k, k, *asked, np.array([0.5, 0.5]), inverse, total)
        assert log(inverse[0]) == pytest.approx(wanted)
        assert total == 1 + inverse


def made(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    names = ["ann", "bob", "cyd", "dan"]
    forms = ["user {0} logged in from 10.0.0.{1}", "GET /index?id={1}&name={0} HTTP/1.1",
             "cache hit for {1}: age={1}"]  # fmt: skip
    draws = rng.integers(0, 255, (count, 3)).tolist()
    return [forms[a % 3].format(names[b % 4], c) for a, b, c in draws]


ODD = "GET /index?id=1'+OR+1=1;--&name=<script> HTTP/1.1"


def after(lines: list[str]) -> States:
    states, _, _ = step(init(), lines_of(lines), True)
    return settle(states, True)


def test_the_odd_is_strange() -> None:
    lines = made(1000, 1)
    lines[700] = ODD
    _, p, alert = step(after(made(3000)), lines_of(lines))
    assert p.argmin() == 700
    assert alert[700]
    assert alert.sum() < 15


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("user ann logged in from <8>", 'what follows "from" has unlikely characters: "<8>"'),
        ("user zoe logged in from 10.0.0.1", 'what follows "user" has unlikely characters: "zoe"'),
        (
            "GET /index?id=1&name=ann&debug=1 HTTP/1.1",
            "its keys in this order, which was never met",
        ),
        (ODD, '"id" has unlikely characters: "1\' OR 1=1;--"'),
        (
            "GET /index?id=12345678901234&name=ann HTTP/1.1",
            '"id" is long, 14 characters: "12345678901234"',
        ),
        ("user logged cache in", "words that stand together, which was never met: "),
    ],
)
def test_it_is_said_what_is_strange(line: str, said: str) -> None:
    [found] = reasons(after(made(3000)), lines_of([line]))
    assert found.words.startswith(said)
    assert reasons(init(), lines_of([line])) == []


def test_what_a_reason_is_about_does_not_say_what_stands_there() -> None:
    states = after(made(3000))
    asked = [f"GET /index?id={'9' * n}&name=ann HTTP/1.1" for n in (14, 17)]
    asked += [f"GET /index?id=1&name=ann&{key}=1 HTTP/1.1" for key in ("debug", "trace")]
    found = reasons(states, lines_of(asked))
    assert [one.about for one in found] == ['"id"', '"id"', "order", "order"]
    assert len({one.words for one in found[:2]}) == 2


def test_what_is_said_of_a_line_does_not_depend_on_its_company() -> None:
    states, lines = after(made(3000)), made(300, seed=1)
    for odd in ("a form that is new", "GET /item/7?id=\u2603 took -1 ms", "x"):
        lines.insert(len(lines) // 2, odd)
    whole = reasons(states, lines_of(lines))
    assert len(whole) == len(lines)
    for cuts in ([1], [100, 151, 152, 153], list(range(1, len(lines)))):
        again, pieces = deepcopy(states), zip([0, *cuts], [*cuts, len(lines)], strict=True)
        found = [said for a, b in pieces for said in said_of(again, lines_of(lines[a:b]))]
        assert found == whole


def reasons(states: States, lines: Lines) -> list[Reason]:
    """Of all that are judged; the states are left as they are."""
    return said_of(deepcopy(states), lines)


def said_of(states: States, lines: Lines) -> list[Reason]:
    """The same, and the states have learned them."""
    found: list[Reason] = []

    def tell(block: Block) -> None:
        found.extend(reason(block, n) for n in range(len(block.nats)))

    states.update(step(states, lines, tell=tell)[0])
    return found


def run(lines: Lines, cuts: list[int]) -> tuple[States, Floats, Array]:
    """Lines in pieces, after each of which all is saved and read again."""
    states, found, told = init(), [], []
    for a, b in zip([0, *cuts], [*cuts, len(lines.begin)], strict=True):
        states, p, alert = step(restarted(states), lines.part(a, b))
        found.append(p)
        told.append(alert)
    return states, np.concatenate(found), np.concatenate(told)


def restarted(states: States) -> States:
    file = io.BytesIO()
    flat = {f"{room}/{name}": x for room, state in states.items() for name, x in state.items()}
    np.savez(file, **flat)
    file.seek(0)
    again: States = {room: {} for room in states}
    with np.load(file, allow_pickle=False) as saved:
        for key in saved.files:
            room, name = key.split("/")
            again[room][name] = saved[key]
    return again


def test_judged_by_what_came_before_in_whatever_pieces() -> None:
    lines = lines_of([*made(700), ODD, *made(600, 3)])
    states, p, alert = step(init(), lines)
    assert np.isnan(p[:64]).all()
    assert np.isfinite(p[64:]).all()
    for cuts in ([100], [1, 63, 64, 65, 300, 999], [701]):
        again, found, told = run(lines, cuts)
        np.testing.assert_array_equal(found, p)
        np.testing.assert_array_equal(told, alert)
        for room, state in states.items():
            for name, array in state.items():
                np.testing.assert_array_equal(again[room][name], array)
    _, short, told = step(init(), lines.part(0, 900))
    np.testing.assert_array_equal(short, p[:900])
    np.testing.assert_array_equal(told, alert[:900])


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELLS", {"forms": 9, "values": 9, "words": 9})
    monkeypatch.setattr(grams, "CONTEXTS", 10)
    monkeypatch.setattr(grams, "GRAMS", 11)
    monkeypatch.setattr(module, "SAMPLE", 200)
    letters = "abcdefghijklmnop"
    odd = ["".join(letters[n // 16**k % 16] for k in range(3)) for n in range(2000)]
    states, p, _ = step(init(), lines_of([f"{word} said {word}" for word in odd]))
    assert np.isfinite(p[64:]).all()
    for name in ("forms", "values", "words"):
        cells, used = states[name]["cells"], int(states[name]["used"][0])
        assert (len(cells), np.count_nonzero(cells)) == (512, used)
        assert 2 * used < 512
    assert not grams.full(states["grams"])
    assert len(states["sample"]["begin"]) == 200
    size = (states["sample"]["end"] - states["sample"]["begin"]).sum()
    assert len(states["sample"]["text"]) <= 2 * size + module.LONGEST


def test_a_step_leaves_a_copy_alone() -> None:
    states = after(made(500))
    before = deepcopy(states)
    step(deepcopy(states), lines_of(made(600, 5)))
    for room, state in before.items():
        for name, array in state.items():
            np.testing.assert_array_equal(states[room][name], array)


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


def judged(said: list[str]) -> Floats:
    """As the detector does, live."""
    time, detector = np.arange(len(said)), Detector()
    none = np.full(len(said), np.nan)
    records = Records(time, np.full(len(said), "x"), none, text=np.array(said))
    frame = Frame(time, ("events",), (), np.zeros((len(said), 1, 0)), records=records)
    return detector.step(detector.init(1, 0), frame)[1].values[:, 0]


STAMPS = (
    '192.0.2.7 - - [{:%d/%b/%Y:%H:%M:%S} +0000] "GET {} HTTP/1.1" 200 17',
    "{:%Y-%m-%d %H:%M:%S},123 INFO shop.cart GET {}",
    "{:%b %d %H:%M:%S} web-1 shop[17]: GET {}",
    "[{:%a %b %d %H:%M:%S.123 %Y}] [info] GET {}",
)


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_new_day_is_nothing_new_in_a_line(stamp: str) -> None:
    """The detector leaves out the time that a line begins with; one further on it judges."""
    day = datetime(2026, 3, 2, tzinfo=UTC)
    asked = ("/", "/cart", "/login", "/search?q=tea")
    texts = [
        stamp.format(day + timedelta(minutes=3 * n), asked[n * n % 4 - n % 3]) for n in range(1440)
    ]
    plain = [text.removeprefix(text[: text.index("GET")]) for text in texts]

    late = slice(960, None)  # the third day
    assert np.nanmean(judged(texts)[late]) < 1.5
    later = [f"{text} until {day + timedelta(minutes=3 * n):%d/%b}" for n, text in enumerate(plain)]
    assert np.nanmax(judged(later)[late]) > 4 > np.nanmax(judged(plain)[late])


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_file_is_judged_as_its_lines_are_live(stamp: str, tmp_path: Path) -> None:
    day = datetime(2026, 3, 2, tzinfo=UTC)
    texts = [stamp.format(day + timedelta(minutes=n), f"/{n * n % 7}") for n in range(600)]
    log, out = tmp_path / "a.log", tmp_path / "a.csv"
    log.write_text("\n".join(texts) + "\n")
    assert amiss("score", log, "--as", "lines", "--out", out).code == 0
    rows = [row.split(",")[1] for row in out.read_text().splitlines()[1:]]
    said = np.array([float(score or "nan") for score in rows])
    np.testing.assert_allclose(said, judged(texts), rtol=1e-3)


def plainly(text: bytes) -> bytes:
    """Without the first time in its beginning, by a pattern alone."""
    found = TIME.search(text, 0, HEAD)
    return text[: found.start()] + text[found.end() :] if found else text


@given(st.lists(st.one_of(
    st.text("0123456789:- T\xe9", max_size=HEAD + 40),
    st.builds("{}{}{}".format, st.text(max_size=HEAD), st.sampled_from(
        ("2026-03-07T14:02:10.5Z", "Mar  7 14:02:10", "07/Mar/2026:14:02:10 +0000", "14:02:10")
    ), st.text(max_size=9)),
), max_size=20))  # fmt: skip
def test_a_time_is_left_out_by_the_plain_version(texts: list[str]) -> None:
    found = timeless(lines_of(texts))
    wanted = [plainly(text.encode("utf-8", "replace")) for text in texts]
    assert [found.of(n) for n in range(len(texts))] == wanted
