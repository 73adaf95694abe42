"""What happens to logs, one thing at a time."""

import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from amiss.data import HOUR, SECOND
from amiss.errors import ConfigError, Unreachable
from amiss.sources.file import File
from tail.log import START, Log, name


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return made(tmp_path)


def made(folder: Path, pattern: str = "app.log", **settings: Any) -> Log:
    return Log(folder, File(path=f"{folder}/{pattern}", **{"format": "text", **settings}))


def read(log: Log) -> list[str]:
    """What is new since the last look."""
    before = len(log.read)
    log.poll()
    return log.read[before:]


def test_a_log_is_renamed_with_lines_that_nobody_has_read(log: Log) -> None:
    log.append("one\n")
    assert read(log) == ["one"]
    log.append("two\n")
    log.rename()
    log.append("three\n")
    assert read(log) == ["two", "three"]
    with (log.folder / "app.log.1").open("a") as late:  # by a program that has it open still
        late.write("two and a half\n")
    assert read(log) == ["two and a half"]


def test_a_log_is_copied_and_cut(log: Log) -> None:
    log.append("one\ntwo\n")
    assert read(log) == ["one", "two"]
    log.append("three\n")
    log.copy(look=True)
    assert log.read[2:] == ["three"]
    log.append("four\n")
    assert read(log) == ["four"]


def test_a_log_is_copied_and_cut_and_is_soon_as_long_as_before(log: Log) -> None:
    log.append("1 one\n")
    assert read(log) == ["1 one"]
    log.append("2 two\n")
    log.copy()
    log.append("3 three\n4 four\n")
    assert read(log) == ["2 two", "3 three", "4 four"]


def test_a_log_is_rotated_and_packed_while_nobody_reads(log: Log) -> None:
    log.append("one\n" * 3)
    assert read(log) == ["one"] * 3
    for line in ("two", "three", "four"):
        log.append(f"{line}\n")
        log.rename()
        log.pack()
        log.restart()
    log.append("five\n")
    assert read(log) == ["two", "three", "four", "five"]


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_a_half_packed_log_is_not_read_beside_the_whole(tmp_path: Path, pattern: str) -> None:
    log = made(tmp_path, pattern)
    log.append("one\n" * 300)
    assert len(read(log)) == 300
    log.append("two\n")
    log.rename()
    log.append("three\n")
    log.pack(look=True)
    assert log.read[300:] == ["two", "three"]
    assert read(log) == []


def test_a_log_is_removed_and_made_anew(log: Log) -> None:
    log.append("one\n")
    assert read(log) == ["one"]
    log.path.unlink()
    assert read(log) == []
    log.append("two\n")
    assert read(log) == ["two"]


def test_a_log_begins_anew_with_what_it_began_with_before(log: Log) -> None:
    head = "time,value\n" * 200  # more than what a file is known by
    log.append(f"{head}one\n")
    assert len(read(log)) == 201
    log.path.write_text(f"{head}two\nthree\n")
    assert read(log)[-2:] == ["two", "three"]


def test_a_line_without_an_end_waits_for_it(log: Log) -> None:
    log.append("one\ntw")
    assert read(log) == ["one"]
    assert read(log) == []
    log.append("o\n")
    assert read(log) == ["two"]


def test_the_last_line_of_a_rotated_log_may_lack_its_end(log: Log) -> None:
    log.append("one\ntwo")
    assert read(log) == ["one"]
    log.rename()
    log.append("three\n")
    assert read(log) == ["three"]
    assert read(log) == ["two"]
    assert read(log) == []


def test_rotation_within_the_same_poll_is_seen_by_the_files_around(log: Log) -> None:
    log.append("one\n")
    assert read(log) == ["one"]
    for line in ("two", "three", "four"):
        log.append(f"{line}\n")
        log.rename()
    log.append("five\n")
    assert read(log) == ["two", "three", "four", "five"]


