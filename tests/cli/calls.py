"""The command line, called in this process as the console script calls it."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import orjson

from amiss.cli import entry


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code in (0, 1), self.err
        return orjson.loads(self.out)


def amiss(*words: object) -> Said:
    """Exit status and output of `amiss WORD...`."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    code: Any = 0
    with (
        patch.object(sys, "argv", ["amiss", *map(str, words)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            entry()
        except SystemExit as exc:
            code = exc.code
    out.flush()
    said = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
    return Said(code or 0, said, err.getvalue())
