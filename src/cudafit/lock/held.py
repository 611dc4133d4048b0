"""What a lock holds, read back from each format: packages with versions, and what it was written for."""

import os
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

import yaml
from packaging.utils import InvalidWheelFilename

from cudafit.errors import CudafitError, InputError
from cudafit.lock.formats import Format
from cudafit.lock.write import LIMIT
from cudafit.lock.yaml_text import load
from cudafit.model.frameworks import MAIN_OF_CONDA
from cudafit.model.frozen import frozen
from cudafit.model.requirement import normalised, wanted
from cudafit.model.wheel_names import wheel_parts
from cudafit.system.commands import command_text
from cudafit.system.parsing import reason
from cudafit.system.reading import read_named_text
from cudafit.system.toml import read_toml


@frozen
class Held:
    """A lock. The version of a conda package is followed by its build: `2.13.0=cuda130_mkl_h0_0`."""

    path: str
    versions: dict[str, str]
    complete: bool  # whether it names every package of the environment
    python: str | None = None
    platforms: tuple[str, ...] = ()


def read_lock(path: str, form: Format) -> Held:
    """Raises InputError for a file that is missing, or not in its format."""
    try:
        text = read_named_text(path, LIMIT, errors="replace")
    except FileNotFoundError:
        hint = f"write it: `{command_text('-o', path)}`"
        raise InputError(f"`{path}` does not exist, so there is nothing to check", hint=hint) from None
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    reader = _READERS.get(form.name)
    if reader is None:
        raise InputError(
            f"`{path}` names no builds: it copies a lock", hint="check that lock: `--check -o requirements.txt`"
        )
    try:
        versions = dict(reader(text))
    except (CudafitError, ValueError, LookupError, TypeError, AttributeError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"`{path}` cannot be read as {form.name}: {reason(error)}") from None
    complete = form.name in ("requirements", "pylock", "conda-lock", "explicit")
    target = re.findall(r"for: (\S{1,80}), .{0,200}Python (\d{1,4}\.\d{1,4}t?)", "\n".join(text.splitlines()[:30]))
    return Held(path, versions, complete, target[0][1] if target else None, tuple(one[0] for one in target))


def _requirements(text: str) -> Iterator[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in joined.splitlines():
        plain = re.sub(r"(^|\s)#.*$|\s--hash=\S+", "", line).strip()
        if not plain or plain.startswith("-"):
            continue
        item = wanted(plain)
        if item.url:
            yield item.name, _wheel_version(item.url)
        elif item.specifier.startswith("=="):
            yield item.name, item.specifier.lstrip("=")


def _wheel_version(url: str) -> str:
    name = unquote(os.path.basename(urlsplit(url).path))
    try:
        return str(wheel_parts(name)[1])
    except InvalidWheelFilename:
        return ""


def _pylock(text: str) -> Iterator[tuple[str, str]]:
    for row in read_toml(text)["packages"]:
        yield normalised(row["name"]), str(row.get("version", ""))


def _pyproject(text: str) -> Iterator[tuple[str, str]]:
    for line in read_toml(text)["project"]["dependencies"]:
        item = wanted(line)
        if item.specifier.startswith("==") and not item.specifier.endswith("*"):
            yield item.name, item.specifier.lstrip("=")


def _environment(text: str) -> Iterator[tuple[str, str]]:
    for entry in load(text)["dependencies"]:
        if isinstance(entry, str):
            name, *rest = re.split(r"=+", entry)
            if len(rest) > 1:
                yield _ours(name), f"{rest[0]}={rest[1]}"


def _conda_lock(text: str) -> Iterator[tuple[str, str]]:
    for row in load(text)["package"]:
        if row["manager"] == "conda":
            yield _from_file(row["url"])


def _explicit(text: str) -> Iterator[tuple[str, str]]:
    lines = text.splitlines()
    if "@EXPLICIT" not in lines:
        raise ValueError("there is no line `@EXPLICIT`")
    for line in lines[lines.index("@EXPLICIT") + 1 :]:
        if line.strip() and not line.startswith("#"):
            yield _from_file(line)


def _pixi(text: str) -> Iterator[tuple[str, str]]:
    for name, value in read_toml(text)["dependencies"].items():
        if isinstance(value, dict) and "build" in value:
            yield _ours(name), f"{str(value['version']).lstrip('=')}={value['build']}"


def _from_file(url: str) -> tuple[str, str]:
    """`.../pytorch-2.13.0-cuda130_mkl_h0_0.conda#hash`."""
    name = re.sub(r"\.(conda|tar\.bz2)$", "", unquote(os.path.basename(urlsplit(url).path)))
    package, version, build = name.rsplit("-", 2)
    return _ours(package), f"{version}={build}"


def _ours(name: str) -> str:
    """A package of conda as it is asked for."""
    of = MAIN_OF_CONDA.get(name)
    return of.name if of else name


_READERS: dict[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    "requirements": _requirements,
    "pylock": _pylock,
    "pyproject": _pyproject,
    "environment": _environment,
    "conda-lock": _conda_lock,
    "explicit": _explicit,
    "pixi": _pixi,
}
