"""How strange is the fused surprise F of an event, a line or a session, in nats.

    p      = (number of past F' >= F, linear in the bin, + 20 min(1, e^(1 - F))) / (n + 20)
    score  = -ln p
    judged = max(0, ln 2 + (F - q50) / beta),   beta = (q90 - q50) / ln 5

p is the conformal rank with a heavy-tailed prior (Vovk, Gammerman and Shafer, 2005). But a rank
cannot judge a past that holds anomalies itself: where 5 % of it were, none is rarer than that.
So what is anomalous is judged by the tail of the bulk, which is taken to be exponential through
its quantiles .5 and .9: F is anomalous where `judged` reaches 6.

Past F are those of a sample under the present model, each as if it were not in there (`refill`);
then F are added as they come (`learn`), those with a score above 4 with little weight (`weights`),
by the share of them lately:

    weight = clip(share^2, .01, .1)
    share <- share + min(N/1024, 1) (that among the latest N - share)
"""

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import inlined, kernel

BINS, STEP = 1024, 1.0 / 32.0  # of the past F, in nats
PRIOR = 20.0  # how many F the prior is worth
LOW, HIGH = 0.5, 0.9  # the quantiles that the bulk's tail goes through
ALERT = 6.0  # nats of `judged`
STRANGE = 4.0  # nats of score from which little is learned
LEAST, LITTLE = 0.01, 0.1  # ... at least and at most so much
LATELY = 1024  # over which the share of strange ones is taken
WARM = 4096  # without a history, so many are one

EDGES = np.arange(BINS) * STEP
TOP = BINS * STEP  # F beyond are as large as this


def init() -> State:
    """No past: 8 kB."""
    return {
        "counts": np.zeros(BINS),
        "strange": np.zeros(1),  # the share of strange ones lately
        "rows": np.zeros(1, np.int64),
        "told": np.zeros(1, np.bool_),  # whether there was a history
    }


def refill(state: State, fused: Floats) -> State:
    """Take F (N,) as all that was, in place of what was remembered."""
    return state | {"counts": np.bincount(_bins(fused), minlength=BINS).astype(float)}


def rank(state: State, fused: Floats) -> tuple[Floats, Floats]:
    """F (N,), at least 0 -> p and judged, both (N,). Cost: O(N + 1024)."""
    p = np.minimum(1.0, np.exp(1.0 - fused))
    low, high = _ranked(fused, state["counts"], p)
    return p, exponential(fused, low, high)


def exponential(x: Floats, low: float, high: float, least: float = 1e-3) -> Floats:
    """-ln p of x under an exponential tail through its quantiles LOW and HIGH, at least 0."""
    beta = max((high - low) / np.log((1.0 - LOW) / (1.0 - HIGH)), least)
    return np.asarray(np.maximum((x - low) / beta - np.log(1.0 - LOW), 0.0))


def weights(
    state: State, score: Floats, history: bool, least: float = LEAST
) -> tuple[State, Floats]:
    """How much is to be learned of each of a block, by its score (N,); NaN counts as usual.

    The square of the share of strange ones lately, a tenth at most: if a third is strange, things
    have changed. A hundredth at least, unless it is given: what goes on being so is not strange
    for ever. A history is learned whole: to be careful before much is known would be never to
    learn what is rare and usual.
    """
    guarded = not history and bool(state["told"][0] or state["rows"][0] >= WARM)
    share, mean, weight = float(state["strange"][0]), 0.0, np.ones(len(score))
    if guarded and len(score):
        strange = score > STRANGE
        mean = int(np.count_nonzero(strange)) / len(score)
        weight[strange] = min(max(share * share, least), LITTLE)
    gain = min(len(score) / LATELY, 1.0)
    return state | {
        "strange": np.full(1, share + gain * (mean - share)),
        "told": state["told"] | history,
    }, weight


def learn(state: State, fused: Floats, weight: Floats) -> State:
    """Add F (N,) to the past, each with its weight."""
    counts = _added(fused, weight, state["counts"])
    return state | {"counts": counts, "rows": state["rows"] + len(fused)}


@inlined
def _bin(x: float) -> int:
    """The bin of a number of steps; NaN is in the first."""
    return int(min(x, BINS - 1.0)) if x > 0.0 else 0


@kernel
def _ranked(fused: Array, counts: Array, p: Array) -> tuple[float, float]:
    """The quantiles LOW and HIGH of the past; p is the prior of each F, and then its rank."""
    above, total = np.empty(BINS), 0.0  # as many as in a bin and beyond
    for k in range(BINS - 1, -1, -1):
        total += counts[k]
        above[k] = total
    for k in range(len(fused)):
        x = fused[k] / STEP
        at = _bin(x)
        inside = min(max(x - at, 0.0), 1.0)
        p[k] = min((above[at] - inside * counts[at] + PRIOR * p[k]) / (total + PRIOR), 1.0)
    return _quantile(above, LOW), _quantile(above, HIGH)


@kernel
def _quantile(above: Array, share: float) -> float:
    """Where a share of the past is below, linear between the edges of bins."""
    n, last = max(above[0], 1e-9), -1.0
    for k in range(BINS):
        below = 1.0 - above[k] / n
        if below > share:
            return STEP / (below - last) * (share - last) + (k - 1) * STEP if k else 0.0
        last = below
    return (BINS - 1) * STEP


@kernel
def _added(fused: Array, weight: Array, counts: Array) -> Array:
    added = np.zeros(BINS)
    for k in range(len(fused)):
        added[_bin(fused[k] / STEP)] += weight[k]
    return counts + added


def _bins(fused: Floats) -> Array:
    return np.asarray(np.clip((fused / STEP).astype(np.int64), 0, BINS - 1))
