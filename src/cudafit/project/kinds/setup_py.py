"""setup.py, read as text and never run: its lists, as far as they are literals."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.errors import InputError
from cudafit.model.declaration import Bound, Declaration
from cudafit.model.requirement import Wanted, normalised
from cudafit.project.tables import Unread, requirements
from cudafit.system.python_text import parsed

_MOST = 200_000  # nodes
_LISTS = ("install_requires", "extras_require", "python_requires", "name")
_UNKNOWN = object()


def read(path: str, told: str) -> Declaration | None:
    """None for one that calls no `setup`."""
    try:
        tree = parsed(told)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise InputError(f"`{path}` is not Python", cause=[f"{path}{line}: {type(error).__name__}"]) from None
    nodes = [node for node, _ in zip(ast.walk(tree), range(_MOST), strict=False)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and _called(node.func) == "setup"]
    if not calls:
        return None
    found = _Read(path, nodes)
    for call in calls:
        for word in call.keywords:
            found.take(word.arg, word.value)
    return found.made()


def _called(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


class _Read:
    """What the calls of `setup` say."""

    def __init__(self, path: str, nodes: list[ast.AST]) -> None:
        self.path = path
        self.unread = Unread()
        self.values: dict[str, ast.expr] = {}
        self.wanted: list[Wanted] = []
        self.extras: dict[str, tuple[Wanted, ...]] = {}
        self.python: list[Bound] = []
        self.name = ""
        changed = {_called(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr in _CHANGES}
        for node in nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                # Of a list that is set twice nobody knows which it is.
                name = node.targets[0].id
                known = name not in self.values and name not in changed
                self.values[name] = node.value if known else ast.Constant(None, lineno=node.lineno, col_offset=0)
        self.changed = changed

    def take(self, word: str | None, node: ast.expr) -> None:
        if word is None:  # `setup(**settings)`
            self._take_all(node)
        elif word == "install_requires":
            self.wanted += self._requirements(node)
        elif word == "extras_require":
            self._extras(node)
        elif word in ("python_requires", "name"):
            value = self._value(node)
            if isinstance(value, str) and word == "name":
                self.name = normalised(value)
            elif isinstance(value, str):
                self.python.append(Bound(value.replace(" ", ""), self._place(node)))

    def _take_all(self, node: ast.expr) -> None:
        node = self._followed(node)
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _LISTS:
                    self.take(str(key.value), value)
        else:
            self.unread.add(self._place(node), "what is given to `setup` with `**` is computed")

    def _extras(self, node: ast.expr) -> None:
        node = self._followed(node)
        if not isinstance(node, ast.Dict):
            self.unread.add(self._place(node), "`extras_require` is computed")
            return
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.extras[normalised(key.value)] = tuple(self._requirements(value))

    def _requirements(self, node: ast.expr) -> tuple[Wanted, ...]:
        return requirements(self._lines(node, 0), self.unread)

    def _lines(self, node: ast.expr, depth: int) -> Iterator[tuple[str, str]]:
        """The texts of a list, through names and sums; what is computed is told, and the rest stays."""
        at = self._place(node)
        node = self._followed(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for line in node.value.splitlines():
                if line.strip():
                    yield line.strip(), at
        elif isinstance(node, ast.List | ast.Tuple | ast.Set) and depth < _DEPTH:
            for one in node.elts:
                yield from self._lines(one.value if isinstance(one, ast.Starred) else one, depth + 1)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and depth < _DEPTH:
            yield from self._lines(node.left, depth + 1)
            yield from self._lines(node.right, depth + 1)
        elif isinstance(node, ast.Call) and _called(node.func) in ("list", "tuple") and len(node.args) == 1:
            yield from self._lines(node.args[0], depth + 1)
        else:
            self.unread.add(at, "a list of requirements is computed, and nothing is run to learn it")

    def _followed(self, node: ast.expr) -> ast.expr:
        """Through names, and a value of a dictionary that stands there."""
        for _ in range(_DEPTH):
            if isinstance(node, ast.Name) and node.id in self.values:
                node = self.values[node.id]
            elif isinstance(node, ast.Subscript) and isinstance(told := self._followed_name(node.value), ast.Dict):
                found = _entry(told, node.slice)
                if found is None:
                    return node
                node = found
            else:
                return node
        return node

    def _followed_name(self, node: ast.expr) -> ast.expr:
        return self.values.get(node.id, node) if isinstance(node, ast.Name) else node

    def _value(self, node: ast.expr) -> Any:
        try:
            node = self._followed(node)
            return ast.literal_eval(node)
        except (ValueError, TypeError, RecursionError):
            return _UNKNOWN

    def _place(self, node: ast.AST) -> str:
        number = getattr(node, "lineno", None)
        return f"{self.path}:{number}" if number else self.path

    def made(self) -> Declaration:
        extras: Mapping[str, tuple[Wanted, ...]] = self.extras
        return Declaration(
            self.path,
            "setup.py",
            wanted=tuple(self.wanted),
            extras=extras,
            name=self.name,
            python=tuple(self.python),
            unread=self.unread.told,
            files=(self.path,),
        )


_DEPTH = 20
_CHANGES = ("append", "extend", "insert", "remove", "pop", "clear")


def _entry(told: ast.Dict, key: ast.expr) -> ast.expr | None:
    for one, value in zip(told.keys, told.values, strict=True):
        if isinstance(one, ast.Constant) and isinstance(key, ast.Constant) and one.value == key.value:
            return value
    return None
