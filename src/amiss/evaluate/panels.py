"""The pictures of a report: when, how strange, what lies near what, what was missed. See svg.py."""

from collections.abc import Sequence
from html import escape
from math import log10

from amiss.data import SECOND
from amiss.drawing.markup import table
from amiss.evaluate import axes, svg
from amiss.evaluate.confusion import Confusion
from amiss.evaluate.distribution import BINS, Distribution
from amiss.evaluate.embedding import Axis, Embedding
from amiss.evaluate.entries import Entry, counted
from amiss.evaluate.figures import shortly
from amiss.evaluate.svg import HIGH, WIDE
from amiss.words.phrases import count, span

LANES = 10
OTHERS = "others"
TALL = {"high": 0.84, "medium": 0.6, "low": 0.38}
"""Share of its lane that an entry takes: severity is seen without colours too."""
WIDEST = 18  # of a dot, in pixels
SEVERITIES = [("dot high", "high"), ("dot medium", "medium"), ("dot low", "low")]


def timeline(entries: Sequence[Entry], start: int, end: int) -> str:
    """When each was, a lane for each subject, or for each kind if there is one subject."""
    several = len({one.subject for one in entries}) > 1

    def lane(one: Entry) -> str:
        return one.subject if several else one.kind

    names = [name for name, _ in counted(entries, lane, LANES)][:LANES]
    if len({lane(one) for one in entries}) > LANES:
        names.append(OTHERS)
    high, drawn, long = HIGH / max(len(names), 1), list[str](), max(end - start, 1)
    for one in sorted(entries, key=lambda it: it.score):
        row = names.index(lane(one)) if lane(one) in names else len(names) - 1
        tall = TALL.get(one.severity, 0.38) * high
        a, b = ((min(max(t, start), end) - start) / long * WIDE for t in (one.since, one.until))
        said = f"{one.said} ({one.severity}), {shortly(one.since)}"
        y = row * high + (high - tall) / 2
        drawn.append(
            svg.rect(f"at {one.severity}", min(a, WIDE - 3), y, max(b - a, 3.0), tall, said)
        )
    lanes = [(1 - (n + 0.5) / len(names), name) for n, name in enumerate(names)]
    along = [((t - start) / long, said) for t, said in axes.of_time(start, end)]
    label = f"{len(entries):,} over {span(end - start)}, in {len(names)} lanes"
    return svg.figure("".join(drawn), HIGH, along, lanes, label, "lanes")


def distribution(of: Distribution) -> str:
    """How many samples had which score, on a logarithmic axis, beside what calm would give."""
    expected = of.expected()
    top = max(log10(max(float(of.counts.max()), float(expected.max()), 1.0)), 1.0) * 1.04
    last = max([n for n in range(BINS) if of.counts[n]] + [12]) + 1
    wide = WIDE / last

    def tall(number: float) -> float:
        return max(log10(number) if number > 0 else 0.0, 0.0) / top * HIGH

    bars = [
        svg.rect(
            "over" if of.counts[n] > 2 * expected[n] + 3 else "bar",
            n * wide + 2, HIGH - max(tall(of.counts[n]), 1.5), wide - 4,
            max(tall(of.counts[n]), 1.5),
            f"score {n} to {n + 1}: {count(int(of.counts[n]), 'sample')}",
        )
        for n in range(last)
        if of.counts[n]
    ]  # fmt: skip
    steps = "".join(
        f"M{n * wide:.1f} {HIGH - tall(expected[n]):.1f}h{wide:.1f}"
        for n in range(last)
        if expected[n] >= 1
    )
    line = f'<path class="asked" d="{steps}"/>'
    along = [(n / last, f"{n}" if n < BINS - 1 else f"{n}+") for n in range(0, last, 3)]
    up = [(n / top, f"{10**n:,}") for n in range(int(top) + 1)]
    label = f"Scores of {count(of.judged, 'sample')}, from usual to strange"
    return svg.figure("".join(bars) + line, HIGH, along, up, label)


def embedding(of: Embedding) -> str:
    """Entries as dots; those at one place are one, the larger the more they are."""
    at: dict[tuple[float, float, str], list[Entry]] = {}
    for (x, y), one in zip(of.places.round(2).tolist(), of.entries, strict=True):
        at.setdefault((x, y, one.severity), []).append(one)
    dots = []
    for (x, y, severity), here in sorted(at.items(), key=lambda it: -len(it[1])):
        size = min(8.0 + 5.0 * log10(len(here)), WIDEST)
        more = f" and {len(here) - 1} more here" if len(here) > 1 else ""
        place = f"M{(0.5 + 0.46 * x) * WIDE:.1f} {(0.5 - 0.46 * y) * HIGH:.1f}h0"
        dots.append(
            f'<path class="dot {severity}" style="stroke-width:{size:.1f}" d="{place}">'
            f"<title>{escape(here[0].said)}{more}</title></path>"
        )
    cross = f'<path class="grid" d="M{WIDE / 2:.0f} 0V{HIGH:.0f}M0 {HIGH / 2:.0f}h{WIDE:.0f}"/>'
    label = f"A map of {len(of.entries):,} by what they consist of"
    return svg.figure(cross + "".join(dots), HIGH, [], [], label, "map")


def in_words(name: str, axis: Axis) -> str:
    """What an axis shows: its share of all difference, and what lies at its ends."""
    ends = [
        f"{end}: {', '.join(of)}"
        for end, of in zip(name.split("-"), (axis.low, axis.high), strict=True)
        if of
    ]
    return f"{'; '.join(ends)} ({axis.share:.0%} of all difference)"


def matrix(of: Confusion) -> str:
    """Time told and not told, amiss and calm."""
    whole = max(of.told_amiss + of.missed + of.told_calm + of.calm, 1)

    def cell(ns: int) -> str:
        return f"{span(ns) if ns >= SECOND else 'none'}<small>{ns / whole:.2%}</small>"

    rows = [
        ("labelled amiss", cell(of.told_amiss), cell(of.missed)),
        ("not labelled", cell(of.told_calm), cell(of.calm)),
    ]
    return table(("time", "strange by an incident", "nothing told"), rows, "Told against labelled")
