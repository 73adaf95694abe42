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
from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from importlib.metadata import entry_points
from operator import or_
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from amiss.data import (
    SECOND,
    Event,
    Floats,
    Frame,
    Incident,
    Reason,
    Records,
    Scores,
    Severity,
    State,
    Strings,
)
from amiss.spans import Span
from amiss.world import World

K = TypeVar("K", bound="Component")

Cursor: TypeAlias = dict[str, Any]
"""Where a source reads on: anything JSON can hold."""

FEEDBACK = "feedback"
"""The label that is not a metric, but what people said of incidents (run/labels.py)."""


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

    @property
    def pace(self) -> int:
        """Nanoseconds between two samples of a series; 0 where they come as others write them."""
        return 0

    @abstractmethod
    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """Everything after `cursor` that is there now; maybe nothing. Never waits.

        Raises Unreachable if the outside does not answer; the cursor then stays.
        """

    @property
    def of_events(self) -> bool:
        """Whether it gives lines, requests and alike, to be judged one by one, and no numbers."""
        return False

    def again(self) -> "Source | None":
        """The same, set to give all that it still has once more; None if it keeps nothing."""
        return None

    def recent(self) -> "Source | None":
        """The same, set to begin with the last that it has; None if it does so anyhow."""
        return None

    def learned_until(self, cursor: Cursor) -> int | None:
        """Until when (ns) what it gives is a past to learn from; None if all of it is told of."""
        return None

    def missing(self, cursor: Cursor) -> str:
        """What is not there yet after a poll that worked, in words; "" if nothing is waited for."""
        return ""

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
    def grid(self) -> int:
        """Nanoseconds between two ticks; 0 if they come as they come."""
        return 0

    @property
    def whom(self) -> tuple[str, ...]:
        """Of single records: the labels that say whom one is about."""
        return ()

    def shared(self, frame: Frame) -> tuple[tuple[str, ...], Strings | None]:
        """What several may share, by labels; the one (T,) that stands for `whom`, "" for none."""
        return (), None

    @property
    def counted(self) -> tuple[str, ...]:
        """Of single records: the labels by which those of a minute are counted, beside all."""
        return ()

    @property
    def playing(self) -> tuple[str, ...]:
        """Of single records: the labels whose roles are such that some records must have them."""
        return ()

    @abstractmethod
    def init(self) -> State:
        """The memory before the first record."""

    @abstractmethod
    def step(self, state: State, records: Records) -> tuple[State, Frame]:
        """The ticks that these records complete; the rest is kept in the state."""


class Detector(Component):
    """Says how strange each series is. Pure: no clock, no network, no hidden memory.

    State is a dict of arrays whose first axis is the series, but for `shared` (weights, trees).
    """

    needs: ClassVar[tuple[str, ...]] = ("value",)
    """Features of the frame that it reads: value, recent, usual, .. (see decide/expect.py)."""
    joint: ClassVar[bool] = False
    """Whether it judges a whole system at once: series are systems, features their metrics."""
    each: ClassVar[bool] = False
    """Whether it judges single records; its frame has one series, and the records with it."""
    apart: ClassVar[bool] = False
    """Whether it tells by itself, in words, and is not fused with others (steps/apart.py)."""
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "rank"
    """How its scores are read: by their rank or size in their own past, or as they are."""
    zero: ClassVar[float] = 0.0
    """The score of what is not strange at all: ranks tell apart only what is above it."""
    labelled: ClassVar[bool] = False
    """Whether it learns from labels, and so from incidents too, which others are spared."""
    state_bytes: ClassVar[int] = 1024
    """Most bytes of state per series, shared arrays aside."""
    shared: ClassVar[frozenset[str]] = frozenset()
    tolerance: ClassVar[float] = 0.0
    """How far scores may differ by company or batch: 0 is to the bit; 1e-9 for matrix detectors."""

    @property
    def rule(self) -> tuple[str, Severity] | None:
        """Name and severity of what a person wrote: it is told wherever its score is above 0."""
        return None

    def notes(self) -> tuple[str, ...]:
        """What to say of its settings before anything runs, line by line; nothing by default."""
        return ()

    def grave(self, frame: Frame) -> Sequence[Severity | None]:
        """Of single records: how bad what holds for each is; None is as `rule` says."""
        return [None] * len(frame.time)

    def chosen(self, keys: tuple[str, ...]) -> tuple[int, ...]:
        """Which of these series it judges, if it tells by itself."""
        return tuple(range(len(keys)))

    def beside(self, frame: Frame, keys: tuple[str, ...]) -> dict[str, Floats]:
        """What it needs of other series to judge these, by feature (T, keys), from all values."""
        return {}

    def tell(self, frame: Frame, scores: Scores, t: int, s: int) -> str:
        """What it found there, in words that follow the name of the series."""
        raise NotImplementedError

    @abstractmethod
    def init(self, series: int, features: int) -> State:
        """The memory of `series` series never seen before."""

    @abstractmethod
    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score the frame, then learn from it. Row i of the state is frame.keys[i].

        The state is given away with the call and may be changed and returned; the frame may not.
        """

    def fit(self, state: State, history: Frame) -> State:
        """Learn slowly from history, in a worker process. Most detectors need not.

        What is trained in steps may add a column `loss` (3, L), which is no state and goes to the
        figures of the model: at each look epochs, error of training and, or NaN, of validation.
        Raises StateError if labels that it needs are missing.
        """
        return state

    def forecast(self, state: State) -> dict[str, Floats]:
        """What it expects of the next tick, by feature (S,); nothing if it does not forecast."""
        return {}

    def voices(self, votes: Floats) -> tuple[str, ...]:
        """What several that it asked said of one moment (K,), in words; see Scores.votes."""
        return ()

    def silent(self, state: State) -> tuple[str, ...]:
        """Of several that it asks, by type: those that have no opinion, as they could not learn."""
        return ()

    def confidence(self, scores: Floats) -> Floats | None:
        """The probability, 0 to 1, that scores stand for, of a detector whose scores tell one."""
        return None

    def retain(self, state: State, features: Collection[str]) -> State:
        """Of a joint detector: without what it knows of metrics that are not among these."""
        return state

    def why(self, state: State, frame: Frame) -> Sequence[tuple[Reason, ...]]:
        """Of a rule about single records: what it found in each."""
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

        Each is a revision, which may come twice after a crash before it was noted as sent.
        """


@dataclass(frozen=True)
class AnyOf:
    """Annotation: any component of this kind, or those for which `only` holds, by its `type`."""

    package: str
    only: Callable[[type[Any]], bool] | None = None

    def __get_pydantic_core_schema__(
        self, base: type[Component], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The tagged union of all there are."""
        found = find(self.package, base).values()
        kinds = tuple(kind for kind in found if self.only is None or self.only(kind))
        if len(kinds) == 1:
            return handler.generate_schema(kinds[0])
        return handler.generate_schema(Annotated[reduce(or_, kinds), Field(discriminator="type")])


@cache
def find(package: str, base: type[K]) -> dict[str, type[K]]:
    """All components in a package's folder, and all that plug-ins add, by type and in its order,
    whichever of them was imported first.
    """
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    for plugin in entry_points(group=package):
        plugin.load()
    found = {
        kind.model_fields["type"].default: kind
        for kind in base.__subclasses__()
        if "type" in kind.model_fields
    }
    return dict(sorted(found.items()))
