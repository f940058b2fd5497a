"""The text of matrix.yaml → plain values, with the line that each stands on.

Every value of the file is text. What YAML would read as something else (1.20 is a number to it, 1.2) is a
mistake here, and so is what makes a file say other than what meets the eye: an alias, a tag, a repeated key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Union

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Value = Union[str, None, "list[Value]", "dict[str, Value]"]
Path = tuple[Union[str, int], ...]

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_READ_AS = {
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:timestamp": "a date",
}


class Mistake(NamedTuple):
    """Something wrong in the file: the line (from 1) and a sentence."""

    line: int
    what: str


@dataclass
class Document:
    """A YAML file as it was read: its value, where each part stands, and what was wrong with it.

    `unquoted` has, by their place, the values that YAML takes for something else than text, each with the advice to
    quote it.
    """

    value: Value = None
    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    unquoted: dict[Path, Mistake] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Give the line (from 1) of a part, or of the nearest part around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> Document:
    """Read YAML text; what is wrong with it is in the document's `mistakes`, nothing is raised."""
    yaml = YAML()
    yaml.composer.warn_double_anchors = False  # an anchor that is used is a mistake in any case
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _unreadable(mark.line + 1 if mark else 1, str(error.problem or error.context))
    except YAMLError as error:
        return _unreadable(1, " ".join(str(error).split()))
    except RecursionError:
        return _unreadable(1, "nested too deeply")
    reader = _Reader()
    if root is not None:
        reader.document.value = reader.read(root, ())
    return reader.document


def _unreadable(line: int, problem: str) -> Document:
    return Document(mistakes=[Mistake(line, f"is not YAML: {problem}; expected `pythons:` and `pins:`")])


class _Reader:
    """Walks the nodes of one document."""

    def __init__(self) -> None:
        self.document = Document()
        self._seen: set[int] = set()

    def read(self, node: Node, path: Path) -> Value:
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._mistake(node, f"&{node.anchor} is used again below; expected the value to be written out there")
            return None
        self._seen.add(id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> Value:
        value: dict[str, Value] = {}
        for key_node, item in node.value:
            key = self._key(key_node)
            if key in value:
                self._mistake(key_node, f"the key {key!r} is written twice; keep one")
            here = (*path, key)
            self.document.lines[here] = key_node.start_mark.line + 1
            value[key] = self.read(item, here)
        return value

    def _key(self, node: Node) -> str:
        """Give a key's text; that it is one of the known keys is the form's to say."""
        return str(node.value) if isinstance(node, ScalarNode) else "?"

    def _scalar(self, node: Node, path: Path) -> str | None:
        text, tag = str(node.value), str(node.tag)
        if tag == _TEXT:
            return text
        if tag == _NULL:
            return None
        read_as = _READ_AS.get(tag)
        if read_as is None:
            self._mistake(node, f"the tag {tag} is not read here; write plain text")
        else:
            what = f"{text} without quotes is {read_as} to YAML; write '{text}'"
            self.document.unquoted[path] = Mistake(node.start_mark.line + 1, what)
        return text

    def _mistake(self, node: Node, what: str) -> None:
        self.document.mistakes.append(Mistake(node.start_mark.line + 1, what))
