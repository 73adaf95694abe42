"""How the tables came to be, one file for each change; run by Alembic."""

from pathlib import Path

from sqlalchemy.engine import Connection


def upgrade(db: Connection) -> None:
    """Bring a database to the newest schema, within the transaction that is open."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = db
    command.upgrade(config, "head")
