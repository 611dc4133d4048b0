"""cudafit's own modules, parsed once for all tests that judge them.

Those tests are of one group, so that one worker parses and not each: `pytestmark = own_code.TOGETHER`.
"""

import ast
import functools
import gc
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOURCES = Path(__file__).resolve().parents[1] / "src" / "cudafit"
TOGETHER = pytest.mark.xdist_group("own code")


@dataclass(frozen=True)
class Module:
    name: str  # below `src/cudafit`, with `/`
    text: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]  # all of the tree

    @functools.cached_property
    def of_kind(self) -> Mapping[type, list[Any]]:
        """The nodes by their classes: to look at each of a million for each question takes seconds."""
        found: dict[type, list[Any]] = {}
        for node in self.nodes:
            found.setdefault(type(node), []).append(node)
        return found

    def calls(self) -> list[ast.Call]:
        return self.of_kind.get(ast.Call, [])


@functools.cache
def modules() -> tuple[Module, ...]:
    gc.disable()  # a million nodes are made, and none is thrown away
    try:
        return tuple(_module(path) for path in sorted(SOURCES.rglob("*.py")))
    finally:
        gc.enable()


def _module(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(path.relative_to(SOURCES).as_posix(), text, tree, tuple(_walked(tree)))


def _walked(tree: ast.AST) -> list[ast.AST]:
    """As `ast.walk` goes, in half the time."""
    found = [tree]
    for node in found:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                found += [one for one in value if isinstance(one, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found
