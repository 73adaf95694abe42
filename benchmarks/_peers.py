"""One peer on inputs, in the environment of that peer: run by peers.py, imports nothing of Amiss.

    python _peers.py METHOD FOLDER

FOLDER holds inputs 0.npz, 1.npz ...: `values` (T, F), `time` (T,) seconds and `start`, the rows
to learn from. For each a raw score for each row, higher is stranger, goes to 0.npy ...; what it
cost to cost.json. A score depends on its row and earlier ones; where a peer has to be fitted,
that is done once, on the first `start` rows.
"""

import json
import pickle
import resource
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

SEED = 0


def with_differences(values):
    """Rows (T, F) without gaps; a single column comes with its differences."""
    rows = np.nan_to_num(np.asarray(values, float))
    if rows.shape[1] == 1:
        rows = np.column_stack([rows, np.diff(rows, axis=0, prepend=rows[:1])])
    return rows


def half_space_trees(values, _time, _start):
    """River's, as it comes, on values scaled by the least and most so far."""
    from river import anomaly, preprocessing

    model = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=SEED)
    score = np.empty(len(values))
    for t, row in enumerate(with_differences(values).tolist()):
        features = dict(enumerate(row))
        score[t] = model.score_one(features)
        model.learn_one(features)
    return score, model


def _pysad(model, values):
    rows = with_differences(values)
    score = np.array([np.ravel(model.fit_score_partial(row))[0] for row in rows], float)
    return score, model


def loda(values, _time, _start):
    """pysad's LODA, as it comes."""
    from pysad.models import LODA

    np.random.seed(SEED)
    return _pysad(LODA(), values)


def xstream(values, _time, _start):
    """pysad's xStream, as it comes."""
    from pysad.models import xStream

    np.random.seed(SEED)
    return _pysad(xStream(), values)


def _pyod(model, values, start):
    rows = with_differences(values)
    model.fit(rows[:start])
    return np.asarray(model.decision_function(rows), float), model


def hbos(values, _time, start):
    """PyOD's histograms, as it comes."""
    from pyod.models.hbos import HBOS

    return _pyod(HBOS(), values, start)


def knn(values, _time, start):
    """PyOD's nearest neighbours, as it comes."""
    from pyod.models.knn import KNN

    return _pyod(KNN(), values, start)


def _merlion(model, values, seconds, start):
    import pandas as pd
    from merlion.utils import TimeSeries

    once, rows = np.unique(seconds, return_index=True)
    table = pd.DataFrame({"value": np.nan_to_num(values[rows, 0])})
    table.index = pd.to_datetime(once, unit="s")
    first = int(np.searchsorted(once, seconds[start]))
    past, rest = (TimeSeries.from_pd(part) for part in (table[:first], table[first:]))
    model.train(past)
    told = model.get_anomaly_score(rest, past).to_pd().abs().iloc[:, 0]
    score = np.zeros(len(values))
    at = (told.index.to_numpy().astype("datetime64[s]")).astype(np.int64)
    score[rows[np.searchsorted(once, at)]] = told.to_numpy()
    own = model.get_anomaly_score(past).to_pd().abs().iloc[:, 0]
    at = (own.index.to_numpy().astype("datetime64[s]")).astype(np.int64)
    score[rows[np.searchsorted(once, at)]] = own.to_numpy()
    return score, model


def merlion_zms(values, seconds, start):
    """Merlion's differences at several lags, as it comes."""
    from merlion.models.anomaly.zms import ZMS, ZMSConfig

    return _merlion(ZMS(ZMSConfig()), values, seconds, start)


def merlion_windstats(values, seconds, start):
    """Merlion's statistics of each hour of the week, as it comes."""
    from merlion.models.anomaly.windstats import WindStats, WindStatsConfig

    return _merlion(WindStats(WindStatsConfig()), values, seconds, start)


METHODS = {
    "half-space trees": (half_space_trees, "river"),
    "LODA": (loda, "pysad"),
    "xStream": (xstream, "pysad"),
    "HBOS": (hbos, "pyod"),
    "KNN": (knn, "pyod"),
    "ZMS": (merlion_zms, "salesforce-merlion"),
    "WindStats": (merlion_windstats, "salesforce-merlion"),
}


def size_of(model):
    """Bytes of the model as it would be saved; None if it cannot be."""
    try:
        return len(pickle.dumps(model))
    except Exception:
        return None


def peak_mb():
    """The most memory that this process held. Linux counts that of its parent in rusage."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return next(int(row.split()[1]) / 1e3 for row in status.open() if row.startswith("VmHWM"))


def main(name, folder):
    """Score all inputs."""
    warnings.simplefilter("ignore")
    method, package = METHODS[name]
    seconds, rows, state = 0.0, 0, None
    for path in sorted(folder.glob("*.npz"), key=lambda path: int(path.stem)):
        with np.load(path) as held:
            values, at, start = held["values"], held["time"], int(held["start"])
        if not rows:
            method(values[: start + 10], at[: start + 10], start)  # imports, compilers
        began = time.process_time()
        score, model = method(values, at, start)
        seconds += time.process_time() - began
        rows += len(values)
        held = size_of(model)
        state = held if state is None else max(state, held or 0)
        np.save(path.with_suffix(".npy"), score)
    cost = {"seconds": seconds, "rows": rows, "peak_mb": peak_mb(), "state_bytes": state}
    said = {"version": f"{package} {version(package)}", **cost}
    (folder / "cost.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
