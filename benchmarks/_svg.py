"""Pictures, as SVG: bars in groups, and points and curves on logarithmic axes."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

COLOURS = ("#d1495b", "#2e4057", "#66a182", "#8d96a3", "#edae49", "#00798c", "#6d597a", "#b08968")
FONT = 'font-family="sans-serif" font-size="12"'


def _page(width: int, height: int, parts: Sequence[str], title: str) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" {FONT}>'
    )
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", ground, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, said: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="#222" {more}>{escape(said)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = "#ddd") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}"/>'


def bars(title: str, groups: Mapping[str, Mapping[str, float]], methods: Sequence[str]) -> str:
    """Horizontal bars from 0 to 1, a group for each figure, a colour for each method.

    What is below 0 is drawn as nothing, and written.
    """
    left, wide, thick, gap = 150, 520, 9, 12
    tall = thick * len(methods) + gap
    top, height = 60, 70 + tall * len(groups)
    parts = [_text(10, 20, title, 'font-weight="bold"')]
    for n, method in enumerate(methods):
        x = 10 + n * (left + wide) / len(methods)
        parts.append(f'<rect x="{x:.0f}" y="32" width="10" height="10" fill="{COLOURS[n]}"/>')
        parts.append(_text(x + 14, 41, method, 'font-size="11"'))
    for tick in range(6):
        x = left + wide * tick / 5
        parts.append(_line(x, top - 6, x, height - 14))
        parts.append(_text(x, height - 2, f"{tick / 5:g}", 'text-anchor="middle" font-size="10"'))
    for g, (name, values) in enumerate(groups.items()):
        y = top + g * tall
        place = 'text-anchor="end" dominant-baseline="middle"'
        parts.append(_text(left - 8, y + (tall - gap) / 2, name, place))
        for n, method in enumerate(methods):
            if method not in values:
                continue
            value = values[method]
            long = wide * min(max(value, 0.0), 1.0)
            at = f'x="{left}" y="{y + n * thick}" width="{long:.1f}" height="{thick - 1}"'
            parts.append(f'<rect {at} fill="{COLOURS[n]}"/>')
            size = 'font-size="8"'
            parts.append(_text(left + long + 3, y + n * thick + 7.5, f"{value:.2f}", size))
    return _page(left + wide + 40, height, parts, title)


def scatter(
    title: str, across: str, up: str, points: Sequence[tuple[str, float, float, bool]]
) -> str:
    """Points (name, x, y, filled) with x on a logarithmic axis; y from 0 to 100.

    Two points of one name are joined. What is below 0 is drawn at 0.
    """
    left, top, wide, tall = 60, 40, 560, 320
    low = floor(log10(min(x for _, x, _, _ in points)))
    high = floor(log10(max(x for _, x, _, _ in points))) + 1

    def place(x: float, y: float) -> tuple[float, float]:
        share = min(max(y, 0.0), 100.0) / 100.0
        return left + wide * (log10(x) - low) / (high - low), top + tall * (1.0 - share)

    parts = [_text(10, 20, title, 'font-weight="bold"')]
    for tick in range(low, high + 1):
        x, bottom = place(10.0**tick, 0.0)
        parts.append(_line(x, top, x, bottom))
        parts.append(_text(x, bottom + 15, f"{10**tick:,}", 'text-anchor="middle" font-size="10"'))
    for tick in range(0, 101, 20):
        _, y = place(10.0**low, tick)
        parts.append(_line(left, y, left + wide, y))
        parts.append(_text(left - 6, y + 4, f"{tick}", 'text-anchor="end" font-size="10"'))
    parts.append(_text(left + wide / 2, top + tall + 32, across, 'text-anchor="middle"'))
    turned = f'text-anchor="middle" transform="rotate(-90 16 {top + tall / 2:.0f})"'
    parts.append(_text(16, top + tall / 2, up, turned))
    names = list(dict.fromkeys(name for name, *_ in points))
    for n, name in enumerate(names):
        colour = COLOURS[n % len(COLOURS)]
        mine = [(*place(x, y), filled) for of, x, y, filled in points if of == name]
        if len(mine) > 1:
            parts.append(_line(*mine[0][:2], *mine[1][:2], colour))
        for x, y, filled in mine:
            fill = colour if filled else "#fff"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" stroke="{colour}" fill="{fill}"/>'
            )
        x, y, _ = min(mine, key=lambda it: it[1])
        parts.append(_text(x, y - 9, name, 'text-anchor="middle" font-size="10"'))
    return _page(left + wide + 40, top + tall + 45, parts, title)


def curves(
    title: str, across: str, up: str, lines: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Points (x, y) that are joined, by the name of their curve; both axes are logarithmic."""
    left, top, wide, tall = 80, 40, 520, 320
    drawn = [point for line in lines.values() for point in line]
    lows = [floor(log10(min(values))) for values in zip(*drawn, strict=True)]
    highs = [ceil(log10(max(values))) for values in zip(*drawn, strict=True)]

    def place(x: float, y: float) -> tuple[float, float]:
        right = (log10(x) - lows[0]) / (highs[0] - lows[0])
        return left + wide * right, top + tall * (highs[1] - log10(y)) / (highs[1] - lows[1])

    parts = [_text(10, 20, title, 'font-weight="bold"')]
    for tick in range(lows[0], highs[0] + 1):
        x, bottom = place(10.0**tick, 10.0 ** lows[1])
        parts.append(_line(x, top, x, bottom))
        parts.append(_text(x, bottom + 15, f"{10**tick:,}", 'text-anchor="middle" font-size="10"'))
    for tick in range(lows[1], highs[1] + 1):
        x, y = place(10.0 ** lows[0], 10.0**tick)
        parts.append(_line(x, y, x + wide, y))
        parts.append(_text(x - 6, y + 4, f"{10**tick:,}", 'text-anchor="end" font-size="10"'))
    parts.append(_text(left + wide / 2, top + tall + 32, across, 'text-anchor="middle"'))
    turned = f'text-anchor="middle" transform="rotate(-90 16 {top + tall / 2:.0f})"'
    parts.append(_text(16, top + tall / 2, up, turned))
    for n, (name, line) in enumerate(lines.items()):
        at = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        parts.append(
            f'<polyline points="{at}" fill="none" stroke="{COLOURS[n]}" stroke-width="2"/>'
        )
        key = f'x="{left + wide - 120}" y="{top + 16 * n}" width="10" height="10"'
        parts.append(f'<rect {key} fill="{COLOURS[n]}"/>')
        parts.append(_text(left + wide - 106, top + 16 * n + 9, name, 'font-size="11"'))
    return _page(left + wide + 40, top + tall + 45, parts, title)
