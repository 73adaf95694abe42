"""Variants of the default stack: what is replaced in which file of the package."""

from dataclasses import dataclass

CURVES, HOSTS = ("nab", "wsd", "kpi"), ("asd", "smd")
VIEWS = "evaluate/metrics.py", "if not d.joint"
Edits = tuple[tuple[str, str, str], ...]
"""File, text that stands there once, text in its place."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One change of the package, and the sets that it can change anything on."""

    name: str
    edits: Edits
    sets: tuple[str, ...] = (*CURVES, *HOSTS)


def _without(kind: str) -> Edits:
    file, said = VIEWS
    return ((file, said, f"{said} and {kind}"),)


TOGETHER = "(Mahalanobis(), Mahalanobis(seasonal=True))"
ONLY_L: Edits = (("evaluate/joint.py", TOGETHER, "(Mahalanobis(),)"),)
ONLY_P: Edits = (("evaluate/joint.py", TOGETHER, "(Mahalanobis(seasonal=True),)"),)
NO_H: Edits = (
    ("steps/judge.py", "total, blame = _sized(states, WHOLE, alone)", "total, blame = 0.0 * alone"),
    ("steps/judge.py", "total / (1 + len(views))", "total / len(views)"),
)


PARTS = (
    Variant("level", _without('d.type != "level"')),
    Variant("step", _without('d.type != "step"')),
    Variant("drift", _without('d.type != "drift"')),
    Variant("surprise", _without('d.type != "surprise"')),
    Variant("all but surprise", _without('d.type == "surprise"')),
    Variant("envelope", (("decide/fuse.py", "VETO = 2.0", "VETO = 0.0"),)),
    Variant("size bonus", (("decide/fuse.py", "WEIGHT = 5.0", "WEIGHT = 0.0"),)),
    Variant(
        "gate of the bonus", (("decide/fuse.py", "RARITY, RAMP = 7.0", "RARITY, RAMP = -9.0"),)
    ),
    Variant(
        "squeeze", (("decide/fuse.py", "return s if s <= THETA else", "return s if s <= 1e9 else"),)
    ),
    Variant("prior of ranks", (("decide/rank.py", "PRIOR = 20.0", "PRIOR = 1e-3"),)),
    Variant("episodes count once", (("decide/size.py", "AGAIN = 1 ", "AGAIN = WHOLE "),)),
    Variant("interval measured anew", (("decide/expect.py", "RENEW = 1024", "RENEW = 1 << 60"),)),
    Variant(
        "weekends apart",
        (("decide/expect.py", "weekend = 24 if (day + 3) % 7 >= 5 else 0", "weekend = 0"),),
    ),
    Variant(
        "daily profile",
        (("decide/expect.py", "better = has and", "better = False and"),),
    ),
    Variant(
        "usual, in surprise",
        (("detectors/surprise.py", "value[i] - usual[i]", "value[i] - recent[i]"),),
    ),
    Variant(
        "recent, in surprise",
        (("detectors/surprise.py", "value[i] - recent[i]", "value[i] - usual[i]"),),
    ),
    Variant(
        "sign rule of surprise",
        (("detectors/surprise.py", " if (e > 0.0) == (r > 0.0) else 0.0", ""),),
    ),
    Variant(
        "price of alerts", (("decide/budget.py", "price * told[s] + integral[s]", "integral[s]"),)
    ),
    Variant("integral of alerts", (("decide/budget.py", " + integral[s]\n", "\n"),)),
    Variant("view H", NO_H, HOSTS),
    Variant("view L", ONLY_P, HOSTS),
    Variant("view P", ONLY_L, HOSTS),
    Variant("all but P", NO_H + ONLY_P, HOSTS),
    Variant("smoothing", (("evaluate/joint.py", "GAIN = 2.0 / 11.0", "GAIN = 1.0"),), HOSTS),
    Variant("second instant of P", (("detectors/mahalanobis.py", "LAG = 3 ", "LAG = 1 "),), HOSTS),
)
"""Each part taken away; what is left judges."""


OF_HOSTS = ("detectors/mahalanobis.py", "evaluate/joint.py")
NATS = ("size of the bonus", "start of an episode")
"""Logarithms: twice as many are the square of how improbable something is, so smaller steps too."""


