"""Where addresses are, as a file in MaxMind's format has it. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from amiss.data import Strings


def located(addresses: Strings, places: Any) -> dict[str, Strings]:
    """Latitude, longitude and country (N,) of each address; "" of what is none, or not there.

    `places` has a `get` as readers of maxminddb have. Cost: some 20 us a different address.
    """
    texts, where = np.unique(addresses, return_inverse=True)
    found = [_place(text, places) for text in texts.tolist()]
    names = ("latitude", "longitude", "country")
    return {
        name: np.array([place[i] for place in found], dtype=str)[where]
        for i, name in enumerate(names)
    }


def _place(address: str, places: Any) -> tuple[str, str, str]:
    try:
        said = places.get(address) if address else None
    except ValueError:  # no address, or one of six bytes in a file of four
        said = None
    location, country = _part(said, "location"), _part(said, "country")
    latitude, longitude = location.get("latitude", ""), location.get("longitude", "")
    return str(latitude), str(longitude), str(country.get("iso_code", ""))


def _part(said: Any, name: str) -> Mapping[str, Any]:
    part = said.get(name) if isinstance(said, Mapping) else None
    return part if isinstance(part, Mapping) else {}
