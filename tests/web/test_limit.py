import os
import socket
from collections.abc import Iterator

import httpx
import psutil
import pytest

from amiss.web.limit import LARGEST
from web.fake import FOREST, FakeLive

HUNDRED = 100 * 2**20
JSON = {"content-type": "application/json"}


def pieces(total: int, size: int = 2**16) -> Iterator[bytes]:
    for _ in range(total // size):
        yield b" " * size


def test_a_body_of_a_hundred_megabytes_is_refused_and_not_kept(
    site: httpx.Client, live: FakeLive
) -> None:
    before = psutil.Process(os.getpid()).memory_info().rss
    for headers in (JSON | {"content-length": str(HUNDRED)}, JSON):  # at once, and in chunks
        answer = site.post("/retrain", content=pieces(HUNDRED), headers=headers)
        assert answer.status_code == 413
        assert answer.json()["detail"] == "the body is larger than 1,000,000 bytes"
        assert psutil.Process(os.getpid()).memory_info().rss - before < 30 * 2**20
    assert site.get("/healthz").status_code == 200
    assert not live.trained


@pytest.mark.parametrize("path", ["/retrain", "/predict", "/login", "/dashboard/upload", "/nosuch"])
def test_no_path_takes_more(same_site: httpx.Client, path: str) -> None:
    answer = same_site.put(path, content=b" " * (LARGEST + 1))
    assert answer.status_code == 413


def test_the_refusal_comes_before_the_body(same_site: httpx.Client) -> None:
    """With Expect: 100-continue nothing is asked for; without it the answer is there at once."""
    for expect in ("Expect: 100-continue\r\n", ""):
        with socket.create_connection((same_site.base_url.host, same_site.base_url.port), 30) as s:
            s.sendall(
                b"POST /retrain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + f"Content-Length: {HUNDRED}\r\n{expect}\r\n".encode()
            )
            head = s.recv(100)
            assert head.startswith(b"HTTP/1.1 413 ")


def test_as_much_as_is_allowed_is_taken(site: httpx.Client, live: FakeLive) -> None:
    body = b'{"model_name": "isolation_forest"}'
    body += b" " * (LARGEST - len(body))
    assert site.post("/retrain", content=body, headers=JSON).status_code == 200
    chunks = iter([body[:7], body[7:]])
    assert site.post("/retrain", content=chunks, headers=JSON).status_code == 200
    assert live.trained == [(FOREST, 100), (FOREST, 100)]


def test_one_who_goes_away_in_the_middle_does_no_harm(same_site: httpx.Client) -> None:
    with socket.create_connection((same_site.base_url.host, same_site.base_url.port), 30) as s:
        s.sendall(b"POST /retrain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{")
    assert same_site.get("/healthz").status_code == 200
