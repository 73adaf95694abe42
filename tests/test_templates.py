"""Templates of log lines: what is a value, what comes to be one, and the command."""

import csv
import gzip
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.features import templates
from amiss.features.templates import OTHER, add, count, init, same, shown
from amiss.text import shapes
from amiss.text.lines import lines_of
from cli.calls import amiss

SLOT = "\0"
UNIT = r"(?:[kmgt]i?b|b|bytes?|[mun]?s|secs?|seconds?|minutes?|mins?|hours?|days?|%|[mkg]?hz)"
NUMBER = r"[<>]?[-+]?\d[\d.,:]*"
QUANTITY = rf"{NUMBER} ?{UNIT}"
INSIDE = r"[^\s,;=()\[\]{}'\"|<>]"  # a word
VALUE = (
    r"(?:\"[^\"]*\"|'[^']*'|[^\s,;=(){}\[\]'\"|<>&]*"
    r"(?:\{[^}]*\}|\([^)]*\)|\[[^\]]*\])?[^\s,;(){}\[\]&|]*)"
)
SHAPES = re.compile(
    rf"(?P<quantity>(?<![\w.]){QUANTITY}(?:\s?\({QUANTITY}\))?(?!\w))"
    rf"|(?P<assigned>(?<![=<>!])=(?=[^\s=])(?:{QUANTITY}(?!\S)|{VALUE}))"
    r"|(?P<path>(?<![\w.>])(?:[a-z][a-z+.]*:/)?/(?:[^\s,;:()\[\]{}'\"|/]+/)+[^\s,;:()\[\]{}'\"|]*)"
    r"|(?P<truth>(?<![\w.-])(?:true|false|null)(?![\w-]))"
    rf"|(?P<label>(?<![\w.:/@-])[a-z_]+:+(?=[^\s:,;=()\[\]{{}}'\"|<>]*\d))"
    rf"|(?P<word>{INSIDE}*\d{INSIDE}*)",
    re.IGNORECASE,
)
PARTS = re.compile(r"[^\s,;:=()\[\]{}'\"|<>]+|[,;:=()\[\]{}'\"|<>]")
GLUE = frozenset(",;:()[]{}'\"|<>-.")


def plain(line: str) -> list[str]:
    """The same by regular expressions."""
    out: list[str] = []
    slot = -1  # where the last slot stands, if only glue followed
    for token in PARTS.findall(SHAPES.sub(_masked, line[: shapes.LONGEST])):
        if SLOT in token:
            if slot >= 0:
                del out[slot + 1 :]
                continue
            slot = len(out)
            out.append(SLOT)
            continue
        if token not in GLUE:
            slot = -1
        if len(out) >= shapes.WORDS:
            break
        out.append(token)
    return out


