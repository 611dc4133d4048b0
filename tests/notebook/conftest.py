"""Notebooks that a real kernel executes."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import pytest

TOP = Path(__file__).parents[2]


class Outputs(NamedTuple):
    """What a cell showed."""

    shown: list[dict[str, Any]]

    @property
    def table(self) -> str:
        """The text of the one table."""
        (one,) = [one["data"] for one in self.shown if "text/html" in one.get("data", {})]
        assert rows_of(_joined(one["text/html"])), "it is a table there, too"
        return _joined(one["text/plain"])

    @property
    def tables(self) -> int:
        return sum("text/html" in one.get("data", {}) for one in self.shown)

    @property
    def html(self) -> list[list[str]]:
        (one,) = [one["data"] for one in self.shown if "text/html" in one.get("data", {})]
        return rows_of(_joined(one["text/html"]))

    @property
    def result(self) -> str | None:
        found = [_joined(one["data"]["text/plain"]) for one in self.shown if one["output_type"] == "execute_result"]
        return found[0] if found else None

    def stream(self, name: str) -> str:
        return "".join(_joined(one["text"]) for one in self.shown if one.get("name") == name)

    @property
    def error(self) -> str | None:
        return next((one["ename"] for one in self.shown if one["output_type"] == "error"), None)


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


class _Rows(HTMLParser):
    """The rows of a table; fails where a tag is not closed in its turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style", "scope"}
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


def rows_of(html: str) -> list[list[str]]:
    parser = _Rows()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert parser.tags == {"table", "caption", "tbody", "tr", "th", "td"}
    return parser.rows


Notebook = Callable[..., list[Outputs]]


@pytest.fixture
def notebook(environ: dict[str, str], tmp_path: Path) -> Notebook:
    """Executes cells, one after the other, in a kernel with these variables; the first one loads the extension.

    `python` is the kernel's, where it is another one than this.
    """
    for name in ("ipykernel", "nbclient"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path / "notebooks"
    folder.mkdir()

    def execute(*sources: str, env: dict[str, str] | None = None, python: str = sys.executable) -> list[Outputs]:
        places = {
            name: str(tmp_path / "jupyter" / name.lower())
            for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")
        }
        path = str(TOP / "src")
        given = {**environ, **places, "PYTHONPATH": path, "KERNEL_PYTHON": python, **(env or {})}
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("execute.py"))],
            input=json.dumps(["%load_ext cudafit", *sources]),
            cwd=folder,
            env=given,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        first, *others = json.loads(done.stdout)
        assert first == [], "loading says nothing"
        return [Outputs(one) for one in others]

    return execute
