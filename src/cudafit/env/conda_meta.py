"""What conda wrote down of a prefix: its packages with their files and hashes, what was asked for, what is pinned.

Everything is read with a limit; a record that cannot be read is named and not passed over in silence.
"""

import ast
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.environment import CondaDamage
from cudafit.model.frozen import frozen
from cudafit.model.machine import Problem
from cudafit.system.parsing import reason
from cudafit.system.python_text import parsed
from cudafit.system.reading import blocks, is_possible

PROBE = "conda-meta"
RECORD_LIMIT = 64 << 20
_TEXT_LIMIT = 32 << 20
_MOST = 5000
T = TypeVar("T")


@frozen
class MetaFile:
    """A file of a package, as it should be in the prefix. `sha256` None: no hash of it is known."""

    path: str
    sha256: str | None
    size: int | None  # None where the prefix was written into it, so that its size is the environment's own
    link: bool = False


@frozen
class MetaRecord:
    """A package, as `conda-meta/NAME-VERSION-BUILD.json` tells it."""

    name: str
    version: str
    build: str
    subdir: str
    channel: str
    url: str
    sha256: str | None
    md5: str | None
    size: int | None
    depends: tuple[str, ...]
    requested: tuple[str, ...]
    files: tuple[MetaFile, ...]

    @property
    def shown(self) -> str:
        return f"{self.version} {self.build}"


@frozen
class Meta:
    """All of a prefix. `problems` has what could not be read."""

    records: tuple[MetaRecord, ...]
    problems: tuple[Problem, ...]

    def record(self, name: str) -> MetaRecord | None:
        return next((one for one in self.records if one.name == name), None)


def read_meta(files: Files, prefix: str) -> Meta:
    records, problems = [], []
    for name in record_names(files, prefix):
        try:
            records.append(read_record(files, f"{prefix}/conda-meta/{name}"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problems.append(Problem(PROBE, f"{prefix}/conda-meta/{name} cannot be read: {trouble(error)}"))
    return Meta(tuple(records), tuple(problems))


def record_names(files: Files, prefix: str) -> list[str]:
    try:
        return sorted(name for name in files.names(f"{prefix}/conda-meta") if name.endswith(".json"))[:_MOST]
    except OSError:
        return []


def trouble(error: Exception) -> str:
    """Why a record cannot be read, in one line without its name."""
    return (isinstance(error, OSError) and error.strerror) or reason(error)


def read_record(files: Files, path: str) -> MetaRecord:
    """Raises OSError and what comes of a record that is not as it should be."""
    value = json.loads(files.read_bytes(path, RECORD_LIMIT))
    requested = value.get("requested_specs") or [value["requested_spec"]] if value.get("requested_spec") else []
    return MetaRecord(
        name=str(value["name"]),
        version=str(value["version"]),
        build=str(value["build"]),
        subdir=str(value.get("subdir", "")),
        channel=str(value.get("channel", "")),
        url=str(value.get("url", "")),
        sha256=_told(value, "sha256", str),
        md5=_told(value, "md5", str),
        size=_told(value, "size", int),
        depends=tuple(map(str, value.get("depends") or ())),
        requested=tuple(str(one) for one in (value.get("requested_specs") or requested) if one and one != "None"),
        files=tuple(_files(value)),
    )


def _told(value: dict[str, Any], key: str, kind: type[T]) -> T | None:
    found = value.get(key)
    if found is None or type(found) is kind:
        return found
    raise ValueError(f"its `{key}` is not as it should be")


def _files(value: dict[str, Any]) -> Iterator[MetaFile]:
    entries = (value.get("paths_data") or {}).get("paths") or []
    if not entries:
        yield from (MetaFile(_inside(path), None, None) for path in value.get("files") or ())
        return
    for entry in entries:
        rewritten = bool(entry.get("prefix_placeholder"))
        own = _told(entry, "sha256_in_prefix", str) or (None if rewritten else _told(entry, "sha256", str))
        size = None if rewritten else _told(entry, "size_in_bytes", int)
        link = entry.get("path_type") in ("softlink", "directory")
        yield MetaFile(_inside(entry["_path"]), own, size, link=link)


def _inside(path: object) -> str:
    if not isinstance(path, str) or not is_possible(path):
        raise ValueError("it lists a file whose name none can have")
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"it lists `{path}`, which is not in the prefix")
    return path


def damage(prefix: str, records: Sequence[MetaRecord], *, hashes: bool) -> Iterator[CondaDamage]:
    """Packages with files that are missing or altered. Without `hashes` only presence and size are compared.

    What Python compiles by itself (.pyc) is passed over: it is written anew without any change of the source.
    """
    for record in records:
        missing, altered = [], []
        for file in record.files:
            if file.path.endswith(".pyc"):
                continue
            path = os.path.join(prefix, file.path)
            try:
                status = os.lstat(path)
            except OSError:
                missing.append(file.path)
                continue
            if file.link or os.path.islink(path):
                continue
            if (file.size is not None and status.st_size != file.size) or (hashes and _differs(path, file.sha256)):
                altered.append(file.path)
        if missing or altered:
            yield CondaDamage(record.name, tuple(missing), tuple(altered))


def _differs(path: str, sha256: str | None) -> bool:
    if not sha256:
        return False
    import hashlib  # noqa: PLC0415 - few environments need it, and it loads OpenSSL

    digest = hashlib.sha256()
    try:
        for block in blocks(path):
            digest.update(block)
    except OSError:
        return True
    return digest.hexdigest() != sha256


def pinned(files: Files, prefix: str) -> tuple[str, ...]:
    """The specifications in `conda-meta/pinned`; raises InputError where they are there and cannot be read."""
    text = _text(files, f"{prefix}/conda-meta/pinned")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def asked_for(files: Files, prefix: str) -> dict[str, str]:
    """Name -> specification of what people asked for, by conda's history, the last word on each.

    Raises InputError where it is there and cannot be read.

    Source: conda's `history.py`: `# update specs: ['python=3.12', 'numpy']`, `# remove specs: [...]`.
    """
    text = _text(files, f"{prefix}/conda-meta/history")
    found: dict[str, str] = {}
    for action, told in re.findall(r"^#\s*(\w+)\s+specs:\s*(.+)$", text, re.M):
        for spec in _listed(told):
            name = spec_name(spec)
            if action == "remove":
                found.pop(name, None)
            elif name:
                found[name] = spec
    return found


def _text(files: Files, path: str) -> str:
    """Nothing where there is no such file."""
    try:
        return files.read_text(path, _TEXT_LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None


def _listed(text: str) -> list[str]:
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        value = ast.literal_eval(parsed(text.strip(), "eval"))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return []
    return [str(one) for one in value] if isinstance(value, list) else []


def spec_name(spec: str) -> str:
    """`conda-forge::pytorch=2.9=cuda*` -> `pytorch`."""
    return re.split(r"[\s=<>!~\[]", spec.rpartition("::")[2].strip(), maxsplit=1)[0].lower()
