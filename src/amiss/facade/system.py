"""`AnomalyDetectionSystem`: train, ask, report; safe to be called from several threads."""

import re
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from amiss.data import SECOND, Floats
from amiss.decide.fuse import p_of
from amiss.errors import ConfigError
from amiss.facade import config as settings
from amiss.facade import made, trained
from amiss.facade.alerts import Sender
from amiss.facade.config import KINDS, Config
from amiss.facade.journal import Journal
from amiss.facade.samples import BUILT_IN, Extractor, are_named, features, kind_of, unpacked
from amiss.facade.trained import Asked, Trained
from amiss.words.message import write_time
from amiss.world import World

FILE = "anomaly_config.json"
BLAMED = 3  # features that are named
NAME = re.compile(r"[\w-]{1,64}")


class AnomalyDetectionSystem:
    """Isolation forest, LSTM and DBSCAN over samples of several kinds, with one confidence.

    `config` is a dictionary that may be changed at any time: what stands under `models` counts
    from the next training on, but for contamination, which like all the rest counts at once. It
    is read from `config_file`, which is written with every default where there is none. Errors
    are amiss.errors.Error, with a sentence.
    """

    def __init__(self, config_file: str | Path = FILE, *, world: World | None = None) -> None:
        """ConfigError if the file cannot be read, written, or is wrong."""
        path, self.world = Path(config_file), world or World()
        if not path.exists():
            settings.write({}, path)
        self.config = settings.read(path)
        self.config_file = path
        self.feature_extractors = dict(BUILT_IN)
        self.journal = Journal(Path(self.config["log_file"]))
        self._lock = threading.RLock()
        self._models: dict[tuple[str, str], Trained] = {}
        self._asked: dict[str, Asked] = {}
        self._history: deque[dict[str, Any]] = deque()
        self._stats = {"total_samples": 0, "anomalies_detected": 0, "false_positives": 0}
        self._updated: str | None = None
        self._sender = Sender(self.journal, self.world)
        self.journal.say("INFO", "System initialized")

    def save_config(self, path: str | Path | None = None) -> None:
        """Write the configuration, with every default. ConfigError if it is wrong."""
        settings.write(self.config, Path(path) if path else self.config_file)

    def generate_training_data(self, n: int) -> list[dict[str, Any]]:
        """So many made-up samples of the four kinds, the same every time for one random_state."""
        if n < 1:
            raise ConfigError(f"n: at least one sample is wanted, not {n}")
        return made.samples(n, self._checked().models.isolation_forest.random_state)

    def train_isolation_forest(self, data: Any, data_type: str | None = None) -> dict[str, Any]:
        """Fit one forest for each kind of sample in `data`; what is known of each, by kind.

        `data` is a sequence of samples, a table with a column for each key, or an array (N, F),
        of which `data_type` is the kind; where that is not said, samples say or show theirs. Raises
        ConfigError for too few samples, StateError where nothing can be learned.
        """
        return self._train("isolation_forest", data, data_type)

    def train_lstm_model(self, data: Any, data_type: str | None = None) -> dict[str, Any]:
        """The same with an LSTM, to which the order of samples matters."""
        return self._train("lstm", data, data_type)

    def train_dbscan_model(self, data: Any, data_type: str | None = None) -> dict[str, Any]:
        """The same with clusters by density."""
        return self._train("dbscan", data, data_type)

    def detect_anomalies(self, data: Any, data_type: str | None = None) -> dict[str, Any]:
        """What all models of this kind of sample say together.

        is_anomaly, confidence (0 to 1), severity (low, medium, high), data_type, timestamp, id,
        p, score (-ln p), models (the confidence of each), blame (features that stand out most).
        """
        return self._detect([data], data_type)[0]

    def detect_anomalies_batch(
        self, data: Any, data_type: str | None = None
    ) -> list[dict[str, Any]]:
        """The same of many, in their order: quicker than one by one, with the same answers."""
        return self._detect(_listed(data), data_type)

    def report_false_positive(self, result: Mapping[str, Any]) -> None:
        """Count an answer that was wrong; models are not changed by it."""
        with self._lock:
            self._stats["false_positives"] += 1
        self.journal.say("INFO", f"False positive reported: {result.get('id', 'unknown')}")

    @property
    def stats(self) -> dict[str, Any]:
        """total_samples, anomalies_detected, false_positives, last_model_update (ISO 8601)."""
        with self._lock:
            return self._stats | {"last_model_update": self._updated}

    @property
    def models(self) -> list[Trained]:
        """All that are trained, each with its figures on samples that were held out."""
        with self._lock:
            return [self._models[key] for key in sorted(self._models)]

    def generate_report(self, path: str | Path | None = None) -> str:
        """What was seen and found, and how good the models are, for a person to read.

        With a `path` it is written there too, with pictures, as a page that prints.
        """
        from amiss.facade import report

        with self._lock:
            known = self.stats, self.models, list(self._history)
        if path is not None:
            report.write(Path(path), *known, self.world.now())
        return report.report(*known)

    def clear_historical_data(self) -> None:
        """Forget past answers; models and statistics stay."""
        with self._lock:
            self._history.clear()

    def save_models(self, path: str | Path | None = None) -> list[Path]:
        """Write each model into a folder (`model_path`); the files."""
        folder = Path(path or self._checked().model_path)
        files = [trained.save(one, folder) for one in self.models]
        self.journal.say("INFO", f"{len(files)} models saved to {folder}")
        return files

    def load_models(self, path: str | Path | None = None) -> int:
        """Read all models of a folder; how many. All or none: StateError if one is damaged."""
        folder = Path(path or self._checked().model_path)
        found = [trained.load(file) for file in sorted(folder.glob("*.npz"))]
        if not found:
            raise ConfigError(f"{folder}: there is no model in this folder")
        with self._lock:
            self._models.update({(one.name, one.kind): one for one in found})
            self._asked.clear()
            self._updated = _second(max(one.at for one in found))
        self.journal.say("INFO", f"{len(found)} models loaded from {folder}")
        return len(found)

    def flush(self) -> None:
        """Wait until all alerts have been sent or given up."""
        self._sender.flush()

    def _checked(self) -> Config:
        return settings.checked(self.config, "config")

    def _train(self, name: str, data: Any, data_type: str | None) -> dict[str, Any]:
        detector, told = settings.detector(self._checked(), name), {}
        by_kind: dict[str, list[Any]] = {}
        for sample in _listed(data):
            by_kind.setdefault(data_type or kind_of(sample), []).append(sample)
        if not by_kind:
            raise ConfigError(f"{name}: there are no samples to train on")
        for kind, samples in by_kind.items():
            names, rows = self._rows(samples, kind)
            # without the lock: the model that serves goes on serving
            model = trained.train(name, kind, detector, rows, names)
            with self._lock:
                self._models[name, kind] = model
                self._asked.pop(kind, None)
                self._updated = _second(model.at)
            told[kind] = {"samples": model.samples, "seconds": model.seconds, **model.figures}
            self.journal.say("INFO", f"{name} trained on {model.samples} {kind} samples")
        return told

    def _detect(self, samples: Sequence[Any], data_type: str | None) -> list[dict[str, Any]]:
        config = self._checked()
        places: dict[str, list[int]] = {}
        for i, sample in enumerate(samples):
            places.setdefault(data_type or kind_of(sample), []).append(i)
        results: list[dict[str, Any]] = [{}] * len(samples)
        with self._lock:
            for kind, own in places.items():
                self._extractor(kind)
                asked = self._models_of(kind, config)
                names, rows = self._rows([samples[i] for i in own], kind)
                if names != asked.features:
                    raise ConfigError(
                        f"the models of {kind!r} were trained on {', '.join(asked.features)}, and "
                        f"the extractor gives {', '.join(names)}; train them again"
                    )
                for i, result in zip(own, _results(asked, rows, kind, config), strict=True):
                    results[i] = result
            self._stats["total_samples"] += len(samples)
            self._stats["anomalies_detected"] += sum(one["is_anomaly"] for one in results)
            self._history.extend(results)
            while len(self._history) > config.max_historical_records:
                self._history.popleft()
        for sample, result in zip(samples, results, strict=True):
            if result["is_anomaly"]:
                said = f"{result['data_type']}, confidence {result['confidence']:.2f}"
                said += f", severity {result['severity'].upper()}"
                self.journal.say("WARNING", f"ANOMALY DETECTED: {said}")
                self._sender.send(result, sample, config.alerts)
        return results

    def _models_of(self, kind: str, config: Config) -> Asked:
        contamination = config.models.isolation_forest.contamination
        asked = self._asked.get(kind)
        if asked is None:
            own = [self._models[name, kind] for name in KINDS if (name, kind) in self._models]
            if not own:
                raise ConfigError(
                    f"no model was trained on samples of kind {kind!r}; "
                    "call train_isolation_forest or load_models first"
                )
            newest = max(own, key=lambda one: one.at).features
            asked = Asked([one for one in own if one.features == newest], contamination)
            self._asked[kind] = asked
        if asked.ensemble.contamination != contamination:
            asked.ensemble = asked.ensemble.model_copy(update={"contamination": contamination})
        return asked

    def _extractor(self, kind: str) -> Extractor:
        if not NAME.fullmatch(kind):
            raise ConfigError(f"{kind!r} is no name of a kind; write letters, digits, _ and -")
        extract = self.feature_extractors.get(kind)
        if extract is None:
            known = ", ".join(self.feature_extractors)
            raise ConfigError(f"there is no extractor {kind!r}; there are {known}")
        return extract

    def _rows(self, samples: Sequence[Any], kind: str) -> tuple[tuple[str, ...], Floats]:
        """Names of features, and the numbers (N, F)."""
        extract = self._extractor(kind)
        if kind in BUILT_IN:
            samples = [unpacked(sample) for sample in samples]
            if not are_named(samples):
                extract = _as_it_is  # rows of numbers need none
        found = [features(extract, sample) for sample in samples]
        names = tuple(found[0])
        return names, np.array([[row.get(name, np.nan) for name in names] for row in found])


