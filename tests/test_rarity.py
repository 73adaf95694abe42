"""The views of an event, against equations in plain Python; their calibration, the sample."""

from itertools import combinations
from math import log, log1p, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Array, Floats, State
from amiss.decide import bulk, portion, rarity, sample, tail
from amiss.decide.events import LEAST
from amiss.detecting import trees
from amiss.detectors import burst, neighbours, pairs, relation
from amiss.features import encoding
from amiss.text.names import hashed
from made import Chance

N = 300


def rows(n: int = N, seed: int = 1) -> tuple[Floats, Array]:
    """Three numbers, of which one follows from the others, one a flag; two categories."""
    chance = Chance(seed)
    a, b = np.exp(chance.normal(n)), np.rint(chance.exponential(n) * 100)
    numbers = np.stack([a, b, a * b + chance.normal(n), chance.uniform(n) > 0.9], axis=1)
    few = np.array(hashed(["x", "y", "z"]))[(chance.uniform(n) * 3).astype(int)]
    many = np.array(hashed([f"u{int(k)}" for k in chance.exponential(n) * 20]))
    return numbers, np.stack([few, many], axis=1)


def test_numbers_and_categories_are_encoded_as_the_equations_say() -> None:
    numbers, categories = rows()
    numbers[7, 0] = np.nan
    state = encoding.fit(numbers, categories, numbers)
    new = np.array([[np.nan, 1e150, -1e150, 0.0], [1.0, 50.0, 40.0, 1.0]])
    texts = np.array([[hashed(["w"])[0], 0], categories[3]])
    found = encoding.encode(state, new, texts)
    assert found.code[0].tolist()[:2] == [encoding.MISSING, 7]
    assert found.code[0].tolist()[2:] == [0, 0, 0, 0], "below all, the first flag, never seen"
    assert (found.z[0, 0], found.rank[0, 0]) == (0.0, 0.5)
    assert (found.z[0, 1], found.rank[0, 1]) == (10.0, pytest.approx(1.0, abs=0.01))
    column = numbers[:, 1]
    size = np.array([log1p(x) for x in column])
    assert found.z[1, 1] == pytest.approx((log1p(50.0) - size.mean()) / size.std())
    rank = (np.mean(column < 50.0) + np.mean(column <= 50.0)) / 2
    assert found.rank[1, 1] == pytest.approx(rank, abs=0.01)
    edges = np.quantile(column, np.linspace(0, 1, 7))
    assert found.code[1, 1] == sum(edge < 50.0 for edge in edges)
    counts = {k: int((categories[:, 1] == k).sum()) for k in set(categories[:, 1].tolist())}
    common = sorted(counts, key=lambda k: (-counts[k], k))
    said = encoding.encode(state, numbers, categories)
    for n in range(N):
        place = common.index(int(categories[n, 1]))
        assert said.code[n, 5] == (place + 2 if place < 6 else 1)
        assert said.known[n, 3:].sum() == (place < 32)
    assert not found.known[0].any()
    assert len(encoding.owners(state)) == said.known.shape[1]
    assert said.code.max() < encoding.CODES


def test_a_number_that_only_grows_is_as_if_it_were_missing() -> None:
    numbers, categories = rows()
    clock = np.cumsum(Chance(3).exponential(N) > 0.2) + 1e9  # repeats now and then
    numbers = np.column_stack([numbers, clock, np.sort(numbers[:, 1])])
    numbers[9, 5] = 0.0  # fell once
    state = encoding.fit(numbers, categories, numbers)
    assert state["grows"].tolist() == [False, False, False, False, True, False]
    said = encoding.encode(state, numbers, categories)
    assert (said.code[:, 4] == encoding.MISSING).all()
    assert not said.z[:, 4].any()
    later = numbers.copy()
    later[:, 4] += 1e6
    again = encoding.encode(state, later, categories)
    for name in ("code", "z", "rank", "known"):
        np.testing.assert_array_equal(getattr(again, name), getattr(said, name))