def _masked(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "label":
        return found[0]
    if kind == "assigned":
        return f"={SLOT}"
    end = found[0][-1]
    return f" {SLOT} {end if end in ':.' else ''}"


def tokens(line: str) -> list[str]:
    """The tokens of a line as they are compiled."""
    raw = np.frombuffer(line.encode()[: shapes.LONGEST], np.uint8)
    out, word = np.empty(shapes.SPREAD * len(raw), np.uint8), np.empty(102, np.uint64)
    begin, end, fixed = np.empty(102, np.int64), np.empty(102, np.int64), np.empty(102, np.bool_)
    size = shapes.masked(raw, 0, len(raw), out)
    n = shapes.tokens(out, size, begin, end, word, fixed)
    text = [
        out[a:b].tobytes().decode("utf-8", "replace")
        for a, b in zip(begin[:n], end[:n], strict=True)
    ]
    return [SLOT if w == shapes.SLOT else t for w, t in zip(word[:n], text, strict=True)]


PIECES = st.sampled_from([
    *"a9 .,;:=()[]{}'\"|<>-+/&_!%@é", "12 ms", "4 KB", "(5 bytes)", "true", "null", "k=", "x:",
    "http://", "/a/b", "\t",
])  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_masks_are_those_of_the_expressions(line: str) -> None:
    assert tokens(line) == plain(line)


class Miner:
    """Lines one by one."""

    def __init__(self) -> None:
        self.state = init()

    def add(self, line: str) -> int:
        self.state, ids = add(self.state, lines_of([line]))
        return int(ids[0])

    def same(self, template: int) -> int:
        return int(same(self.state)[template])

    def shown(self, template: int) -> str:
        return shown(self.state, template)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 12 ms", "took 1.5 s"),
        ("sent 14 KB (14,336 bytes) to x", "sent 9 bytes to x"),
        ("from 10.0.0.1:80 refused", "from host-7.example:8080 refused"),
        ("user=root tty=a", "user=guest tty=b"),
        ("took=12 seconds of=a", "took=9ms of=b"),
        ("open /etc/passwd failed", "open /var/lib/x/y failed"),
        ("enabled: true", "enabled: false"),
        ("get blk_-123 and blk_77", "get blk_9 and blk_-1"),
        ("seen 1, 2, 3 times", "seen 4 times"),
    ],
)
def test_values_are_masked_by_their_shape(one: str, other: str) -> None:
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("disk full", "disk empty"), ("a == b", "a != b"), ("x: 1", "y: 1"), ("left 1", "1 left")],
)
def test_words_are_not(one: str, other: str) -> None:
    assert tokens(one) != tokens(other)


def test_what_varies_comes_to_be_a_slot_and_the_oldest_id_stays() -> None:
    miner = Miner()
    names = ["ann", "bob", "cyd", "dan", "eve", "fay"]
    told = [miner.add(f"the door was opened by {name} again") for name in names]
    assert told[:4] == [1, 2, 3, 4]
    assert {miner.same(one) for one in told} == {1}
    assert miner.add("the door was opened by gus again") == 1
    assert miner.shown(told[3]) == "the door was opened by <*> again"
    assert miner.add("the door was closed by ann again") not in told


@pytest.mark.parametrize(
    ("plain", "folded"),
    [
        ("synchronized to 10.0.0.1, stratum 2", "synchronized to LOCAL(0), stratum 10"),
        ("session opened for 12 by hand", "session opened for root(uid=0) by hand"),
        ("killed the old job 7", "killed the old job x[7]"),
    ],
)
def test_a_word_with_brackets_is_a_value_where_others_have_one(plain: str, folded: str) -> None:
    for lines in ((plain, folded), (folded, plain)):
        miner = Miner()
        told = [miner.add(line) for line in lines]
        assert {miner.same(one) for one in told} == {1}
        assert miner.shown(1) == " ".join(tokens(plain)).replace(SLOT, "<*>")


def test_a_word_with_brackets_is_none_elsewhere() -> None:
    miner = Miner()
    told = [
        miner.add(line) for line in ("stop f(1)", "stop 1", "now call f(1) twice", "now call g")
    ]
    assert len({miner.same(one) for one in told}) == 4


def test_four_states_are_four_templates() -> None:
    miner = Miner()
    for _ in range(50):
        told = {miner.add(f"vm {state} now") for state in ("started", "paused", "resumed", "gone")}
    assert len({miner.same(one) for one in told}) == 4


