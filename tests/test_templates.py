"""Templates of log lines: what is a value, what comes to be one, and the command."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.features import templates
from amiss.features.templates import OTHER, Templates, tokens
from cli.calls import amiss


def shown(line: str) -> str:
    return " ".join(tokens(line)).replace("\0", "<*>")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took 12 ms", "took 1.5 s"),
        ("sent 14 KB (14,336 bytes) to x", "sent 9 bytes to x"),
        ("from 10.0.0.1:80 refused", "from host-7.example:8080 refused"),
        ("user=root tty=a", "user=guest tty=b"),
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
    miner = Templates()
    names = ["ann", "bob", "cyd", "dan", "eve", "fay"]
    told = [miner.add(f"the door was opened by {name} again") for name in names]
    assert told[:4] == [1, 2, 3, 4]
    assert {miner.same(one) for one in told} == {1}
    assert miner.add("the door was opened by gus again") == 1
    assert miner.shown(told[3]) == "the door was opened by <*> again"
    assert miner.add("the door was closed by ann again") not in told


def test_four_states_are_four_templates() -> None:
    miner = Templates()
    for _ in range(50):
        told = {miner.add(f"vm {state} now") for state in ("started", "paused", "resumed", "gone")}
    assert len({miner.same(one) for one in told}) == 4


def test_an_id_is_never_given_to_anything_else() -> None:
    miner, text = Templates(), dict[int, str]()
    for n in range(3000):
        one = miner.add(f"{'abcdefgh'[n % 8]} meets {'klmnop'[n % 6]} at {n} in {'xyz'[n % 3]}")
        text.setdefault(one, miner.shown(one))
        assert miner.same(one) == one
    for one, before in text.items():
        now = miner.shown(one).split()
        for was, word in zip(before.split(), now, strict=True):
            assert word in (was, "<*>")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("TEMPLATES", 50), ("GROUPS", 60), ("SEEN", 40)):
        monkeypatch.setattr(templates, name, most)
    miner = Templates()
    letters = "abcdefghij"
    for n in range(2000):
        words = " ".join(letters[n // 10**k % 10] * (k + 1 + n % 7) for k in range(4))
        last = miner.add(words)
    assert last == OTHER
    assert len(miner.text) == 50
    assert len(miner.seen) <= 40
    assert len(miner.groups) <= 60 + templates.WORDS
    assert miner.shown(OTHER) == "<*>"
    assert len(tokens("a " * 10**6)) <= templates.WORDS + 1


@given(st.text(max_size=200))
def test_any_line_has_a_template(line: str) -> None:
    miner = Templates()
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
