"""Templates of log lines: values masked by their shape, then slots learned from what varies.

1. What has the shape of a value is masked, and the rest is split at punctuation (text/shapes.py).
   The tokens are looked up by their hash; most lines end here.
2. Templates that differ in one and the same word only are one template with a slot there, once
   there are as many as `needed` says: the fewer words are left, the more. The oldest one gives
   its id to all of them.
3. A word with something in brackets may be one value (text/folds.py).

The hash of tokens is sum_i h_i P^i mod 2^64, so that the hash with a slot at one place follows
from it at once.

An id is never given to anything else. What is one template today may prove to be part of a wider
one later: `same` says which id it has now. Memory is bounded: beyond TEMPLATES no template is
made, and lines that fit none are those of the template OTHER.
Cost: about 3 us a line.
"""

import numpy as np

from amiss.data import Array, State
from amiss.kernel import kernel
from amiss.text import folds, shapes
from amiss.text.hashes import COUNT, NONE, TAG, cell, mixed, tell, told
from amiss.text.lines import Lines
from amiss.text.shapes import SLOT, WORDS, masked, tokens

VARIANTS, SCARCE = 5, 20
"""Templates that differ in one word before it is a slot: at least, and with one word left."""
TEMPLATES = 10_000
GROUPS = 100_000  # places that may become slots; if full, all are forgotten
TEXT = 1 << 24  # bytes of all templates
CELLS = 1 << 18  # of the table of places
KNOWN = 1 << 16  # of the tables of templates
FOLDS = 1 << 12  # of the table of folds
OTHER = 0  # the id of what fits no template when there is room for no more
POWERS = np.cumprod(np.full(WORDS + 2, np.uint64(0x9E3779B97F4A7C15), np.uint64), dtype=np.uint64)
ROUNDS = 64  # slots put into a line at most


def init() -> State:
    """No template yet: 7 MB. It grows by the text of the templates."""
    return {
        "exact": np.zeros(KNOWN, np.uint64),  # tokens, with slots or without: id + 1
        "slots": np.zeros(KNOWN, np.uint64),  # tokens whose slots were learned
        "groups": np.zeros(CELLS, np.uint64),  # tokens with a gap: how many differ there only
        "head": np.zeros(CELLS, np.int32),  # the last of these
        "member": np.zeros((2 * GROUPS, 2), np.int32),  # its id, and the one before it
        "folds": np.zeros(FOLDS, np.uint64),  # tokens with a fold: id + 1
        "used": np.array([0, 0, 0, 0, 1, 1, 0], np.int64),
        # cells of exact, slots, groups; members; bytes of text; templates; cells of folds
        "wider": np.zeros(TEMPLATES, np.int32),  # by id: the id it is part of
        "begin": np.zeros(TEMPLATES, np.int64),  # by id: where its text is
        "end": np.array([1] + [0] * (TEMPLATES - 1), np.int64),
        "text": np.zeros(1 << 16, np.uint8),
    }


def add(state: State, lines: Lines) -> tuple[State, Array]:
    """The ids (N,) of the templates of lines, which are learned where they are new."""
    if "folds" not in state:  # of a time when there were none
        used = np.append(state["used"], 0)
        state = state | {"folds": np.zeros(FOLDS, np.uint64), "used": used}
    ids, at = np.zeros(len(lines.begin), np.int32), 0
    while at < len(ids):
        at = _add(
            lines.text, lines.begin, lines.end, at, ids, state["exact"], state["slots"],
            state["groups"], state["head"], state["member"], state["folds"], state["used"],
            state["wider"], state["begin"], state["end"], state["text"], TEMPLATES, GROUPS, TEXT,
        )  # fmt: skip
        if at < len(ids):
            state = _roomier(state)
    return state, ids


def same(state: State) -> Array:
    """The id that each template has now."""
    wider = state["wider"][: state["used"][5]]
    while (wider[wider] != wider).any():
        wider = wider[wider]
    return np.asarray(wider)


def shown(state: State, template: int) -> str:
    """A template as people write it: with <*> for what varies."""
    one = int(same(state)[template])
    text = state["text"][state["begin"][one] : state["end"][one]].tobytes()
    return text.replace(b"\0", b"<*>").decode("utf-8", "replace")


def count(state: State) -> int:
    """How many templates there were, OTHER among them."""
    return int(state["used"][5])


def _roomier(state: State) -> State:
    """The same, with room for twice the text that is in use."""
    ids = np.arange(count(state))
    sizes = state["end"][ids] - state["begin"][ids]
    end = np.cumsum(sizes)
    text = np.zeros(2 * int(end[-1]) + (1 << 18), np.uint8)
    for one, a, b in zip(ids.tolist(), (end - sizes).tolist(), end.tolist(), strict=True):
        text[a:b] = state["text"][state["begin"][one] : state["end"][one]]
    new = state | {"text": text, "begin": state["begin"].copy(), "end": state["end"].copy()}
    new["begin"][ids], new["end"][ids] = end - sizes, end
    new["used"][4] = end[-1]
    return new


@kernel
def needed(words: int) -> int:
    """How many templates that differ in one word make a slot, with so many words beside it."""
    return max(VARIANTS, SCARCE >> min(words - 1, 30))


@kernel
def _one(wider: Array, template: int) -> int:
    while wider[template] != template:
        template = wider[template]
    return template


@kernel
def _write(
    out: Array, used: Array, line: Array, begin: Array, end: Array, word: Array, n: int,
    template: int, text_begin: Array, text_end: Array,
) -> None:  # fmt: skip
    """Take some tokens as the text of a template."""
    at = used[4]
    text_begin[template] = at
    for k in range(n):
        if k:
            out[at] = shapes.SPACE
            at += 1
        if word[k] == SLOT:
            out[at] = shapes.MARK
            at += 1
            continue
        for j in range(begin[k], end[k]):
            out[at] = line[j]
            at += 1
    text_end[template] = used[4] = at


