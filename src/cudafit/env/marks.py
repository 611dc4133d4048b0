"""What an environment itself tells of who made and filled it.

Sources: PEP 627 (INSTALLER), which Poetry fills with `Poetry 2.1`, PDM with `pdm`, uv with `uv`, pixi with `uv-pixi`;
uv's `uv = 0.9` in pyvenv.cfg; pipenv's `.project`, which names the folder; pixi's conda-meta/pixi with its manifest.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator

from cudafit.files import Files
from cudafit.model.environment import CONDA, Environment
from cudafit.model.frozen import frozen

_SMALL = 1 << 14
_SEEDS = ("pip", "setuptools", "wheel")
_MOST_EDITABLE = 20


@frozen
class Marks:
    """`installers` are those of its packages, the one of most of them first; `projects` the folders that the
    environment names as its own, `editable` those that something in it is installed from."""

    installers: tuple[str, ...]
    by_uv: bool
    pixi: str | None = None  # pixi's manifest; "" where it is pixi's and names none
    pipenv: str | None = None
    projects: tuple[str, ...] = ()
    editable: tuple[str, ...] = ()


def marks_of(files: Files, environment: Environment) -> Marks:
    prefix = environment.path.rstrip("/")
    pixi = _pixi(files, prefix) if environment.kind == CONDA else None
    pipenv = _line(files, f"{prefix}/.project")
    named = (os.path.dirname(pixi) if pixi else None, _above_pixi(prefix) if pixi is not None else None, pipenv)
    inside = [one for one in environment.distributions if one.place.startswith(f"{prefix}/") and one.installer]
    count = Counter(_word(one.installer or "") for one in inside if one.name not in _SEEDS and not one.editable)
    return Marks(
        tuple(name for name, _ in count.most_common() if name),
        environment.uv,
        pixi,
        pipenv,
        tuple(one for one in named if one),
        tuple(dict.fromkeys(_editable(environment)))[:_MOST_EDITABLE],
    )


def _word(installer: str) -> str:
    words = installer.split()
    return words[0].lower()[:40] if words else ""


def _pixi(files: Files, prefix: str) -> str | None:
    """Its manifest. Source: pixi's `EnvironmentFile` in conda-meta/pixi."""
    try:
        told = json.loads(files.read_text(f"{prefix}/conda-meta/pixi", _SMALL))
    except (OSError, ValueError, RecursionError):
        return "" if _above_pixi(prefix) or files.exists(f"{prefix}/conda-meta/pixi") else None
    path = told.get("manifest_path") if isinstance(told, dict) else None
    return path if isinstance(path, str) and os.path.isabs(path) and "\0" not in path else ""


def _above_pixi(prefix: str) -> str | None:
    """`/p` of `/p/.pixi/envs/default`."""
    head, middle, name = prefix.rpartition("/.pixi/envs/")
    return (head or "/") if middle and "/" not in name else None


def _line(files: Files, path: str) -> str | None:
    try:
        text = files.read_text(path, _SMALL).strip()
    except OSError:
        return None
    return os.path.normpath(text) if os.path.isabs(text) and "\n" not in text and "\0" not in text else None


def _editable(environment: Environment) -> Iterator[str]:
    for one in environment.distributions:
        if one.editable and one.origin:
            from urllib.parse import unquote, urlsplit  # noqa: PLC0415 - few have one

            parts = urlsplit(one.origin)
            if parts.scheme == "file" and os.path.isabs(path := unquote(parts.path)) and "\0" not in path:
                yield os.path.normpath(path)
