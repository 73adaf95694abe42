from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from web.fake import FakeLive
from web.serving import serving


@pytest.fixture
def live(tmp_path: Path) -> Iterator[FakeLive]:
    made = FakeLive(tmp_path)
    yield made
    made.close()


@pytest.fixture
def site(live: FakeLive) -> Iterator[httpx.Client]:
    """A client of the real server."""
    with serving(live) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def same_live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeLive]:
    """For tests that change nothing which others of their file look at."""
    made = FakeLive(tmp_path_factory.mktemp("home"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def same_site(same_live: FakeLive) -> Iterator[httpx.Client]:
    with serving(same_live) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client
