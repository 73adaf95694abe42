"""`anomaly_detection.log`: lines such as 2024-01-15 10:30:15 - AnomalyDetection - INFO - ..."""

import logging
from datetime import datetime
from pathlib import Path

from amiss import jsonlog
from amiss.errors import Unreachable

MOST = 10_000_000  # bytes of a file
KEPT = 3  # files that were rotated

log = logging.getLogger(__name__)


class Journal:
    """Of one system; several threads and programs may write into one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def say(self, level: str, text: str, who: str = "AnomalyDetection") -> None:
        """One line, by local time. What cannot be written goes to the program's own log."""
        now = datetime.now().astimezone()
        line = f"{now:%Y-%m-%d %H:%M:%S} - {who} - {level} - {' '.join(text.split())}"
        try:
            jsonlog.append(self.path, line.encode("utf-8", "replace"), max_bytes=MOST, keep=KEPT)
        except Unreachable as exc:
            log.warning("%s: %s", exc, line)
