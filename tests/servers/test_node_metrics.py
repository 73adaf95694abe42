"""The blueprint of host metrics, whole: a real fault, a real alert, each server killed once.

What was judged is what the server holds, sample by sample; what the server holds of scores is what
was judged.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml

from amiss.data import SECOND, series_key
from amiss.store import Store
from servers.nodes import Nodes, alerts, fault, nodes, until
from servers.running import Running

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(1800)]

FOUND = ("disk_write_bytes_per_second", "tasks_running")
LOST = 20  # seconds before a kill that VictoriaMetrics, which has no log of writes, may not keep
Points = dict[tuple[str, int], float]


@pytest.mark.parametrize("kind", ["victoriametrics", "prometheus"])
def test_a_fault_is_found_and_every_sample_accounted_for(kind: str, tmp_path: Path) -> None:
    with nodes(tmp_path, kind) as all_of:
        trained = all_of.train()
        assert trained.startswith("lstm") and "in use" in trained
        with all_of.amiss:
            told, back = found(all_of, tmp_path / "fault")
            killed = all_killed(all_of)
            ended(all_of, told)
            # of an incident that was over before Alertmanager was back nobody is told by it
            incidents = all_of.said("incidents")["incidents"]
            known = {one["id"] for one in incidents if not one["until"] or one["until"] > back}
            until(lambda: known <= fired(all_of, told), "an incident is not told")
            there = {one["id"] for one in all_of.said("incidents")["incidents"]}
            left_out = all_of.metric("amiss_skipped_total")
            refused = all_of.metric("amiss_deliveries_total", 'outcome="refused"')
        assert {told_as(one)[2] for one in told} <= there
        assert all("the past that was learned from" in reason for reason in left_out)
        assert not refused
        account(all_of, killed if kind == "victoriametrics" else None)


def found(all_of: Nodes, folder: Path) -> tuple[list, str]:
    """The fault, told by an Alertmanager that was away when it began: all alerts, and when (UTC)
    that was back.
    """
    live = 'amiss_score{job="amiss",series="disk_write_bytes_per_second",host="here"}'
    until(lambda: all_of.asked(all_of.watcher, live), "Prometheus has no score")
    written = 'last_over_time(amiss_expected{job=""}[1m])'
    until(lambda: all_of.asked(all_of.kept, written), "no score is written")
    until(lambda: all_of.asked(all_of.watcher, "amiss_model_age_seconds"), "the LSTM is not used")
    told: list = []
    ended(all_of, told)
    all_of.manager.kill()

    def both() -> bool:
        # who joins an incident that is told is told by itself only if it makes that graver
        known = fired(all_of, told)
        mine = [one for one in all_of.said("incidents")["incidents"] if one["id"] in known]
        named = {each["series"].partition("{")[0] for one in mine for each in one["members"]}
        return named >= set(FOUND)

    with fault(folder):
        until(lambda: all_of.metric("amiss_open_incidents"), "nothing is found")
        retried = ("amiss_deliveries_total", 'sink="alertmanager"', 'outcome="retried"')
        until(lambda: all_of.metric(*retried), "Alertmanager is not missed")
        assert not all_of.receiver.all()
        all_of.manager.start()
        until(both, "no alert is of both faults")
        back = datetime.now(UTC).isoformat()
        for name in FOUND:
            # in half a minute what goes on is the new normal, and the flag is down again
            flag = f'max_over_time(amiss_anomaly{{series="{name}",host="here"}}[30m]) == 1'
            until(lambda flag=flag: all_of.asked(all_of.watcher, flag), "the flag is not set")
    assert any(name in one["annotations"]["series"] for one in told for name in FOUND)
    assert {told_as(one)[:2] for one in told} == {("Amiss", "here")}
    return told, back


def told_as(alert: dict) -> tuple[str, ...]:
    labels = alert["labels"]
    return labels["alertname"], labels["host"], labels["incident"], labels["severity"]


def fired(all_of: Nodes, told: list) -> set[str]:
    """The incidents of all alerts that fired; adds to what was told."""
    told.extend(alerts(all_of.receiver.all()))
    return {told_as(one)[2] for one in told if one["status"] == "firing"}


def ended(all_of: Nodes, told: list) -> None:
    """Wait until nothing is open, and all that fired is told to be over; add to what was told."""

    def over() -> bool:
        told.extend(alerts(all_of.receiver.all()))
        last = {told_as(one): one["status"] for one in told}
        return not all_of.metric("amiss_open_incidents") and "firing" not in last.values()

    until(over, "it does not calm down")


def all_killed(all_of: Nodes) -> int:
    """The others, one after the other, each waited for; when (s) the one that keeps was killed."""

    def ticks() -> float:
        return sum(all_of.metric("amiss_ticks_total").values())

    at, live = 0, 'amiss_score{job="amiss"}'
    for server in (all_of.exporter, all_of.watcher, all_of.kept):
        at = int(time.time())
        server.kill()
        server.start()
        before = ticks()
        until(lambda before=before: ticks() >= before + 8, f"after {server.command[0]}")
        until(lambda: all_of.asked(all_of.watcher, live), "no scores are scraped")
    return at


def account(all_of: Nodes, killed: int | None) -> None:
    """Server and store hold the same: of what was asked for, and of what was written back.

    But for the last seconds before the server was `killed`, if it keeps no log of writes.
    """

    def lost(time: int) -> bool:
        return killed is not None and killed - LOST <= time <= killed + LOST

    queries = yaml.safe_load(all_of.config.read_text())["pipelines"][0]["source"]["queries"]
    values, scores = judged(all_of, queries)
    there = held(all_of.kept, queries, min(t for _, t in values), max(t for _, t in values))
    written = exported(all_of.kept)
    begin, end = min(t for _, t in written), max(t for _, t in written)  # the last is on its way
    after = {at: score for at, score in scores.items() if begin <= at[1] <= end}
    table = {
        "held": len(there), "judged": len(values),
        "held, not judged": len(there.keys() - values.keys()),
        "judged, not held any more": len(values.keys() - there.keys()),
        "scores since the start": len(after), "scores held": len(written),
        "scores not held": len(after.keys() - written.keys()),
        "scores held and not known": len(written.keys() - after.keys()),
    }  # fmt: skip
    print(table)
    for mine, theirs, least, near in (
        (values, there, 900 * len(queries), 1e-9), (after, written, 100, 0.011),
    ):  # fmt: skip
        assert len(mine) >= least
        assert not {at for at in mine.keys() ^ theirs.keys() if not lost(at[1])}, table
        other = {at: (mine[at], theirs[at]) for at in mine.keys() & theirs.keys()}
        other = {
            at: two for at, two in other.items() if two[0] != pytest.approx(two[1], 1e-6, near)
        }
        assert not {at: two for at, two in other.items() if not lost(at[1])}, table


def judged(all_of: Nodes, names: Iterable[str]) -> tuple[Points, Points]:
    """Values and scores of the store, by name and time (s)."""
    store = Store(all_of.home / "amiss.db")
    try:
        keys = {series_key(name, {"host": "here"}): name for name in names}
        kept = store.history_many([*keys], 0, 2**62)
    finally:
        store.close()
    values, scores = {}, {}
    for key, points in kept.items():
        rows = zip(points.time.tolist(), points.value.tolist(), points.score.tolist(), strict=True)
        for t, value, score in rows:
            if value == value:
                values[keys[key], t // SECOND] = value
            if score == score:
                scores[keys[key], t // SECOND] = score
    return values, scores


def held(server: Running, queries: dict[str, str], first: int, last: int) -> Points:
    """What the server answers to all queries of the blueprint, of each step."""
    found = {}
    for name, query in queries.items():
        asked = {"query": query, "start": first, "end": last, "step": 1}
        reply = httpx.get(f"{server.url}/api/v1/query_range", params=asked, timeout=60).json()
        for one in reply["data"]["result"]:
            found |= {(name, int(t)): float(v) for t, v in one["values"] if np.isfinite(float(v))}
    return found


def exported(server: Running) -> Points:
    """The scores that were written there, sample by sample."""
    asked = {"query": 'amiss_score{job=""}[1h]'}
    reply = httpx.get(f"{server.url}/api/v1/query", params=asked, timeout=60).json()
    return {
        (one["metric"]["series"], int(t)): float(v)
        for one in reply["data"]["result"]
        if one["metric"].get("host") == "here"
        for t, v in one["values"]
    }
