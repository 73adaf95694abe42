"""Whatever is done to a log between two polls, each line with an end comes once, in order."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.sources.file import File
from tail.log import Log

DEEDS = st.one_of(
    st.tuples(st.just("lines"), st.integers(1, 4)),
    st.tuples(st.just("lines"), st.integers(1, 3), st.just(700)),
    st.tuples(st.just("begin")),
    st.tuples(st.just("rename")),
    st.tuples(st.just("copy"), st.booleans()),
    st.tuples(st.just("pack"), st.booleans()),
    st.tuples(st.just("restart")),
    st.tuples(st.just("poll")),
    st.tuples(st.just("poll")),
)


@settings(max_examples=150, deadline=None)
@given(deeds=st.lists(DEEDS, max_size=25), pattern=st.sampled_from(["app.log", "app.log*"]))
def test_each_line_comes_once_and_in_order(deeds: list[Any], pattern: str) -> None:
    with TemporaryDirectory() as folder:
        log = Log(Path(folder), File(path=f"{folder}/{pattern}", format="text"))
        log.lines(1)
        log.poll()
        for deed, *more in deeds:
            getattr(log, deed)(*more)
        log.poll()
        log.poll()
        assert [line for line in log.read if line not in log.halves] == log.written
        assert sorted(line for line in log.read if line in log.halves) == sorted(log.halves)
        assert log.skipped == {}
