"""`amiss schema` and `amiss version`: what editors and bug reports want."""

import platform

from amiss.cli.options import AsJson


def schema(json: AsJson = False) -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from amiss.cli.output import print_json
    from amiss.config import json_schema

    said = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Amiss"}
    print_json(said | json_schema() | {"title": "Amiss"})


def version(json: AsJson = False) -> None:
    """Print the version."""
    from amiss import __version__

    if json:
        from amiss.cli.output import print_json

        print_json({"amiss": __version__, "python": platform.python_version()})
    else:
        print(f"amiss {__version__} (Python {platform.python_version()})")
