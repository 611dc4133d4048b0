"""The files that `cudafit lint` is given: found, read, and handed to the room that understands them."""

import codecs
import gc
import io
import os
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.lint.check import UnreadableError, configurations_named, lint_text
from cudafit.lint.configs import FOLDERS
from cudafit.lint_cache import LintCache, key_of, packed, unpacked
from cudafit.model import kinds
from cudafit.model.code_finding import CodeFinding, LintReport, SkippedFile
from cudafit.model.finding import is_wanted

STDIN = "-"
LIMIT = 16 << 20
NOTEBOOK_LIMIT = 64 << 20  # most of it may be pictures
# Encodings of names of hosts, which take time by the square of a text.
_FOR_NAMES = ("idna", "punycode")
_CODE = (".py", ".pyw", ".ipynb")
_CONFIGURATION = (".yaml", ".yml", ".json", ".toml")
_OTHER_FOLDERS = frozenset(("__pycache__", "node_modules", "site-packages", "dist-packages", "build", "dist"))
# Below this many, starting further processes takes longer than they save.
_FEW = 60
# After so many bytes of code a worker looks for circles that nobody holds any more.
_MOST_WASTE = 2 << 20


class Task(NamedTuple):
    """A file to be read."""

    path: str
    quick: bool = False  # found in a folder: it is parsed only where it names a framework
    installed: Mapping[str, str] = {}
    about: bytes = b""  # what the cache knows results by, beside the file; empty without a cache


class Read(NamedTuple):
    """What came of one file."""

    findings: list[CodeFinding]
    skipped: list[SkippedFile]
    names: frozenset[str]  # of the configurations that the code speaks of
    whole: bool = True  # False: nothing of it could be read
    key: str = ""  # under which the cache keeps this


def lint_paths(
    paths: Sequence[str],
    stdin: str | None = None,
    installed: Mapping[str, str] | None = None,
    cache: LintCache | None = None,
) -> LintReport:
    """Lints files and folders; raises InputError for a path that is not there.

    `installed` are the versions of packages where the code will run; `cache` has what was found before.
    """
    files, configurations = _collect(paths)
    versions = dict(installed or {})
    about = cache.about if cache is not None else b""
    results = _all([Task(path, path not in paths, versions, about) for path in files], cache)
    if stdin is not None:
        results.append(_lint(stdin, Task(STDIN, installed=versions)))
    named = frozenset[str]().union(*(one.names for one in results))
    wanted = [path for path in configurations if _is_read(path, named)]
    results += [read_file(Task(path)) for path in wanted]
    findings = [finding for one in results for finding in one.findings]
    skipped = [skip for one in results for skip in one.skipped]
    return LintReport(tuple(_told_once(findings)), tuple(skipped), sum(one.whole for one in results))


def _told_once(findings: list[CodeFinding]) -> list[CodeFinding]:
    """What hangs on an installed version is the same in all files: it is told at the first of them."""
    files = Counter(one.message for one in findings if one.id == kinds.info.version_decides.id)
    kept: list[CodeFinding] = []
    for one in findings:
        if one.id != kinds.info.version_decides.id:
            kept.append(one)
        elif number := files.pop(one.message, 0):
            others = f"; so in {number - 1} more file{'s' if number > 2 else ''}" if number > 1 else ""
            kept.append(replace(one, message=one.message + others))
    return kept


