"""A tick that waits for its watermark is judged after a restart, as if there had been none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss.component import Cursor
from amiss.data import MINUTE, Records
from amiss.run.watch import close, tick
from amiss.store import Store
from run.rig import EVERY, START, Rig

TICKS, BEHIND = 12, 2


class Behind:
    """One number a tick, promised to be whole two ticks later."""

    def poll(self, cursor: Cursor, now: int) -> tuple[Cursor, Records]:
        time = np.array([now], np.int64)
        name, value = np.array(["load"]), np.array([float((now - START) // EVERY)])
        labels = {"host": np.array(["made"])}
        mark = now - BEHIND * EVERY
        return {"time": now}, Records(time, name, value, labels, watermark=mark)


@pytest.mark.parametrize("closes", [True, False])
def test_no_tick_is_lost(tmp_path: Path, closes: bool) -> None:
    numbers: Any = Behind()
    rig = Rig(tmp_path, numbers=numbers, checkpoint=MINUTE)
    for stops in (4, 8, TICKS):
        rig.start()
        while (rig.clock.time - START) // EVERY < stops:
            tick(rig.watch, rig.told)
            rig.clock.tick()
        if closes:
            close(rig.watch)
    rig.start()
    close(rig.watch)
    rig.close()
    store = Store(tmp_path / "amiss.db")
    points = store.history('load{host="made"}', 0, 2**62)
    store.close()
    whole = list(range(TICKS - BEHIND))
    assert ((points.time - START) // EVERY).tolist() == whole and points.value.tolist() == whole
