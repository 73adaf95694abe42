"""Install the real servers that the tests run against: `make servers`, or some by name.

What is there already is left alone, and what was begun is gone on with. Debian's packages go where
apt puts them, the rest into $AMISS_SERVERS (otherwise amiss-servers in the user's cache).
"""

import importlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from servers.installed import CACHE, Missing

SERVERS = (
    "prometheus", "victoriametrics", "node_exporter", "alertmanager", "mariadb", "postgresql",
    "kafka", "pinot", "loki", "promtail", "prometheus3", "victorialogs",
)  # fmt: skip
"""In the order in which they are installed: each a file here, with `install` and `server`."""


def main(asked: list[str]) -> int:
    """Install; 0 if all are there, 2 for a name that is none."""
    unknown = sorted(set(asked) - set(SERVERS))
    if unknown:
        print(f"no such server: {', '.join(unknown)}; there are {', '.join(SERVERS)}")
        return 2
    CACHE.mkdir(parents=True, exist_ok=True)
    missing = 0
    for name in asked or SERVERS:
        began = time.monotonic()
        try:
            importlib.import_module(f"servers.{name}").install()
            said = "is there"
        except Missing as exc:
            missing, said = 1, str(exc)
        print(f"{name}: {said} ({time.monotonic() - began:.1f} s)", flush=True)
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