def _collect(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The files of code, or named by the user, and the configurations found in folders; each of them once."""
    files: dict[str, None] = {}
    configurations: dict[str, None] = {}
    for path in paths:
        if path == STDIN:
            continue
        if os.path.isdir(path):
            for name in _walk(path):
                (files if name.endswith(_CODE) else configurations)[name] = None
        elif os.path.lexists(path):
            files[path] = None
        else:
            raise InputError(f"`{path}`: there is no such file or folder")
    return list(files), [name for name in configurations if name not in files]


def _walk(top: str) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not _is_other(os.path.join(folder, name), name))
        for name in sorted(names):
            if name.endswith((*_CODE, *_CONFIGURATION)) and not name.startswith("."):
                yield os.path.normpath(os.path.join(folder, name))


def _is_other(path: str, name: str) -> bool:
    """Folders that hold other people's code."""
    return name.startswith(".") or name in _OTHER_FOLDERS or os.path.exists(os.path.join(path, "pyvenv.cfg"))


def _is_read(path: str, named: frozenset[str]) -> bool:
    """Whether code in the same run speaks of this configuration."""
    if os.path.basename(path) in named:
        return True
    return "*" in named and any(part in FOLDERS for part in path.split(os.sep))


def _all(tasks: list[Task], cache: LintCache | None) -> list[Read]:
    if cache is None or len(tasks) < _FEW:
        return _followed(tasks)
    found = [_known(task, cache) for task in tasks]
    left = iter(_followed([task for task, read in zip(tasks, found, strict=True) if read is None]))
    results = [read if read is not None else next(left) for read in found]
    for before, read in zip(found, results, strict=True):
        if before is None and read.key and read.whole:
            cache.put(read.key, [packed(read.findings), [one.reason for one in read.skipped], sorted(read.names)])
    cache.write()
    return results


def _known(task: Task, cache: LintCache) -> Read | None:
    """What was found before in a file of this name and content."""
    try:
        held = cache.get(key_of(task.path, Files().read_bytes(task.path, _limit(task.path)), task.about))
        if held is None:
            return None
        findings, reasons, names = held
        skipped = [SkippedFile(task.path, str(reason), part=True) for reason in reasons]
        return Read(unpacked(findings, task.path), skipped, frozenset(map(str, names)))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _followed(tasks: list[Task]) -> list[Read]:
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    workers = min(len(tasks) // (_FEW // 2), cores or 1)
    if len(tasks) < _FEW or workers < 2:
        return [read_file(task) for task in tasks]
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - for large trees alone

    from cudafit.process import context_of_workers  # noqa: PLC0415

    # The large ones first, so that no worker is left alone with one at the end.
    order = sorted(range(len(tasks)), key=lambda number: _size(tasks[number].path), reverse=True)
    results: list[Read | None] = [None] * len(tasks)
    with ProcessPoolExecutor(workers, context_of_workers(), initializer=_keep_no_garbage) as pool:
        done = pool.map(_one_of_many, [tasks[number] for number in order], chunksize=8)
        for number, read in zip(order, done, strict=True):
            results[number] = read
    return [one for one in results if one is not None]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _keep_no_garbage() -> None:
    """A tree of syntax makes many objects and few circles: looking for them at each step takes a third of the time."""
    gc.disable()
    gc.freeze()


_waste = 0


def _one_of_many(task: Task) -> Read:
    global _waste  # noqa: PLW0603 - of a worker, which is a process of its own
    read = read_file(task)
    _waste += _size(task.path)
    if _waste > _MOST_WASTE:
        _waste = 0
        gc.collect()
    return read


def _limit(path: str) -> int:
    return NOTEBOOK_LIMIT if path.lower().endswith(".ipynb") else LIMIT


def read_file(task: Task) -> Read:
    path = task.path
    try:
        data = Files().read_bytes(path, _limit(path))
    except OSError as error:
        return _skip(path, error.strerror or "it cannot be read")
    try:
        read = _lint(decoded(data), task)
    except UnreadableError as error:
        return _skip(path, str(error))
    return read._replace(key=key_of(path, data, task.about)) if task.about else read


def read_source(path: str) -> str:
    """A file of Python as text; raises OSError and UnreadableError."""
    return decoded(Files().read_bytes(path, LIMIT))


def _skip(path: str, reason: str) -> Read:
    return Read([], [SkippedFile(path, reason)], frozenset(), whole=False)


def decoded(data: bytes) -> str:
    """The text of a file of Python in the encoding that it names; raises UnreadableError."""
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("it is a binary file")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if codecs.lookup(encoding).name in _FOR_NAMES:
            raise LookupError(encoding)
        return data.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise UnreadableError("it is not text in UTF-8, nor in an encoding that it names") from error


def _lint(text: str, task: Task) -> Read:
    parts: list[str] = []
    path = task.path
    try:
        findings = lint_text(text, path, parts, task.installed, quick=task.quick)
    except UnreadableError as error:
        return _skip(path, str(error))
    names = configurations_named(text, path) if path == STDIN or path.endswith(_CODE) else frozenset[str]()
    return Read(findings, [SkippedFile(path, part, part=True) for part in parts], names)


def chosen(report: LintReport, select: Sequence[str], ignore: Sequence[str]) -> LintReport:
    """Only the findings that were asked for."""
    kept = [one for one in report.findings if is_wanted(one.id, select, ignore)]
    return replace(report, findings=tuple(kept))


class EditedFile(NamedTuple):
    """A file with its safe edits made."""

    path: str
    data: bytes
    diff: str
    edited: int


def edited(report: LintReport, stdin: str | None) -> list[EditedFile]:
    """The files for which there are safe edits, as they would be with them."""
    from cudafit.lint.edits import applied  # noqa: PLC0415 - for `--fix` alone
    from cudafit.system.diffs import difference, lines_of  # noqa: PLC0415

    changes = []
    for path in dict.fromkeys(one.path for one in report.findings if one.edits):
        findings = [one for one in report.findings if one.path == path and one.edits]
        data = b"" if path == STDIN else Files().read_bytes(path, LIMIT)
        before = stdin or "" if path == STDIN else decoded(data)
        after = applied(before, [edit for one in findings for edit in one.edits])
        if not _is_python(after):
            continue
        diff = "".join(difference(lines_of(before), lines_of(after), f"a/{path}", f"b/{path}"))
        changes.append(EditedFile(path, after.encode(_encoding(data)), diff, len(findings)))
    return changes


def _is_python(text: str) -> bool:
    from cudafit.system.python_text import parsed  # noqa: PLC0415 - for `--fix` alone

    try:
        parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _encoding(data: bytes) -> str:
    return tokenize.detect_encoding(io.BytesIO(data).readline)[0]


def write_edited(change: EditedFile) -> None:
    """Puts the file in place at once, with the rights of the old one."""
    from cudafit.atomic import write_bytes  # noqa: PLC0415

    write_bytes(change.path, change.data)
