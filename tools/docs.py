"""Writes docs/reference from the code: `make docs`. With --check only says what is out of date."""

import sys
from pathlib import Path

from amiss.reference import pages, stale

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def main(check: bool) -> int:
    """0 if all pages are, or now are, as the code says."""
    old = stale(REFERENCE)
    if check:
        for path, why in old.items():
            print(f"docs/reference/{path} {why}; run: make docs")
        return 1 if old else 0
    wanted = dict(pages())
    for path in old:
        page = REFERENCE / path
        if path in wanted:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(wanted[path], encoding="utf-8")
        else:
            page.unlink()
    print(f"{len(wanted)} pages in docs/reference, {len(old)} of them new, changed or removed")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