def test_what_was_rotated_before_the_first_look_is_not_asked_for(log: Log) -> None:
    old = log.folder / "app.log.1"
    old.write_text("old\n")
    os.utime(old, ns=(START - HOUR, START - HOUR))
    log.append("one\n")
    assert read(log) == ["one"]
    log.rename()
    log.append("two\n")
    assert read(log) == ["two"]


def test_a_pattern_takes_old_generations_first(tmp_path: Path) -> None:
    log = made(tmp_path, "app.log*")
    log.append("one\n")
    log.rename()
    log.pack()
    log.append("two\n")
    log.rename()
    log.append("three\n")
    assert read(log) == ["one", "two", "three"]


def test_copies_elsewhere_are_files_of_their_own(tmp_path: Path) -> None:
    log = made(tmp_path, "*.log")
    log.append("ok\n")
    (tmp_path / "job-1.log").write_text("ok\n")
    (tmp_path / "job-2.log").write_text("ok\n")
    assert read(log) == ["ok"] * 3


def test_two_names_of_one_file_are_one(tmp_path: Path) -> None:
    log = made(tmp_path, "*.log")
    log.append("one\n")
    (tmp_path / "link.log").symlink_to(log.path)
    assert read(log) == ["one"]


def test_files_of_a_pattern_come_and_go(tmp_path: Path) -> None:
    log = made(tmp_path, "**/*.log")
    assert read(log) == []
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.log").write_text("one\n")
    assert read(log) == ["one"]
    shutil.rmtree(tmp_path / "a")
    assert read(log) == []
    assert log.cursor["files"] == []


def test_a_cap_on_files(tmp_path: Path) -> None:
    log = made(tmp_path, "*.log", most_files=2)
    for i in range(4):
        (tmp_path / f"{i}.log").write_text(f"{i}\n")
    assert len(read(log)) == 2
    assert log.skipped == {"files over the cap": 2}


def test_from_the_end_on(tmp_path: Path) -> None:
    log = made(tmp_path, "app.log*", start="end")
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"older\n"))
    log.append("old\nhal")
    assert read(log) == []
    log.append("f\nnew\n")
    assert read(log) == ["half", "new"]
    log.rename()
    log.append("newer\n")
    assert read(log) == ["newer"]


def test_more_than_one_poll_may_read_comes_at_once(tmp_path: Path) -> None:
    log = made(tmp_path, most=10_000)
    log.append("".join(f"{i} {'x' * 90}\n" for i in range(10_000)))
    log.now += SECOND
    first = log.look()
    assert first.more and 0 < len(first) < 10_000
    cursor = log.cursor
    second = log.look()
    log.cursor = cursor
    again = log.look()  # as after a crash before it was kept
    assert first.text is not None and second.text is not None and again.text is not None
    assert again.text.tolist() == second.text.tolist()
    log.read += first.text.tolist() + second.text.tolist()
    log.poll()
    assert [line.split()[0] for line in log.read] == [str(i) for i in range(10_000)]


def test_a_poll_that_is_repeated_later_gives_the_same_and_more(log: Log) -> None:
    log.append("one\n")
    before = log.cursor
    first = log.look()
    log.append("two\n")
    log.cursor = before
    second = log.look()
    assert first.text is not None and second.text is not None
    assert (first.text.tolist(), second.text.tolist()) == (["one"], ["one", "two"])


def test_one_wide_line_does_not_make_a_poll_large(tmp_path: Path) -> None:
    log = made(tmp_path, longest=100_000)
    log.append("".join(f"{i}\n" for i in range(5000)) + f"{'y' * 90_000}\n")
    log.now += SECOND
    sizes = []
    while True:
        records = log.look()
        assert records.text is not None
        sizes.append(records.text.nbytes)
        log.read += records.text.tolist()
        if not records.more:
            break
    assert max(sizes) <= 4 * 8_000_000
    assert len(log.read) == 5001 and log.read[-1] == "y" * 90_000


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    log = made(tmp_path, longest=100)
    log.append(f"one\n{'z' * 1_000_000}\nthree\n")
    found = read(log)
    assert found[0] == "one" and found[2:] == ["three"]
    assert found[1].startswith("z" * 100 + "... (")
    assert list(log.skipped) == ["bytes of lines that were too long to be read"]


