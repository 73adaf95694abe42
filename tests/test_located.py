"""Places of addresses, from a file that is there."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amiss.errors import ConfigError
from amiss.reading.located import located
from amiss.sources.file import File
from amiss.world import World


class Places:
    """What a reader of maxminddb says."""

    def get(self, address: str) -> Any:
        if not address[0].isdigit():
            raise ValueError(f"{address!r} does not appear to be an IPv4 or IPv6 address")
        known = {
            "203.0.113.9": {
                "location": {"latitude": 35.69, "longitude": 139.69},
                "country": {"iso_code": "JP"},
            },
            "203.0.113.10": {"country": {"iso_code": "SE"}},
        }
        return known.get(address)


def test_what_is_known_of_an_address() -> None:
    said = located(np.array(["203.0.113.9", "", "me", "10.0.0.1", "203.0.113.10"]), Places())
    assert said["latitude"].tolist() == ["35.69", "", "", "", ""]
    assert said["longitude"].tolist() == ["139.69", "", "", "", ""]
    assert said["country"].tolist() == ["JP", "", "", "", "SE"]


def test_a_log_of_logins_has_places(tmp_path) -> None:
    log = tmp_path / "auth.log"
    log.write_text(
        "Oct  2 13:05:07 web-1 sshd[1]: Accepted password for ann from 203.0.113.9 port 5 ssh2\n"
        "Oct  2 13:05:08 web-1 sshd[1]: Server listening on 0.0.0.0 port 22.\n"
    )
    source = File(path=(str(log),), format="auth", places="here.mmdb")
    asked = []

    def places(path: str) -> Places:
        asked.append(path)
        return Places()

    world = replace(World(), places=places)
    cursor, records = source.poll({}, world)
    assert asked == ["here.mmdb"]
    assert records.labels["latitude"].tolist() == ["35.69", ""]
    assert records.labels["user"].tolist() == ["ann", ""]
    assert not source.wrong(cursor, records)
    other = source.model_copy(update={"places_of": "address"})
    [wrong] = other.wrong(*other.poll({}, world))
    assert wrong.startswith("source.places_of: no record has a field 'address'; there are ")


def test_without_the_library_it_is_said_what_to_do(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    source = File(path=(str(tmp_path / "auth.log"),), places=str(tmp_path / "none.mmdb"))
    with pytest.raises(ConfigError, match=r"maxminddb is not there; pip install 'amiss\[places\]'"):
        source.poll({}, World())