def test_an_id_is_never_given_to_anything_else() -> None:
    miner, text = Miner(), dict[int, str]()
    for n in range(3000):
        one = miner.add(f"{'abcdefgh'[n % 8]} meets {'klmnop'[n % 6]} at {n} in {'xyz'[n % 3]}")
        text.setdefault(one, miner.shown(one))
        assert miner.same(one) == one
    for one, before in text.items():
        now = miner.shown(one).split()
        for was, word in zip(before.split(), now, strict=True):
            assert word in (was, "<*>")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "TEMPLATES", 50)
    monkeypatch.setattr(templates, "GROUPS", 60)
    miner = Miner()
    before = {name: array.nbytes for name, array in miner.state.items()}
    letters = "abcdefghij"
    for n in range(2000):
        words = " ".join(letters[n // 10**k % 10] * (k + 1 + n % 7) for k in range(4))
        last = miner.add(words)
    assert last == OTHER
    assert count(miner.state) == 50
    assert miner.state["used"][2] <= 60
    assert {name: array.nbytes for name, array in miner.state.items()} == before
    assert miner.shown(OTHER) == "<*>"
    assert len(tokens("a " * 10**6)) <= shapes.WORDS + 1


WORDS = "the door was opened by ann bob cyd dan eve fay 12 again".split()
LINES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=60
)


@given(LINES, st.integers(0, 60))
def test_the_same_in_pieces_and_after_a_restart(lines: list[str], cut: int) -> None:
    whole, ids = add(init(), lines_of(lines))
    state, first = add(init(), lines_of(lines[:cut]))
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as saved:
        state, then = add(dict(saved), lines_of(lines[cut:]))
    np.testing.assert_array_equal(np.concatenate([first, then]), ids)
    for name, array in whole.items():
        np.testing.assert_array_equal(state[name], array)


def test_a_memory_from_before_there_were_folds() -> None:
    state, ids = add(init(), lines_of(["the door was opened by ann"]))
    del state["folds"]
    state["used"] = state["used"][:6]
    state, later = add(state, lines_of(["the door was opened by ann", "open root(uid=0) by hand"]))
    assert later.tolist() == [ids[0], ids[0] + 1]
    assert state["used"][6] == 1


def test_text_that_needs_more_room() -> None:
    lines = [f"{chr(97 + n % 26) * 900} {chr(97 + n // 26) * 900} end" for n in range(300)]
    state, ids = add(init(), lines_of(lines))
    assert len(state["text"]) > len(init()["text"])
    for line, one in zip(lines, ids.tolist(), strict=True):
        for word, here in zip(shown(state, one).split(), line.split(), strict=True):
            assert word in ("<*>", here)


@given(st.text(max_size=200))
def test_any_line_has_a_template(line: str) -> None:
    miner = Miner()
    assert miner.add(line) == miner.add(line)
    assert "\0" not in miner.shown(miner.add(line))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_command(tmp_path: Path) -> None:
    log, out = tmp_path / "a.log", tmp_path / "a.csv"
    text = "".join(f'said "{n}", {n}\r\n' for n in range(5)) + "a\u2028b\x85c\x0bd\x0ce\n\nend"
    log.write_bytes(text.encode())
    said = amiss("templates", log, "--out", out)
    assert (said.code, said.err) == (0, f"{log}: 8 lines, 4 templates: {out}\n")
    found = rows(out)
    assert list(found[0]) == ["line", "template_id", "template"]
    assert [row["line"] for row in found] == [str(n) for n in range(1, 9)]
    assert len({row["template_id"] for row in found[:5]}) == 1
    assert found[0]["template"] == 'said " <*>'
    packed = tmp_path / "b.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert amiss("templates", packed, "--out", tmp_path / "b.csv").code == 0
    assert (tmp_path / "b.csv").read_bytes() == out.read_bytes()


def test_ids_are_those_known_at_the_end(tmp_path: Path) -> None:
    log, out = tmp_path / "a.log", tmp_path / "a.csv"
    names = ["ann", "bob", "cyd", "dan", "eve", "fay"]
    log.write_text("".join(f"the door was opened by {name} again\n" for name in names))
    assert amiss("templates", log, "--out", out).code == 0
    assert {row["template_id"] for row in rows(out)} == {"1"}


def test_mistakes_get_a_sentence(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    said = amiss("templates", log, "--out", tmp_path / "o.csv")
    assert (said.code, said.err) == (2, f"{log}: cannot be read: No such file or directory\n")
    log.write_bytes(b"a\n")
    said = amiss("templates", log, "--out", log)
    assert said.code == 2
    assert "written over it" in said.err
    (tmp_path / "b.gz").write_bytes(b"no")
    assert "cannot be read" in amiss("templates", tmp_path / "b.gz", "--out", "-").err
    log.write_bytes(b"")
    assert amiss("templates", log, "--out", tmp_path / "o.csv").code == 0
    assert rows(tmp_path / "o.csv") == []