def _as_it_is(sample: Any) -> Any:
    return sample


def _second(ns: int) -> str:
    return write_time(ns // SECOND * SECOND)


def _listed(data: Any) -> Sequence[Any]:
    """Samples of a table, of an array (N, F), or as they are."""
    if hasattr(data, "to_dicts"):  # polars
        return list(data.to_dicts())
    if hasattr(data, "to_dict") and hasattr(data, "columns"):  # pandas
        return list(data.to_dict("records"))
    if isinstance(data, Mapping) or not isinstance(data, Iterable):
        raise ConfigError("samples are wanted: a list of dictionaries, a table or an array")
    return list(data)


def _results(asked: Asked, rows: Floats, kind: str, config: Config) -> list[dict[str, Any]]:
    nats, votes, blame = asked.ask(rows)
    sure, each = asked.ensemble.confidence(nats), asked.ensemble.confidence(votes)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    results = []
    for i in range(len(rows)):
        confidence = float(sure[i]) if np.isfinite(nats[i]) else 0.0
        score = float(nats[i]) if np.isfinite(nats[i]) else 0.0
        share = np.nan_to_num(blame[i])
        order = [j for j in np.argsort(-share)[:BLAMED] if share[j] > 0]
        found = config.detection
        graver = "high" if confidence >= found.high else "medium"
        results.append(
            {
                "is_anomaly": confidence >= found.threshold and score > 0,
                "confidence": confidence,
                "severity": graver if confidence >= found.medium else "low",
                "data_type": kind,
                "timestamp": now,
                "id": uuid.uuid4().hex,
                "p": float(p_of(score)),
                "score": score,
                "models": {
                    one.name: float(said)
                    for one, said, vote in zip(asked.models, each[i], votes[i], strict=True)
                    if np.isfinite(vote)
                },
                "blame": [asked.features[j] for j in order],
            }
        )
    return results
