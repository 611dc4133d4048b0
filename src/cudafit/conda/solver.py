"""conda's side of a solve, asked of py-rattler in a process of its own (`worker`)."""

import contextlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.process import own_environ, own_python, run
from cudafit.system.reading import read_text
from cudafit.system.scratch import scratch
from cudafit.system.secrets import has_login, host_of, redacted, without_known, without_login

TIMEOUT_S = 900
REQUEST = "CUDAFIT_CONDA_REQUEST"


class UnsolvableError(CudafitError):
    """The packages do not go together."""


@frozen
class Record:
    """A package as its channel lists it."""

    name: str
    version: str
    build: str
    build_number: int | None  # None: by a lock, which tells less than a channel
    subdir: str
    url: str
    file_name: str
    channel: str
    sha256: str | None
    md5: str | None
    size: int | None
    depends: tuple[str, ...]
    constrains: tuple[str, ...] = ()
    license: str | None = None
    timestamp: int | None = None
    noarch: str | None = None
    site_packages: str | None = None  # where this Python has them, where that is not the usual place


@frozen
class Question:
    """What to solve, for one platform.

    With `prefix`, what is installed there is kept where that can be, but for the packages `free`.
    """

    channels: tuple[str, ...]
    platform: str  # as conda calls it: linux-64
    specs: tuple[str, ...]
    virtual: tuple[tuple[str, str], ...]  # every virtual package of the target, as ("__cuda", "12.4")
    prefix: str | None = None
    free: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()  # what must hold of a package if it is there at all


def solve(questions: Sequence[Question]) -> list[list[Record]]:
    """The packages of each; raises UnsolvableError, and CudafitError where the channel does not answer."""
    from cudafit.model.record import to_plain  # noqa: PLC0415

    answer = ask({"do": "solve", "questions": [to_plain(question) for question in questions]}, timeout_s=TIMEOUT_S)
    if "error" in answer:
        raise _failure(answer, questions[answer.get("number", 0)])
    return [
        [record_of({**row, "url": _with_login(row["url"], question.channels)}) for row in rows]
        for question, rows in zip(questions, answer["solved"], strict=True)
    ]


def listed(channels: Sequence[str], platform: str, names: Sequence[str]) -> dict[str, list[tuple[str, str]]] | None:
    """Version and build of each record of these packages; None where the channel does not tell."""
    request = {"do": "list", "channels": list(channels), "platform": platform, "names": list(names)}
    told = ask(request, timeout_s=TIMEOUT_S).get("listed")
    return None if told is None else {name: [(one, build) for one, build in rows] for name, rows in told.items()}


def ask(
    request: dict[str, Any], *, timeout_s: float | None = None, shown: bool = False, lock: int | None = None
) -> dict[str, Any]:
    """What the worker answers; its addresses have no logins. It keeps the descriptor `lock` open while it works.

    Raises CudafitError.
    """
    _need_extra()
    known: dict[str, Any] = {}
    with scratch() as folder:
        # By a file: everybody may read a process's arguments, an address may hold a password, and it may be long.
        path = os.path.join(folder, "request.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(_without_logins(request, known), file)
        command = own_python("-m", "cudafit.conda.worker")
        environ = {**own_environ(os.environ), REQUEST: path, **_logged_in(folder, known)}
        keep_open = () if lock is None else (lock,)
        finished = run(command, timeout_s=timeout_s, environ=environ, shown=shown, keep_open=keep_open)
    if finished.cut_off:
        raise CudafitError(f"the conda solver gave no answer for {timeout_s} s")
    line = next((line for line in finished.stdout.splitlines() if line.startswith("{")), None)
    if line is None:
        told = finished.stderr.strip().splitlines()[-3:]
        raise CudafitError("the conda solver broke off", cause=told or [f"exit code {finished.returncode}"])
    answer: dict[str, Any] = json.loads(line)
    return answer


def _without_logins(value: Any, known: dict[str, Any]) -> Any:
    """The request with plain addresses; their logins, by host, are put into `known`. For what is in an address ends up
    in py-rattler's errors, in its cache and in the records of what it installs."""
    if isinstance(value, dict):
        return {key: _without_logins(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_logins(one, known) for one in value]
    if not isinstance(value, str) or "://" not in value or not has_login(value):
        return value
    from cudafit.system.addresses import login_of  # noqa: PLC0415

    host, login, plain = host_of(value), login_of(value), without_login(value)
    token = re.fullmatch(r"[a-z]+://[^/@]+/t/([^/?#]+)(/[^?#]*)?", value)
    entry: Any = None
    if login and plain == re.sub(r"(?<=://)[^/]*@", "", value):
        entry = {"BasicHTTP": {"username": login[0], "password": login[1]}}
    elif token:
        entry = {"CondaToken": token[1]}
    if not host or entry is None or known.setdefault(host, entry) != entry:
        return value  # two logins at one host, or a login of another kind: only the address can tell
    return plain


def _with_login(url: str, channels: Sequence[str]) -> str:
    """The address of a package with the login of its channel, for when it is fetched; nothing writes it so."""
    for channel in filter(has_login, channels):
        plain = without_login(channel).rstrip("/")
        if url.startswith(f"{plain}/"):
            return channel.rstrip("/") + url.removeprefix(plain)
    return url


def _logged_in(folder: str, known: dict[str, Any]) -> dict[str, str]:
    """The variable by which py-rattler finds logins; it also reads `~/.netrc` and its own store. What the user's file
    says stays. Source: rattler, `AuthenticationStorage`."""
    if not known:
        return {}
    own: Any = {}
    with contextlib.suppress(OSError, ValueError, KeyError, RecursionError):
        own = json.loads(read_text(os.environ[_LOGINS], _LOGINS_LIMIT))
    path = os.path.join(folder, "logins.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**(own if isinstance(own, dict) else {}), **known}, file)
    return {_LOGINS: path}


_LOGINS = "RATTLER_AUTH_FILE"
_LOGINS_LIMIT = 1 << 20


def record_of(row: dict[str, Any]) -> Record:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Record(**fields)


def row_of(record: Record) -> dict[str, Any]:
    return asdict(record)


def _need_extra() -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("rattler") is None:
        raise InputError(
            "conda environments are solved with py-rattler, which is not installed",
            hint="`pip install 'cudafit[conda]'`",
        )


_UNSOLVED = ("Cannot solve", "cannot be installed", "No candidates", "unsolvable")


def _failure(answer: dict[str, Any], question: Question) -> CudafitError:
    told = without_known(answer["error"], *question.channels)
    lines = [line.rstrip() for line in told.splitlines() if line.strip()]
    if any(words in told for words in _UNSOLVED):
        return UnsolvableError(
            f"conda's packages do not go together on {question.platform}",
            cause=lines[:_SHOWN],
            hint="loosen one of the requirements named there",
        )
    channels = ", ".join(f"`{redacted(channel)}`" for channel in question.channels)
    return CudafitError(
        f"the conda channel {channels} does not give what is needed",
        cause=lines[:_SHOWN],
        hint="try again when it can be reached, or name a mirror with CUDAFIT_CONDA_CHANNEL",
    )


_SHOWN = 12
