"""cudafit's own modules, parsed once for all tests that judge them.

Those tests are of one group, so that one worker parses and not each: `pytestmark = own_code.TOGETHER`.
"""

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[1] / "src" / "cudafit"
TOGETHER = pytest.mark.xdist_group("own code")


@dataclass(frozen=True)
class Module:
    name: str  # below `src/cudafit`, with `/`
    text: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]  # all of the tree

    def calls(self) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call)]


@functools.cache
def modules() -> tuple[Module, ...]:
    return tuple(_module(path) for path in sorted(SOURCES.rglob("*.py")))


def _module(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(path.relative_to(SOURCES).as_posix(), text, tree, tuple(ast.walk(tree)))
