"""Read a configuration file, and say all that is wrong with it at once."""

from pathlib import Path

from pydantic import ValidationError

from amiss.config.document import load
from amiss.config.explain import explain, spans
from amiss.errors import ConfigError
from amiss.settings import Settings

LARGEST = 10 * 2**20  # bytes
INSTEAD = "`amiss init` writes one"


def read(path: Path) -> Settings:
    """Parse and check a configuration; what it names (secrets, servers) is not asked.

    ConfigError says every mistake, one a line, as amiss.yaml:14: place: what would be right.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; {INSTEAD}") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: a folder, where a file is needed; {INSTEAD}") from None
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from None
    if len(raw) > LARGEST:
        raise ConfigError(f"{path}: larger than 10 MB, which no configuration is")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text in UTF-8") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Settings:
    """The same for the text of a file called `name`."""
    document = load(text, name)
    if document.data is None:
        raise ConfigError(f"{name}: nothing is configured in it; {INSTEAD}")
    if not isinstance(document.data, dict):
        line = document.line(())
        raise ConfigError(
            f"{name}:{line}: settings are expected here, such as `budget: 5/day`; {INSTEAD}"
        )
    bare = list(spans(document))
    mistakes = [*document.mistakes, *bare]
    known = document.unread | {mistake.place for mistake in bare}
    try:
        settings = Settings.model_validate(document.data)
    except ValidationError as exc:
        found = explain(exc, document)
        mistakes += [mistake for mistake in found if mistake.place not in known]
    else:
        if not mistakes:
            return settings
    mistakes.sort(key=lambda mistake: mistake.line)
    raise ConfigError("\n".join(dict.fromkeys(mistake.said(name) for mistake in mistakes)))
