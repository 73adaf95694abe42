"""The page of `amiss report` from the API."""

import httpx
import pytest

from amiss.errors import Unreachable
from amiss.web import report
from amiss.web.report import written
from web.fake import FakeLive, incident


def test_a_report_is_the_page_of_the_command(site: httpx.Client, live: FakeLive) -> None:
    live.commit(incident("a1"))
    answer = site.get("/api/v1/report", params={"days": 3650})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>It told you once in" in answer.text
    assert site.get("/api/v1/report", params={"days": 0}).status_code == 422


def test_what_cannot_be_made_is_a_sentence(live: FakeLive, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable, match=r"no report could be made: .*amiss run"):
        written(live.home / "nothing", 7)
    monkeypatch.setattr(report, "LONGEST", 0.001)
    with pytest.raises(Unreachable, match="ask for fewer days"):
        written(live.home, 7)
