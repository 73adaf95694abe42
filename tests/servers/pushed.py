"""Samples written to a real server, by remote write."""

from collections.abc import Sequence

import httpx

from amiss.formats.remote_write import Row, encode, headers


def push(url: str, rows: Sequence[Row], path: str = "/api/v1/write") -> None:
    """Write series with their samples. Raises httpx.HTTPStatusError if it is refused."""
    reply = httpx.post(f"{url}{path}", content=encode(rows), headers=headers(1), timeout=30)
    reply.raise_for_status()
