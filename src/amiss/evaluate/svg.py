"""Charts that stand in a page by themselves: inline SVG, no script, colours by CSS classes.

The picture is stretched to the room there is, so it holds no text: what stands at the axes is
HTML at the same places, and reads on a phone as on paper. All text is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite

import numpy as np

from amiss.data import SECOND, Floats, parse_key
from amiss.drawing.curve import MS, Stretch, cut, marked
from amiss.evaluate import axes
from amiss.evaluate.around import Curve
from amiss.evaluate.axes import Tick
from amiss.evaluate.figures import Part, amount, day
from amiss.words.phrases import USUAL, count

WIDE, HIGH = 1000.0, 200.0
FLOOR = 0.06  # of the height left free above and below
STRANGEST = 12.0  # nats at which the strip is at its strongest
STRIP = 10.0  # of HIGH, below the picture


def series(curve: Curve, stretch: Stretch, label: str) -> str:
    """A series as a line with its band, what was amiss marked, the `stretch` (ns) shaded."""
    name = parse_key(curve.series)[0]
    low, high = cut(curve.value, curve.expected, curve.lower, curve.upper, name)
    bottom, top = _reach(curve.value, low, high)
    start, end = float(curve.time[0]), float(curve.time[-1])

    def x(ms: Floats) -> Floats:
        return (ms - start) / max(end - start, 1.0) * WIDE

    def y(value: Floats) -> Floats:
        return HIGH - (np.clip(value, bottom, top) - bottom) / (top - bottom) * HIGH

    across = x(curve.time)
    ends = np.clip(x(np.array(stretch) / MS), 0.0, WIDE).tolist()
    shade = rect("span", ends[0], 0.0, max(ends[1] - ends[0], 1.5), HIGH)
    odd = marked(curve.time, curve.score, np.inf, (stretch,)) & np.isfinite(curve.value)
    dots = "".join(
        f"M{a:.1f} {b:.1f}h0" for a, b in zip(across[odd], y(curve.value[odd]), strict=True)
    )
    drawn = [
        shade,
        f'<path class="band" d="{_area(across, y(low), y(high))}"/>',
        _path("expected", across, y(curve.expected)),
        _path("line", across, y(curve.value)),
        f'<path class="mark" d="{dots}"/>',
        *_strip(across, curve.score),
    ]
    from_, to = int(start * MS), int(end * MS)
    along = [((t - from_) / max(to - from_, 1), text) for t, text in axes.of_time(from_, to)]
    up = [((v - bottom) / (top - bottom), text) for v, text in axes.of_value(bottom, top, name)]
    return figure("".join(drawn), HIGH + STRIP, along, up, label)


def told(parts: Sequence[Part], a_day: float, label: str) -> str:
    """Incidents told by day or week as bars, with what was asked for as a line."""
    most = max([part.told for part in parts] + [part.asked for part in parts] + [1.0]) * 1.1
    wide = WIDE / max(len(parts), 1)
    gap = min(0.18 * wide, 6.0)
    bars, asked = [], []
    for n, part in enumerate(parts):
        tall = part.told / most * HIGH
        over = "over" if part.told > max(part.asked, 1.0) + 1e-9 else "bar"
        said = f"{day(part.start)}: {part.told} told, {amount(part.asked)} asked"
        bars.append(rect(over, n * wide + gap, HIGH - tall, wide - 2 * gap, tall, said))
        level = HIGH - part.asked / most * HIGH
        asked.append(f"M{n * wide:.1f} {level:.1f}h{wide:.1f}")
    line = f'<path class="asked" d="{"".join(asked)}"/>'
    every = -(-len(parts) // 6)
    along = [
        ((n + 0.5) / len(parts), " ".join(day(part.start).split()[:2]))
        for n, part in enumerate(parts)
        if n % every == 0
    ]
    whole = [(at, text) for at, text in axes.of_value(0.0, most, "") if at == int(at)]
    up = [(at / most, text) for at, text in whole]
    return figure("".join(bars) + line, HIGH, along, up, label)


def legend(of: Iterable[tuple[str, str]]) -> str:
    """What is drawn how: classes and words."""
    keys = "".join(f'<span><i class="key {kind}"></i>{escape(said)}</span>' for kind, said in of)
    return f'<p class="legend">{keys}</p>'


def figure(
    drawn: str, high: float, along: Sequence[Tick], up: Sequence[Tick], label: str, kind: str = ""
) -> str:
    """A picture of WIDE x `high` with its axes; ticks are (share of the length, what to call it).

    HIGH of it are the plot, what is more hangs below. `kind` is a further CSS class.
    """
    grid = "".join(f"M0 {HIGH * (1 - at):.1f}h{WIDE:.0f}" for at, _ in up if 0 <= at <= 1)
    left = "".join(
        f'<span style="bottom:{at * 100:.2f}%">{escape(text)}</span>'
        for at, text in up
        if 0 <= at <= 1
    )
    below = "".join(
        f'<span style="left:{at * 100:.2f}%">{escape(text)}</span>'
        for at, text in along
        if 0.02 <= at <= 0.98
    )
    share = high / HIGH * 100
    return (
        f'<figure class="{f"chart {kind}".strip()}" role="img" aria-label="{escape(label)}">'
        f'<div class="up">{left}</div><div class="plot"><svg viewBox="0 0 {WIDE:.0f} {high:.0f}" '
        f'preserveAspectRatio="none" style="height:{share:.1f}%" aria-hidden="true">'
        f'<path class="grid" d="{grid}"/>{drawn}</svg></div>'
        f'<div class="along">{below}</div></figure>'
    )


def rect(kind: str, x: float, y: float, wide: float, high: float, said: str = "") -> str:
    """A rectangle of this CSS class, and what it says to who points at it."""
    title = f"<title>{escape(said)}</title>" if said else ""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    return f'<rect class="{kind}" {place}>{title}</rect>'


def _path(kind: str, x: Floats, y: Floats) -> str:
    """A line through what is there; a gap is a gap, and what stands alone is a dot."""
    said, pen = [], False
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if not isfinite(b):
            pen = False
            continue
        said.append(f"{'L' if pen else 'M'}{a:.1f} {b:.1f}" + ("" if pen else "h0"))
        pen = True
    return f'<path class="{kind}" d="{"".join(said)}"/>'


def _area(x: Floats, low: Floats, high: Floats) -> str:
    """A closed shape for each stretch in which there is a band."""
    there = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    said = []
    for a, b in edges.reshape(-1, 2).tolist():
        up = [f"{p:.1f} {q:.1f}" for p, q in zip(x[a:b], high[a:b], strict=True)]
        down = [f"{p:.1f} {q:.1f}" for p, q in zip(x[a:b][::-1], low[a:b][::-1], strict=True)]
        said.append(f"M{'L'.join(up + down)}Z")
    return "".join(said)


def _strip(x: Floats, score: Floats) -> list[str]:
    """Below the picture: the rarer the moment, the stronger."""
    wide = np.diff(x, append=x[-1:] + 2.0)
    rare = np.flatnonzero(score >= USUAL)
    strength = np.clip(0.15 + 0.85 * (score - USUAL) / (STRANGEST - USUAL), 0.15, 1.0)
    return [
        f'<rect class="heat" x="{x[i]:.1f}" y="{HIGH + 4:.0f}" width="{max(wide[i], 1.5):.1f}" '
        f'height="{STRIP - 4:.0f}" opacity="{strength[i]:.2f}"/>'
        for i in rare.tolist()
    ]


def _reach(*columns: Floats) -> tuple[float, float]:
    """From the lowest to the highest, with some room; a band that is very wide is cut off."""
    value = columns[0][np.isfinite(columns[0])]
    bands = np.concatenate([c[np.isfinite(c)] for c in columns[1:]])
    low, high = (float(value.min()), float(value.max())) if len(value) else (0.0, 1.0)
    if len(bands):
        wide = max(high - low, 1e-12 * max(abs(low), abs(high), 1e-300))
        low = min(low, max(float(bands.min()), low - 2 * wide))
        high = max(high, min(float(bands.max()), high + 2 * wide))
    if high - low <= 1e-9 * max(abs(low), abs(high)) or high == low:
        half = 0.5 * max(abs(high), 1.0) * 0.1
        low, high = low - half, high + half
    room = FLOOR * (high - low)
    return (low - room if low != 0.0 else low), high + room


def spoken(parts: Sequence[Part]) -> str:
    """The chart of what was told, for those who do not see it."""
    most = max((part.told for part in parts), default=0)
    unit = "week" if parts and parts[0].end - parts[0].start > 86400 * SECOND else "day"
    return f"Incidents told by {unit}: {count(most, 'incident')} at most"
