"""Events over a real connection; each wait is for an event, and httpx gives up after 120 s."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import orjson
import pytest

from amiss.errors import Unreachable
from amiss.web import stream
from servers.incidents import ended
from web.fake import STARTING, FakeLive, incident
from web.serving import serving

Event = tuple[str, str, dict]


class Follower:
    def __init__(self, answer: httpx.Response) -> None:
        self.lines = answer.iter_lines()

    def any(self) -> tuple[str, dict[str, str]]:
        """The next block: a comment, or fields."""
        fields: dict[str, str] = {}
        for line in self.lines:
            if not line:
                return "", fields
            name, _, value = line.partition(": ")
            if not name or name == ":":
                fields["comment"] = value
            else:
                fields[name] = value
        raise EOFError

    def next(self, kind: str | None = None) -> Event:
        """The next event, of this kind."""
        while True:
            _, fields = self.any()
            if "event" in fields and kind in (None, fields["event"]):
                return fields["id"], fields["event"], orjson.loads(fields["data"])


@contextmanager
def following(site: httpx.Client, mark: str | None = None) -> Iterator[Follower]:
    headers = {"last-event-id": mark} if mark is not None else {}
    with (
        httpx.Client(base_url=site.base_url, timeout=120) as client,
        client.stream("GET", "/api/v1/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Follower(answer)


def test_the_picture_comes_at_once_and_with_each_change(site: httpx.Client, live: FakeLive) -> None:
    with following(site) as follower:
        id, _, said = follower.next("now")
        assert (id, said["version"], said["phase"]) == ("0", 1, "watching")
        assert said["headline"].startswith("All quiet")
        assert said["counts"] == {
            "series": 3, "judged": 2, "warming_up": 1, "silent": 0, "amiss": 1, "open": 0,
        }  # fmt: skip
        assert said["budget"] == {"asked": 5.0, "today": 2}
        live.publish(open=(incident(),))
        _, _, said = follower.next("now")
        assert (said["version"], said["headline"]) == (2, "1 thing is amiss")


def test_revisions_come_once_and_in_order(site: httpx.Client, live: FakeLive) -> None:
    first = incident("a1")
    with following(site) as follower:
        follower.next("now")
        live.commit(first)
        id, _, said = follower.next("incident")
        assert (id, said["id"], said["revision"], said["state"]) == ("1", "a1", 1, "open")
        assert said["sentence"] == first.sentence
        live.commit(ended(first), incident("b2"))
        assert follower.next("incident")[2]["revision"] == 2
        assert follower.next("incident")[2]["id"] == "b2"


def test_one_who_comes_back_misses_nothing(site: httpx.Client, live: FakeLive) -> None:
    live.commit(incident("before"))
    with following(site) as follower:
        mark, _, _ = follower.next("now")
        assert mark == "1"  # what was before is not told
    live.commit(*(incident(f"i{n}") for n in range(stream.PAGE + 50)))
    with following(site, mark) as follower:
        seen = [follower.next("incident") for _ in range(stream.PAGE + 50)]
        assert [said["id"] for _, _, said in seen] == [f"i{n}" for n in range(stream.PAGE + 50)]
        live.commit(incident("later"))
        id, _, said = follower.next("incident")
        assert (id, said["id"]) == (str(stream.PAGE + 52), "later")


def test_two_followers_have_marks_of_their_own(site: httpx.Client, live: FakeLive) -> None:
    live.commit(incident("a"), incident("b"))
    with following(site, "0") as early, following(site, "1") as late:
        assert early.next("incident")[2]["id"] == "a"
        assert late.next("incident")[2]["id"] == "b"
        assert early.next("incident")[2]["id"] == "b"
        live.commit(incident("c"))
        assert early.next("incident")[2]["id"] == "c"
        assert late.next("incident")[2]["id"] == "c"


@pytest.mark.parametrize("mark", ["999", "nonsense", "-1", "1e3", "9" * 5000])
def test_a_mark_from_another_life_is_as_none(site: httpx.Client, live: FakeLive, mark: str) -> None:
    live.commit(incident("a"))
    with following(site, mark) as follower:
        assert follower.next("now")[0] == "1"
        live.commit(incident("b"))
        assert follower.next("incident")[2]["id"] == "b"


def test_the_mark_may_be_a_parameter(site: httpx.Client, live: FakeLive) -> None:
    live.commit(incident("a"), incident("b"))
    with site.stream("GET", "/api/v1/stream", params={"after": 1}) as answer:
        assert Follower(answer).next("incident")[2]["id"] == "b"


def test_what_was_pruned_holds_nobody_up(site: httpx.Client, live: FakeLive) -> None:
    live.commit(*(ended(incident(f"i{n}")) for n in range(5)))
    live.store.prune(1, 10**9, 0, now=2**62)
    assert live.store.revisions(0, 10) == []
    with following(site, "2") as follower:
        follower.next("now")
        live.commit(incident("later"))
        assert follower.next("incident")[2]["id"] == "later"


def test_quiet_connections_are_kept_alive(
    site: httpx.Client, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.01)
    with serving(live) as address, httpx.Client(base_url=address, timeout=120) as client:
        with following(client) as follower:
            follower.next("now")
            assert follower.any()[1] == {"comment": "alive"}
            assert follower.any()[1] == {"comment": "alive"}


def test_one_who_has_gone_is_forgotten_and_nobody_works_for_none(live: FakeLive) -> None:
    with serving(live) as address, httpx.Client(base_url=address, timeout=120) as client:
        assert "amiss_stream_clients 0.0" in client.get("/metrics").text
        with following(client) as one, following(client) as other:
            one.next("now")
            other.next("now")
            assert "amiss_stream_clients 2.0" in client.get("/metrics").text
        while "amiss_stream_clients 0.0" not in client.get("/metrics").text:
            pass  # the server hears of it a little later
        asked = live.waits
        for _ in range(3):  # whoever still waited has come back by then
            live.publish()
            client.get("/healthz")
        assert live.waits <= asked + 1


def test_slow_readers_cost_nothing_and_skip_pictures(site: httpx.Client, live: FakeLive) -> None:
    with following(site) as slow, following(site) as quick:
        slow.next("now")
        quick.next("now")
        for n in range(300):
            live.publish(reason=f"{n} " + "x" * 10_000)
        while quick.next("now")[2]["version"] < 301:
            pass
        versions = []
        while not versions or versions[-1] < 301:
            versions.append(slow.next("now")[2]["version"])
        assert versions == sorted(set(versions))


def test_too_many_are_told_to_come_back(
    site: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST", 1)
    with following(site) as follower:
        follower.next("now")
        answer = site.get("/api/v1/stream")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "30"
        assert answer.json()["detail"] == "1 clients follow already"


def test_the_end_of_the_program_ends_the_stream(live: FakeLive) -> None:
    with httpx.Client(timeout=120) as client, ExitStack() as until:
        address = until.enter_context(serving(live))
        with client.stream("GET", f"{address}/api/v1/stream") as answer:
            follower = Follower(answer)
            follower.next("now")
            until.close()  # waits for the server to be gone
            with pytest.raises(EOFError):
                follower.next()


def test_a_fault_ends_the_stream_and_a_new_one_begins(site: httpx.Client, live: FakeLive) -> None:
    live.fault = RuntimeError("once")
    with following(site) as follower:
        with pytest.raises(EOFError):
            follower.next("now")
    live.fault = None
    with following(site) as follower:
        assert follower.next("now")[2]["version"] == 1


def test_a_store_that_does_not_answer_is_waited_for(
    site: httpx.Client, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PATIENCE", 0.01)
    live.picture = STARTING
    live.fault = Unreachable("amiss.db is locked by another program")
    with following(site) as follower:
        assert follower.any()[1] == {"retry": "2000"}
        live.fault = None
        assert follower.next("now")[2]["phase"] == "starting"
