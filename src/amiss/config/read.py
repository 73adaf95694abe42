"""Read a configuration file, and say all that is wrong with it at once."""

from pathlib import Path

from pydantic import ValidationError

from amiss.config.document import Document, Mistake, load
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
    settings, mistakes = _checked(document)
    if mistakes:
        mistakes.sort(key=lambda mistake: mistake.line)
        raise ConfigError("\n".join(dict.fromkeys(one.said(name) for one in mistakes)))
    return settings


def _checked(document: Document) -> tuple[Settings, list[Mistake]]:
    mistakes = [*document.mistakes, *spans(document)]
    try:
        return Settings.model_validate(document.data), mistakes
    except ValidationError as exc:
        return Settings.model_construct(), mistakes + explain(exc, document)
