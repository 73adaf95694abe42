"""A report that a person can read: what was seen, what was found, how good the models are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from amiss.facade.trained import Trained
from amiss.message import write_time

LATEST = 10


def report(
    stats: Mapping[str, Any], models: Sequence[Trained], history: Sequence[Mapping[str, Any]]
) -> str:
    """Plain text of some forty lines."""
    total, found = stats["total_samples"], stats["anomalies_detected"]
    rate = f" ({found / total:.2%})" if total else ""
    lines = [
        "ANOMALY DETECTION REPORT",
        "",
        f"Samples judged       {total:,}",
        f"Anomalies            {found:,}{rate}",
        f"False positives      {stats['false_positives']:,} (as reported)",
        f"Last model update    {stats['last_model_update'] or 'never'}",
        "",
        "Models",
    ]
    lines += [_model(one) for one in models] or ["  none"]
    anomalies = [one for one in history if one["is_anomaly"]]
    for title, key in (("By severity", "severity"), ("By kind", "data_type")):
        counts = Counter(str(one[key]) for one in anomalies)
        lines += ["", title]
        lines += [f"  {name:<16} {n:,}" for name, n in counts.most_common()] or ["  none"]
    lines += ["", f"Latest {LATEST} anomalies"]
    lines += [
        f"  {one['timestamp']}  {one['data_type']:<14} {one['severity']:<6} "
        f"{one['confidence']:.2f}  {', '.join(one['blame'])}"
        for one in anomalies[-LATEST:]
    ] or ["  none"]
    return "\n".join(lines) + "\n"


def _model(one: Trained) -> str:
    """Of the last fifth, which it had not seen: 1 % of samples have p <= .01 if all is well."""
    told = one.figures.get("validation", {}).get("told", {})
    share = f"; p <= .01 for {told['0.01']:.1%} of samples held out" if "0.01" in told else ""
    return (
        f"  {one.name} ({one.kind}): {one.samples:,} samples in {one.seconds:.1f} s, "
        f"{write_time(one.at)[:19]}Z{share}"
    )
