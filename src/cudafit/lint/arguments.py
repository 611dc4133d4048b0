"""The arguments of a call."""

import ast
from collections.abc import Iterator

from cudafit.lint.run import Run
from cudafit.lint.values import Map, Seq, Value


class Call:
    """A call: its node, what it is given, and whether all of that is shown."""

    __slots__ = ("args", "complete", "keywords", "node", "nodes")

    def __init__(
        self, node: ast.AST, args: list[Value] | None = None, keywords: dict[str, Value] | None = None
    ) -> None:
        self.node = node
        self.args = args or []
        self.keywords = keywords or {}
        self.nodes: dict[str, ast.AST] = {}  # where each keyword stands
        self.complete = True

    def get(self, position: int | None, *names: str) -> Value | None:
        """The argument by its name or place."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return self.args[position] if position is not None and position < len(self.args) else None

    def values(self) -> Iterator[Value]:
        yield from self.args
        yield from self.keywords.values()


def read_call(run: Run, node: ast.Call) -> Call:
    made = Call(node)
    for argument in node.args:
        value = run.evaluate(argument.value if isinstance(argument, ast.Starred) else argument)
        if not isinstance(argument, ast.Starred):
            made.args.append(value)
        elif isinstance(value, Seq):
            made.args += value.items
        else:
            made.args.append(value)
            made.complete = False
    for keyword in node.keywords:
        value = run.evaluate(keyword.value)
        if keyword.arg is not None:
            made.keywords[keyword.arg] = value
            made.nodes[keyword.arg] = keyword.value
        elif isinstance(value, Map) and not any(key.startswith("\0") for key in value.items):
            made.keywords.update(value.items)
        else:
            made.complete = False
    return made
