"""No file of code is longer than 300 lines; says how long they are: part of `make check`."""

import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
FOLDERS = ("src", "benchmarks", "tools")
MOST = 300


def main() -> int:
    """1 and a line for each file that is too long, else 0."""
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    long = {file: lines for file, lines in lengths.items() if lines > MOST}
    for file, lines in long.items():
        print(
            f"{file.relative_to(ROOT)}: {lines} lines, {MOST} at most; split it by what it is about"
        )
    of_note = [lines for lines in lengths.values() if lines > 1]  # an __init__ may say one thing
    print(f"{len(of_note)} files, median {median(of_note):.0f} lines, longest {max(of_note)}")
    return 1 if long else 0


if __name__ == "__main__":
    sys.exit(main())
