"""From a file to Settings, or to sentences that say what to change, and in which line."""

from amiss.config.blueprints import blueprint, known
from amiss.config.outline import json_schema
from amiss.config.read import parse, read
from amiss.config.write import BLUEPRINTS, write

__all__ = ["BLUEPRINTS", "blueprint", "json_schema", "known", "parse", "read", "write"]
