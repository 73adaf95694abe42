"""Pieces of HTML that a page and a report share. Pure."""

from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[str], body: Iterable[Sequence[str]], label: str, kind: str = "") -> str:
    """A table of HTML cells, each with its heading: on a narrow screen a row becomes a block.

    The cells are HTML already; `head` and `label` are escaped. `kind` is its CSS class.
    """
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = (
        "<tr>"
        + "".join(
            f'<td data-label="{escape(name)}">{cell}</td>'
            for name, cell in zip(head, line, strict=True)
        )
        + "</tr>"
        for line in body
    )
    called = f' class="{kind}"' if kind else ""
    return (
        f'<table{called} aria-label="{escape(label)}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
