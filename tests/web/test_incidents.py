import httpx
import pytest

from amiss.audit import FILE, entries
from amiss.data import MINUTE
from amiss.words.units import words
from servers.incidents import ended
from web.fake import DISK, START, FakeLive, incident, member


def log_some(live: FakeLive, count: int = 5) -> None:
    for i in range(count):
        one = incident(f"i{i}", since=START + i * MINUTE, seen=START + i * MINUTE)
        live.commit(one)
        if i % 2:
            live.commit(ended(one))


def test_incidents_come_newest_first_and_page_by_page(site: httpx.Client, live: FakeLive) -> None:
    assert site.get("/api/v1/incidents").json() == {"incidents": [], "next": None}
    log_some(live)
    seen, cursor = [], None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = site.get("/api/v1/incidents", params=asked).json()
        seen += [one["id"] for one in page["incidents"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["i4", "i3", "i2", "i1", "i0"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state": "open"}, ["i4", "i2", "i0"]),
        ({"state": "resolved"}, ["i3", "i1"]),
        ({"since": "2026-03-07T14:05:10Z"}, ["i4", "i3"]),
        ({"since": "2026-03-07T14:05:10Z", "state": "open"}, ["i4"]),
    ],
)
def test_incidents_are_filtered(
    site: httpx.Client, live: FakeLive, asked: dict, found: list[str]
) -> None:
    log_some(live)
    said = site.get("/api/v1/incidents", params=asked).json()
    assert [one["id"] for one in said["incidents"]] == found


def test_a_cursor_that_leads_nowhere_is_refused(site: httpx.Client) -> None:
    answer = site.get("/api/v1/incidents", params={"cursor": "gone"})
    assert answer.status_code == 422
    assert "cursor: there is no incident 'gone'" in answer.json()["detail"]


def test_an_incident_with_all_that_is_known_of_it(site: httpx.Client, live: FakeLive) -> None:
    first = incident("a1", members=(member(DISK), member("x", blame=("cpu_percent",))))
    live.commit(first)
    live.commit(ended(first))
    live.store.delivered("chat", "a1", 1, START + MINUTE, "retrying", "HTTP 500")
    live.store.delivered("chat", "a1", 1, START + 2 * MINUTE, "delivered", "")
    said = site.get("/api/v1/incidents/a1").json()
    assert [one["revision"] for one in said["revisions"]] == [1, 2]
    assert said["incident"] == said["revisions"][-1]
    last = said["incident"]
    assert (last["state"], last["until"]) == ("resolved", "2026-03-07T14:20:10.000Z")
    assert last["sentence"].startswith(last["title"])
    assert last["members"][0]["words"] == words(DISK)
    assert last["members"][1]["blame"] == ["cpu_percent"]
    assert said["deliveries"] == [
        {
            "sink": "chat", "revision": 1, "at": "2026-03-07T14:04:10.000Z",
            "outcome": "delivered", "message": "", "times": 2,
        }
    ]  # fmt: skip


def test_an_incident_nobody_knows_is_404(site: httpx.Client) -> None:
    answer = site.get("/api/v1/incidents/nosuch")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no incident 'nosuch'; see /api/v1/incidents"


def test_people_say_what_it_was_and_take_it_back(site: httpx.Client, live: FakeLive) -> None:
    live.commit(incident("a1"))
    place = "/api/v1/incidents/a1"
    said = site.post(f"{place}/acknowledge", json={"note": "mine"}).json()
    assert (said["word"], said["note"], said["revision"]) == ("acknowledged", "mine", 1)
    assert site.post(f"{place}/feedback", json={"verdict": "amiss"}).json()["word"] == "amiss"
    assert site.post(f"{place}/feedback", json={"verdict": "normal"}).status_code == 200
    page = site.get(place).json()
    assert [one["word"] for one in page["feedback"]] == ["acknowledged", "normal"]
    assert page["like"] is None
    live.commit(incident("a2"))
    assert site.get("/api/v1/incidents/a2").json()["like"] == "a1"
    assert site.get("/api/v1/feedback").json()["last_30_days"] == {
        "incidents": 2, "normal": 1, "amiss": 0, "unsaid": 1, "acknowledged": 1,
    }  # fmt: skip
    assert site.delete(f"{place}/feedback").json()["word"] == "normal"
    assert site.delete(f"{place}/feedback").status_code == 404
    assert site.delete(f"{place}/acknowledge").status_code == 200
    assert site.get("/api/v1/feedback").json()["feedback"] == []
    whats = [one["what"] for one in entries(live.home / FILE)]
    assert whats[-1] == "acknowledgement taken back"
    assert entries(live.home / FILE)[0]["who"] == "API from 127.0.0.1"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"json": {"verdict": "odd"}}, 422),
        ({"json": {"verdict": "normal", "more": 1}}, 422),
        ({"json": {"verdict": "normal", "note": "x" * 1001}}, 422),
        ({"content": b"verdict=normal"}, 415),
        ({"json": {"verdict": "normal"}, "headers": {"Origin": "http://evil.example"}}, 403),
    ],
)
def test_what_cannot_be_said_is_refused(
    site: httpx.Client, live: FakeLive, asked: dict, status: int
) -> None:
    live.commit(incident("a1"))
    assert site.post("/api/v1/incidents/a1/feedback", **asked).status_code == status
    assert live.store.said() == []


def test_nothing_is_said_of_what_is_not_there(site: httpx.Client) -> None:
    for ask in (site.post, site.delete):
        more = {"json": {"verdict": "normal"}} if ask == site.post else {}
        answer = ask("/api/v1/incidents/gone/feedback", **more)
        assert answer.status_code == 404
        assert "there is no incident 'gone'" in answer.json()["detail"]
