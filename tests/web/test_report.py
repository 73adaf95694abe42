"""The page of `amiss report` from the API."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
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
LONG = "import sys, time\nfrom pathlib import Path\nwhile not Path(sys.argv[1]).exists(): "
LONG += "time.sleep(.01)\nsys.exit('ended')"
"""What takes until a file is there."""


def test_one_who_asks_for_many_gets_few_at_a_time(
    site: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    end = tmp_path / "end"
    monkeypatch.setattr(report, "COMMAND", (sys.executable, "-c", LONG, str(end)))

    def ask(days: int) -> str:
        return str(site.get("/api/v1/report", params={"days": days}).json()["detail"])

    with ThreadPoolExecutor(4) as asking:
        asked = as_completed([asking.submit(ask, days) for days in (1, 2, 3, 4)])
        try:
            first = [next(asked).result()[:8] for _ in range(2)]
        finally:
            end.touch()
        last = [one.result() for one in asked]
    assert first == ["too many"] * 2
    assert last == ["no report could be made: ended"] * 2


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