def _scaled(file: str, name: str, text: str, value: float, whole: bool = False) -> list[Variant]:
    """Half and double of a default: `text` holds it once, written as {}."""
    found = []
    for factor in (0.5, 0.7, 0.85, 1.2, 1.4, 2.0) if name in NATS else (0.5, 2.0):
        new = value * factor
        said = str(round(new)) if whole else f"({new!r})"
        edit = (file, text.format(_said(value, whole)), text.format(said))
        sets = HOSTS if file in OF_HOSTS else CURVES
        found.append(Variant(f"{name} x {factor:g}", (edit,), sets))
    return found


def _said(value: float, whole: bool) -> str:
    return str(round(value)) if whole else repr(value)


_DEFAULTS = (
    ("detectors/level.py", "memory of the level", "Field({} * DAY", 30, True),
    ("detectors/drift.py", "gain of the drifts", "{} / (self.span", 2.0, False),
    ("decide/expect.py", "least gain of the level of a day", "DAY_SECONDS = {}", 86400.0, False),
    ("decide/expect.py", "gain of the profile", "near, v, {} / max", 0.1, False),
    ("decide/expect.py", "gain of the comparison", "return mean + {} *", 0.01, False),
    ("decide/expect.py", "gain of the envelope", "gain = max({}, 1.0", 0.25, False),
    ("decide/expect.py", "margin of the envelope", "room = {} *", 0.25, False),
    ("decide/fuse.py", "veto of the envelope", "VETO = {}", 2.0, False),
    ("decide/fuse.py", "weight of the bonus", "WEIGHT = {}", 5.0, False),
    ("decide/fuse.py", "ramp of the bonus", "RAMP = 7.0, {}", 0.5, False),
    ("decide/fuse.py", "squeeze", "SQUEEZE = 6.0, {}", 2.0, False),
    ("decide/size.py", "size of the bonus", "BONUS = {}", 10.0, False),
    ("decide/size.py", "Q1", "Q1, Q2 = {}, 0.005", 0.05, False),
    ("decide/size.py", "Q2", "Q1, Q2 = 0.05, {}", 0.005, False),
    ("decide/size.py", "episode", "EPISODE = {} ", 10, True),
    ("decide/size.py", "start of an episode", "LARGE = {}", 4.0, False),
    ("decide/size.py", "memory of sizes", "KEEP = {} *", 20000, True),
    ("decide/rank.py", "worth of the prior", "PRIOR = {}", 20.0, False),
    ("decide/rank.py", "floor of the prior", "FLOOR = {}", 0.01, False),
    ("decide/rank.py", "memory of ranks", "KEEP = {} ", 20000, True),
    ("decide/budget.py", "slack", "SLACK = {}", 2.0, False),
    ("decide/budget.py", "forgetting of alerts", "FORGET = {} *", 14, True),
    ("decide/budget.py", "silence", "SILENCE = {} *", 12, True),
    ("evaluate/scorer.py", "gain of the integral", "(1.0, {})", 0.125, False),
    ("evaluate/scorer.py", "price of an alert", "({}, 0.125)", 1.0, False),
    ("evaluate/joint.py", "price of an alert, hosts", "CONTROL = {}, 0.25", 0.5, False),
    ("evaluate/joint.py", "gain of the integral, hosts", "CONTROL = 0.5, {}", 0.25, False),
    ("evaluate/joint.py", "gain of smoothing", "GAIN = {} / 11.0", 2.0, False),
    ("detectors/mahalanobis.py", "floor of scales", "FLOOR = {}", 0.03, False),
    ("detectors/mahalanobis.py", "memory of hosts", "MEMORY = {}_000.0", 50, True),
    ("detectors/mahalanobis.py", "gain of the profile, hosts", "PROFILE = {}", 0.1, False),
    ("detectors/mahalanobis.py", "lag", "LAG = {} ", 3, True),
    ("detectors/mahalanobis.py", "ridge", "RIDGE = {}", 0.1, False),
    ("detectors/mahalanobis.py", "rows between inversions", "EVERY = {}", 60, True),
)

SCALED = tuple(v for f, n, t, x, w in _DEFAULTS for v in _scaled(f, n, t, x, w))
"""Each default halved and doubled."""

_CUSUM = (
    ("learned of a strange run", "LITTLE = {} ", 0.1),
    ("highest tops", "SHARE, FEWEST = {}, 4.0", 0.1),
    ("memory of nats", "KEEP, LASTING = {}, 262_144.0", 8192.0),
)
OF_RUNS = tuple(v for n, t, x in _CUSUM for v in _scaled("decide/cusum.py", n, t, x))
"""The same of what runs of records are judged by."""
