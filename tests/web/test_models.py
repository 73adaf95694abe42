"""Models over HTTP: one whole card, two compared, one put to use, and back."""

import httpx
import numpy as np
import pytest

from amiss.audit import entries
from amiss.data import MINUTE
from servers.incidents import START
from web.fake import FOREST, FakeLive


@pytest.fixture
def ids(live: FakeLive) -> list[str]:
    """Three models, oldest first: the second serves, the third knows other metrics."""
    card = {
        "name": FOREST, "pipeline": "host", "detector": f"{FOREST}-1", "samples": 100,
        "seconds": 1.5, "first": START - MINUTE, "last": START, "features": ["cpu", "load"],
        "figures": {"seed": 0},
    }  # fmt: skip
    made = [
        (card | {"trained": START}, 1.0),
        (card | {"trained": START + 1}, 2.0),
        (card | {"trained": START + 2, "features": ["cpu", "disk"]}, 3.0),
    ]
    kept = [live.store.save_model(said, {f"{FOREST}-1": {"w": np.full(1, w)}}) for said, w in made]
    live.store.promote(kept[1])
    return kept


def in_use(live: FakeLive) -> list[str]:
    return [m.id for m in live.store.models(in_use=True)]


def test_a_card(site: httpx.Client, ids: list[str]) -> None:
    said = site.get(f"/api/v1/models/{ids[0][:8]}").json()
    assert (said["id"], said["features"], said["in_use"]) == (ids[0], ["cpu", "load"], False)
    assert said["figures"] == {"seed": 0}
    assert said["trained"].startswith("20")
    reply = site.get("/api/v1/models/zz")
    assert (reply.status_code, reply.json()["detail"]) == (
        404, "there is no model 'zz'; `amiss models` lists them"
    )  # fmt: skip


def test_promoted_and_back(site: httpx.Client, live: FakeLive, ids: list[str]) -> None:
    said = site.post(f"/api/v1/models/{ids[0]}/promote").json()
    assert said["message"] == f"{FOREST} {ids[0]} of host is in use."
    assert in_use(live) == [ids[0]]
    site.post(f"/api/v1/models/{ids[1]}/promote")
    said = site.post(f"/api/v1/models/{FOREST}/rollback").json()
    assert (said["id"], in_use(live)) == (ids[0], [ids[0]])
    site.post(f"/api/v1/models/{FOREST}/rollback")
    assert in_use(live) == [ids[2]]
    reply = site.post(f"/api/v1/models/{FOREST}/rollback")
    assert (reply.status_code, in_use(live)) == (422, [ids[2]])
    assert [(e["who"], e["what"], e["said"]["model"]) for e in entries(live.trail.path)] == [
        ("API from 127.0.0.1", "model promoted", ids[0]),
        ("API from 127.0.0.1", "model promoted", ids[1]),
        ("API from 127.0.0.1", "model rolled back", ids[0]),
        ("API from 127.0.0.1", "model rolled back", ids[2]),
    ]


def test_other_metrics_are_refused(site: httpx.Client, live: FakeLive, ids: list[str]) -> None:
    reply = site.post(f"/api/v1/models/{ids[2]}/promote")
    assert reply.status_code == 422
    assert "it knows disk; it does not know load" in reply.json()["detail"]
    assert in_use(live) == [ids[1]]
    assert site.post(f"/api/v1/models/{ids[2]}/promote?anyway=true").status_code == 200
    assert in_use(live) == [ids[2]]


def test_what_cannot_be_compared(site: httpx.Client, ids: list[str]) -> None:
    reply = site.get(f"/api/v1/models/{ids[0]}/compare")
    assert reply.status_code == 500
    assert "of a detector that this version does not have" in reply.json()["detail"]
