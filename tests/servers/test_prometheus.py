"""On a real Prometheus."""

from pathlib import Path

import httpx
import pytest

from servers import prometheus

pytestmark = pytest.mark.server


def test_a_server_that_was_killed_comes_back_with_what_it_had(tmp_path: Path) -> None:
    with prometheus.server(tmp_path) as server:
        version = httpx.get(f"{server.url}/api/v1/status/buildinfo").json()["data"]["version"]
        server.kill()
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url)
        server.start()
        again = httpx.get(f"{server.url}/api/v1/status/buildinfo").json()["data"]["version"]
    assert again == version
