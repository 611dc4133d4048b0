"""What the code in a folder imports: the last resort, where nothing declares anything. Read as text, never run."""

import ast
import json
import os
from collections.abc import Collection, Iterator

from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.requirement import Wanted
from cudafit.system.python_text import parsed
from cudafit.system.reading import read_text

_LIMIT = 1 << 20
_MOST_FILES = 1000
_LEFT = {"node_modules", "site-packages", "build", "dist", "__pycache__"}


def imported(folder: str, known: Collection[str]) -> tuple[Wanted, ...]:
    """The packages that are known by the name of their module, each with the place of its first import. Of other names
    nobody is asked: what a module is called is not what its package is called."""
    modules = {one.module: one.name for one in FRAMEWORKS}
    modules |= {name.replace("-", "_"): name for name in known}
    own = _own_modules(folder)
    found: dict[str, Wanted] = {}
    for path in _files(folder):
        for module, line in _imports(os.path.join(folder, path), path):
            if (name := modules.get(module)) and module not in own:
                found.setdefault(name, Wanted(name, "", (), name, f"{path}:{line}"))
    return tuple(found.values())


def _own_modules(folder: str) -> set[str]:
    """A folder or a file that is called like a package hides it."""
    try:
        return {name.removesuffix(".py") for name in os.listdir(folder)}
    except OSError:
        return set()


def _files(folder: str) -> Iterator[str]:
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _LEFT)
        folders[:] = [name for name in folders if not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))]
        for name in sorted(names):
            if name.endswith((".py", ".ipynb")):
                count += 1
                if count > _MOST_FILES:
                    return
                yield os.path.relpath(os.path.join(place, name), folder)


def _imports(path: str, name: str) -> Iterator[tuple[str, int]]:
    try:
        text = read_text(path, _LIMIT, errors="replace")
        tree = parsed(_of_notebook(text) if name.endswith(".ipynb") else text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError, KeyError, TypeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.name.split(".")[0], node.lineno) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node.lineno


def _of_notebook(text: str) -> str:
    """The code of all cells, without what only Jupyter understands."""
    lines = []
    for cell in json.loads(text)["cells"]:
        source = cell["source"] if cell["cell_type"] == "code" else ""
        whole = "".join(source) if isinstance(source, list) else str(source)
        lines += [line for line in whole.splitlines() if not line.lstrip().startswith(("%", "!", "?"))]
    return "\n".join(lines)
