"""One database, used by several threads: one writes at a time, readers never wait.

SQLite by default, as a file in WAL mode; any other by its SQLAlchemy address.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from amiss.data import readable
from amiss.errors import ConfigError, StateError
from amiss.store.tables import SCHEMA, VERSIONS, metadata, version
from amiss.store.trouble import explain

PATIENCE = 30  # seconds to wait for another program's lock
SQLITE = (
    "PRAGMA auto_vacuum = INCREMENTAL",  # counts for a new file alone, and before all else
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 16777216",
)


class Database:
    """Opens it, and brings its tables to what this program knows.

    A path is an SQLite file, made with its folder if it is not there. Raises ConfigError for
    an address that cannot be used, StateError for a file that cannot (damaged, foreign,
    read-only, disk full, written by a newer Amiss), Unreachable for a server that is silent.

    For `reading` alone neither a file nor its folder need be writable, and nothing is written:
    what an older Amiss wrote is then a StateError, too.
    """

    def __init__(self, url: str | Path, reading: bool = False) -> None:
        self.engine, self.where = _read_only(Path(url)) if reading else _engine(url)
        self._writing = threading.Lock()
        try:
            with self.read() if reading else self.write(opening=True) as db:
                self._bring_up_to_date(db, reading)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look at all tables. Raises Unreachable or StateError."""
        with self._explained(), self.engine.connect() as db:
            if self.engine.dialect.name != "sqlite":  # which always does
                db.execution_options(isolation_level="REPEATABLE READ")
            with db.begin():
                yield db

    @contextmanager
    def write(self, opening: bool = False) -> Iterator[Connection]:
        """One transaction: all that is done in it, or nothing. Raises Unreachable or StateError."""
        with self._explained(opening), self._writing, self.engine.connect() as db:
            with db.execution_options(writes=True).begin():
                yield db

    @contextmanager
    def _explained(self, opening: bool = False) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error) as exc:
            error = explain(exc, self.where, opening)
            if error is None:
                raise
            raise error from exc

    def _bring_up_to_date(self, db: Connection, reading: bool) -> None:
        tables = sa.inspect(db).get_table_names()
        found = None
        if VERSIONS in tables:
            found = db.execute(sa.select(version.c.version_num)).scalar()
        if found == SCHEMA:
            return
        if found is not None and str(found) > SCHEMA:
            raise StateError(
                f"{self.where} was written by a newer Amiss (schema {found}, and this one knows "
                f"{SCHEMA}); use that version, or start with another --home"
            )
        if found is None and tables and self.engine.dialect.name == "sqlite":
            raise StateError(
                f"{self.where} is the database of another program (it has a table "
                f"{min(tables)!r}); start with another --home"
            )
        if reading:
            raise StateError(
                f"{self.where} was written by an older Amiss, and cannot be brought up to date, as "
                "it may not be written; `amiss run` as its owner does that"
            )
        if tables:
            from amiss.store.migrations import upgrade  # alembic takes .3 s and 12 MB to import

            upgrade(db)
            return
        metadata.create_all(db)
        version.create(db)
        db.execute(sa.insert(version).values(version_num=SCHEMA))


def upsert(
    db: Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    fresh: Mapping[str, Any] | None = None,
) -> None:
    """Change the row with this key, or add it (with `fresh` instead, if given)."""
    same = sa.and_(*(table.c[name] == value for name, value in key.items()))
    if not db.execute(sa.update(table).where(same).values(**values)).rowcount:
        db.execute(sa.insert(table).values(**key, **(values if fresh is None else fresh)))


def storable(text: str) -> str:
    """The same, with what no database takes (halves of characters, zero bytes) written out."""
    return readable(text).replace("\0", "\\x00")


def _engine(url: str | Path) -> tuple[Engine, str]:
    """The engine, and what to call the database in messages."""
    if isinstance(url, Path) or "://" not in url:
        return _sqlite(Path(url), sa.URL.create("sqlite", database=str(url)))
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            return _sqlite(Path(address.database or ":memory:"), address)
        engine = sa.create_engine(address, pool_pre_ping=True, max_overflow=-1)
    except (ArgumentError, NoSuchModuleError) as exc:
        raise ConfigError(
            "not an address of a database; write a path, sqlite:///amiss.db or "
            "postgresql+psycopg://user@host/amiss"
        ) from exc
    except ModuleNotFoundError as exc:
        raise ConfigError(f"the database needs a driver: pip install {exc.name}") from exc
    return engine, address.render_as_string(hide_password=True)


def _sqlite(path: Path, address: sa.URL) -> tuple[Engine, str]:
    if str(path) == ":memory:":
        raise ConfigError("a database in memory cannot be shared by threads; write a path")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StateError(
            f"the folder {path.parent} cannot be made: {exc.strerror}; "
            "mend that, or start with another --home"
        ) from exc
    engine = sa.create_engine(address, connect_args={"timeout": PATIENCE}, max_overflow=-1)
    sa.event.listen(engine, "connect", _connected)
    sa.event.listen(engine, "begin", _begin)
    return engine, str(path)


def _read_only(path: Path) -> tuple[Engine, str]:
    """An SQLite file that is only looked at; nothing is left in its folder, nor need it be."""
    # who has it open has made this file; without it SQLite would make it, or could not
    how = {"mode": "ro"} if Path(f"{path}-shm").exists() else {"immutable": "1"}
    name = f"file:{quote(str(path.absolute()))}"
    address = sa.URL.create("sqlite", database=name, query={"uri": "true", **how})
    engine = sa.create_engine(address, connect_args={"timeout": PATIENCE}, max_overflow=-1)
    sa.event.listen(engine, "connect", _connected_to_read)
    sa.event.listen(engine, "begin", _begin)
    return engine, str(path)


def _connected_to_read(raw: Any, _: object) -> None:
    raw.isolation_level = None
    raw.execute("PRAGMA query_only = ON").fetchall()


def _connected(raw: Any, _: object) -> None:
    raw.isolation_level = None  # transactions begin where we say, below
    for pragma in SQLITE:
        raw.execute(pragma).fetchall()


def _begin(db: Connection) -> None:
    # a reader that turned writer could find the file changed under it, so writers say so first
    writes = db.get_execution_options().get("writes")
    db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
