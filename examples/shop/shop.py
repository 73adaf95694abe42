"""A small shop, to try Amiss on: normal routes, some that attackers ask for, one line a request.

    python shop.py                    on http://127.0.0.1:8000, lines to standard output
    SHOP_LOG=shop.log python shop.py  lines to a file, for Promtail or Alloy to ship

Each line is a JSON object: time, ip, method, route, url, status, duration_ms, bytes, agent.
Nothing in it is secure, and nothing is kept.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, g, jsonify, request

PRODUCTS = ("anvil", "lamp", "kettle", "rope", "tent", "stove", "map", "boots")
SLOWEST = 5.0  # seconds that /report takes at most
CLIENT = "X-Shop-Client"  # whom the load generator says it is

Write = Callable[[bytes], None]


def application(write: Write, now: Callable[[], float] = time.time) -> Flask:
    """The shop; `write` takes the line of each request, `now` is its clock in seconds."""
    shop = Flask("shop")
    normal(shop)
    suspicious(shop)

    @shop.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @shop.after_request
    def said(response: Response) -> Response:
        spent = (time.perf_counter() - g.began) * 1000
        write(line(now(), response.status_code, spent, response.content_length or 0))
        return response

    return shop


def normal(shop: Flask) -> None:
    """What customers ask for."""

    @shop.get("/")
    def home() -> str:
        return "Welcome"

    @shop.get("/products")
    def products() -> Any:
        return jsonify(PRODUCTS)

    @shop.get("/products/<int:number>")
    def product(number: int) -> Any:
        if not 0 <= number < len(PRODUCTS):
            return jsonify(error="no such product"), 404
        return jsonify(name=PRODUCTS[number])

    @shop.get("/search")
    def search() -> Any:
        asked = request.args.get("q", "")
        return jsonify([name for name in PRODUCTS if asked in name])

    @shop.post("/cart")
    def cart() -> Any:
        return jsonify(added=True), 201

    @shop.post("/login")
    def login() -> Any:
        right = request.form.get("password") == "correct horse"
        return (jsonify(welcome=True), 200) if right else (jsonify(error="no"), 401)


def suspicious(shop: Flask) -> None:
    """What is asked for by others, or when something is wrong."""

    @shop.get("/admin")
    def admin() -> Any:
        return jsonify(error="forbidden"), 403

    @shop.get("/report")
    def report() -> Any:
        time.sleep(min(max(request.args.get("seconds", 1.0, float), 0.0), SLOWEST))
        return jsonify(rows=0)

    @shop.get("/broken")
    def broken() -> Any:
        return jsonify(error="the database is away"), 500


def line(at: float, status: int, spent: float, size: int) -> bytes:
    """What is written of the request that is being answered."""
    said = {
        "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
        "ip": request.headers.get(CLIENT) or request.remote_addr,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "none",
        "url": request.full_path.rstrip("?"),
        "status": status,
        "duration_ms": round(spent, 3),
        "bytes": size,
        "agent": request.user_agent.string,
    }
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def writer(path: str) -> Write:
    """Lines to a file, or to standard output if it has no name."""
    file = Path(path).open("ab", buffering=0) if path else sys.stdout.buffer

    def write(said: bytes) -> None:
        file.write(said)
        file.flush()

    return write


if __name__ == "__main__":
    where = os.environ.get("SHOP_LISTEN", "127.0.0.1:8000")
    host, _, port = where.rpartition(":")
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its own lines are not ours
    application(writer(os.environ.get("SHOP_LOG", ""))).run(host, int(port), threaded=True)
