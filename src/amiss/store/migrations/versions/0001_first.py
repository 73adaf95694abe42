"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Long = sa.Text().with_variant(sa.Text(2**24), "mysql", "mariadb")
Blob = sa.LargeBinary().with_variant(sa.LargeBinary(2**30), "mysql", "mariadb")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "meta",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("value", Long, nullable=False),
    )
    op.create_table(
        "pipeline",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("cursor", Long, nullable=False),
        sa.Column("seen", sa.BigInteger),
    )
    op.create_table(
        "snapshot",
        sa.Column("pipeline", sa.String(100), primary_key=True),
        sa.Column("body", Blob, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("seq", Number, primary_key=True),
        sa.Column("pipeline", sa.String(100), nullable=False, index=True),
        sa.Column("body", Blob, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False, unique=True),
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False, index=True),
        sa.Column("seen", sa.BigInteger, nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", Long, nullable=False),
    )
    op.create_table(
        "revision",
        sa.Column("seq", Number, primary_key=True),
        sa.Column("incident", sa.String(100), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("body", Long, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("revision_once", "revision", ["incident", "revision"], unique=True)
    op.create_table(
        "sink",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("mark", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("seq", Number, primary_key=True),
        sa.Column("sink", sa.String(200), nullable=False),
        sa.Column("incident", sa.String(100), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("delivery_newest", "delivery", ["sink", "at"])
    op.create_index("delivery_once", "delivery", ["incident", "sink", "revision"], unique=True)
    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "chunk",
        sa.Column("seq", Number, primary_key=True),
        sa.Column("series", sa.BigInteger, sa.ForeignKey("series.id"), nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False, index=True),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("body", Blob, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("chunk_span", "chunk", ["series", "last", "first"])
    op.create_table(
        "tail",
        sa.Column(
            "series",
            sa.BigInteger,
            sa.ForeignKey("series.id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False, index=True),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("body", Blob, nullable=False),
    )
    op.create_table(
        "model",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("pipeline", sa.String(100), nullable=False),
        sa.Column("detector", sa.String(100), nullable=False),
        sa.Column("card", Long, nullable=False),
        sa.Column("trained", sa.BigInteger, nullable=False),
        sa.Column("in_use", sa.Boolean, nullable=False),
        sa.Column("body", Blob, nullable=False),
    )
    op.create_index("model_kind", "model", ["pipeline", "detector", "trained"])
