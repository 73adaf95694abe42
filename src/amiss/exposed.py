"""What series are called where Prometheus reads them. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache

from amiss.data import parse_key, readable

Labels = Mapping[str, str]
OWN = ("series", "pipeline", "detector", "metric")
NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")


@lru_cache(maxsize=20_000)
def labels_of(key: str, pipeline: str) -> Labels:
    """A series' labels as Prometheus allows them: what would collide is called exported_."""
    name, labels = parse_key(key)
    return {"series": readable(name), "pipeline": pipeline} | clean(labels)


def clean(labels: Labels) -> dict[str, str]:
    """Label names in letters, digits and underscores, none that we use ourselves."""
    found: dict[str, str] = {}
    for name, value in sorted(labels.items()):
        tidy = NO_LABEL.sub("_", name)
        if not tidy or tidy[0].isdigit() or tidy.startswith("__"):
            tidy = f"label_{tidy.lstrip('_')}"
        while tidy in found or tidy in OWN:
            tidy = f"exported_{tidy}"
        found[tidy] = readable(value)
    return found
