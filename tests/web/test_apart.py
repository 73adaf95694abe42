import asyncio
import threading

import pytest

from amiss.errors import ConfigError, Unreachable
from amiss.web.apart import MOST, Shared, apart


def test_a_call_apart_returns_or_raises() -> None:
    async def story() -> None:
        here = threading.get_ident()
        assert await apart(threading.get_ident) != here

        def refuse() -> None:
            raise ConfigError("no")

        with pytest.raises(ConfigError, match="no"):
            await apart(refuse)

    asyncio.run(story())


def test_equal_calls_are_one_and_survive_one_who_goes_away() -> None:
    async def story() -> None:
        gate, calls = threading.Event(), []

        def call() -> int:
            calls.append(1)
            assert gate.wait(120)
            return len(calls)

        shared = Shared()
        asked = [asyncio.create_task(shared.run("same", call)) for _ in range(100)]
        while not calls:
            await asyncio.sleep(0)
        asked[0].cancel()
        gate.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert set(answers[1:]) == {1}
        assert not shared.running
        assert await shared.run("same", call) == 2

    asyncio.run(story())


def test_a_fault_is_everybodys_and_then_forgotten() -> None:
    async def story() -> None:
        gate = threading.Event()

        def call() -> None:
            assert gate.wait(120)
            raise ConfigError("too few")

        shared = Shared()
        asked = [asyncio.create_task(shared.run("same", call)) for _ in range(5)]
        await asyncio.sleep(0)
        gate.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [str(one) for one in answers] == ["too few"] * 5
        assert not shared.running

    asyncio.run(story())


def test_there_are_never_too_many() -> None:
    async def story() -> None:
        gate, shared = threading.Event(), Shared()
        asked = [asyncio.create_task(shared.run(i, lambda: gate.wait(120))) for i in range(MOST)]
        await asyncio.sleep(0)
        with pytest.raises(Unreachable):
            await shared.run("one more", lambda: True)
        gate.set()
        assert all(await asyncio.gather(*asked))

    asyncio.run(story())
