"""SQL databases of others, which are only read: MySQL and MariaDB, PostgreSQL, SQLite."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from amiss.errors import ConfigError, Rejected, Unreachable

DRIVERS = {
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "mysql"),
    "postgresql": ("postgresql+psycopg", "postgresql"),
    "postgres": ("postgresql+psycopg", "postgresql"),
    "sqlite": ("sqlite", ""),
}
"""By the name in an address: that of SQLAlchemy, and the extra that brings the driver."""
READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
PATIENCE = 10  # seconds for a connection
LONGEST = 60  # seconds for an answer
NO = frozenset((1044, 1045, 1049, 1054, 1064, 1142, 1146, 1792))
"""What MySQL says no with where others say it as an error of the statement."""
SHOWN = 200  # characters of what a database says


class Database:
    """One address, whose sessions cannot write. Connections are opened when they are needed."""

    def __init__(self, address: str) -> None:
        """Raises ConfigError for what is no address of a database that can be read."""
        try:
            url = make_url(address)
        except (ArgumentError, ValueError):
            raise ConfigError(
                "what is kept there is no address such as mysql://user:password@host/database"
            ) from None
        name = url.drivername.partition("+")[0]
        if name not in DRIVERS:
            there = ", ".join(sorted(DRIVERS))
            raise ConfigError(f"{name[:20]!r} is no database that can be read; there are {there}")
        driver, extra = DRIVERS[name]
        self._url = url if "+" in url.drivername else url.set(drivername=driver)
        self.place = url.host or url.database or name
        try:
            self._engine = _engine(self._url)
        except (ImportError, NoSuchModuleError):
            hint = f"; pip install 'amiss[{extra}]'" if extra else ""
            raise ConfigError(f"the driver {driver} is not there{hint}") from None

    def close(self) -> None:
        """Close its connections; they are opened again when they are needed."""
        self._engine.dispose()

    def quoted(self, *names: str) -> str:
        """A name in a statement: of a column, or of schema and table."""
        how = self._engine.dialect.identifier_preparer
        inner = [name.replace(how.escape_quote, how.escape_to_quote) for name in names]
        whole = ".".join(f"{how.initial_quote}{name}{how.final_quote}" for name in inner)
        return whole.replace(":", r"\:")

    def rows(
        self, statement: str, values: Mapping[str, Any]
    ) -> tuple[list[str], Sequence[Sequence[Any]]]:
        """Names of the columns and rows of a SELECT with `:name` for each value.

        Raises Unreachable if it may be answered later, Rejected if not; the message has what the
        database said, without passwords.
        """
        lite = self._engine.dialect.name == "sqlite"
        if lite and self._url.database and not os.path.exists(self._url.database):
            raise Unreachable(f"{self._url.database}: there is no such file")
        try:
            with self._engine.connect() as connection:
                found = connection.execute(text(statement), dict(values))
                return list(found.keys()), found.fetchall()
        except DBAPIError as exc:
            raise (Rejected if _refused(exc) else Unreachable)(self._told(exc.orig)) from None
        except SQLAlchemyError as exc:
            raise Rejected(f"{self.place}: {type(exc).__name__}") from None
        except (TypeError, ValueError, AttributeError, LookupError) as exc:
            # of the driver: a setting in the address that it has not, a text it cannot read
            raise Rejected(self._told(exc)) from None

    def _told(self, exc: BaseException | None) -> str:
        said = " ".join(str(exc).split())
        match exc.args if exc else ():
            case (int(code), str(words), *_):  # as drivers of MySQL have it
                said = f"{' '.join(words.split())} ({code})"
        if self._url.password:
            said = said.replace(str(self._url.password), "***")
        return f"{self.place}: {said[:SHOWN]}"


def _engine(url: URL) -> Engine:
    name = url.get_backend_name()
    options: dict[str, Any] = {}
    if name == "postgresql":
        options = {
            "connect_timeout": PATIENCE,
            "options": f"-c statement_timeout={LONGEST * 1000}",
        }
    elif name != "sqlite":
        options = {"connect_timeout": PATIENCE, "read_timeout": LONGEST}
    engine = create_engine(url, connect_args=options, pool_pre_ping=True, pool_recycle=3600)

    @event.listens_for(engine, "connect")
    def read_only(connection: Any, record: Any) -> None:
        if name == "sqlite":  # a text that is no UTF-8 is data too
            connection.text_factory = partial(str, encoding="utf-8", errors="backslashreplace")
        cursor = connection.cursor()
        cursor.execute(READ_ONLY[name])
        cursor.close()
        if name != "sqlite":
            connection.commit()

    return engine


def _refused(exc: DBAPIError) -> bool:
    """Whether the statement, or who asks, is wrong, and not the moment."""
    if exc.connection_invalidated:
        return False
    said: Any = exc.orig
    state = getattr(said, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] not in ("08", "53", "57", "58", "40", "55")
    kind = type(said).__name__
    if said is not None and said.args and said.args[0] in NO:
        return True
    if kind == "OperationalError":
        return any(word in str(said) for word in ("no such", "syntax", "readonly"))
    return kind != "InterfaceError"
