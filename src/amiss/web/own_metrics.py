"""Amiss itself as Prometheus reads it: ticks, lag, what was skipped, sinks, budget, models."""

from collections import Counter
from collections.abc import Callable, Iterator
from math import inf

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from amiss import __version__
from amiss.predictions import PredictionLog
from amiss.run.now import Now
from amiss.web.exposition import counter, gauge, of_systems
from amiss.web.guesses import Guesses
from amiss.web.headline import unready
from amiss.web.schemas.common import plain


class Exposition(Collector):
    """Reads the picture of the moment whenever somebody scrapes; keeps nothing."""

    def __init__(
        self,
        now: Callable[[], Now],
        predictions: PredictionLog,
        guesses: Guesses,
        clients: Callable[[], int],
    ) -> None:
        self.now, self.predictions, self.guesses, self.clients = now, predictions, guesses, clients

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on what is watched."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families."""
        now = self.now()
        yield from of_systems(now)
        yield gauge("amiss_build_info", "Version.", [({"version": __version__}, 1)])
        yield gauge(
            "amiss_ready",
            "1 once the first tick has been judged, while a source can be seen.",
            [({}, not unready(now))],
        )
        yield from _pipelines(now)
        yield from _sinks(now)
        yield from _budget(now)
        yield from _models(now)
        yield counter(
            "amiss_skipped",
            "Data left out, by reason.",
            (({"reason": plain(reason)}, n) for reason, n in sorted(now.skipped.items())),
        )
        outcomes = {"logged": self.predictions.logged, "unlogged": self.predictions.unlogged}
        yield counter(
            "amiss_predictions",
            "Answers to /predict, by whether they could be logged.",
            (({"outcome": outcome}, n) for outcome, n in outcomes.items()),
        )
        yield counter("amiss_wrong_tokens", "Wrong tokens shown.", [({}, self.guesses.wrong)])
        yield gauge("amiss_stream_clients", "Who follows /api/v1/stream.", [({}, self.clients())])


def _pipelines(now: Now) -> Iterator[Metric]:
    rows = [({"pipeline": one.name, "source": one.source}, one) for one in now.pipelines]
    for name, text, field in (
        ("amiss_records", "Records that came from the source.", "records"),
        ("amiss_ticks", "Ticks that were judged.", "ticks"),
        ("amiss_poll_failures", "Polls that did not work.", "failures"),
    ):
        yield counter(name, text, ((of, getattr(one, field)) for of, one in rows))
    yield gauge(
        "amiss_source_up",
        "1 unless the source fails, or has not been heard of for too long.",
        ((of, one.health != "failing") for of, one in rows),
    )
    for name, text, field in (
        ("amiss_lag_seconds", "From the last tick until it was judged.", "lag"),
        ("amiss_step_seconds", "To judge the last tick.", "step_seconds"),
        ("amiss_commit_seconds", "To write the last tick down.", "commit_seconds"),
        ("amiss_state_bytes", "Memory of detectors and calibration.", "state_bytes"),
        ("amiss_replayed_ticks", "Ticks replayed at the start.", "replayed"),
    ):
        yield gauge(name, text, ((of, getattr(one, field)) for of, one in rows))
    yield gauge(
        "amiss_last_poll_timestamp_seconds",
        "When a poll last worked.",
        ((of, one.polled / 1e9 if one.polled else inf) for of, one in rows),
    )
    states = Counter((one.pipeline, one.state) for one in now.series)
    yield gauge(
        "amiss_series",
        "Series, by state.",
        (
            ({"pipeline": pipeline, "state": state}, n)
            for (pipeline, state), n in sorted(states.items())
        ),
    )


def _sinks(now: Now) -> Iterator[Metric]:
    rows = [({"sink": one.name, "type": one.type}, one) for one in now.sinks]
    yield gauge(
        "amiss_sink_up",
        "1 unless the sink fails.",
        ((of, one.health != "failing") for of, one in rows),
    )
    yield counter(
        "amiss_deliveries",
        "What came of telling sinks.",
        (
            (of | {"outcome": outcome}, getattr(one, outcome))
            for of, one in rows
            for outcome in ("delivered", "retried", "refused", "quiet")
        ),
    )


def _budget(now: Now) -> Iterator[Metric]:
    spent = now.budget
    severities = Counter({"low": 0, "medium": 0, "high": 0})
    severities.update(one.severity for one in now.open)
    yield gauge(
        "amiss_open_incidents",
        "Incidents that are open.",
        (({"severity": severity}, n) for severity, n in severities.items()),
    )
    yield gauge(
        "amiss_opened_incidents",
        "Incidents that opened in the last so many days.",
        [({"days": "1"}, spent.today), ({"days": "7"}, spent.week)],
    )
    for name, text, value in (
        ("amiss_budget_incidents_per_day", "Incidents asked for.", spent.asked),
        ("amiss_achieved_incidents_per_day", "Incidents that opened.", spent.achieved),
        ("amiss_bar_nats", "Score at which an incident opens.", spent.bar),
        ("amiss_price_nats", "What the budget's controller added to it.", spent.price),
    ):
        yield gauge(name, text, [({}, value)])


def _models(now: Now) -> Iterator[Metric]:
    rows = [
        ({"model": one.name, "pipeline": one.pipeline}, one) for one in now.models if one.trained
    ]
    yield gauge(
        "amiss_model_age_seconds",
        "Since the model in use was fitted.",
        ((of, max(now.at - one.trained, 0) / 1e9) for of, one in rows),
    )
    yield gauge("amiss_model_samples", "Fitted on.", ((of, one.samples) for of, one in rows))
    yield gauge("amiss_model_fit_seconds", "To fit it.", ((of, one.seconds) for of, one in rows))
