"""uv compiles the Python side: the fit's builds as exact pins, each from its own index; the rest as the user wrote it.

It works for the target's platform, C library and Python, which need not be those of this machine.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.version import Version

from cudafit.errors import CudafitError, InputError
from cudafit.indexes import Indexes
from cudafit.lock.order import PYTORCH, Order
from cudafit.model.fit import Target
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted, normalised
from cudafit.model.versions import numbers
from cudafit.process import Finished, run, uv_program
from cudafit.system.parsing import reason
from cudafit.system.reading import read_text
from cudafit.system.scratch import scratch
from cudafit.system.secrets import redacted, without_known, without_login
from cudafit.system.toml import toml_text

if TYPE_CHECKING:
    from packaging.pylock import Package as Locked

    from cudafit.lock.pylock_file import File as LockedFile

TIMEOUT_S = 900
_LOCK_LIMIT = 256 << 20  # uv's own answer
PROJECT = "your-request"
OFFLINE = "--offline"
# The glibc versions that uv knows platforms for.
_GLIBCS = ((2, 17), (2, 28), *((2, minor) for minor in range(31, 41)))
_FOREIGN = {
    "windows-x86_64": "x86_64-pc-windows-msvc",
    "windows-aarch64": "aarch64-pc-windows-msvc",
    "macos-aarch64": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
}
# Options of requirement files that tell where packages come from.
_INDEX_OPTION = re.compile(r"(-i|--index-url|--extra-index-url|-f|--find-links|--no-index)\b")
_INDEX_VARIABLES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
# What would make uv answer something other than what was asked.
_NOT_PASSED = ("UV_TORCH_BACKEND", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE_NEWER")


@frozen
class File:
    """A wheel or a source archive, as its index lists it."""

    name: str
    url: str
    sha256: str


@frozen
class Package:
    """A package of the lock."""

    name: str
    version: str
    wheels: tuple[File, ...]
    sdist: File | None = None
    archive: File | None = None  # given by its address
    elsewhere: bool = False  # from another index than the default one


@frozen
class Compiled:
    """The lock: its packages, and uv's own pylock text of them. `remembered`: why no index was asked for it."""

    packages: tuple[Package, ...]
    pylock: str
    remembered: str | None = None


def compiled(
    order: Order,
    environ: Mapping[str, str] = os.environ,
    *,
    preferred: Mapping[str, str] | None = None,
    from_cache: bool = False,
) -> Compiled:
    """Raises CudafitError where the index cannot be reached, or the packages below the fit do not go together.

    `preferred` are versions to stay at unless something forbids it. `from_cache`: where no index answers, what uv's
    cache knows of it will do.
    """
    with scratch() as folder:
        _write_sources(order, folder)
        command = _command(order, folder)
        environ = with_default(environ, order.indexes, order.lines)
        path = _with_preferred(folder, preferred or {})
        known = list(known_texts(order.indexes, order.wanted, order.lines, environ))
        locking = ["--format", "pylock.toml", "--generate-hashes", "--output-file", path]
        remembered = None
        try:
            run_uv([*command, *locking], environ, known)
        except UvError as error:
            if not from_cache or not error.is_unanswered or error.wants_login:
                raise
            command.append(OFFLINE)
            remembered = next(iter(error.cause), str(error))
            _or(error, lambda: run_uv([*command, *locking], environ, known))
        text = without_login(read_text(path, _LOCK_LIMIT))
        packages = _read(text)
        elsewhere = {pick.name for pick in order.picks if pick.index_name.startswith(PYTORCH)}
        if others := _other_indexes(order, environ):
            elsewhere |= _annotated(run_uv([*command, "--emit-index-annotation"], environ, known).stdout, others)
    marked = tuple(
        Package(one.name, one.version, one.wheels, one.sdist, one.archive, one.name in elsewhere) for one in packages
    )
    return Compiled(marked, text, remembered)


