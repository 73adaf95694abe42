"""The pages, drawn for a reader who is not there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amiss.web.dashboard import here
from dashboard.fake import FakeLive
from dashboard.reader import Reader


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Reader]]:
    """Opens a page of a made-up installation: reader("busy", "incident", id="a1b2c3d4")."""
    opened: list[FakeLive] = []

    def open_page(scene: str | FakeLive = "busy", page: str = "", **query: str) -> Reader:
        live = FakeLive(tmp_path / scene, scene) if isinstance(scene, str) else scene
        opened.append(live)
        monkeypatch.setattr(here, "live", live)
        return Reader(live, page, query)

    yield open_page
    for live in opened:
        live.store.close()