def test_names_that_are_never_the_same_twice_say_nothing() -> None:
    numbers, categories = rows()
    unique = np.array(hashed([f"id{n}" for n in range(N)]))
    shared = np.where(np.arange(N) % 2 == 0, categories[:, 0], unique)  # half of them
    state = encoding.fit(numbers, np.column_stack([categories, unique, shared]), numbers)
    assert encoding.silent(state).tolist() == [*[False] * 6, True, False]
    found = encoding.encode(state, numbers, np.column_stack([categories, unique, shared]))
    new = np.array(hashed([f"new{n}" for n in range(N)]))
    other = encoding.encode(state, numbers, np.column_stack([categories, new, shared]))
    for name in ("code", "z", "rank", "known"):
        np.testing.assert_array_equal(getattr(found, name), getattr(other, name))
    assert 6 not in encoding.owners(state)


def test_few_steps_and_steps_that_are_mostly_none_are_no_growth() -> None:
    few, steps = np.arange(32.0)[:, None], np.repeat(np.arange(20.0), 5)[:, None]
    assert not encoding.growing(few).any()
    assert encoding.growing(np.arange(33.0)[:, None]).all()
    assert not encoding.growing(steps).any()
    assert not encoding.growing(np.full((99, 1), np.nan)).any()


def test_pairs_are_the_harmonic_mean_of_cells_no_fuller_than_these() -> None:
    known = encoding.fit(*rows(), rows()[0])
    code = encoding.encode(known, *rows()).code
    state, past = pairs.fit(code, encoding.CODES, np.arange(N), seed=0)

    def naive(row: Array, sample: Array) -> float:
        inverse = []
        for a, b in combinations(range(code.shape[1]), 2):
            cells: dict[tuple[int, int], int] = {}
            for other in sample[:, [a, b]].tolist():
                cells[other[0], other[1]] = cells.get((other[0], other[1]), 0) + 1
            own = cells.get((row[a], row[b]), 0)
            rows = sum(count for count in cells.values() if count <= own + 1)
            inverse.append((len(sample) + 1) / (rows + 1))
        return log(np.mean(inverse))

    new = encoding.encode(known, *rows(20, 2)).code
    wanted = [naive(row, code) for row in new]
    np.testing.assert_allclose(pairs.score(state, new), wanted, rtol=1e-5)
    strange = int(past.argmax())
    assert past[strange] > np.quantile(past, 0.99)
    assert (pairs.blame(state, new) >= 0.0).all()


def test_relation_is_how_badly_the_others_predict_a_column() -> None:
    numbers = rows()[0]
    x = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    state, past = relation.fit(x, np.arange(N))
    m = x - x.mean(axis=0)
    P = np.linalg.inv(np.cov(x.T) + 1e-3 * np.eye(4))
    residuals = np.abs([[(row @ P)[j] / sqrt(P[j, j]) for j in range(4)] for row in m])

    def bin_of(r: float) -> int:
        return int(min(max(8 * np.log2(max(r, 1e-6)) + 80, 0), 127))

    bins = [[bin_of(r) for r in row] for row in residuals]
    for n in (0, 5, 100, int(past.argmax())):
        p = [(sum(o[j] >= bins[n][j] for o in bins) + 1) / (N + 1) for j in range(4)]
        assert past[n] == pytest.approx(log(np.mean([1 / q for q in p])), rel=1e-3)
    np.testing.assert_allclose(relation.score(state, x), past)
    odd = x[3] + np.array([0.0, 0.0, 3.0, 0.0])
    for j, said in enumerate(relation.blame(state, odd[None])[0]):
        r = abs(((odd - x.mean(axis=0)) @ P)[j] / sqrt(P[j, j]))
        p = (sum(o[j] >= bin_of(r) for o in bins) + 1) / (N + 1)
        assert said == pytest.approx(1 / p, rel=1e-3)


