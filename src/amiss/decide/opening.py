"""Who may open an incident, who pays for it, and how it begins."""

import hashlib

from amiss.data import Severity
from amiss.decide import budget, told
from amiss.decide.judged import Judged, Policy
from amiss.decide.opened import Memory, Opened


def asked(judged: Judged, t: int, s: int) -> Severity | None:
    """The severity that a rule asks for, where one holds."""
    found = judged.found.get((t, s))
    return found.severity if found else None


def _payer(judged: Judged, t: int, s: int) -> str:
    """Who pays for an incident that this series opens: of a whole the one most to blame.

    Of a run of records what they are blamed for most: a run of another kind is news.
    """
    if blamed := judged.blamed.get((t, s), ()):
        return blamed[0].series
    found = judged.found.get((t, s))
    return f"{judged.keys[s]} {found.about}" if found and found.about else judged.keys[s]


def may_open(
    memory: Memory, judged: Judged, t: int, s: int, score: float, bar: float, policy: Policy
) -> bool:
    """Whether this series may open an incident at this tick, at a score above its bar."""
    key, payer, now = judged.keys[s], _payer(judged, t, s), int(judged.time[t])
    last = memory.told.get(key)
    if asked(judged, t, s) is not None:
        # a record is one of many: of the same subject the first of them is enough for a while
        return (t, s) not in judged.said or not told.silent(last, now, score, policy.silence)
    found = judged.found.get((t, s))
    if found and found.since is not None:
        before = (last, memory.told.get(found.run))  # whomever it was said to be of
        if any(one and found.since <= one.at for one in before):
            return False  # it was told
    if payer != key and told.silent(last, now, score, policy.silence):
        return False
    return told.may_open(memory.told.get(payer), now, score, bar, policy.silence)


def begin(
    memory: Memory, judged: Judged, t: int, s: int, score: float, bar: float, policy: Policy
) -> Opened:
    """The incident that it opens, and what that costs."""
    now, key, rule = int(judged.time[t]), judged.keys[s], asked(judged, t, s) is not None
    last, interval = memory.told.get(key), float(judged.interval[t, s])
    if not rule:
        told.pay(memory.told, _payer(judged, t, s), now, score)
    memory.price = budget.charged(memory.price or 0.0, policy.a_day, rule)
    memory.count += 1
    return Opened(
        id=identity(policy.name, judged.systems[s], now, memory.count),
        since=now,
        seen=now,
        scored=now,
        bar=bar,
        interval=interval,
        watched=float(judged.watched[t, s]),
        before=last,
        pace=0.0 if judged.is_record(t, s) else interval,
    )


def identity(pipeline: str, system: str, since: int, count: int) -> str:
    """The same incident always has the same id, and no other has it if a time comes twice."""
    said = f"{pipeline}\n{system}\n{since}\n{count}".encode()
    return hashlib.blake2b(said, digest_size=6).hexdigest()
