"""The tables. A change here needs a migration in `migrations/versions`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

SCHEMA = "0002"
"""The newest migration: what this program reads and writes."""
VERSIONS = "amiss_version"
"""The table in which a database says which migration it is at."""

metadata = MetaData()

# as Alembic would make it, and not among the tables that Alembic compares
version = Table(
    VERSIONS,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSIONS}_pkc"),
)

# numbers that count themselves up: SQLite does so for INTEGER alone
Number = BigInteger().with_variant(Integer, "sqlite")
# MySQL chooses its type by the length, which the others will not hear of
Long = Text().with_variant(Text(2**24), "mysql", "mariadb")
Blob = LargeBinary().with_variant(LargeBinary(2**30), "mysql", "mariadb")

meta = Table(
    "meta",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", Long, nullable=False),  # JSON
)

pipeline = Table(
    "pipeline",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("cursor", Long, nullable=False),  # JSON
    Column("seen", BigInteger),  # ns, the newest record
)

# beside the pipeline, so that a tick does not rewrite it
snapshot = Table(
    "snapshot",
    metadata,
    Column("pipeline", String(100), primary_key=True),
    Column("body", Blob, nullable=False),  # deflated npz
)

journal = Table(
    "journal",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("pipeline", String(100), nullable=False, index=True),
    Column("body", Blob, nullable=False),
    sqlite_autoincrement=True,
)

incident = Table(
    "incident",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("seq", BigInteger, nullable=False, unique=True),  # of its first revision
    Column("pipeline", String(100), nullable=False),
    Column("opened", BigInteger, nullable=False, index=True),  # ns
    Column("seen", BigInteger, nullable=False, index=True),  # ns
    Column("state", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Long, nullable=False),  # JSON of the newest revision
)

revision = Table(
    "revision",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("incident", String(100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Long, nullable=False),  # JSON
    Index("revision_once", "incident", "revision", unique=True),
    sqlite_autoincrement=True,
)

sink = Table(
    "sink",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("mark", BigInteger, nullable=False),  # seq of the last revision it was told
)

delivery = Table(
    "delivery",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("sink", String(200), nullable=False),
    Column("incident", String(100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),  # ns
    Column("outcome", String(20), nullable=False),
    Column("message", Text, nullable=False),
    Column("times", Integer, nullable=False),  # how often it was tried
    Index("delivery_once", "incident", "sink", "revision", unique=True),
    Index("delivery_newest", "sink", "at"),
    sqlite_autoincrement=True,
)

# what people said of incidents; of one, one verdict and one acknowledgement
feedback = Table(
    "feedback",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("incident", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("word", String(20), nullable=False),
    Column("revision", Integer, nullable=False),  # that it was said of
    Column("at", BigInteger, nullable=False),  # ns
    Column("who", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index("feedback_once", "incident", "kind", unique=True),
    sqlite_autoincrement=True,
)

series = Table(
    "series",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # hash of the key
    Column("key", Text, nullable=False),
    Column("first", BigInteger, nullable=False),  # ns
    Column("last", BigInteger, nullable=False),  # ns
    Column("points", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

# full ones, never changed: rows that grow in place leave a third of the pages empty
chunk = Table(
    "chunk",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("series", BigInteger, ForeignKey("series.id"), nullable=False),
    Column("first", BigInteger, nullable=False),  # ns
    Column("last", BigInteger, nullable=False, index=True),  # ns
    Column("points", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("body", Blob, nullable=False),
    Index("chunk_span", "series", "last", "first"),
    sqlite_autoincrement=True,
)

# the newest points of each series, until they fill a chunk
tail = Table(
    "tail",
    metadata,
    Column("series", BigInteger, ForeignKey("series.id"), primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),  # ns
    Column("last", BigInteger, nullable=False, index=True),  # ns
    Column("points", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("body", Blob, nullable=False),
)

model = Table(
    "model",
    metadata,
    Column("id", String(32), primary_key=True),  # hash of the body
    Column("pipeline", String(100), nullable=False),
    Column("detector", String(100), nullable=False),
    Column("card", Long, nullable=False),  # JSON
    Column("trained", BigInteger, nullable=False),  # ns
    Column("in_use", Boolean, nullable=False),
    Column("body", Blob, nullable=False),  # npz
    Index("model_kind", "pipeline", "detector", "trained"),
)