@pytest.mark.parametrize("n", [N, 3000])
def test_neighbours_are_the_nearest_that_are_stored_but_oneself(n: int) -> None:
    x = np.stack([Chance(4).normal(n), Chance(5).normal(n)], axis=1)
    x[n // 2] = 40.0
    order = np.random.default_rng(0).permutation(n)
    state, past = neighbours.fit(x, order, 100)
    stored = state["rows"].T / -2.0
    assert len(stored) == min(n, neighbours.STORED)
    assert (stored == 40.0).all(axis=1).any(), "what is far from all is kept"
    for k in range(100):
        away = np.sqrt(((stored - x[order[k]]) ** 2).sum(axis=1))
        away = away[away > 1e-6] if k < neighbours.STORED // 2 or n == N else away
        assert past[k] == pytest.approx(away.min(), rel=1e-3, abs=2e-3)
    distance, which = neighbours.nearest(state, np.array([[41.0, 40.0]]))
    assert distance[0] == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(
        neighbours.blame(state, np.array([[41.0, 40.0]]), which), [[1.0, 0.0]]
    )


@given(st.integers(1, 400), st.floats(-5, 60))
def test_the_tail_is_a_rank_and_then_heavy(n: int, x: float) -> None:
    past = np.sort(Chance(n).exponential(n))
    t = min(max(4, n // 50), n)
    u = past[-t]
    b = max(np.mean(past[-t:] - u), 1e-9)
    if x > u:
        wanted = log((n + 1) / t) + 4 * log1p((x - u) / (4 * b))
    else:
        wanted = -log((sum(past >= x) + 1) / (n + 1))
    assert tail.nats(past, np.array([x]))[0] == pytest.approx(min(wanted, 30.0))


def test_strange_rows_teach_little_but_not_when_they_are_the_rule() -> None:
    def step(state: State, score: Floats, history: bool) -> tuple[State, Floats]:
        state, chance = bulk.weights(state, score, history, LEAST)
        return bulk.learn(state, np.zeros(len(score)), chance), chance

    state, strange = bulk.init(), np.where(np.arange(256) < 13, 5.0, 1.0)
    state, chance = step(state, strange, history=True)
    assert (chance == 1.0).all(), "history is learned whole"
    for _ in range(60):
        state, chance = step(state, strange, history=False)
    assert chance[0] == pytest.approx((13 / 256) ** 2, rel=0.01)
    assert (chance[13:] == 1.0).all()
    for _ in range(60):
        state, chance = step(state, np.full(256, 5.0), history=False)
    assert (chance == 0.1).all()
    young, chance = step(bulk.init(), np.full(bulk.WARM, 5.0), history=False)
    assert (chance == 1.0).all()
    assert (step(young, np.array([5.0, np.nan]), history=False)[1] == [0.0, 1.0]).all()


def test_the_sample_is_the_first_rows_and_then_of_a_horizon() -> None:
    state = sample.init({"x": np.zeros((0, 1))})
    for at in range(0, 120_000, 256):
        block = np.arange(at, at + 256, dtype=float)[:, None]
        state = sample.add(state, {"x": block}, np.ones(256), seed=0)
        if at + 256 == sample.ROWS:
            assert (state["x"][:, 0] == np.arange(sample.ROWS)).all()
    assert len(state["x"]) == sample.ROWS
    age = (120_000 - state["x"][:, 0]) / sample.HORIZON
    assert np.mean(age < log(2)) == pytest.approx(0.5, abs=0.02), "old rows fade exponentially"
    before = state["x"].copy()
    state = sample.add(state, {"x": np.zeros((256, 1))}, np.zeros(256), seed=0)
    assert (state["x"] == before).all(), "what has no weight is not learned"


def test_fits_are_due_at_each_doubling() -> None:
    def marks(fitted: int) -> list[int]:
        found = []
        for n in range(fitted + 1, 200_000):
            if sample.due(fitted, n):
                found.append(fitted := n)
        return found

    assert marks(0) == [64 << k for k in range(10)] + [65536, 98304, 131072, 163840, 196608]
    assert marks(20_000) == [40_000, 72_768, 105_536, 138_304, 171_072], "after a history"


def test_the_portion_is_kept() -> None:
    state: State = {}
    told = 0
    for seed in range(10):
        state, alert = portion.step(state, Chance(seed).exponential(10_000), 0.01)
        told += int(alert.sum())
    assert told == pytest.approx(1000, abs=60)
    before = state["theta"].copy()
    state, alert = portion.step(state, np.full(5, np.nan), 0.01)
    assert not alert.any()
    assert state["theta"] == before


def model(numbers: Floats, categories: Array) -> tuple[rarity.States, Floats]:
    """Of a sample whose last rows are the latest."""
    latest = {"numbers": numbers[-burst.WINDOW :], "categories": categories[-burst.WINDOW :]}
    return rarity.fit(numbers, categories, latest)


def test_a_burst_is_a_ratio_of_densities_less_that_of_the_surroundings() -> None:
    x = np.stack([Chance(1).normal(3000), Chance(2).normal(3000)], axis=1)
    forest = trees.grow(x)
    leaves, lately = trees.leaves(forest, x), trees.leaves(forest, x[:1500] + 0.3)
    state, past = burst.fit(leaves, forest["feature"].shape[1])
    for at in range(0, 1500, 256):
        state = burst.learn(state, lately[at : at + 256])

    def above(leaf: int) -> list[int]:
        way = [leaf]
        while way[-1] > 0:
            way.append((way[-1] - 1) // 2)
        return way

    def inside(t: int, node: int, some: Array) -> int:
        return sum(node in above(leaf) for leaf in some[:, t].tolist())

    wanted = []
    for t in range(0, trees.TREES, 25):
        leaf = int(leaves[7, t])
        near = next(n for n in above(leaf) if n == 0 or inside(t, n, leaves) >= 3000 / 32)
        ratio = [
            (inside(t, n, lately[-1024:]) + 1) / (inside(t, n, leaves) * 1024 / 3000 + 1)
            for n in (leaf, near)
        ]
        wanted.append(log(ratio[0] / ratio[1]))
        only = {k: v[t : t + 1] for k, v in state.items() if k != "window"}
        only["window"] = state["window"]
        assert burst.score(only, leaves[7:8, t : t + 1])[0] == pytest.approx(wanted[-1])
    assert np.abs(past).max() < 0.7, "its own rows come as often as ever"


def test_what_comes_in_numbers_is_strange_and_a_busy_region_is_not() -> None:
    chance = Chance(6)
    x = np.stack([chance.normal(4000), chance.normal(4000)], axis=1)
    x[::3] += 9.0  # a region of its own
    x[::200] = 5.0 + 0.01 * chance.normal(20)[:, None]  # seldom, and between the two
    forest = trees.grow(x)
    state, _ = burst.fit(trees.leaves(forest, x), forest["feature"].shape[1])
    few, busy = np.full((300, 2), 5.0), x[3::3][:1024]
    before = burst.score(burst.learn(state, trees.leaves(forest, x)), trees.leaves(forest, few[:1]))
    mixed = np.concatenate([few, x[-724:]])
    wave = burst.score(
        burst.learn(state, trees.leaves(forest, mixed)), trees.leaves(forest, few[:1])
    )
    more = burst.score(burst.learn(state, trees.leaves(forest, busy)), trees.leaves(forest, busy))
    assert abs(before[0]) < 0.3
    assert wave[0] > 1.5
    assert np.median(more) < 0.2, "though it is three times as busy"
    assert burst.score(state, trees.leaves(forest, few)).tolist() == [0.0] * 300, "nothing yet"


def test_what_is_in_the_history_by_mistake_is_still_strange() -> None:
    """A dense cluster far from all others, 1 % of the sample: its like is near to it."""
    numbers, categories = rows(2000)
    numbers[::100] = [400.0, 3.0, -9.0, 1.0]
    numbers[::100] += 1e-3 * Chance(9).normal(20)[:, None]
    states, past = model(numbers, categories)
    opinion = rarity.judge(states, numbers[:101] + 1e-4, categories[:101])
    assert len(past) == 2000
    assert opinion.fused[[0, 100]].min() > np.quantile(past, 0.95)
    nats = dict(zip(rarity.VIEWS, opinion.nats[0].tolist(), strict=True))
    assert nats["near"] < 2.0, "it has its like"
    assert nats["isolation"] > 3.0
    assert nats["usual"] > nats["relation"] + 0.5
    wave = np.concatenate([opinion.leaves[[0, 100]]] * 100)
    later = rarity.judge(rarity.learn(states, wave), numbers[:101] + 1e-4, categories[:101])
    assert later.fused[0] > 1.5 * opinion.fused[0], "now it comes in numbers"
    assert (later.nats == opinion.nats).all()


def test_blame_is_where_it_was_planted() -> None:
    numbers, categories = rows(2000)
    states, _ = model(numbers, categories)
    new, texts = rows(40, 7)
    for n in range(40):
        new[n, n % 3] = [-50.0, 9e4, -3e3][n % 3]
    texts[:, 0] = np.where(np.arange(40) % 4 == 3, hashed(["never"])[0], texts[:, 0])
    opinion = rarity.judge(states, new, texts)
    worst = np.argsort(-rarity.blame(states, opinion, np.arange(40)), axis=1)
    found = [n % 3 in worst[n, :2] for n in range(40)]
    assert np.mean(found) > 0.9
