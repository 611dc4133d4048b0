"""A project locked in a copy: what its manager would write and install, before anything of the project is touched.

The copy is its pyproject.toml and its lock, and links to what lies beside them. Nothing of the project is built for it,
and no Python of it or its environment is started: uv looks for one of this machine. The manager works with the user's
own settings, as it will afterwards.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape, iglob
from itertools import islice
from typing import Any

from cudafit.errors import CudafitError, InputError
from cudafit.lock.keepers import Choice, Keeper, program_of, uv_choice, without_active
from cudafit.lock.locked import MAIN, installed_by, locked_in
from cudafit.lock.pyproject_change import Table, edited
from cudafit.lock.uv import TIMEOUT_S, File, Package, failure
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted, applies, normalised, wanted
from cudafit.model.versions import major_minor
from cudafit.process import Finished, run, uv_program
from cudafit.system.reading import read_text
from cudafit.system.scratch import scratch
from cudafit.system.secrets import without_known
from cudafit.system.toml import TomlError, read_toml

DECLARATION = "pyproject.toml"
# What would make uv do something other than it does for the user, or in another place.
_NOT_PASSED = re.compile(
    r"UV_(PROJECT|PROJECT_ENVIRONMENT|WORKING_DIR|PYTHON|FROZEN|LOCKED|NO_SYNC|DRY_RUN|SYSTEM_PYTHON|TORCH_BACKEND"
    r"|NO_PROGRESS|PREVIEW\w*)|VIRTUAL_ENV|CONDA_PREFIX|PYTHONPATH|PYTHONHOME"
)
_LIMIT = 64 << 20
_MOST_CHOICES = 30
_SHOWN = 8
_MOST_MEMBERS = 500
_METADATA = frozenset({"version", "dependencies", "optional-dependencies", "requires-python"})
# The project's own entry in its lock.
_OWN_VERSION = re.compile(r'(?m)(^name = "[^"\n]*"\n)version = "0"\n(source = \{ (?:editable|virtual) = "\." \}$)')


@frozen
class Target:
    """What markers are asked for."""

    platform: str
    python: str


class Copy:
    """A project in a folder of its own, with its manager."""

    def __init__(self, keeper: Keeper, folder: str, project: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._keeper = keeper
        self._environ = project_environ(environ, outside=project)
        self._computes_version = check_static(project)
        if keeper.manager != "uv":
            _check_no_folders(project)

    def write(self, declaration: str) -> None:
        """A version that the project computes is left out of its lock: here it has one, so that nobody need run it."""
        with open(os.path.join(self.folder, DECLARATION), "w", encoding="utf-8", newline="") as file:
            file.write(_with_version(declaration) if self._computes_version else declaration)

    def lock(self, python: str, upgrade: Sequence[str] = ()) -> str:
        """What the manager writes; raises CudafitError where it cannot, or would have to build something for it."""
        self._run(self._keeper.lock_words(self.folder, upgrade), python)
        text = read_text(os.path.join(self.folder, self._keeper.lock), _LIMIT)
        return _OWN_VERSION.sub(r"\1\2", text) if self._computes_version else text

    def versions(self, choice: Choice, target: Target) -> dict[str, str]:
        """The packages that the lock installs on the target, without the project and what is not from an index."""
        if self._keeper.manager == "uv":
            words = [
                "export",
                "--frozen",
                "--no-hashes",
                "--no-header",
                "--no-annotate",
                "--no-emit-project",
                "--quiet",
            ]
            where = ["--project", self.folder, "--no-python-downloads"]
            told = self._run([*words, *uv_choice(choice), *where], target.python).stdout
            return {one.name: one.specifier.removeprefix("==") for one in _pins(told) if _is_for(one, target)}
        rows = locked_in(read_text(os.path.join(self.folder, self._keeper.lock), _LIMIT))
        # An extra of PDM's is a group of its lock; one of Poetry's is in the markers.
        groups = {*MAIN, *choice.groups, *choice.extras}
        return installed_by(rows, groups, choice.extras, target.platform, target.python)

    def chosen(self, declaration: Mapping[str, Any], there: Iterable[str], target: Target) -> Choice:
        """The extras and groups of which everything is there: they were asked for when it was installed."""
        installed, base = set(there), self.versions(Choice(), target).keys()
        found: dict[str, list[str]] = {"extras": [], "groups": []}
        for kind, names in _choices(declaration).items():
            for name in names[:_MOST_CHOICES]:
                more = self.versions(Choice(**{kind: (name,)}), target).keys() - base
                if more and more <= installed:
                    found[kind].append(name)
        return Choice(tuple(found["extras"]), tuple(found["groups"]))

    def _run(self, words: Sequence[str], python: str) -> Finished:
        environ = self._environ
        if self._keeper.needs_python:
            place = os.path.join(os.path.dirname(self.folder), "python")
            if not os.path.isdir(place):
                plain = [
                    "venv",
                    "--quiet",
                    "--no-config",
                    "--no-python-downloads",
                    "--python",
                    major_minor(python),
                    place,
                ]
                run_for_project([uv_program(), *plain], environ)
            environ = {**without_active(environ), **self._keeper.variables(place)}
        return run_for_project([program_of(self._keeper, environ), *words], environ, of=self._keeper.manager)


def _choices(declaration: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of the extras and groups, wherever a manager has them."""
    tool = table(declaration, "tool")
    extras = {**table(declaration, "project", "optional-dependencies"), **table(tool, "poetry", "extras")}
    groups = {**table(declaration, "dependency-groups"), **table(tool, "pdm", "dev-dependencies")}
    groups |= table(tool, "poetry", "group")
    groups |= {"dev": {}} if table(tool, "poetry", "dev-dependencies") else {}
    return {"extras": list(extras), "groups": list(groups)}


