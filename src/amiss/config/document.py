"""YAML as plain data, with the line that each value stands in, and what is wrong with it."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from amiss.errors import ConfigError

Place: TypeAlias = tuple[int | str, ...]
"""Keys and numbers of items that lead to a value: ("pipelines", 0, "name")."""

MOST = 100_000  # values; anchors can make a small file endless
NO_NAME = "YAML does not read this as a name; put it in quotes"
TAG = "tag:yaml.org,2002:"
MERGE = f"{TAG}merge"
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, where, in one sentence."""

    line: int  # 0 if it is the file as a whole
    place: Place
    sentence: str

    def said(self, name: str) -> str:
        """amiss.yaml:14: pipelines.0.name: ..."""
        where = f"{name}:{self.line}" if self.line else name
        path = ".".join(map(str, self.place))
        return ": ".join(part for part in (where, path, self.sentence) if part)


@dataclass(slots=True)
class Document:
    """The content of a YAML file."""

    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    unread: set[Place] = field(default_factory=set)
    """What is not as YAML has it, so that nothing else need be said of it."""

    def line(self, place: Place) -> int:
        """The line of a value, or of the nearest thing around it that is there."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def load(text: str, name: str) -> Document:
    """Parse a text. ConfigError if it is not YAML; lesser mistakes are in the document."""
    document = Document()
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is not None:
            document.data = _Reader(loader, document).value(node, ())
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        raise ConfigError(Mistake(line, (), _blame(exc)).said(name)) from None
    except yaml.YAMLError as exc:
        raise ConfigError(f"{name}: not YAML: {str(exc).splitlines()[0]}") from None
    except RecursionError:
        raise ConfigError(f"{name}: not a configuration: it is nested too deeply") from None
    return document


@dataclass(slots=True)
class _Reader:
    """Turns nodes into data, noting the line of each."""

    loader: yaml.SafeLoader
    document: Document
    above: list[yaml.Node] = field(default_factory=list)

    def value(self, node: yaml.Node, place: Place) -> Any:
        document, line = self.document, node.start_mark.line + 1
        document.lines.setdefault(place, line)
        if node in self.above:
            raise _error("an anchor is repeated in itself", node)
        if len(document.lines) > MOST:
            raise _error(f"there are more than {MOST:,} values", node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, place)
        self.above.append(node)
        data: Any = None
        if isinstance(node, yaml.SequenceNode):
            data = [self.value(one, (*place, n)) for n, one in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            self._refuse_twice(node, place)
            self.loader.flatten_mapping(node)
            data = {}
            for key, value in node.value:
                name = self._name(key, place)
                document.lines[*place, name] = key.start_mark.line + 1
                data[name] = self.value(value, (*place, name))
        self.above.pop()
        return data

    def _name(self, key: yaml.Node, place: Place) -> str:
        if not isinstance(key, yaml.ScalarNode):
            raise _error("a name is expected before the colon", key)
        if not isinstance(self._scalar(key, (*place, key.value)), str):
            self._unread(key, (*place, key.value), NO_NAME)
        return str(key.value)

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        """A text, a number or a date; as text what is not what it looks like or is said to be."""
        try:
            return self.loader.construct_object(node)
        except (ValueError, LookupError, AttributeError, ArithmeticError):  # the loader's own
            kind = KINDS.get(node.tag.removeprefix(TAG), "what it is said to be")
            sentence = f"{node.value[:60]!r} cannot be read as {kind}; quote it if it is text"
            self._unread(node, place, sentence)
            return str(node.value)

    def _refuse_twice(self, node: yaml.MappingNode, place: Place) -> None:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                if key.value in first:
                    sentence = f"stands there twice; first in line {first[key.value]}"
                    self._note(key, (*place, key.value), sentence)
                first.setdefault(key.value, key.start_mark.line + 1)

    def _unread(self, node: yaml.Node, place: Place, sentence: str) -> None:
        self.document.unread.add(place)
        self._note(node, place, sentence)

    def _note(self, node: yaml.Node, place: Place, sentence: str) -> None:
        self.document.mistakes.append(Mistake(node.start_mark.line + 1, place, sentence))


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _blame(exc: yaml.MarkedYAMLError) -> str:
    problem = str(exc.problem or "it cannot be read")
    if "'\\t'" in problem:
        return "a tab stands here; YAML is indented with spaces"
    if "could not determine a constructor" in problem:
        tag = problem.rpartition(" ")[2].replace("tag:yaml.org,2002:", "!!")
        return f"the tag {tag} means nothing here"
    if "found another document" in problem:
        return "a second document begins here; one is expected"
    if not exc.context:
        return f"not YAML: {problem}"
    began = f" that began in line {exc.context_mark.line + 1}" if exc.context_mark else ""
    return f"not YAML: {problem} {exc.context}{began}"
