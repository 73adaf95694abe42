"""A reader of the dashboard, without a browser: Streamlit's protocol over its websocket.

The page is asked for once; after that each part of it that renews itself is asked for again
whenever its time has come, as the script in the browser does.
"""

import asyncio
import time
from dataclasses import dataclass, field

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


@dataclass(slots=True)
class Seen:
    """What came to all readers: seconds until a page or a renewal of it was complete."""

    pages: list[float] = field(default_factory=list)
    renewals: list[float] = field(default_factory=list)
    bytes: int = 0
    faults: list[str] = field(default_factory=list)


async def read(url: str, seconds: float, seen: Seen) -> None:
    """Keep the first page open for so long."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        (await client.get(f"{url}/dashboard/")).raise_for_status()
    address = url.replace("http", "ws", 1) + "/dashboard/_stcore/stream"
    until = time.perf_counter() + seconds
    async with connect(
        address, subprotocols=["streamlit"], origin=url, max_size=None, proxy=None
    ) as socket:
        timers: dict[str, asyncio.Task[None]] = {}
        asked, opened = [time.perf_counter()], False
        await _ask(socket)
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + seconds):
                while time.perf_counter() < until:
                    message = ForwardMsg()
                    message.ParseFromString(said := await socket.recv())
                    seen.bytes += len(said)
                    kind = message.WhichOneof("type")
                    if kind == "auto_rerun":
                        part, every = message.auto_rerun.fragment_id, message.auto_rerun.interval
                        if part not in timers:
                            timers[part] = asyncio.create_task(_renew(socket, part, every, asked))
                    elif kind == "script_finished" and asked:
                        took = time.perf_counter() - asked.pop(0)
                        (seen.renewals if opened else seen.pages).append(took)
                        opened = True
                    elif kind == "delta" and message.delta.new_element.HasField("exception"):
                        seen.faults.append(message.delta.new_element.exception.message)
        except TimeoutError:
            pass
        finally:
            for timer in timers.values():
                timer.cancel()


async def _renew(socket: ClientConnection, part: str, every: float, asked: list[float]) -> None:
    while True:
        await asyncio.sleep(every)
        asked.append(time.perf_counter())
        await _ask(socket, part)


async def _ask(socket: ClientConnection, part: str = "") -> None:
    message = BackMsg()
    message.rerun_script.query_string = ""
    if part:
        message.rerun_script.fragment_id = part
        message.rerun_script.is_auto_rerun = True
    await socket.send(message.SerializeToString())
