"""conda's side of a solve: py-rattler, which is spoken to here and nowhere else.

It is asked in a process of its own: its worker threads may take a process with them when that one ends, and what they
have answered by then is already read.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.process import run

TIMEOUT_S = 900
_QUESTION = "CUDAFIT_CONDA_QUESTION"


@frozen
class Record:
    """A package as its channel lists it."""

    name: str
    version: str
    build: str
    build_number: int
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


@frozen
class Question:
    """What to solve, for one platform."""

    channels: tuple[str, ...]
    platform: str  # as conda calls it: linux-64
    specs: tuple[str, ...]
    virtual: tuple[tuple[str, str], ...]  # every virtual package of the target, as ("__cuda", "12.4")


def solve(questions: Sequence[Question]) -> list[list[Record]]:
    """The packages of each; raises CudafitError where there is no solution or the channel does not answer."""
    _need_extra()
    from cudafit.model.record import to_plain  # noqa: PLC0415

    # By the environment: everybody may read a process's arguments, and an address may hold a password.
    environ = {**os.environ, _QUESTION: json.dumps([to_plain(question) for question in questions])}
    command = [sys.executable, "-P", "-m", "cudafit.conda_solver"]
    finished = run(command, timeout_s=TIMEOUT_S, environ=environ)
    if finished.cut_off:
        raise CudafitError(f"the conda solver gave no answer for {TIMEOUT_S} s")
    line = next((line for line in finished.stdout.splitlines() if line.startswith("{")), None)
    if line is None:
        told = finished.stderr.strip().splitlines()[-3:]
        raise CudafitError("the conda solver broke off", cause=told or [f"exit code {finished.returncode}"])
    answer = json.loads(line)
    if "error" in answer:
        raise _failure(answer["error"], questions[answer["number"]])
    return [[Record(**_tuples(row)) for row in rows] for rows in answer["solved"]]


def _need_extra() -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("rattler") is None:
        raise InputError(
            "conda environments are solved with py-rattler, which is not installed",
            hint="`pip install 'cudafit[conda]'`",
        )


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def _failure(told: str, question: Question) -> CudafitError:
    lines = [line.rstrip() for line in told.splitlines() if line.strip()]
    if "Cannot solve" in told or "cannot be installed" in told or "No candidates" in told or "unsolvable" in told:
        return CudafitError(
            f"conda's packages do not go together on {question.platform}",
            cause=lines[:_SHOWN],
            hint="loosen one of the requirements named there",
        )
    channels = ", ".join(f"`{_shown(channel)}`" for channel in question.channels)
    return CudafitError(
        f"the conda channel {channels} does not give what is needed",
        cause=lines[:_SHOWN],
        hint="try again when it can be reached, or name a mirror with CUDAFIT_CONDA_CHANNEL",
    )


_SHOWN = 12


def _shown(channel: str) -> str:
    from cudafit.model.requirement import without_secret  # noqa: PLC0415

    return without_secret(channel)


def _main(asked: str) -> None:
    """In the process of its own: one line of JSON, and an end that waits for no thread."""
    questions = json.loads(asked)
    solved: list[list[dict[str, Any]]] = []
    answer: dict[str, Any] = {"solved": solved}
    for number, question in enumerate(questions):
        try:
            solved.append(_solved(question))
        except Exception as error:
            answer = {"error": f"{error}" or type(error).__name__, "number": number}
            break
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)


def _solved(question: dict[str, Any]) -> list[dict[str, Any]]:
    import asyncio  # noqa: PLC0415
    from datetime import UTC, timedelta  # noqa: PLC0415

    import rattler  # noqa: PLC0415

    virtual = [
        rattler.GenericVirtualPackage(rattler.PackageName(name), rattler.Version(version), rattler.BuildString("0"))
        for name, version in question["virtual"]
    ]
    records = asyncio.run(
        rattler.solve(
            sources=question["channels"],
            specs=[rattler.MatchSpec(text) for text in question["specs"]],
            platforms=[question["platform"], "noarch"],
            virtual_packages=virtual,
            timeout=timedelta(seconds=TIMEOUT_S),
        )
    )

    def stamp(record: Any) -> int | None:
        return (
            int(record.timestamp.replace(tzinfo=record.timestamp.tzinfo or UTC).timestamp() * 1000)
            if record.timestamp
            else None
        )

    return [
        {
            "name": record.name.normalized,
            "version": str(record.version),
            "build": str(record.build),
            "build_number": record.build_number,
            "subdir": record.subdir,
            "url": record.url,
            "file_name": record.file_name,
            "channel": str(record.channel),
            "sha256": record.sha256.hex() if record.sha256 else None,
            "md5": record.md5.hex() if record.md5 else None,
            "size": record.size,
            "depends": list(record.depends),
            "constrains": list(record.constrains),
            "license": record.license,
            "timestamp": stamp(record),
            "noarch": str(record.noarch) if record.noarch and not record.noarch.none else None,
        }
        for record in records
    ]


if __name__ == "__main__":
    _main(os.environ[_QUESTION])