def _check_no_folders(project: str) -> None:
    """Raises InputError where a dependency lies in a folder: to learn what it needs, it might be built."""
    content = _project_table(os.path.join(project, DECLARATION))
    if any("path" in row or "file" in row or "file:" in row.get("listed", "") for row in _rows(content)):
        raise InputError(
            f"`{os.path.join(project, DECLARATION)}` takes a package from a folder, and a plan builds nothing",
            hint="do it by the commands that `cudafit doctor` names",
        )


def _rows(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What is asked for: the tables of Poetry, and the texts of lists as `listed`."""
    project, tool = table(content, "project"), table(content, "tool")
    lists = [project.get("dependencies"), *table(project, "optional-dependencies").values()]
    lists += [*table(content, "dependency-groups").values(), *table(tool, "pdm", "dev-dependencies").values()]
    for listed in (one for one in lists if isinstance(one, list)):
        yield from ({"listed": text} for text in listed if isinstance(text, str))
    poetry = table(tool, "poetry")
    tables = [table(poetry, "dependencies"), table(poetry, "dev-dependencies")]
    tables += [table(poetry, "group", name, "dependencies") for name in table(poetry, "group")]
    for told in (told for one in tables for told in one.values()):
        yield from (row for row in (told if isinstance(told, list) else [told]) if isinstance(row, dict))


def run_for_project(
    command: Sequence[str], environ: Mapping[str, str], keep_open: Sequence[int] = (), *, of: str = "uv"
) -> Finished:
    """Raises CudafitError in the words of the manager."""
    try:
        finished = run(command, timeout_s=TIMEOUT_S, environ=environ, keep_open=keep_open)
    except OSError as error:
        raise CudafitError(f"{of} cannot be started: {error.strerror or error}") from None
    if finished.cut_off:
        raise CudafitError(f"{of} gave no answer for {TIMEOUT_S} s")
    if finished.returncode != 0:
        known = [value for name, value in environ.items() if "INDEX" in name or "FIND_LINKS" in name or "PROXY" in name]
        if of == "uv":
            raise failure(without_known(finished.stderr, *known))
        told = without_known(f"{finished.stderr}\n{finished.stdout}", *known).splitlines()
        raise CudafitError(f"{of} does not do it", cause=[line.strip() for line in told if line.strip()][-_SHOWN:])
    return finished


def project_environ(environ: Mapping[str, str], *, outside: str | None = None) -> dict[str, str]:
    """The user's own variables. `outside`: no program from below this folder is found by PATH."""
    kept = {name: value for name, value in environ.items() if not _NOT_PASSED.fullmatch(name)}
    if outside is not None:
        top = os.path.realpath(outside) + os.sep
        folders = [one for one in environ.get("PATH", "").split(os.pathsep) if os.path.isabs(one)]
        kept["PATH"] = os.pathsep.join(one for one in folders if not (os.path.realpath(one) + os.sep).startswith(top))
    return kept | {"UV_PYTHON_DOWNLOADS": "never", "PYTHONDONTWRITEBYTECODE": "1"}


def check_static(project: str) -> bool:
    """`--no-build` forbids to build everything but the project and the members of its workspace, so these are looked at
    first. Whether the project's own version is computed. Raises InputError where what it depends on is."""
    own = _project_table(os.path.join(project, DECLARATION))
    uv = own.get("tool", {}).get("uv", {})
    patterns = uv.get("workspace", {}).get("members", ()) if isinstance(uv, dict) else ()
    members = (path for text in patterns for path in iglob(os.path.join(escape(project), text, DECLARATION)))
    computed = _computed(own)
    for path in (os.path.join(project, DECLARATION), *islice(members, _MOST_MEMBERS)):
        names = (
            (computed - {"version"}) if path == os.path.join(project, DECLARATION) else _computed(_project_table(path))
        )
        if names:
            raise InputError(
                f"`{path}` says that its {', '.join(sorted(names))} are computed, and a plan runs no code of a project",
                hint="do it by the commands that `cudafit doctor` names",
            )
    return "version" in computed


def _project_table(path: str) -> dict[str, Any]:
    try:
        return read_toml(read_text(path, _LIMIT))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read `{path}`: {error}") from None


def _computed(content: Mapping[str, Any]) -> set[str]:
    """What uv would build a project for."""
    project = content.get("project")
    dynamic = project.get("dynamic") if isinstance(project, dict) else None
    listed = dynamic if isinstance(dynamic, list) else []
    return {one for one in listed if isinstance(one, str) and one in _METADATA}


def _with_version(text: str) -> str:
    def change(document: Table) -> None:
        project = document["project"]
        project["dynamic"] = [one for one in project["dynamic"] if one != "version"]
        project["version"] = "0"

    return edited(text, DECLARATION, change)


@contextmanager
def copy_of(keeper: Keeper, project: str, leave: Sequence[str], environ: Mapping[str, str]) -> Iterator[Copy]:
    """`leave` are names that the copy does not have: the environment's, and cudafit's own folder."""
    with scratch() as top:
        folder = os.path.join(top, os.path.basename(project.rstrip("/")) or "project")
        os.mkdir(folder)
        for name in os.listdir(project):
            if name == keeper.lock:
                with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
                    file.write(read_text(os.path.join(project, name), _LIMIT))
            elif name not in (*leave, *keeper.unlocked, DECLARATION, ".git"):
                os.symlink(os.path.join(project, name), os.path.join(folder, name))
        copy = Copy(keeper, folder, project, environ)
        copy.write(read_text(os.path.join(project, DECLARATION), _LIMIT))
        yield copy


def _pins(told: str) -> Iterator[Wanted]:
    for line in told.splitlines():
        if line.strip() and not line.startswith(("#", " ", "-")):
            try:
                one = wanted(line.strip())
            except InputError:
                continue
            if one.specifier.startswith("=="):
                yield one


def _is_for(one: Wanted, target: Target) -> bool:
    return applies(one, target.platform, target.python)


def table(content: Any, *names: str) -> dict[str, Any]:
    """A table below a table; empty where there is none."""
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def packages_of(lock: str) -> tuple[dict[tuple[str, str], Package], dict[str, int]]:
    """The files of each package and version of a uv.lock, and the bytes of each by its address."""
    try:
        rows = read_toml(lock).get("package", [])
    except TomlError:
        rows = []
    found: dict[tuple[str, str], Package] = {}
    sizes: dict[str, int] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            continue
        files = []
        for wheel in row.get("wheels", ()):
            address = str(wheel.get("url") or wheel.get("path") or "")
            files.append(File(address.rpartition("/")[2].replace("%2B", "+"), address, ""))
            if isinstance(size := wheel.get("size"), int):
                sizes[address] = size
        name, version = normalised(row["name"]), str(row.get("version", ""))
        found[name, version] = Package(name, version, tuple(files))
    return found, sizes
