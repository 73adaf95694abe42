"""Made-up logins, with odd ones planted that public flows have none of.

Users come as often as Zipf's law has it, each from one of two places that are its own, by one
method, around midday. In the second half some rows are of a user that was never seen, some lack
their bytes, and some come from a place that is often seen, but not with that user.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from amiss.evaluate.quality import figures, labelled, product
from amiss.evaluate.quality.said import Cost

NAMES = ("user", "place", "method", "hour", "bytes")
ROWS, USERS, PLACES, ODD, SEEDS = 12_000, 200, 30, 300, 2

Figures = dict[str, float]
Chance = np.random.Generator
Plant = Callable[[list[str], list[int], Chance], None]


def _new_user(row: list[str], others: list[int], chance: Chance) -> None:
    row[0] = f"x{chance.integers(10**6)}"


def _no_bytes(row: list[str], others: list[int], chance: Chance) -> None:
    row[4] = ""


def _other_place(row: list[str], others: list[int], chance: Chance) -> None:
    row[1] = f"p{chance.choice(others)}"


PLANTED: dict[str, Plant] = {
    "new user": _new_user, "no bytes": _no_bytes, "other place": _other_place
}  # fmt: skip


def of_logins(data: Path, place: Path) -> Figures:
    """Average precision of each kind of odd row, mean over seeds. Needs no data."""
    found = dict[str, float]()
    for name, plant in PLANTED.items():
        each = [_precision(logins(plant, seed), place) for seed in range(SEEDS)]
        found[name] = float(np.mean(each))
    return found


def logins(plant: Plant, seed: int) -> labelled.Rows:
    """Rows of which some of the second half are odd."""
    chance = np.random.default_rng(seed)
    user = chance.zipf(1.3, 3 * ROWS)
    user = user[user <= USERS][:ROWS] - 1
    homes = chance.integers(0, PLACES, (USERS, 2))
    place = homes[user, (chance.random(ROWS) < 0.2).astype(int)]
    method = np.where(chance.random(USERS) < 0.7, "password", "key")[user]
    hour, size = chance.normal(13.0, 3.0, ROWS) % 24.0, np.exp(chance.normal(6.0, 1.0, ROWS))
    columns = (user.tolist(), place.tolist(), method.tolist(), hour.tolist(), size.tolist())
    cells = [
        [f"u{u}", f"p{p}", how, f"{h:.2f}", f"{s:.0f}"]
        for u, p, how, h, s in zip(*columns, strict=True)
    ]
    often = np.flatnonzero(np.bincount(place[: ROWS // 2], minlength=PLACES) >= ROWS // 100)
    odd = chance.choice(np.arange(ROWS // 2, ROWS), ODD, replace=False)
    for n in odd.tolist():
        plant(cells[n], [p for p in often.tolist() if p not in homes[user[n]]], chance)
    attack = np.zeros(ROWS, np.bool_)
    attack[odd] = True
    return labelled.Rows(NAMES, cells, attack)


def _precision(rows: labelled.Rows, place: Path) -> float:
    half = ROWS // 2
    past = labelled.write_rows(place / "past.csv", rows, range(half))
    test = labelled.write_rows(place / "test.csv", rows, range(half, ROWS))
    saids = list(product.rows([test], past, Cost()))
    return figures.of_rows("logins", [rows.attack[half:]], saids)["logins.ap"][0]
