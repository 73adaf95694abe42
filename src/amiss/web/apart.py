"""Blocking calls on threads of their own, so that no number of them keeps others waiting."""

import asyncio
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from amiss.errors import Unreachable

Answer = TypeVar("Answer")

MOST = 32  # different calls at once, unless it is said how many


async def apart(call: Callable[[], Answer]) -> Answer:
    """What a call returns or raises. Its thread does not keep the program from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()

    def settle(answer: Any, fault: BaseException | None) -> None:
        if future.done():
            return  # nobody waits any more
        if fault is None:
            future.set_result(answer)
        else:
            future.set_exception(fault)

    def run() -> None:
        try:
            outcome: tuple[Any, BaseException | None] = (call(), None)
        except BaseException as exc:
            outcome = (None, exc)
        with suppress(RuntimeError):  # the loop has been closed meanwhile: the program ends
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="apart", daemon=True).start()
    return await future


class Shared:
    """The same, where equal calls at the same time are one call."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.running = most, dict[Hashable, asyncio.Task[Any]]()

    async def run(self, key: Hashable, call: Callable[[], Answer]) -> Answer:
        """Raises Unreachable if there are too many calls at once already."""
        task = self.running.get(key)
        if task is None:
            if len(self.running) >= self.most:
                raise Unreachable("too many different requests at once; ask again", after=5.0)
            task = asyncio.create_task(apart(call))
            self.running[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # one who asked and went away must not spoil it for the others
        answer: Answer = await asyncio.shield(task)
        return answer

    def _forget(self, key: Hashable, done: "asyncio.Task[Any]") -> None:
        del self.running[key]
        if not done.cancelled():
            done.exception()  # seen, even if all who asked have gone
