"""A line taken apart: its skeleton of words, its keys, and the values in their fields.

Nothing is known of the format. A query string (?k=v&...) is split and decoded; k=v, k: v and
k=>v are pairs wherever they stand; what is in quotation marks is a value; the rest is split at
blanks and slashes. A word with a digit, or one that was met in fewer than OFTEN lines so far, is
a value too, and neighbours of that kind are one. The skeleton is the words with slots; a field is
a key, or the place of a slot, under its skeleton. All is handed on as 32-bit hashes (CRC-32).
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_plus

OFTEN = 8  # lines with a word before it is a part of the skeleton
LONG = 256  # characters of a value that are looked at
LONGEST = 4096  # characters of a line that are looked at
FORMS = 20_000  # remembered; if full, all are forgotten

KEY = r"[A-Za-z_][\w.\-\[\]]{0,40}"
PAIR = re.compile(
    rf"(?<![^\s,;{{(\[&?\"'])[\"']?({KEY})[\"']?\s?(=|:(?=\s?[\"'\d\[{{])|=>)\s?"
    r"(\"[^\"]*\"|'[^']*'|[^\s&;,)}\]]*)"
)
DIGIT, QUOTED = re.compile(r"\d"), re.compile(r'"([^"]*)"')
BYTE_DIGIT = re.compile(rb"\d")
QUERY = re.compile(r"\?(?=[^\s=&?]{0,60}=)")
AFTER = re.compile(r"\s(?=HTTP/|\"|$)|\"")  # a query string
MARK = "\2"  # where something quoted was


class Value(NamedTuple):
    """A value: its field, its bytes with all digits 0, itself under its field, its length."""

    field: int
    data: bytes
    itself: int
    length: int


@dataclass(frozen=True, slots=True)
class Parts:
    """What a line is made of, as hashes."""

    skeleton: int
    sequence: int  # of its keys, under the skeleton
    keys: tuple[int, ...]  # under the skeleton; the fields of the values
    pairs: tuple[int, ...]  # of neighbouring words
    values: tuple[Value, ...]


Form = tuple[str | None, ...]
Hashes = tuple[int, int, tuple[int, ...], tuple[int, ...]]


def parts(line: str, met: Callable[[str, int], int], forms: dict[Form, Hashes]) -> Parts:
    """Take a line apart; `met(word, 0)` is in how many lines a word was.

    `forms` remembers the hashes of words and keys. Cost: about 15 us.
    """
    words, keys, values = _apart(line[:LONGEST].replace(MARK, " "), met)
    form = (*words, None, *keys)
    known = forms.get(form)
    if known is None:
        if len(forms) >= FORMS:
            forms.clear()
        known = forms[form] = _hashes(words, keys)
    skeleton, sequence, fields, pairs = known
    found = []
    for place, text in zip(fields, values, strict=True):
        data = text[:LONG].encode("utf-8", "replace")
        zeros = BYTE_DIGIT.sub(b"0", data)
        found.append(Value(place, zeros, zlib.crc32(data, place), len(text)))
    return Parts(skeleton, sequence, fields, pairs, tuple(found))


def _hashes(words: list[str], keys: list[str]) -> Hashes:
    skeleton = _hash("\x1f".join(words))
    neighbours = zip(("^", *words), (*words, "$"), strict=True)
    pairs = {_hash(f"{a}\x1f{b}") for a, b in neighbours}
    fields = tuple(_hash(f"{skeleton}\x1f{key}") for key in keys)
    return skeleton, _hash("\x1f".join((str(skeleton), *keys))), fields, tuple(sorted(pairs))


def vocabulary(line: str) -> set[str]:
    """The words of a line that may come to be part of a skeleton."""
    line = line[:LONGEST].replace(MARK, " ")
    if "?" in line and (query := QUERY.search(line)):
        line = line[: query.start()]
    words = QUOTED.sub(" ", line).split()
    return {part for word in words for part in word.split("/") if not DIGIT.search(part)}


def _apart(line: str, met: Callable[[str, int], int]) -> tuple[list[str], list[str], list[str]]:
    keys: list[str] = []
    values: list[str] = []
    if "?" in line and (query := QUERY.search(line)):
        line = _query(line, query, keys, values)
    elif "=" in line or '":' in line:

        def lift(pair: re.Match[str]) -> str:
            keys.append(pair[1])
            values.append(pair[3])
            return f" {pair[1]}{pair[2]} "

        line = PAIR.sub(lift, line)
    quotes = QUOTED.findall(line) if '"' in line else []
    words = _words(QUOTED.sub(f" {MARK} ", line) if quotes else line, quotes, met, keys, values)
    return words, keys, values


def _query(line: str, query: re.Match[str], keys: list[str], values: list[str]) -> str:
    """The line without its query string, whose keys and values are added."""
    tail = line[query.end() :]
    end = AFTER.search(tail)
    asked, rest = (tail[: end.start()], tail[end.start() :]) if end else (tail, "")
    for item in asked.split("&"):
        key, sign, value = item.partition("=")
        keys.append(key[:60] if sign else "")
        values.append(unquote_plus(value if sign else key, errors="replace"))
    return f"{line[: query.start()]} ?{rest}"


def _words(
    line: str, quotes: list[str], met: Callable[[str, int], int], keys: list[str], values: list[str]
) -> list[str]:
    """The words of a line, with slots for its values, which are added under their places."""
    words: list[str] = []
    quoted = iter(quotes)
    slot = False  # whether the last one was
    for word in line.split():
        for part in word.split("/") if "/" in word and len(word) > 1 else (word,):
            if part == MARK:
                words.append('"*"')
                keys.append(f"#{len(words)}")
                values.append(next(quoted))
                slot = False
            elif not DIGIT.search(part) and met(part, 0) >= OFTEN:
                words.append(part)
                slot = False
            elif slot:
                values[-1] += f" {part}"
            else:
                words.append("<*>")
                keys.append(f"#{len(words)}")
                values.append(part)
                slot = True
    return words


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