def with_default(environ: Mapping[str, str], indexes: Indexes, lines: Iterable[str]) -> Mapping[str, str]:
    """The index that pip is configured with, for uv; a file's own `--index-url` goes before it, as it does for pip. By
    the environment: the arguments of a process are there for everybody to read."""
    if not indexes.default or any(re.match(r"(?:-i|--index-url)[\s=]", line) for line in lines):
        return environ
    return {**environ, "UV_DEFAULT_INDEX": indexes.default}


def _or(error: CudafitError, call: Callable[[], object]) -> None:
    """The second attempt; where that fails too, the first one's reason is the one to tell."""
    try:
        call()
    except CudafitError:
        raise error from None


def _with_preferred(folder: str, preferred: Mapping[str, str]) -> str:
    """Where the lock is to be written: uv keeps the versions that such a file already names, where it can."""
    path = os.path.join(folder, "pylock.toml")
    rows = [
        {"name": name, "version": version}
        for name, version in preferred.items()
        if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) and _is_version(version)
    ]
    if rows:
        with open(path, "w", encoding="utf-8") as file:
            file.write(toml_text({"lock-version": "1.0", "created-by": "cudafit", "packages": rows}))
    return path


def _is_version(text: str) -> bool:
    """Metadata may say anything, and uv reads no file with a version that is none."""
    try:
        Version(text)
    except ValueError:  # InvalidVersion is one, and so is a number of thousands of digits
        return False
    return True


def _command(order: Order, folder: str) -> list[str]:
    command = [uv_program(), "pip", "compile", f"{folder}/pyproject.toml", f"{folder}/request.in"]
    command += ["--constraints", f"{folder}/constraints.txt", "--quiet", "--no-header", "--no-annotate", "--no-config"]
    command += ["--no-python-downloads", "--python", sys.executable]
    command += ["--python-version", order.python, "--python-platform", uv_platform(order.target)]
    return command


def uv_platform(target: Target) -> str:
    """uv's name of the target: `x86_64-manylinux_2_35`."""
    system, _, arch = target.platform.partition("-")
    if system != "linux":
        if target.platform not in _FOREIGN:
            raise InputError(f"no lock can be made for {target.platform}")
        return _FOREIGN[target.platform]
    if target.libc and target.libc.startswith("musl"):
        return f"{arch}-unknown-linux-musl"
    if not target.libc:
        return f"{arch}-manylinux_2_28"
    glibc = numbers(target.libc.partition(" ")[2])[:2]
    major, minor = max((one for one in _GLIBCS if one <= glibc), default=_GLIBCS[0])
    return f"{arch}-manylinux_{major}_{minor}"


def _write_sources(order: Order, folder: str) -> None:
    """The picks in a project, which can name an index for each; the rest in a requirement file."""
    indexes: dict[str, str] = {}
    sources: dict[str, dict[str, str]] = {}
    for pick in order.picks:
        if pick.index_name.startswith(PYTORCH):
            indexes[pick.index_name] = order.indexes.of(pick.index_name, pick.index)
            sources[pick.name] = {"index": pick.index_name}
    asked = [pick for pick in order.picks if pick.requested or pick.index_name.startswith(PYTORCH)]
    project: dict[str, Any] = {
        "project": {
            "name": PROJECT,
            "version": "0",
            "requires-python": f">={order.python.rstrip('t')}",
            "dependencies": [pick.requirement for pick in asked],
        }
    }
    # A workspace of its own: uv would look for one in the folders above and in the working one, and stop at a project
    # there that it cannot read.
    project["tool"] = {"uv": {"workspace": {"members": []}}}
    if indexes:
        listed = [{"name": name, "url": url, "explicit": True} for name, url in indexes.items()]
        project["tool"]["uv"] |= {"index": listed, "sources": sources}
    constraints = [pick.requirement for pick in order.picks if pick not in asked]
    constraints += [one.requirement for one in order.resolution.constraints]
    _refuse_unlockable(order)
    # One line each, however it was typed.
    constraints += [" ".join(one.text.split()) for one in order.others if one.constraint]
    rest = [" ".join(one.text.split()) for one in order.others if not one.constraint]
    for name, lines in (
        ("pyproject.toml", [toml_text(project)]),
        ("request.in", [*_options(order.lines), *rest]),
        ("constraints.txt", [re.sub(r"\[[^\[\]]*\]", "", text) for text in constraints]),
    ):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))


