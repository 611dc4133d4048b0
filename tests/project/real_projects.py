"""Declarations of real public projects (facts alone: what each declares, and what that brings), written as the files
that they are. The keys are told at the head of projects.yaml."""

import configparser
import functools
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cudafit.simple_index import everybodys
from cudafit.system.toml import toml_text
from tests.own_yaml import quick_yaml

_MASKS = {
    "<default>": everybodys() or "",
    "<nvidia>": "https://nvidia-index.example/simple",
    "<mirror>": "https://mirror.example/simple",
    "<other>": "https://other.example/simple",
}
_PYPROJECT = ("pep621", "uv", "pdm", "hatch", "rye", "poetry", "pixi-pyproject")


def load(path: Path) -> list[dict[str, Any]]:
    return [dict(row) for row in _rows(path)]


@functools.cache
def _rows(path: Path) -> Any:
    return quick_yaml(path.read_text(encoding="utf-8"))


def write(row: Mapping[str, Any], folder: Path) -> Path:
    """The file, and empty ones for those that it names."""
    path = folder / str(row["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    also = row.get("also") or ()
    for name in also:
        other = path.parent / name
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text(
            "".join(f"{line}\n" for line in also[name]) if isinstance(also, dict) else "", encoding="utf-8"
        )
    text = _text(row)
    for mask, address in _MASKS.items():
        text = text.replace(mask, address)
    path.write_text(text, encoding="utf-8")
    return path


def _text(row: Mapping[str, Any]) -> str:
    kind = row["kind"]
    if kind in ("requirements", "dockerfile"):
        return "".join(f"{line}\n" for line in row["lines"])
    table = row["table"]
    if kind in (*_PYPROJECT, "pixi", "pipfile"):
        return toml_text(table)
    if kind == "conda":
        return str(yaml.safe_dump(table, sort_keys=False))
    if kind == "pep723":
        block = toml_text(table)
        return (
            "# /// script\n"
            + "".join(f"# {line}".rstrip() + "\n" for line in block.splitlines())
            + "# ///\nimport this\n"
        )
    if kind == "setup.cfg":
        return _ini(table)
    return _setup_py(table, indirect=row.get("indirect", False))


def _ini(table: Mapping[str, Any]) -> str:
    parser = configparser.ConfigParser(interpolation=None)
    for section, options in table.items():
        parser[section] = {
            name: value if isinstance(value, str) else "\n" + "\n".join(value) for name, value in options.items()
        }
    out = io.StringIO()
    parser.write(out)
    return out.getvalue()


def _setup_py(table: Mapping[str, Any], *, indirect: bool) -> str:
    """One that must not be run."""
    head = "from setuptools import setup\n\nraise SystemExit('it was run')\n"
    words = []
    for key, value in table.items():
        if indirect and key == "install_requires":
            head += f"REQUIRED_PACKAGES = {value!r}\n"
            words.append(f"{key}=REQUIRED_PACKAGES")
        else:
            words.append(f"{key}={value!r}")
    return f"{head}setup({', '.join(words)})\n"
