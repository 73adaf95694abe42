"""What the generations of one rotated file are called."""

import os
import re

PACKED = re.compile(r"\.gz$")
NUMBERED = re.compile(r"[-._]\d[\d\-T:_.Z]*(?=$|\.)")
"""A number or a date, as rotation puts it behind the name or before its end."""

DATE = 6  # digits of the shortest
BEHIND = re.compile(r"[-._]\d[\d\-T:_.Z]*$")


def root(path: str) -> str:
    """The name without what rotation adds: app.log.1, app.log-20240101.gz, app-2024-01-01.log."""
    name = os.path.basename(path)
    return NUMBERED.sub("", PACKED.sub("", name)) or name


def stem(path: str) -> str:
    """The path without a number or .gz behind it: worker-1.log and worker-2.log differ."""
    return BEHIND.sub("", PACKED.sub("", path)) or path


def akin(one: str, other: str) -> bool:
    """Whether two paths may be of one file's generations: in one folder, but for the rest alike."""
    return os.path.dirname(one) == os.path.dirname(other) and root(one) == root(other)


def number(path: str) -> int:
    """By what generations sort, the oldest first: app.log.2 before app.log.1; 0 for dates."""
    digits = PACKED.sub("", path)[len(stem(path)) + 1 :]
    return -int(digits) if digits.isdecimal() and len(digits) < DATE else 0
