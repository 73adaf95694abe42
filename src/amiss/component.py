"""What a component is: a frozen model whose fields are its configuration.

A component holds no state and opens nothing when built, so the object that YAML is
parsed into is the object that runs. There are four kinds, each with one verb:

    Source    poll(cursor, world)  -> cursor, Records
    Features  step(state, Records) -> state, Frame
    Detector  step(state, Frame)   -> state, Scores
    Sink      send(incidents, world)
"""

import hashlib
import importlib
import pkgutil
import re
from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from importlib.metadata import entry_points
from operator import or_
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from amiss.data import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Event,
    Floats,
    Frame,
    Incident,
    Records,
    Scores,
    State,
)
from amiss.world import World

K = TypeVar("K", bound="Component")

Cursor: TypeAlias = dict[str, Any]
"""Where a source reads on: anything JSON can hold."""

SPAN = r"^\d+(\.\d+)?(ms|s|m|h|d)$"
RATE = r"^\d+(\.\d+)?\s*/\s*(hour|day|week)$"
LONGEST = 36_500 * DAY  # ns; now and a century fit in 64 bits
UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def parse_span(text: object) -> object:
    """`90s`, `15m`, `1d` -> nanoseconds; a whole number passes through as nanoseconds.

    ValueError if it is none, or longer than a century.
    """
    if not isinstance(text, str):
        return text
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if not found:
        raise ValueError(f"{text[:60]!r} is not a span of time; write 90s, 15m, 6h or 1d")
    span = float(found[1]) * UNITS[found[2]]
    if span > LONGEST:
        raise ValueError(f"{text[:60]!r} is too long; write {write_span(LONGEST)} at most")
    return round(span)


def write_span(ns: int) -> str:
    """The shortest text that `parse_span` reads back as the same span."""
    whole = [unit for unit, size in UNITS.items() if ns % size == 0 and ns >= size]
    return f"{ns // UNITS[whole[-1]]}{whole[-1]}" if whole else f"{ns / SECOND:.9g}s"


Span = Annotated[
    int,
    BeforeValidator(parse_span),
    PlainSerializer(write_span),
    Field(le=LONGEST),
    WithJsonSchema({"type": "string", "pattern": SPAN}),
]
"""Nanoseconds, written as 90s, 15m, 6h or 1d."""


def parse_rate(text: object) -> object:
    """`5/day`, `1/week` -> a number a day; a number passes through."""
    if not isinstance(text, str):
        return text
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*/\s*(hour|day|week)", text)
    if not found:
        raise ValueError(f"{text!r} is not a rate; write 5/day or 1/week")
    return float(found[1]) * {"hour": 24.0, "day": 1.0, "week": 1 / 7}[found[2]]


def write_rate(a_day: float) -> str:
    """The text that `parse_rate` reads back as the same rate."""
    return f"{a_day:.12g}/day" if a_day >= 1 else f"{a_day * 7:.12g}/week"


Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    Field(gt=0, lt=1e6),
    PlainSerializer(write_rate),
    WithJsonSchema({"type": "string", "pattern": RATE}),
]
"""How often, a day; written as 5/day or 1/week."""


