"""The rotated JSON lines file: whatever happens, its lines are whole and none is lost."""

import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.errors import Unreachable
from amiss.jsonlog import append


def line(n: int, size: int = 0) -> bytes:
    return orjson.dumps({"n": n, "fill": "x" * size})


def numbers(path: Path) -> list[int]:
    """What the file and its older ones hold, oldest first. Fails on a torn line."""
    older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda p: -int(p.suffix[1:]))
    files = [*older, *([path] if path.exists() else [])]
    for file in files:
        data = file.read_bytes()
        assert not data or data.endswith(b"\n"), file
    return [orjson.loads(each)["n"] for file in files for each in file.read_bytes().splitlines()]


def test_lines_are_added_in_order_in_folders_that_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "log.jsonl"
    for n in range(5):
        assert append(path, line(n), max_bytes=10_000, keep=1, fsync=n == 0)
    assert numbers(path) == [0, 1, 2, 3, 4]


@given(st.lists(st.integers(0, 300), max_size=30), st.integers(30, 400), st.integers(1, 4))
def test_rotated_files_are_the_end_of_all_lines(tmp_path_factory, sizes, max_bytes, keep) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    for n, size in enumerate(sizes):
        append(path, line(n, size), max_bytes=max_bytes, keep=keep)
    kept = numbers(path)
    assert kept == list(range(len(sizes)))[len(sizes) - len(kept) :]
    files = list(path.parent.iterdir())
    assert len(files) <= keep + 1
    for file in files:
        assert file.stat().st_size <= max_bytes or len(file.read_bytes().splitlines()) == 1


@pytest.mark.parametrize("cut", [1, 2, 10, 37])
def test_a_torn_line_is_taken_away(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "log.jsonl"
    append(path, line(1), max_bytes=10_000, keep=1)
    with path.open("ab") as file:
        file.write(line(2, 40)[:cut])
    append(path, line(3), max_bytes=10_000, keep=1)
    assert numbers(path) == [1, 3]


def test_a_torn_line_longer_than_one_look_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    append(path, line(1), max_bytes=10**8, keep=1)
    with path.open("ab") as file:
        file.write(line(2, 3_000_000)[:-1])
    append(path, line(3), max_bytes=10**8, keep=1)
    assert numbers(path) == [1, 3]


def test_a_whole_line_that_lacks_its_newline_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line(1))
    append(path, line(2), max_bytes=10_000, keep=1)
    assert numbers(path) == [1, 2]


def test_a_file_that_is_not_ours_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary,\nnothing happened", encoding="utf-8")
    append(path, line(1), max_bytes=10_000, keep=1)
    assert path.read_text("utf-8").splitlines()[:2] == ["dear diary,", "nothing happened"]


def test_unless_looks_at_the_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert append(path, line(1), max_bytes=10, keep=1, unless=line(1).__eq__)
    assert not append(path, line(1), max_bytes=10, keep=1, unless=line(1).__eq__)
    assert append(path, line(2), max_bytes=10, keep=1, unless=line(2).__eq__)
    assert numbers(path) == [1, 2]


def test_a_line_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="newline"):
        append(tmp_path / "log.jsonl", b"{}\n{}", max_bytes=10, keep=1)


def test_where_nothing_can_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be written: Is a directory"):
        append(tmp_path, b"{}", max_bytes=10, keep=1)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"

    def write(first: int) -> None:
        for n in range(first, first + 40):
            append(path, line(n), max_bytes=100, keep=1000)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 40, 80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers(path)) == list(range(120))
    assert max(file.stat().st_size for file in tmp_path.iterdir()) <= 100


WRITER = """
import sys
from pathlib import Path
from amiss.jsonlog import append
path, first = Path(sys.argv[1]), int(sys.argv[2])
for n in range(first, first + 1000):
    append(path, b'{"n":%d,"fill":"%s"}' % (n, b"x" * 2_000_000), max_bytes=5_000_000, keep=3)
    print(n, flush=True)
"""


def test_killed_while_writing_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    done = -1
    for wait_for in (1, 2, 1, 3, 2, 1):
        command = [sys.executable, "-c", WRITER, str(path), str(done + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            for _ in range(wait_for):
                done = int(writer.stdout.readline())
            writer.kill()
            done = max([done, *map(int, writer.stdout.read().split())])
        # a line may have been written and not yet been acknowledged
        append(path, line(-1), max_bytes=5_000_000, keep=3)
        kept = [n for n in numbers(path) if n >= 0]
        assert done in kept
        done = max(kept)
        assert kept == list(range(kept[0], done + 1))


FULL = """
import resource, sys
from pathlib import Path
from amiss.errors import Unreachable
from amiss.jsonlog import append
path = Path(sys.argv[1])
append(path, b'{"n":1}', max_bytes=10**6, keep=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    append(path, b'{"n":2,"fill":"%s"}' % (b"x" * 2000), max_bytes=10**6, keep=1)
except Unreachable as exc:
    print(exc)
    assert path.read_bytes() == b'{"n":1}\\n'
append(path, b'{"n":3}', max_bytes=10**6, keep=1)
"""


def test_no_room_for_a_line_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    command = [sys.executable, "-c", FULL, str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "No space left" in said
    assert numbers(path) == [1, 3]
