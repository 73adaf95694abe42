"""On a real Prometheus, and a real VictoriaMetrics."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest

from amiss.data import DAY, MINUTE, SECOND, Records
from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.exports import RemoteWrite
from amiss.formats.remote_write import STALE
from amiss.sources.prometheus import Prometheus
from amiss.world import World
from servers import certificates, prometheus, prometheus3, victoriametrics
from servers.pushed import push
from servers.running import PATIENCE, Running

pytestmark = pytest.mark.server

STEP = 15 * SECOND
HASH = "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
"""Of the password sesame."""
WEB = """
tls_server_config:
  cert_file: server.pem
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: client.pem
basic_auth_users: {{ann: {hash}}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[dict[str, Running]]:
    with ExitStack() as stack:
        found = {}
        for kind in (prometheus, victoriametrics):
            name = kind.__name__.rpartition(".")[2]
            (folder / name).mkdir()
            found[name] = stack.enter_context(kind.server(folder / name))
        yield found


@pytest.fixture(params=["prometheus", "victoriametrics"])
def server(request: pytest.FixtureRequest, running: dict[str, Running]) -> Running:
    return running[request.param]


def source(url: str, **settings) -> Prometheus:
    said = {"url": url, "queries": {"load": "load"}, "delay": "0s"} | settings
    return Prometheus.model_validate(said)


def drained(source: Prometheus, cursor, world: World) -> tuple[dict, list[Records]]:
    polls, more = [], True
    while more:
        cursor, records = source.poll(cursor, world)
        polls.append(records)
        more = records.more
    return cursor, polls


def values(polls: list[Records]) -> dict[tuple[int, str], float]:
    """By time and host; nothing is there twice."""
    rows = [
        ((int(t), str(host)), float(v))
        for one in polls
        for t, host, v in zip(
            one.time, one.labels.get("host", np.full(len(one), "")), one.value, strict=True
        )
    ]
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def until(there: Callable[[], bool]) -> None:
    """Wait for what a server shows a moment after it has taken it."""
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


def newest() -> int:
    """The last step that is over for servers too: VictoriaMetrics counts time in whole seconds."""
    return (time.time_ns() - 2 * SECOND) // STEP * STEP


def written(name: str, first: int, last: int, hosts: int) -> tuple[list, dict]:
    """Rows for `push`, and what is to come back: a sample a step."""
    times = list(range(first, last + 1, STEP))
    rows, said = [], {}
    for h in range(hosts):
        numbers = [float(h * 1e6 + i) for i in range(len(times))]
        rows.append(({"__name__": name, "host": f"h{h}"}, times, numbers))
        said |= {(t, f"h{h}"): v for t, v in zip(times, numbers, strict=True)}
    return rows, said


def test_a_server_that_goes_midway_and_comes_back_costs_nothing(server: Running) -> None:
    """Each sample comes once: before, and after the server was gone and came back."""
    name = "gone"
    now = newest()
    first = now - 20 * MINUTE
    rows, said = written(name, first, now, hosts=5)
    push(server.url, rows)
    asked = source(server.url, queries={"x": name}, history="20m", chunk="4m")
    world = World(now=lambda: now)
    until(lambda: values([asked.model_copy(update={"history": 0}).poll({}, world)[1]]) != {})
    cursor, records = asked.poll({}, world)
    assert records.more
    if "prometheus" in server.command[0]:
        server.kill()
    else:  # it loses the newest seconds when it is killed, which no reader can mend
        server.stop()
    with pytest.raises(Unreachable):
        asked.poll(cursor, world)
    server.start()
    _, polls = drained(asked, cursor, world)
    assert values([records, *polls]) == said


def test_what_it_says_of_a_wrong_query_is_said(server: Running) -> None:
    with pytest.raises(Rejected, match=r"query load: 127\.0\.0\.1 answered 4.*(unclosed|sum)"):
        source(server.url, queries={"load": "sum(load"}).poll({}, World())


def test_a_series_that_ended_has_no_more_records(running: dict[str, Running]) -> None:
    """Marked as ended it is over at once, and not repeated for five minutes."""
    server, now = running["prometheus"], newest()
    times = [now - 4 * MINUTE + i * STEP for i in range(4)]
    end = float(np.array([STALE], np.uint64).view(np.float64)[0])
    push(server.url, [({"__name__": "ended"}, times, [1.0, 2.0, 3.0, end])])
    _, polls = drained(source(server.url, queries={"x": "ended"}, history="5m"), {}, World())
    assert sorted(values(polls).values()) == [1.0, 2.0, 3.0]


def test_a_long_past_is_read_whole(running: dict[str, Running]) -> None:
    """A day of ten series, in polls of bounded size."""
    server, now = running["victoriametrics"], newest()
    rows, said = written("past", now - DAY, now, hosts=10)
    push(server.url, rows)
    asked = source(server.url, queries={"x": "past"}, history="1d", most=10_000)
    world = World(now=lambda: now)
    victoriametrics.flush(server)
    _, polls = drained(asked, {}, world)
    assert values(polls) == said
    assert max(map(len, polls)) <= 1.1 * asked.most


def test_late_samples_within_the_delay_are_used(server: Running) -> None:
    now = newest()
    asked = source(server.url, queries={"x": "late"}, delay="1m", history="5m")
    push(server.url, [({"__name__": "late", "host": "a"}, [now - 3 * MINUTE], [1.0])])
    clock = [now - MINUTE]
    world = World(now=lambda: clock[0])
    cursor, _ = drained(asked, {}, world)
    push(server.url, [({"__name__": "late", "host": "b"}, [now - MINUTE], [2.0])])
    clock[0] = now
    recent = source(server.url, queries={"x": 'late{host="b"}'}, delay="1m")
    until(lambda: len(recent.poll({}, world)[1]) == 1)
    _, polls = drained(asked, cursor, world)
    assert values(polls)[(now - MINUTE, "b")] == 2.0


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[tuple[Running, Path]]:
    """One that asks for a certificate and a password."""
    here = folder / "guarded"
    here.mkdir()
    certificates.make(here, "server", "client", "stranger")
    trust = ssl.create_default_context(cafile=here / "server.pem")
    trust.load_cert_chain(here / "client.pem", here / "client.key")
    web = WEB.format(hash=HASH)
    with prometheus.server(here, web=web, trust=trust) as server:
        yield server, here


def test_a_certificate_and_a_password_open_it(guarded: tuple[Running, Path]) -> None:
    server, here = guarded
    url = server.url.replace("http:", "https:")

    def polled(password: str, who: str) -> Records:
        access = {
            "user": "ann",
            "password": "env:P",
            "authority": here / "server.pem",
            "certificate": here / f"{who}.pem",
            "key": here / f"{who}.key",
        }
        asked = source(url, queries={"one": "vector(1)"}, access=access)
        return asked.poll({}, World(secret=lambda reference: password))[1]

    assert polled("sesame", "client").value.tolist() == [1.0]
    with pytest.raises(Rejected, match="answered 401: Unauthorized"):
        polled("wrong", "client")
    with pytest.raises(Unreachable):
        polled("sesame", "stranger")
    with pytest.raises(ConfigError, match=r"nobody\.pem"):
        polled("sesame", "nobody")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        source(url, queries={"one": "vector(1)"}).poll({}, World())


@pytest.mark.parametrize("name", ["prometheus", "victoriametrics"])
def test_a_server_of_before_version_2_is_found_out(running: dict[str, Running], name: str) -> None:
    """It answers 204 and keeps nothing: Prometheus 2.42 and VictoriaMetrics 1.79 both do."""
    url, now = f"{running[name].url}/api/v1/write", time.time_ns()
    rows = [({"__name__": "versioned"}, [now], [1.0])]
    with pytest.raises(Rejected, match="does not know version 2 of remote write: set version: 1"):
        RemoteWrite(url=url, version=2).write(rows, World())
    RemoteWrite(url=url).write(rows, World())


def test_version_2_is_taken_whole_by_a_server_that_knows_it(tmp_path: Path) -> None:
    now = time.time_ns() // SECOND * SECOND
    times = [now - (59 - i) * SECOND for i in range(60)]
    names = [{"__name__": "amiss_score", "series": f"s {i}", "place": 'ö"\\'} for i in range(200)]
    rows = [(one, times, [i + j / 3 for j in range(60)]) for i, one in enumerate(names)]
    with prometheus3.server(tmp_path) as server:
        write = RemoteWrite(url=f"{server.url}/api/v1/write", version=2).write
        write(rows[:100], World())
        with pytest.raises(Rejected, match="answered 400: out of order"):
            write(rows, World())  # as after an answer that was lost: what is new is taken
        asked = {"query": "amiss_score[2m]", "time": now / SECOND + 1}
        found = httpx.get(f"{server.url}/api/v1/query", params=asked, timeout=30).json()["data"][
            "result"
        ]
    said = {one["metric"]["series"]: one for one in found}
    assert len(said) == 200
    for labels, _, values in rows:
        one = said[labels["series"]]
        assert one["metric"] == labels
        assert [round(at * SECOND) for at, _ in one["values"]] == times
        assert [float(value) for _, value in one["values"]] == values


def test_a_server_that_was_killed_comes_back_with_what_it_had(tmp_path: Path) -> None:
    with prometheus.server(tmp_path) as server:
        version = httpx.get(f"{server.url}/api/v1/status/buildinfo", timeout=30).json()["data"][
            "version"
        ]
        server.kill()
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url)
        server.start()
        again = httpx.get(f"{server.url}/api/v1/status/buildinfo", timeout=30).json()["data"][
            "version"
        ]
    assert again == version
