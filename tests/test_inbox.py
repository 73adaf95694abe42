"""What is pushed is neither lost nor read twice, whatever is cut off, full or removed."""

import errno
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import SECOND
from amiss.doors import inbox as module
from amiss.doors.inbox import Entry, Inbox, Place
from amiss.errors import Unreachable

NOW = 1_700_000_000 * SECOND


def entries(*bodies: bytes) -> list[Entry]:
    return [Entry(NOW + i, "lines", body) for i, body in enumerate(bodies)]


def bodies(inbox: Inbox, place: Place, most: int = 2**20) -> tuple[list[bytes], Place]:
    found, more = [], True
    while more:
        read, place, more, _ = inbox.read(place, most)
        found += [entry.body for entry in read]
    return found, place


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT", 100)


def test_what_was_kept_is_read_once_and_in_order(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.append(entries(b"a", b"", b"c" * 1000))
    found, place = bodies(inbox, Place())
    assert found == [b"a", b"", b"c" * 1000]
    assert bodies(inbox, place) == ([], place)
    inbox.append([Entry(NOW, "loki", b"d")])
    (entry,), _, more, damaged = inbox.read(place, 100)
    assert entry == Entry(NOW, "loki", b"d")
    assert (more, damaged) == (False, 0)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=30), st.integers(1, 400))
def test_any_pace_of_reading_gives_the_same(written: list[bytes], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(module, "SEGMENT", 500)
        inbox = Inbox(Path(folder, "in"))
        for body in written:
            inbox.append(entries(body))
        assert bodies(inbox, Place(), most)[0] == written
        assert bodies(Inbox(Path(folder, "in")), Place(), most)[0] == written
        inbox.close()


@given(st.integers(1, 60))
def test_what_a_crash_cut_off_is_passed_over(cut: int) -> None:
    with TemporaryDirectory() as folder:
        inbox = Inbox(Path(folder))
        inbox.append(entries(b"first" * 20))
        _, place = bodies(inbox, Place())
        inbox.append(entries(b"second" * 20))
        inbox.close()
        path = next(Path(folder).iterdir())
        path.write_bytes(path.read_bytes()[:-cut])
        after = Inbox(Path(folder))
        assert bodies(after, place)[0] == []
        after.append(entries(b"third"))
        read, _, _, damaged = after.read(place, 1000)
        assert [entry.body for entry in read] == [b"third"]
        assert damaged == 1
        after.close()


@pytest.mark.usefixtures("short")
def test_what_all_have_read_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    for n in range(10):
        inbox.append(entries(b"%d" % n * 60))
    (first,), place, more, _ = inbox.read(Place(), 1)
    assert more
    rest = bodies(inbox, place)[0]
    inbox.forget(place.segment)
    assert bodies(inbox, place)[0] == rest
    assert bodies(inbox, Place())[0][-9:] == rest
    _, end = bodies(inbox, place)
    inbox.forget(end.segment)
    assert len(list(tmp_path.iterdir())) == 1
    inbox.append(entries(b"next"))
    assert bodies(Inbox(tmp_path), end)[0] == [b"next"]
    assert first.body == b"0" * 60
    inbox.close()


def test_a_folder_that_was_emptied_hides_nothing_that_comes(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.append(entries(b"a" * 50))
    _, place = bodies(inbox, Place())
    inbox.close()
    next(tmp_path.iterdir()).unlink()
    late = Inbox(tmp_path)
    late.append([Entry(NOW + 2 * SECOND, "lines", b"b")])
    assert bodies(late, place)[0] == [b"b"]
    late.close()


def test_a_full_inbox_takes_nothing_until_there_is_room(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, most=200)
    inbox.append(entries(b"a" * 150))
    with pytest.raises(Unreachable, match="wait to be judged") as full:
        inbox.append(entries(b"b" * 100))
    assert full.value.after
    found, place = bodies(inbox, Place())
    assert found == [b"a" * 150]
    inbox.forget(place.segment)
    inbox.append(entries(b"b" * 100))
    assert bodies(inbox, place)[0] == [b"b" * 100]
    inbox.close()


def test_refusals_leave_one_new_segment_and_an_empty_inbox_takes_any(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, most=200)
    inbox.append(entries(b"a" * 1000))
    for _ in range(5):
        with pytest.raises(Unreachable):
            inbox.append(entries(b"b"))
    assert len(list(tmp_path.iterdir())) == 2
    assert bodies(inbox, Place())[0] == [b"a" * 1000]
    inbox.close()


def test_a_disk_that_fails_keeps_nothing_of_what_was_refused(tmp_path: Path) -> None:
    fails = [False]

    def sync(file: int) -> None:
        if fails[0]:
            raise OSError(errno.ENOSPC, "No space left on device")

    inbox = Inbox(tmp_path, sync=sync)
    inbox.append(entries(b"a"))
    fails[0] = True
    with pytest.raises(Unreachable, match="No space left"):
        inbox.append(entries(b"b"))
    fails[0] = False
    inbox.append(entries(b"c"))
    assert bodies(inbox, Place())[0] == [b"a", b"c"]
    inbox.close()