def _refuse_unlockable(order: Order) -> None:
    """Before uv is started: to learn what it depends on, uv would run its build. Raises InputError."""
    for one in order.others:
        if not one.url:
            continue
        parts = urlsplit(one.url)
        folder = parts.scheme == "file" and os.path.isdir(unquote(parts.path))
        # A path that is no address would be one beside the file that uv is given, which is a temporary one.
        if "+" in parts.scheme or "://" not in one.url or folder:
            raise _unlockable(one.text)


def _unlockable(what: str) -> InputError:
    return InputError(
        f"`{redacted(what)}` cannot be locked: what lies in a folder or a repository has no hash that stays",
        hint="leave it out of the request, and install it after the lock with `uv pip install --no-deps`",
    )


def _options(lines: Iterable[str]) -> Iterator[str]:
    """Options as they are; what has no hash cannot be locked. Raises InputError."""
    for line in lines:
        if line.startswith("--require-hashes"):
            continue
        if not line.startswith("-") or line.startswith(("-e", "--editable")):
            raise _unlockable(line)
        yield line


def run_uv(command: list[str], environ: Mapping[str, str], known: Iterable[str] = ()) -> Finished:
    """`known` are texts with addresses whose logins uv may repeat in its own spelling."""
    kept = {name: value for name, value in environ.items() if name not in _NOT_PASSED}
    try:
        finished = run(command, timeout_s=TIMEOUT_S, environ={**kept, "UV_PYTHON_DOWNLOADS": "never"})
    except OSError as error:
        raise CudafitError(f"uv cannot be started: {error.strerror or error}") from None
    if finished.cut_off:
        raise CudafitError(f"uv gave no answer for {TIMEOUT_S} s", hint="try again, or write the lock with `--offline`")
    if finished.returncode != 0:
        raise failure(without_known(finished.stderr, *known))
    return finished


class UvError(CudafitError):
    """What uv said no to; `told` are its own words."""

    def __init__(
        self,
        what: str,
        *,
        cause: Sequence[str] = (),
        hint: str | None = None,
        told: str = "",
        learnt: Sequence[Wanted] = (),
    ) -> None:
        super().__init__(what, cause=cause, hint=hint)
        self.told = told
        self.learnt = tuple(learnt)  # what the packages need of ours, all the same

    @property
    def is_unanswered(self) -> bool:
        """Whether it was the index, and not the packages."""
        return _UNREACHED.search(self.told) is not None or self.wants_login is not None

    @property
    def is_conflict(self) -> bool:
        """Whether packages do not go together, all of which are there."""
        return "unsatisfiable" in self.told and "was not found in the package registry" not in self.told

    @property
    def wants_login(self) -> str | None:
        """The index that lets nobody in without one."""
        match = _NO_LOGIN.search(self.told)
        return match[1] if match else None


def failure(told: str) -> UvError:
    """uv's words as an error: packages that do not go together, or an index that does not answer."""
    lines = [re.sub(r"^(error|hint|warning|cause):\s*|^[^\w`(]+", "", line.strip()) for line in told.splitlines()]
    lines = [line for line in lines if line]
    joined = " ".join(lines)
    if "No solution found" in joined or "unsatisfiable" in joined:
        text = " ".join(line for line in lines if "No solution found" not in line)
        text = text.replace(f"{PROJECT} depends on", "the request needs").replace(PROJECT, "the request")
        missing = "was not found in the package registry" in text
        return UvError(
            "a package is on no index" if missing else "the other packages do not go together with these builds",
            cause=[part.strip() for part in re.split(r"(?<=[.,:]) (?=And |we can conclude|Because )", text)][:_SHOWN],
            hint="loosen one of the requirements named there; `cudafit resolve` without them shows the builds",
            told=joined,
        )
    if _UNREACHED.search(joined):
        return UvError(
            "a package index did not deliver what is needed",
            cause=[_unreached(lines)],
            hint="try again when it can be reached, or write pins without hashes with `--offline`; a mirror of"
            " PyTorch's indexes is named by CUDAFIT_PYTORCH_INDEX",
            told=joined,
        )
    return UvError("uv could not compile the lock", cause=lines[:_SHOWN], told=joined)


