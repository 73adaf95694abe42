"""Grouping accuracy: the share of lines whose group is exactly the labelled one."""

from collections import Counter
from collections.abc import Hashable, Sequence


def grouping_accuracy(label: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """Lines that share their group with the same lines as in the labels, no more and no fewer.

    Zhu et al., "Tools and benchmarks for automated log parsing", ICSE-SEIP 2019.
    """
    pairs = Counter(zip(label, found, strict=True))
    labels, groups = Counter(label), Counter(found)
    right = (n for (a, b), n in pairs.items() if n == labels[a] == groups[b])
    return sum(right) / len(label)
