"""YAML of others as a graph of nodes, each with its line: nothing is built of it, so repeating an alias costs nothing.

PyYAML's own reader in Python is used: what is nested without end ends in a RecursionError, not in a crash.
"""

from collections.abc import Iterator

import yaml

from cudafit.errors import InputError
from cudafit.model.container_files import shown

Node = yaml.Node
_DEPTH = 16  # merges within merges
_MOST = 2000  # entries of one mapping or list


def root_node(text: str, path: str) -> Node | None:
    """The document; None for an empty one. Raises InputError."""
    try:
        found: Node | None = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it cannot be read"
        where = f":{mark.line + 1}" if mark else ""
        raise InputError(f"`{path}` is not YAML", cause=[f"{path}{where}: {shown(str(what))}"]) from None
    except (RecursionError, ValueError):
        raise InputError(f"`{path}` is not a compose file: it is nested too deeply") from None
    return found


def line(node: Node) -> int:
    number: int = node.start_mark.line
    return number + 1


def text(node: Node | None) -> str | None:
    """A scalar's text; None for what is none, and for null."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    value: str = node.value
    return None if node.style is None and value in ("", "~", "null", "Null", "NULL") else value


def items(node: Node | None) -> Iterator[Node]:
    """Of a list; a single scalar stands for a list of one."""
    if isinstance(node, yaml.SequenceNode):
        yield from node.value[:_MOST]
    elif isinstance(node, yaml.ScalarNode) and text(node) is not None:
        yield node


def entries(node: Node | None) -> dict[str, tuple[int, Node]]:
    """Of a mapping: the line of each key and its value, with what `<<` merges below its own keys."""
    found: dict[str, tuple[int, Node]] = {}
    _merge(node, found, 0, set())
    return found


def _merge(node: Node | None, found: dict[str, tuple[int, Node]], depth: int, seen: set[int]) -> None:
    # What was merged once adds nothing: mappings that merge each other many times over are walked once.
    if not isinstance(node, yaml.MappingNode) or depth > _DEPTH or id(node) in seen:
        return
    seen.add(id(node))
    for key, value in node.value[:_MOST]:
        name = text(key)
        if name is not None and name != "<<":
            found.setdefault(name, (line(key), value))
    for key, value in node.value[:_MOST]:
        if text(key) == "<<":
            for one in value.value[:_MOST] if isinstance(value, yaml.SequenceNode) else [value]:
                _merge(one, found, depth + 1, seen)


def get(node: Node | None, *names: str) -> Node | None:
    """The value below some keys."""
    for name in names:
        node = entries(node).get(name, (0, None))[1]
    return node
