"""The page of `amiss report` from the API."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from amiss.errors import Unreachable
from amiss.web import report
from amiss.web.report import Reports
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
        Reports().written(live.home / "nothing", 7)
    monkeypatch.setattr(report, "LONGEST", 0.001)
    with pytest.raises(Unreachable, match="ask for fewer days"):
        Reports().written(live.home, 7)
    monkeypatch.setattr(report, "COMMAND", ("/nowhere/python",))
    with pytest.raises(Unreachable, match="no report could be made: No such file"):
        Reports().written(live.home, 7)


SLOW = (sys.executable, "-c", "import time; time.sleep(60)")


def test_one_who_asks_for_many_gets_few_at_a_time(
    site: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "COMMAND", SLOW)
    monkeypatch.setattr(report, "LONGEST", 5.0)
    with ThreadPoolExecutor(4) as asking:
        many = asking.map(
            lambda days: site.get("/api/v1/report", params={"days": days}), (1, 2, 3, 4)
        )
        said = sorted(one.json()["detail"][:9] for one in many)
    assert said == ["it takes ", "it takes ", "too many ", "too many "]


def test_what_is_being_made_ends_with_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "COMMAND", SLOW)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    reports, began = Reports(), time.monotonic()
    with ThreadPoolExecutor(1) as asking:
        made = asking.submit(reports.written, tmp_path, 7)
        while not reports._workers:
            time.sleep(0.01)
        reports.close()
        with pytest.raises(Unreachable, match="the program ends"):
            made.result()
    assert time.monotonic() - began < 30
    assert not list(tmp_path.iterdir())
    with pytest.raises(Unreachable, match="the program ends"):
        reports.written(tmp_path, 7)
