"""Networks that give windows back: gradients, the closed form, and how windows slide."""

import numpy as np
import pytest

from amiss.data import SECOND, Array
from amiss.networks import affine, dense, gaps, sliding
from amiss.networks.bidirectional import Bidirectional
from amiss.networks.components import principal
from amiss.networks.parameters import count
from amiss.networks.windowed import Network, trained

WINDOW, WIDTH, BATCH = 6, 2, 3
SIZES = ((WINDOW - 2) * WIDTH, 5, 3, 5, WINDOW * WIDTH)


@pytest.mark.parametrize(
    "network",
    [dense.Dense(SIZES, BATCH, float), Bidirectional(WINDOW, WIDTH, 3, BATCH, float)],
    ids=["dense", "bidirectional"],
)
def test_its_gradient_is_that_of_differences(network: Network) -> None:
    chance = np.random.default_rng(0)
    weights = np.empty(count(network.shapes))
    network.start(weights, chance)
    weights += 0.1 * chance.normal(size=len(weights))
    x = chance.normal(size=(BATCH, SIZES[0]))
    pull = chance.normal(size=(BATCH, SIZES[-1]))
    network.forward(weights, x)
    gradient, found = np.full_like(weights, np.nan), np.zeros_like(weights)
    network.backward(weights, x, pull.copy(), gradient)
    for n, was in enumerate(weights.tolist()):
        ends = []
        for step in (1e-6, -1e-6):
            weights[n] = was + step
            ends.append(float((network.forward(weights, x) * pull).sum()))
        weights[n], found[n] = was, (ends[0] - ends[1]) / 2e-6
    np.testing.assert_allclose(gradient, found, rtol=1e-5, atol=1e-7)


def test_a_window_is_read_from_both_ends() -> None:
    """With the layers of one end put in those of the other, a window turned comes back turned."""
    network = Bidirectional(WINDOW, WIDTH, 3, 1, float)
    weights = np.empty(count(network.shapes))
    network.start(weights, np.random.default_rng(1))
    x = np.random.default_rng(2).normal(size=(1, SIZES[0]))
    once = network.forward(weights, x).reshape(WINDOW, WIDTH).copy()
    turned = weights.copy()
    own, other = (_named(flat, network) for flat in (weights, turned))
    for name in ("input", "recurrent", "bias"):
        for a, b in ((0, 1), (2, 3)):
            other[f"{a}.{name}"][:], other[f"{b}.{name}"][:] = (
                own[f"{b}.{name}"],
                own[f"{a}.{name}"],
            )
    half = np.r_[3:6, 0:3]
    for n in (2, 3):
        other[f"{n}.input"][:] = other[f"{n}.input"][half]
    other["weight"][:] = own["weight"][half]
    back = network.forward(turned, x.reshape(-1, WIDTH)[::-1].reshape(1, -1))
    np.testing.assert_allclose(back.reshape(WINDOW, WIDTH)[::-1], once, rtol=1e-12)


def _named(flat: Array, network: Network) -> dict[str, Array]:
    from amiss.networks.parameters import parts

    return parts(flat, network.shapes)


def test_the_closed_form_is_that_of_the_normal_equations() -> None:
    chance = np.random.default_rng(3)
    rows = np.cumsum(chance.normal(size=(400, WIDTH)), axis=0).astype(np.float32)
    begin = np.arange(len(rows) - WINDOW + 1)
    flat = affine.solved(rows, begin, WINDOW)
    whole = np.array([rows[b : b + WINDOW].reshape(-1) for b in begin], float)
    mean = whole.mean(axis=0)
    away = whole - mean
    inner = away[:, WIDTH:-WIDTH]
    penalty = 0.01 * inner.var(axis=0).mean() * len(inner) * np.eye(inner.shape[1])
    ends = away[:, np.r_[0:WIDTH, -WIDTH:0]]
    slope = np.linalg.inv(inner.T @ inner + penalty) @ inner.T @ ends
    _, value, direction = np.linalg.svd(inner)
    kept = direction[: np.searchsorted(np.cumsum(value**2) / (value**2).sum(), 0.9) + 1]
    wanted = np.hstack([inner @ slope[:, :WIDTH], inner @ kept.T @ kept, inner @ slope[:, WIDTH:]])
    found = dense.forward(flat.astype(float), (SIZES[0], SIZES[-1]), whole[:, WIDTH:-WIDTH])
    np.testing.assert_allclose(found, wanted + mean, rtol=1e-3, atol=1e-3)


