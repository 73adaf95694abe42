"""Who was told of what lately: silence after an incident, and the price of the next one.

For an hour after an incident none of its series opens another, unless it is two nats stranger than
it was then; and each incident that a series opens costs it a nat more, forgotten with 14 days:

    may open = s >= bar + price  and, within the hour, s >= last + 2
    price <- price e^(-dt / 14 days),  and + 1 with an incident that it opens
"""

from math import exp

from amiss.data import SECOND
from amiss.decide.budget import FORGET
from amiss.decide.opened import Opened, Told

AGAIN = 2.0  # nats more than the last time that break the silence
FADED = 0.05  # nats of price not worth remembering


def may_open(last: Told | None, now: int, score: float, bar: float, silence: int) -> bool:
    """Whether a series of this score may open an incident, given what was last told of it."""
    if last is None:
        return score >= bar
    return not silent(last, now, score, silence) and score >= bar + price(last, now)


def silent(last: Told | None, now: int, score: float, silence: int) -> bool:
    """Whether it was told so lately that it must be much stranger to be told again."""
    return last is not None and abs(now - last.at) <= silence and score < last.score + AGAIN


def price(last: Told | None, now: int) -> float:
    """What the next incident that a series opens costs it more, in nats."""
    return last.price * exp(-max(now - last.at, 0) / SECOND / FORGET) if last else 0.0


def pay(told: dict[str, Told], key: str, now: int, score: float) -> None:
    """Remember that a series opened an incident."""
    told[key] = Told(now, score, price(told.get(key), now) + 1.0)


def quieten(told: dict[str, Told], over: Opened, now: int, silence: int) -> None:
    """The members of an incident that is over are silent from now; its runs have been told.

    What has faded is forgotten: with the price, or, as long as it may be said when a member was
    last as strange, with the memory of the budget.
    """
    for key in over.runs:
        told[key] = Told(now, 0.0, price(told.get(key), now))
    for key, member in over.members.items():
        told[key] = Told(now, member.score, price(told.get(key), now))
    long = max(silence, int(FORGET * SECOND))
    old = [
        key for key, last in told.items() if abs(now - last.at) > long and price(last, now) < FADED
    ]
    for key in old:
        del told[key]
