"""Fitted models: named by their content, checked whenever they are read, one of a kind in use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from amiss import memory
from amiss.data import State
from amiss.errors import ConfigError, StateError
from amiss.model import content
from amiss.store import tables as t
from amiss.store.database import Database, upsert

KEPT = 10
"""How many models of one kind are kept, the newest; the one in use always is."""
LONGEST_NAME = 100  # characters of a row's name in `meta`


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it is listed: of which pipeline and detector, and what its card says."""

    id: str  # hash of pipeline, detector and state
    pipeline: str
    detector: str  # its name, with its settings
    card: dict[str, Any]  # what it was fitted on, how long it took, how good it is
    trained: int  # ns
    in_use: bool
    bytes: int


class Models(Database):
    """The part of the store that training writes and serving reads."""

    def save_model(
        self, card: dict[str, Any], states: Mapping[str, State], in_use: bool = True
    ) -> str:
        """Keep fitted states and say their id; `in_use` puts them in the place of those before.

        The card is anything JSON can hold, with `pipeline`, `detector` and `trained` (ns) in
        it. The same states saved twice are one model, with the later card.
        """
        pipeline, detector = card["pipeline"], card["detector"]
        body = memory.dump(states)
        model = content(pipeline, detector, body)
        said = {"card": json.dumps(card), "trained": card["trained"]}
        kind = {"pipeline": pipeline, "detector": detector}
        with self.write() as db:
            upsert(
                db, t.model, {"id": model}, said, {**kind, **said, "body": body, "in_use": False}
            )
            if in_use:
                _use(db, model, pipeline, detector)
            _drop_old(db, pipeline, detector)
        return model

    def promote(self, model: str, back: bool = False) -> None:
        """Use this model from now on; `back` to it, as if none had served since.

        Raises ConfigError if there is none with this id.
        """
        with self.write() as db:
            row = db.execute(_listed().where(t.model.c.id == model)).first()
            if row is None:
                raise ConfigError(f"there is no model {model!r}")
            _use(db, model, row.pipeline, row.detector, back)

    def served(self, pipeline: str, detector: str) -> list[str]:
        """The ids of the last models that were in use, the one that is at the end."""
        with self.read() as db:
            return _served(db, pipeline, detector)

    def models(self, pipeline: str | None = None, in_use: bool | None = None) -> list[Model]:
        """All models, or those of one pipeline, or those (not) in use; the newest first."""
        query = _listed().order_by(t.model.c.trained.desc(), t.model.c.id)
        if pipeline is not None:
            query = query.where(t.model.c.pipeline == pipeline)
        if in_use is not None:
            query = query.where(t.model.c.in_use == in_use)
        with self.read() as db:
            return [_model(row) for row in db.execute(query)]

    def load_model(self, model: str) -> tuple[Model, dict[str, State]]:
        """A model and its states.

        Raises ConfigError if there is none with this id, StateError if it is not what was saved.
        """
        query = _listed().add_columns(t.model.c.body).where(t.model.c.id == model)
        with self.read() as db:
            row = db.execute(query).first()
        if row is None:
            raise ConfigError(f"there is no model {model!r}")
        if content(row.pipeline, row.detector, row.body) != model:
            raise StateError(
                f"the stored model {model} of {row.pipeline}/{row.detector} is damaged; "
                "use another one or fit it again"
            )
        return _model(row), memory.load(row.body)

    def delete_model(self, model: str) -> None:
        """Drop a model. Raises ConfigError if there is none with this id, or if it is in use."""
        with self.write() as db:
            used = db.scalar(sa.select(t.model.c.in_use).where(t.model.c.id == model))
            if used is None:
                raise ConfigError(f"there is no model {model!r}")
            if used:
                raise ConfigError(f"model {model!r} is in use; promote another one first")
            db.execute(sa.delete(t.model).where(t.model.c.id == model))


def _use(db: Connection, model: str, pipeline: str, detector: str, back: bool = False) -> None:
    c = t.model.c
    kind = (c.pipeline == pipeline) & (c.detector == detector)
    served = _served(db, pipeline, detector)
    if back and model in served:
        served = served[: served.index(model)]
    served = [*(one for one in served if one != model), model][-KEPT:]
    name = {"name": _place(pipeline, detector)}
    upsert(db, t.meta, name, {"value": json.dumps(served)})
    db.execute(sa.update(t.model).where(kind).values(in_use=c.id == model))


def _served(db: Connection, pipeline: str, detector: str) -> list[str]:
    c, name = t.model.c, _place(pipeline, detector)
    if known := db.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == name)):
        return list(json.loads(known))
    mine = sa.select(c.id).where(c.pipeline == pipeline, c.detector == detector, c.in_use)
    return list(db.scalars(mine))  # an older Amiss kept no list


def _place(pipeline: str, detector: str) -> str:
    """What the list of models that served is called, no longer than databases take a name."""
    name = f"served/{pipeline}/{detector}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"served/{blake2b(name.encode(), digest_size=16).hexdigest()}"


def _drop_old(db: Connection, pipeline: str, detector: str) -> None:
    c = t.model.c
    kind = (c.pipeline == pipeline) & (c.detector == detector)
    newest = sa.select(c.id).where(kind).order_by(c.trained.desc(), c.id).limit(KEPT)
    kept = db.scalars(newest).all()
    db.execute(sa.delete(t.model).where(kind, ~c.in_use, c.id.not_in(kept)))


def _listed() -> sa.Select[Any]:
    c = t.model.c
    size = sa.func.length(c.body).label("size")
    return sa.select(c.id, c.pipeline, c.detector, c.card, c.trained, c.in_use, size)


def _model(row: sa.Row[Any]) -> Model:
    return Model(
        row.id,
        row.pipeline,
        row.detector,
        json.loads(row.card),
        row.trained,
        bool(row.in_use),
        row.size,
    )
