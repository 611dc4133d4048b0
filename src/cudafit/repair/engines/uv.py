"""Environments by uv: made, filled from a lock with hashes, emptied of packages. Each raises CudafitError.

uv starts the interpreter of the environment, with `-I -B`, to learn its tags and folders. That is a start like any
other: what `.pth` files and a `sitecustomize` of the environment ask for is run by it. So nothing here is called for a
plan or a `--dry-run`. `lock` is the descriptor of the transaction's lock: uv holds it while it works, should cudafit be
killed.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence

from cudafit.errors import CudafitError
from cudafit.indexes import Indexes
from cudafit.lock.uv import OFFLINE, known_texts
from cudafit.model.plan import HASHED, UNCHECKED, WHEELS_ONLY
from cudafit.process import Finished, run, uv_program
from cudafit.system.python310 import possessive
from cudafit.system.scratch import scratch
from cudafit.system.secrets import with_logins, without_known

# What would make uv do something other than what the lock says.
_NOT_PASSED = re.compile(
    r"UV_(TORCH_BACKEND|CONSTRAINT|OVERRIDE|BUILD_CONSTRAINT|EXCLUDE_NEWER|INDEX|EXTRA_INDEX_URL|FIND_LINKS|PYTHON"
    r"|SYSTEM_PYTHON|PROJECT_ENVIRONMENT|NO_INDEX|RESOLUTION|PRERELEASE|BREAK_SYSTEM_PACKAGES|(NO_VERIFY|REQUIRE|VERIFY)"
    r"_HASHES|NO_BINARY|NO_BINARY_PACKAGE|NO_BUILD_ISOLATION|CONFIG_FILE|WORKING_DIR|PROJECT|VENV_SEED)|VIRTUAL_ENV"
    r"|CONDA_PREFIX|PYTHONPATH|PYTHONHOME"
)
_SHOWN = 8
REQUIREMENTS, PYLOCK = "requirements.txt", "pylock.toml"


def make_venv(path: str, python: str, environ: Mapping[str, str], *, lock: int) -> None:
    """A venv without anything in it, for a Python that is there: none is downloaded."""
    command = ["venv", "--quiet", "--clear", "--no-config", "--python", python, path]
    _uv(command, environ, Indexes(), "make the environment", lock)


def uninstall(environment: str, names: Sequence[str], environ: Mapping[str, str], *, lock: int) -> None:
    """Every copy of the packages."""
    command = ["pip", "uninstall", "--quiet", "--no-config", "--python", environment, *names]
    _uv(command, environ, Indexes(), "remove packages", lock)


def install(
    environment: str,
    text: str,
    indexes: Indexes,
    environ: Mapping[str, str],
    name: str = REQUIREMENTS,
    *,
    checks: str = HASHED,
    prefix: str = "",
    offline: bool = False,
    lock: int,
) -> None:
    """What the lock says and nothing else; each file is checked against its hash. `name` tells the lock's format,
    `checks` what holds besides.

    With `prefix` they are laid below that folder, as for a Python of that prefix, and the environment stays as it is.
    """
    with scratch() as folder:
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            # Locks hold no logins; uv alone reads this one, and forgets them in what it writes.
            file.write(with_logins(text, indexes.default, indexes.pytorch))
        command = ["pip", "install", "--no-config", "--python", environment, "-r", path]
        command += ["--prefix", prefix] if prefix else []
        command += [OFFLINE] if offline else []
        command += ["--no-deps"] if name == REQUIREMENTS else ["--preview-features", "pylock"]
        if name == REQUIREMENTS and checks != UNCHECKED:
            command.append("--require-hashes")  # a pylock's are always compared, as far as it has any
        if checks == WHEELS_ONLY:
            command += ["--only-binary", ":all:"]
        _uv(command, environ, indexes, "install the packages", lock, shown=sys.stderr.isatty())


def _uv(
    words: Sequence[str],
    environ: Mapping[str, str],
    indexes: Indexes,
    purpose: str,
    lock: int,
    *,
    shown: bool = False,
) -> Finished:
    kept = {name: value for name, value in environ.items() if not _NOT_PASSED.fullmatch(name)}
    kept["UV_PYTHON_DOWNLOADS"] = "never"
    kept["PYTHONDONTWRITEBYTECODE"] = "1"  # a folder that is built is somebody's own, and stays as it is
    if indexes.default:
        kept["UV_DEFAULT_INDEX"] = indexes.default
    try:
        finished = run([uv_program(), *words], timeout_s=None, environ=kept, shown=shown, keep_open=[lock])
    except OSError as error:
        raise CudafitError(f"uv cannot be started: {error.strerror or error}") from None
    if finished.returncode != 0:
        raise _failure(without_known(finished.stderr, *known_texts(indexes, (), (), kept)), purpose)
    return finished


def _failure(told: str, purpose: str) -> CudafitError:
    # What stands before the error are notes and warnings, as that files are copied and not linked.
    found = re.search(possessive(r"^[ \t]*+(error:|\u00d7)"), told, re.MULTILINE)
    after = told[found.start() :] if found else told
    lines = [re.sub(r"^(error|hint|warning|cause):\s*|^[^\w`(]+", "", line.strip()) for line in after.splitlines()]
    joined = " ".join(lines)
    lines = [line for line in lines if line][:_SHOWN]
    if re.search(r"[Hh]ash mismatch", joined):
        return CudafitError("a file is not the one that the lock names: its hash differs", cause=lines)
    if re.search(r"--no-build|[Bb]uilding source distributions is disabled|no usable wheels", joined):
        return CudafitError(
            "a package of the lock would be built here, and what builds it has no hash",
            cause=lines,
            hint="`--allow-unhashed` builds it",
        )
    if re.search(r"No space left|os error 28|disk quota", joined, re.I):
        return CudafitError("the disk is full", cause=lines, hint="make room, or move uv's cache (`UV_CACHE_DIR`)")
    if re.search(r"Permission denied|os error 13|Read-only file system|os error 30", joined):
        return CudafitError("the environment cannot be written", cause=lines)
    if re.search(r"Failed to (fetch|download)|error sending request|dns error|timed out|HTTP status", joined):
        return CudafitError("a package index did not deliver what is needed", cause=lines)
    return CudafitError(f"uv could not {purpose}", cause=lines)