class Component(BaseModel):
    """Root of all configuration. The `type` of a component is its file's name."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    @cached_property
    def fingerprint(self) -> str:
        """The same for equal settings, other for other ones: what state belongs to."""
        said = f"{type(self).__name__}{self.model_dump_json()}"
        return hashlib.blake2b(said.encode(), digest_size=6).hexdigest()


class Source(Component):
    """Reads the world, one poll at a time."""

    every: Span = Field(30 * SECOND, gt=0)
    """Time between two polls."""

    @abstractmethod
    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """Everything after `cursor` that is there now; maybe nothing. Never waits.

        Raises Unreachable if the outside does not answer; the cursor then stays.
        """

    def again(self) -> "Source | None":
        """The same, set to give from an empty cursor on all that it gave before and still has;
        None if it keeps nothing.
        """
        return None

    def found(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """What to say of a poll before anything is watched, line by line; nothing by default."""
        return ()

    def wrong(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """Settings that do not fit what a poll gave, a sentence each; before anything runs."""
        return ()


class Features(Component):
    """Turns records into numbers: the only place where text and categories become numbers."""

    each: ClassVar[bool] = False
    """Whether each record is a tick of its own (a login, a line), and not an interval of time."""

    @property
    def whom(self) -> tuple[str, ...]:
        """Of single records: the labels that say whom one is about."""
        return ()

    @property
    def counted(self) -> tuple[str, ...]:
        """Of single records: the labels by which those of a minute are counted, beside all."""
        return ()

    @abstractmethod
    def init(self) -> State:
        """The memory before the first record."""

    @abstractmethod
    def step(self, state: State, records: Records) -> tuple[State, Frame]:
        """The ticks that these records complete; the rest is kept in the state."""


class Detector(Component):
    """Says how strange each series is. Pure: no clock, no network, no hidden memory.

    State is a dict of arrays whose first axis is the series, but for those named in
    `shared` (weights, trees), which are the same for all series.
    """

    needs: ClassVar[tuple[str, ...]] = ("value",)
    """Features of the frame that it reads: value, recent, usual, .. (see decide/expect.py)."""
    joint: ClassVar[bool] = False
    """Whether it judges a whole system at once: series are systems, features their metrics."""
    each: ClassVar[bool] = False
    """Whether it judges single records; its frame has one series, and the records with it."""
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "rank"
    """How its scores are read: by their rank in their own past, by their size against it, or as
    they are, if what it learns depends on how strange it was."""
    zero: ClassVar[float] = 0.0
    """The score of what is not strange at all: ranks tell apart only what is above it."""
    state_bytes: ClassVar[int] = 1024
    """Most bytes of state per series, shared arrays aside."""
    shared: ClassVar[frozenset[str]] = frozenset()
    tolerance: ClassVar[float] = 0.0
    """How far scores may differ by company or batch: 0 is to the bit; 1e-9 for matrix detectors."""

    @abstractmethod
    def init(self, series: int, features: int) -> State:
        """The memory of `series` series never seen before."""

    @abstractmethod
    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score the frame, then learn from it. Row i of the state is frame.keys[i].

        The state's arrays are given away with the call: they may be changed and returned.
        The frame's arrays may not.
        """

    def fit(self, state: State, history: Frame) -> State:
        """Learn slowly from history, in a worker process. Most detectors need not."""
        return state

    def forecast(self, state: State) -> dict[str, Floats]:
        """What it expects of the next tick, by feature (S,); nothing if it does not forecast."""
        return {}

    def retain(self, state: State, features: Collection[str]) -> State:
        """Of a joint detector: without what it knows of metrics that are not among these."""
        return state

    def why(self, state: State, frame: Frame) -> Sequence[tuple[str, ...]]:
        """Of single records: what is strange about each, in words, if `blame` does not say it."""
        return [()] * len(frame.time)

    @classmethod
    def fits(cls) -> bool:
        """Whether there is something to fit."""
        return cls.fit is not Detector.fit


class Sink(Component):
    """Tells the world."""

    @abstractmethod
    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """Deliver all, or raise Unreachable (try again) or Rejected (do not).

        `event` is what they are to this receiver, who may not have heard of the revisions
        before; None is what they are by themselves (see message.event_of).

        Each incident is a revision; the same id and revision may come twice after a crash
        between sending and remembering that it was sent.
        """


@dataclass(frozen=True)
class AnyOf:
    """Annotation: any component of this kind, told apart by its `type`."""

    package: str

    def __get_pydantic_core_schema__(
        self, base: type[Component], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The tagged union of all there are."""
        kinds = tuple(find(self.package, base).values())
        if len(kinds) == 1:
            return handler.generate_schema(kinds[0])
        return handler.generate_schema(Annotated[reduce(or_, kinds), Field(discriminator="type")])


@cache
def find(package: str, base: type[K]) -> dict[str, type[K]]:
    """All components in a package's folder, and all that plug-ins add, by type."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    for plugin in entry_points(group=package):
        plugin.load()
    return {
        kind.model_fields["type"].default: kind
        for kind in base.__subclasses__()
        if "type" in kind.model_fields
    }
