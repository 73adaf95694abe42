"""Templates of log lines: values masked by their shape, then slots learned from what varies.

1. A line whose digits are collapsed is looked up as it is; most lines end here.
2. Else what has the shape of a value is masked: a quantity with its unit, the right side of
   `key=value`, a path or address, a truth value, a word with a digit. The rest is split at
   punctuation, slots with only punctuation between them are one, and the tokens are looked up.
3. Templates that differ in one and the same word only are one template with a slot there, once
   there are as many as `needed` says: the fewer words are left, the more. The oldest one gives
   its id to all of them.

An id is never given to anything else. What is one template today may prove to be part of a wider
one later: `same` says which id it has now. Memory is bounded: beyond TEMPLATES no template is
made, and lines that fit none are those of the template OTHER.
Cost: about 5 us for a line as those before it but for digits, 50 us for others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

VARIANTS, SCARCE = 5, 20
"""Templates that differ in one word before it is a slot: at least, and with one word left."""
TEMPLATES = 10_000
GROUPS = 100_000  # places that may become slots; if full, all are forgotten
SEEN = 50_000  # lines looked up as they are; if full, all are forgotten
LONGEST, WORDS = 2000, 100  # of a line: characters and words looked at
OTHER = 0  # the id of what fits no template when there is room for no more
SLOT = "\0"

Tokens = tuple[str, ...]

DIGITS = re.compile(r"(?<![A-Za-z_]{2})\d[\da-f]*|\d[\da-f]+|\d(?=[\w.:/@-])")
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
    rf"|(?P<assigned>(?<![=<>!])=(?=[^\s=]){VALUE})"
    r"|(?P<path>(?<![\w.>])(?:[a-z][a-z+.]*:/)?/(?:[^\s,;:()\[\]{}'\"|/]+/)+[^\s,;:()\[\]{}'\"|]*)"
    r"|(?P<truth>(?<![\w.-])(?:true|false|null)(?![\w-]))"
    rf"|(?P<label>(?<![\w.:/@-])[a-z_]+:+(?=[^\s:,;=()\[\]{{}}'\"|<>]*\d))"
    rf"|(?P<word>{INSIDE}*\d{INSIDE}*)",
    re.IGNORECASE,
)
PARTS = re.compile(r"[^\s,;:=()\[\]{}'\"|<>]+|[,;:=()\[\]{}'\"|<>]")
GLUE = frozenset(",;:()[]{}'\"|<>-.")
FIXED = GLUE | {SLOT, "=", "<", ">"}


def tokens(line: str) -> Tokens:
    """The words and signs of a line, its values as slots."""
    out: list[str] = []
    slot = -1  # where the last slot stands, if only glue followed
    for token in PARTS.findall(SHAPES.sub(_masked, line[:LONGEST].replace(SLOT, " "))):
        if SLOT in token:
            if slot >= 0:
                del out[slot + 1 :]
                continue
            slot = len(out)
            out.append(SLOT)
            continue
        if token not in GLUE:
            slot = -1
        if len(out) >= WORDS:
            break
        out.append(token)
    return tuple(out)


def _masked(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "label":
        return found[0]
    if kind == "assigned":
        return f"={SLOT}"
    end = found[0][-1]
    return f" {SLOT} {end if end in ':.' else ''}"


def needed(words: int) -> int | None:
    """How many templates that differ in one word make a slot, with so many words beside it."""
    return max(VARIANTS, SCARCE >> (words - 1)) if words > 0 else None


@dataclass(slots=True)
class Templates:
    """The templates met so far."""

    text: list[Tokens] = field(default_factory=lambda: [(SLOT,)])  # by id
    wider: list[int] = field(default_factory=lambda: [OTHER])  # by id: the id it is part of
    exact: dict[Tokens, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)  # lines, their digits collapsed
    groups: dict[tuple[Tokens, Tokens], list[int]] = field(default_factory=dict)
    slots: dict[tuple[int, int], set[tuple[Tokens, Tokens]]] = field(default_factory=dict)

    def add(self, line: str) -> int:
        """The id of a line's template, which is learned if it is new."""
        key = DIGITS.sub("0", line[:LONGEST])
        found = self.seen.get(key)
        if found is None:
            if len(self.seen) >= SEEN:
                self.seen.clear()
            found = self.seen[key] = self._match(tokens(line))
        return found

    def same(self, template: int) -> int:
        """The id that a template has now."""
        while self.wider[template] != template:
            template = self.wider[template]
        return template

    def shown(self, template: int) -> str:
        """A template as people write it: with <*> for what varies."""
        text = self.text[self.same(template)]
        return " ".join("<*>" if token == SLOT else token for token in text)

    def _match(self, words: Tokens) -> int:
        found = self.exact.get(words)
        if found is None:
            words = self._with_slots(words)
            found = self.exact.get(words)
        if found is not None:
            return self.same(found)
        if len(self.text) >= TEMPLATES:
            return OTHER
        new = len(self.text)
        self.text.append(words)
        self.wider.append(new)
        self.exact[words] = new
        return self._widen(words, new)

    def _with_slots(self, words: Tokens) -> Tokens:
        """The same, with all slots learned so far."""
        again = True
        while again:
            again = False
            for place, before, after in _places(words):
                known = self.slots.get((len(words), place))
                if known is not None and (before, after) in known:
                    words, again = (*before, SLOT, *after), True
                    break
        return words

    def _widen(self, words: Tokens, new: int) -> int:
        """Make a slot where a template and enough others differ in one word only."""
        places = list(_places(words))
        enough = needed(len(places) - 1)
        if enough is None:
            return new
        for place, before, after in places:
            if len(self.groups) >= GROUPS:
                self.groups.clear()
            group = self.groups.setdefault((before, after), [])
            group.append(new)
            if len(group) < enough:
                continue
            self.slots.setdefault((len(words), place), set()).add((before, after))
            del self.groups[before, after]
            wide = (*before, SLOT, *after)
            known = self.exact.get(wide)
            members = {self.same(one) for one in (*group, *([] if known is None else [known]))}
            first = min(members)
            for one in members:
                self.wider[one] = first
            self.exact[wide], self.text[first] = first, wide
            return first if known is not None else self.same(self._widen(wide, first))
        return self.same(new)


def _places(words: Tokens) -> Iterator[tuple[int, Tokens, Tokens]]:
    """Where a slot may be learned: each word, with what is before and after it."""
    for place, word in enumerate(words):
        if word not in FIXED:
            yield place, words[:place], words[place + 1 :]