def _unreached(lines: Sequence[str]) -> str:
    """The address and the last reason: what lies between says the same in other words."""
    fetched = re.search(r"Failed to fetch:? `?(https?://[^\s`]+)", " ".join(lines))
    reasons = [line for line in lines if not line.startswith("Failed to fetch")]
    last = reasons[-1] if reasons else "no answer"
    return f"{redacted(fetched[1])}: {last}" if fetched and fetched[1] not in last else last


_SHOWN = 8
_NO_LOGIN = re.compile(r"\(([^()\s]{1,500})\) could not be queried due to a lack of valid authentication credentials")
_UNREACHED = re.compile(
    r"Failed to fetch|error sending request|dns error|Connect|timed out|HTTP status|network was disabled"
)


def _read(text: str) -> tuple[Package, ...]:
    from cudafit.lock.pylock_file import read_pylock  # noqa: PLC0415 - once there is a lock

    try:
        return tuple(map(_package, read_pylock(text).packages))
    except ValueError as error:
        raise CudafitError("uv wrote a lock that cannot be read", cause=[reason(error)]) from None


def _package(locked: "Locked") -> Package:
    name = locked.name
    if locked.vcs or locked.directory:
        raise _unlockable(name)
    wheels = tuple(_file(name, wheel) for wheel in locked.wheels or ())
    sdist = _file(name, locked.sdist) if locked.sdist else None
    archive = _file(name, locked.archive) if locked.archive else None
    return Package(name, str(locked.version or ""), wheels, sdist, archive)


def _file(package: str, file: "LockedFile") -> File:
    from cudafit.lock.pylock_file import hashes_of, name_of  # noqa: PLC0415 - once there is a lock

    name, sha256 = name_of(file), hashes_of(file).get("sha256")
    if not sha256:
        raise CudafitError(
            f"the index gives no sha256 for `{name}`, so `{package}` cannot be locked",
            hint="`--offline` writes the pins without hashes",
        )
    return File(name, file.url or file.path or "", sha256)


def _other_indexes(order: Order, environ: Mapping[str, str]) -> list[str]:
    """The indexes beside the default one and the picks' own, which the user named."""
    told = [line for line in order.lines if _INDEX_OPTION.match(line)]
    words = [word for line in told for word in re.split(r"[\s=]+", line)[1:]]
    words += [word for name in _INDEX_VARIABLES for word in re.split(r"[\s,]+", environ.get(name, ""))]
    return [without_login(word.rpartition("=")[2].rstrip("/")) for word in words if word]


def known_texts(
    indexes: Indexes, wanted: Iterable[Wanted], lines: Iterable[str], environ: Mapping[str, str]
) -> Iterator[str]:
    """Every text that may hold a login and that uv is given."""
    yield from (one for one in (indexes.default, indexes.pytorch) if one)
    yield from (one.text for one in wanted)
    yield from lines
    yield from (value for name, value in environ.items() if "INDEX" in name or "FIND_LINKS" in name or "PROXY" in name)


def _annotated(text: str, others: Iterable[str]) -> set[str]:
    """The packages that come from one of these: uv writes `name==1` and below it `# from URL`."""
    found = set()
    name = ""
    for line in text.splitlines():
        if match := re.match(r"([A-Za-z0-9][\w.-]*)\s*(?:==|@)", line):
            name = normalised(match[1])
        elif (match := re.match(r"\s+# from (\S+)", line)) and without_login(match[1]).rstrip("/") in others:
            found.add(name)
    return found