def test_bytes_that_are_no_text_are_written_out(log: Log) -> None:
    log.path.write_bytes(b"caf\xe9\n\0\0\0after a hole\r\n\n  \nna\xc3\xafve\n")
    assert read(log) == [r"caf\xe9", "after a hole", "naïve"]
    assert log.skipped == {"lines with bytes that are not UTF-8, which are written out": 1}


def test_a_damaged_gz_is_counted(tmp_path: Path) -> None:
    log = made(tmp_path, "*.gz")
    (tmp_path / "a.gz").write_bytes(b"this is no gz")
    assert read(log) == []
    assert log.skipped == {".gz files that cannot be unpacked": 1}
    assert read(log) == []


def packed(n: int) -> tuple[list[str], bytes]:
    """Lines that a .gz holds, hardly shorter than they are."""
    lines = [f"{k} {os.urandom(20).hex()}" for k in range(n)]
    return lines, gzip.compress("\n".join([*lines, ""]).encode())


@pytest.mark.parametrize("start", ["beginning", "end"])
def test_a_gz_that_is_still_written_is_read_by_whole_lines_each_once(
    tmp_path: Path, start: str
) -> None:
    log, (lines, data) = made(tmp_path, "*.gz", start=start), packed(2000)
    file = tmp_path / "app.log.1.gz"
    for end in range(len(data) // 5, len(data), len(data) // 5):
        file.write_bytes(data[:end])
        log.poll()
    file.write_bytes(data)
    log.poll()
    skipped = len(lines) - len(log.read)
    assert log.read == lines[skipped:]
    assert (skipped > 0) == (start == "end")
    assert not log.skipped


def test_a_gz_that_is_cut_off_is_counted_once_it_has_not_changed_for_a_while(
    tmp_path: Path,
) -> None:
    log, (lines, data) = made(tmp_path, "*.gz"), packed(2000)
    file = tmp_path / "app.log.1.gz"
    file.write_bytes(data[: len(data) // 2])
    log.poll()
    assert log.read == lines[: len(log.read)]
    assert 500 < len(log.read) < 1500
    assert not log.skipped
    for _ in range(5):
        assert read(log) == []
        log.restart()
    assert log.skipped == {".gz files that are cut off; what is beyond is lost": 1}
    file.write_bytes(data[: len(data) // 2 + 1000])  # it was only slow
    assert read(log)
    for _ in range(5):
        assert read(log) == []
    assert log.skipped == {".gz files that are cut off; what is beyond is lost": 1}
    file.write_bytes(data)
    log.poll()
    assert log.read == lines


def test_a_gz_of_which_nothing_can_be_read_is_counted_too(tmp_path: Path) -> None:
    log = made(tmp_path, "*.gz")
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"one\n")[:7])
    for _ in range(5):
        assert read(log) == []
    assert log.skipped == {".gz files that are cut off; what is beyond is lost": 1}
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"one\n"))
    assert read(log) == ["one"]


def test_the_last_record_of_a_gz_that_is_cut_off_is_waited_for(tmp_path: Path) -> None:
    log = made(tmp_path, "*.gz", multiline=r"^\d")
    data = gzip.compress(b"1 one\n  more\n2 two\n  " + os.urandom(9000).hex().encode())
    (tmp_path / "app.log.1.gz").write_bytes(data[:-500])
    assert read(log) == ["1 one\n  more"]
    assert [read(log) for _ in range(5)].count(["2 two"]) == 1
    assert len(log.read) == 2


def test_a_stack_trace_belongs_to_its_line(tmp_path: Path) -> None:
    log = made(tmp_path, multiline=r"^\d{4}-")
    log.append("2025-01-01 start\n2025-01-01 error\n  at a\n  at b\n")
    assert read(log) == ["2025-01-01 start"]  # the second may go on
    log.append("  at c\n2025-01-01 end\n")
    assert read(log) == ["2025-01-01 error\n  at a\n  at b\n  at c"]
    assert read(log) == ["2025-01-01 end"]
    assert read(log) == []


def test_what_is_not_there(tmp_path: Path) -> None:
    log = made(tmp_path / "none")
    with pytest.raises(Unreachable, match="none: there is no such folder") as raised:
        log.look()
    assert raised.value.absent
    assert log.cursor == {}


def test_a_folder_that_was_read_is_not_there_any_more(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = made(tmp_path / "logs")
    log.append("one\n")
    assert read(log) == ["one"]
    log.path.unlink()
    assert read(log) == []
    log.path.parent.rmdir()
    with pytest.raises(Unreachable, match="logs: there is no such folder") as raised:
        log.look()
    assert not raised.value.absent


def test_what_is_no_file(tmp_path: Path) -> None:
    log = made(tmp_path)
    os.mkfifo(log.path)
    with pytest.raises(ConfigError, match="is no regular file"):
        log.look()
    assert len(made(tmp_path, "*").look()) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(log: Log) -> None:
    log.append("one\n")
    log.path.chmod(0)
    with pytest.raises(Unreachable, match=r"app\.log: cannot be read: Permission denied"):
        log.look()


def test_the_watermark_follows_the_lines_and_then_the_clock(tmp_path: Path) -> None:
    log = made(tmp_path, lateness="5s")
    log.now = START
    log.append(f"{name(START - 40 * SECOND)} up\n{name(START - 20 * SECOND)} works\n")
    first = log.look()
    assert first.time.tolist() == [START - 40 * SECOND, START - 20 * SECOND]
    assert first.watermark == START - 5 * SECOND - 1  # it keeps up with the clock
    log.now += HOUR
    assert log.look().watermark == START + HOUR - 5 * SECOND - 1


def test_the_watermark_of_an_old_log_stays_where_it_ends(tmp_path: Path) -> None:
    log = made(tmp_path, lateness=0)
    log.append(f"{name(START - 500 * HOUR)} up\n")
    assert log.look().watermark == START - 500 * HOUR - 1
    log.now += HOUR
    assert log.look().watermark == START - 500 * HOUR - 1


def test_a_record_from_the_future_does_not_move_the_watermark(tmp_path: Path) -> None:
    log = made(tmp_path, lateness="0s")
    log.append(f"{name(START + 20_000 * 24 * HOUR)} far\n{name(START - 500 * HOUR)} one\n")
    records = log.look()
    assert records.watermark == START - 500 * HOUR - 1
    assert len(records) == 2, "whether it is judged is not for the source to say"
    log.append(f"{name(START + 20_000 * 24 * HOUR)} far\n{name(START - 499 * HOUR)} two\n")
    assert log.look().watermark == START - 499 * HOUR - 1


def test_a_file_that_is_not_read_to_its_end_holds_the_watermark(tmp_path: Path) -> None:
    log = made(tmp_path, "*.log", most=10_000, lateness=0)
    for file, ago in (("a", 900), ("b", 600)):
        times = (START - (ago - i // 100) * SECOND for i in range(30_000))
        (tmp_path / f"{file}.log").write_text("".join(f"{name(t)} {file}\n" for t in times))
    seen, last = -1, 0
    while True:
        records = log.look()
        assert (records.time > seen).all()  # nothing comes at or before what was promised
        assert records.watermark is not None and records.watermark >= seen
        seen, last = records.watermark, last + len(records)
        if not records.more:
            break
    assert last == 60_000


def test_a_hole_before_the_first_line_is_passed_over(log: Log) -> None:
    with log.path.open("wb") as file:  # by a writer that did not see that its log was cut
        file.seek(10_000_000)
        file.write(b"one\ntwo\n")
    assert read(log) == ["one", "two"]
    assert log.skipped == {}


def test_a_large_gz_is_read_in_parts(tmp_path: Path) -> None:
    log = made(tmp_path, "*.gz", most=300_000)
    lines = [f"{i} {i * i}" for i in range(200_000)]
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    log.poll()
    assert log.read == lines