@kernel
def _joins(
    groups: Array, head: Array, member: Array, used: Array, key: np.uint64, template: int, most: int
) -> int:
    """Add a template to those that differ at one place only; how many these are."""
    if used[2] >= most or used[3] >= len(member):
        groups[:] = NONE
        used[2], used[3] = 0, 0
    at = cell(groups, key)
    if groups[at] == NONE:
        used[2] += 1
        groups[at] = key & TAG
    many = np.int64(groups[at] & COUNT)
    member[used[3], 0], member[used[3], 1] = template, head[at] if many else -1
    head[at] = used[3]
    used[3] += 1
    groups[at] = (key & TAG) | np.uint64(many + 1)
    return int(many) + 1


@kernel
def _merged(
    groups: Array, head: Array, member: Array, wider: Array, key: np.uint64, known: int
) -> int:
    """Make one of all that differ at one place only, and of the one known; the oldest id."""
    at = cell(groups, key)
    first = _one(wider, known) if known >= 0 else len(wider)
    k = head[at]
    while k >= 0:
        first = min(first, _one(wider, member[k, 0]))
        k = member[k, 1]
    if known >= 0:
        wider[_one(wider, known)] = first
    k = head[at]
    while k >= 0:
        wider[_one(wider, member[k, 0])] = first
        k = member[k, 1]
    groups[at] = key & TAG
    return first


@kernel
def _with_slots(slots: Array, word: Array, fixed: Array, n: int, total: np.uint64) -> np.uint64:
    """Put all slots learned so far into some tokens; their hash."""
    for _ in range(ROUNDS):
        again = False
        for k in range(n):
            if not fixed[k]:
                wide = total + (SLOT - word[k]) * POWERS[k]
                if told(slots, mixed(wide)) >= 0:
                    word[k], fixed[k], total, again = SLOT, True, wide, True
                    break
        if not again:
            break
    return total


@kernel
def _widen(
    line: Array, begin: Array, end: Array, word: Array, fixed: Array, n: int, total: np.uint64,
    new: int, exact: Array, slots: Array, groups: Array, head: Array, member: Array, used: Array,
    wider: Array, text_begin: Array, text_end: Array, text: Array, most: int,
) -> int:  # fmt: skip
    """Make a slot where a template and enough others differ in one word only."""
    while True:
        open_ = 0
        for k in range(n):
            open_ += not fixed[k]
        if open_ < 2:
            return _one(wider, new)
        enough, found = needed(open_ - 1), False
        for k in range(n):
            if fixed[k]:
                continue
            wide = total + (SLOT - word[k]) * POWERS[k]
            key = mixed(wide)
            if _joins(groups, head, member, used, key, new, most) < enough:
                continue
            known = told(exact, key)
            first = _merged(groups, head, member, wider, key, known)
            tell(slots, used, 1, key, 0)
            tell(exact, used, 0, key, first)
            word[k], fixed[k], total, new, found = SLOT, True, wide, first, True
            _write(text, used, line, begin, end, word, n, first, text_begin, text_end)
            if known >= 0:
                return first
            break
        if not found:
            return _one(wider, new)


@kernel
def _add(
    lines: Array, starts: Array, ends: Array, at: int, ids: Array, exact: Array, slots: Array,
    groups: Array, head: Array, member: Array, folded: Array, used: Array, wider: Array,
    text_begin: Array, text_end: Array, text: Array, most: int, most_groups: int, most_text: int,
) -> int:  # fmt: skip
    """The ids of lines from one on; the line for whose text there is no room, or the last."""
    line = np.empty(shapes.SPREAD * shapes.LONGEST, np.uint8)
    begin, end = np.empty(WORDS + 2, np.int64), np.empty(WORDS + 2, np.int64)
    word, fixed = np.empty(WORDS + 2, np.uint64), np.empty(WORDS + 2, np.bool_)
    for at_ in range(at, len(starts)):
        last = min(ends[at_], starts[at_] + shapes.LONGEST)
        size = masked(lines, starts[at_], last, line)
        n = tokens(line, size, begin, end, word, fixed)
        total = NONE
        for k in range(n):
            total += word[k] * POWERS[k]
        found = told(exact, mixed(total))
        if found < 0:
            total = _with_slots(slots, word, fixed, n, total)
            found = told(exact, mixed(total))
            if found < 0:
                found = folds.known(line, begin, end, word, fixed, n, POWERS, exact)
        if found >= 0:
            ids[at_] = _one(wider, found)
            continue
        if used[5] >= most or used[4] >= most_text or 4 * used[0] >= 3 * len(exact):
            continue
        if len(text) - used[4] < (n + 2) * (size + 1):
            return at_
        new = used[5]
        used[5] += 1
        wider[new] = new
        _write(text, used, line, begin, end, word, n, new, text_begin, text_end)
        tell(exact, used, 0, mixed(total), new)
        value = told(folded, mixed(total))
        if value >= 0:
            first = wider[new] = _one(wider, value)
            text_begin[first], text_end[first] = text_begin[new], text_end[new]
        folds.remember(line, begin, end, word, fixed, n, POWERS, folded, used, 6, new)
        ids[at_] = _widen(
            line, begin, end, word, fixed, n, total, new, exact, slots, groups, head, member,
            used, wider, text_begin, text_end, text, most_groups,
        )  # fmt: skip
    return len(starts)
