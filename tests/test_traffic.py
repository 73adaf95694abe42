"""The made-up traffic of the example web-stream: every minute once, though it is started again."""

from importlib import util
from pathlib import Path

FILE = Path(__file__).parent.parent / "examples/web-stream/traffic.py"
SPEC = util.spec_from_file_location("traffic", FILE)
assert SPEC and SPEC.loader
traffic = util.module_from_spec(SPEC)
SPEC.loader.exec_module(traffic)

START = 1_700_000_040 // 60 * 60


def test_minutes_are_written_once_and_none_is_left_out() -> None:
    written, newest = list[int](), None
    for until in (0, 5, 5, 6, 40):  # minutes at which it looks, or is started again
        for start in (START, START - 600):
            some = traffic.rows(start, traffic.left(start, START + 60 * until, newest))
            written += [row["ts"] for row in some if row["host"] == "web-1"]
            newest = written[-1] // 1000
    assert written == [1000 * (START + 60 * n) for n in range(41)]


def test_a_fault_is_of_the_first_server_and_ends() -> None:
    usual, wrong = (traffic.rows(START, range(30), fault) for fault in (None, 10))
    differ = [n for n, (one, other) in enumerate(zip(usual, wrong, strict=True)) if one != other]
    assert differ == [3 * minute for minute in range(10, 10 + traffic.LASTS)]