def test_training_leads_to_what_can_be_known() -> None:
    """Of a line its ends are known from its middle."""
    chance = np.random.default_rng(4)
    rows = np.repeat(chance.normal(size=50), 20)[:, None].astype(np.float32)
    begin = np.concatenate([np.arange(k * 20, k * 20 + 20 - 4) for k in range(50)])
    network, weight = dense.Dense((3, 8, 5), 16), np.full(5, 0.2)
    said = {"edge": 1, "batch": 16, "rate": 0.01, "seed": 0}
    weights, curve = trained(network, rows, (begin[:600], begin[600:]), weight, steps=500, **said)
    back = dense.forward(weights, (3, 8, 5), np.full((1, 3), 0.7, np.float32))
    np.testing.assert_allclose(back, 0.7, atol=0.1)
    epochs, training, validation = curve
    assert epochs[-1] == 500 * 16 / 600
    assert training[-1] < training[0] / 10
    late = rows[begin[600:, None] + np.arange(5), 0]
    error = dense.forward(weights, (3, 8, 5), late[:, 1:-1]) - late
    assert validation.min() == pytest.approx((error**2).mean(), rel=0.2)  # of those looked at


def test_components_hold_what_varies_most_and_lead_back() -> None:
    chance = np.random.default_rng(5)
    hidden = chance.normal(size=(500, 2)) * 0.5
    x = hidden @ chance.normal(size=(2, 6))
    found = principal(x - x.mean(axis=0), 5)
    assert found.out.shape == (2, 6)  # there is no more
    np.testing.assert_allclose(
        found.back((x - x.mean(axis=0)) @ found.into), x - x.mean(axis=0), atol=1e-9
    )
    assert found(x - x.mean(axis=0)).var(axis=0) == pytest.approx(1.0, rel=0.05)


def test_windows_slide_over_batches_and_begin_anew_after_a_gap() -> None:
    x = np.random.default_rng(6).normal(size=(60, 2, 3))
    x[5, 0], x[10:14, 1, 2] = np.nan, np.nan
    time = np.arange(60) * SECOND
    time[30:] += 100 * SECOND

    def state() -> dict[str, Array]:
        known = gaps.init(2) | sliding.init(2, 8, 0)
        return known | {"interval": gaps.usual(time), "weights": np.zeros(1)}

    def taken(cuts: list[int]) -> dict[tuple[int, int], Array]:
        kept, found = state(), {}
        for a, b in zip([0, *cuts], [*cuts, 60], strict=True):
            for s, ticks, given, back in sliding.through(kept, time[a:b], x[a:b], lambda w: w + 1):
                assert not np.isnan(back).any()
                for tick, window in zip(ticks.tolist(), given, strict=True):
                    found[a + tick, s] = window
        return found

    whole = taken([])
    for s in (0, 1):
        seen = [t for t in range(60) if np.isfinite(x[t, s]).any()]
        for n, t in enumerate(seen):
            rows = seen[n - 7 : n + 1] if n >= 7 else []
            if rows and not rows[0] < 30 <= t:
                np.testing.assert_array_equal(whole.pop((t, s)), x[rows, s].astype(np.float32))
    assert not whole
    again = taken([3, 4, 31, 50])
    assert again.keys() == taken([]).keys()
    for at, window in taken([]).items():
        np.testing.assert_array_equal(again[at], window)
