"""Numbers as bytes, against Python's own."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amiss.evaluate import answer, digits
from made import Chance


def written(numbers: list[float], digit: int) -> list[str]:
    """Each with so many digits, as a line of CSV has it."""
    n, none = len(numbers), np.zeros(1, np.uint8)
    out = np.full(n * (digits.WIDEST + 4) + digits.ROOM, 255, np.uint8)
    end = digits.lines(
        out, none, np.zeros(n + 1, np.int32), none, np.zeros(2, np.int32), np.zeros(n, np.int32),
        np.array([numbers]), np.array([digit]), np.zeros(n, np.bool_), 1,
    )  # fmt: skip
    assert end <= len(out) - digits.ROOM
    lines = out[:end].tobytes().decode().splitlines()
    assert all(line.startswith(",,") and line.endswith(",0") for line in lines)
    return [line[2:-2] for line in lines]


def plain(x: float, digit: int) -> str:
    """What Python says, but with an exponent only from 1e16 and below .00001."""
    mantissa, e = f"{x:.{digit - 1}e}".split("e")
    if -5 <= int(e) < digits.LONGEST:
        mantissa = f"{Decimal(f'{mantissa}e{e}'):f}"
        e = "0"
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{e.replace('+', '')}" if int(e) else mantissa


@given(st.floats(-1e300, 1e300, allow_subnormal=False), st.sampled_from([1, 6, 7, 8, 9, 12, 13]))
@example(9.9999996, 7)
@example(99999999.5, 8)
@example(1e16, 12)
@example(1e15, 12)
@example(123456789012345.0, 12)
@example(9.9999999999996e-6, 12)
@example(1.5e-300, 6)
def test_as_python_has_them(x: float, digit: int) -> None:
    near = [x, round(x, 3), float(f"{x:.5g}")]
    said = written(near, digit)
    for number, text in zip(near, said, strict=True):
        if text != plain(number, digit):  # half-way between two: either will do
            assert float(text) == pytest.approx(number, rel=0.5001 * 10.0 ** (1 - digit))


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(-10, 15))
@example(10**8 - 1, 0)
@example(10**8, 0)
@example(10**8 + 1, 0)
@example(-(10**15) + 1, 15)
@example(1, 5)
@example(1, -10)
def test_what_was_read_is_written_as_it_was(whole: int, places: int) -> None:
    """All digits of a decimal of up to 15, short or long."""
    read = float(f"{whole}e-{places}" if places >= 0 else f"{whole}e{-places}")
    (text,) = written([read], 15)
    assert float(text) == pytest.approx(read, rel=1.1e-14, abs=0.0)
    if len(str(abs(whole)).rstrip("0")) <= 13:
        assert float(text) == read
        assert text == plain(read, 15)


def test_nothing_and_the_widest() -> None:
    assert written([np.nan, np.inf, -np.inf, 0.0, -0.0], 15) == ["", "", "", "0", "0"]
    wide = [-1.23456789012345e-300, -1.2345678901234e-5, -123456789012345.0, 5e-324]
    assert max(map(len, written(wide, 15))) < digits.WIDEST


def test_lines_do_not_touch_one_another() -> None:
    """Numbers are written eight bytes at a time, over what comes next."""
    p = np.exp(-Chance(1).exponential(1000) * 5)
    said = answer.numbered(1, p, p < 0.01).decode().splitlines()
    for n, (line, x) in enumerate(zip(said, p.tolist(), strict=True), 1):
        number, score, again, alert = line.split(",")
        assert (int(number), int(alert)) == (n, x < 0.01)
        assert float(again) == pytest.approx(x, rel=1e-8)
        assert float(score) == pytest.approx(-np.log(x), rel=1e-8)
