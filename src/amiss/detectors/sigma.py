"""Single records that Sigma rules hold for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, ValidationInfo, model_validator

from amiss.component import Detector
from amiss.data import Frame, Reason, Records, Scores, Severity, State
from amiss.sigma.rules import Refused, Rule, Table, read

GRAVEST: tuple[Severity, ...] = ("high", "medium", "low")
SAID = 20  # refused rules that are named


class Sigma(Detector):
    """Rules in the Sigma format, on the fields of single records (features: each).

    Selections, lists, words, wildcards, conditions and the modifiers of sigma/values.py. What is
    not supported (correlation, aggregation, timeframes, other modifiers) is refused with file,
    line and reason, which `amiss check` shows; the other rules go on. A rule is not kept to its
    `logsource`: give it the records that it is about. Whatever a rule holds for is told, whatever
    is usual, with the level of the gravest rule as severity: critical and high are high,
    informational is low. A field that a record does not have is absent.
    Cost: each item of each rule looks once at each distinct text of its field in a batch.
    """

    each: ClassVar[bool] = True
    apart: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ()
    state_bytes: ClassVar[int] = 0

    type: Literal["sigma"] = "sigma"
    rules: str = Field(min_length=1, examples=["rules/web"])
    """A file, or a folder whose .yml and .yaml files are read, and those of folders in it."""
    fields: Mapping[str, str] = Field({}, examples=[{"CommandLine": "command"}])
    """What fields are called here, by what rules call them; `text` is the whole line."""

    @model_validator(mode="after")
    def _usable(self, info: ValidationInfo) -> Self:
        if not (info.context or {}).get("without_files") and not self.known[0]:
            refused = self.known[1]
            first = f"; the first of {len(refused)}: {refused[0]}" if refused else ""
            raise ValueError(f"no rule of {self.rules} can be used{first}")
        return self

    @cached_property
    def known(self) -> tuple[list[Rule], list[Refused]]:
        """The rules that can be used, and those that cannot, as the files are at first sight."""
        return read(self.rules, self.fields)

    @property
    def rule(self) -> tuple[str, Severity]:
        """Told wherever one holds; what it is called is in the words."""
        return "Sigma", "medium"

    def notes(self) -> tuple[str, ...]:
        """How many rules there are, and which are refused."""
        rules, refused = self.known
        said = [f"sigma: {len(rules)} rules of {self.rules}, {len(refused)} refused"]
        said += [f"  {one}" for one in refused[:SAID]]
        more = len(refused) - SAID
        return (*said, f"  and {more} more") if more > 0 else tuple(said)

    def init(self, series: int, features: int) -> State:
        """Nothing to remember."""
        return {}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """1 for each record (T, 1) that a rule holds for, 0 for all others."""
        held = np.zeros(len(frame.time))
        if frame.records is not None and len(frame.time):
            table = Table(frame.records)
            for rule in self.known[0]:
                held[table.held(rule)] = 1.0
        return state, Scores(frame.time, frame.keys, held[:, None])

    def why(self, state: State, frame: Frame) -> Sequence[tuple[Reason, ...]]:
        """The titles of the rules that hold for each record."""
        return [
            tuple(Reason(rule.title, rule.title) for rule in some)
            for some in self._of(frame.records)
        ]

    def grave(self, frame: Frame) -> Sequence[Severity | None]:
        """The level of the gravest rule that holds for each record."""
        return [
            next((g for g in GRAVEST if any(r.severity == g for r in some)), None)
            for some in self._of(frame.records)
        ]

    def _of(self, records: Records | None) -> list[list[Rule]]:
        found: list[list[Rule]] = [[] for _ in range(len(records) if records else 0)]
        if records is not None and len(records):
            table = Table(records)
            for rule in self.known[0]:
                for t in np.flatnonzero(table.held(rule)).tolist():
                    found[t].append(rule)
        return found
