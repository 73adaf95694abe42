"""Bytes to lines, and lines to records of one or several."""

import re
from dataclasses import dataclass

MOST_JOINED = 500  # lines of one record
BYTES = "lines with bytes that are not UTF-8, which are written out"
MARK = "\ufeff"  # at the beginning of some files


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a piece of a file, without their ends, and how many bytes each took."""

    text: list[str]
    sizes: list[int]
    odd: int  # lines with bytes that are not UTF-8


def split(data: bytes) -> Lines:
    """All lines; data ends with the end of a line, or with what counts as a whole one."""
    pieces = data.split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    sizes = [len(piece) + 1 for piece in pieces]
    if pieces and not data.endswith(b"\n"):
        sizes[-1] -= 1
    try:
        text, odd = data.decode().split("\n")[: len(pieces)], 0
    except UnicodeDecodeError:
        text = [piece.decode("utf-8", "backslashreplace") for piece in pieces]
        odd = sum(not _valid(piece) for piece in pieces)
    if b"\0" in data:  # holes that are left where a file was cut under its writer
        text = [line.strip("\0").replace("\0", "\\x00") for line in text]
    if b"\r" in data:
        text = [line.rstrip("\r") for line in text]
    if text and text[0].startswith(MARK):
        text[0] = text[0][1:]
    return Lines(text, sizes, odd)


def join(lines: list[str], start: re.Pattern[str], final: bool) -> tuple[list[str], int]:
    """Records that begin with a line in which `start` is found, and of how many lines they are.

    The last one waits for the next to begin, unless this is `final`.
    """
    records: list[list[str]] = []
    for line in lines:
        begins = start.search(line) is not None
        if begins or not records or len(records[-1]) >= MOST_JOINED:
            records.append([line])
        else:
            records[-1].append(line)
    if not final and records and len(records[-1]) < MOST_JOINED:
        records.pop()
    return ["\n".join(record) for record in records], sum(map(len, records))


def _valid(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True
