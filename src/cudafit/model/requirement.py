"""Requirements as people write them: PEP 508, with where each stands."""

import re
from collections.abc import Iterable

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.versions import is_sane
from cudafit.system.python310 import possessive
from cudafit.system.text import is_plain

NEEDED_BY = "needed by "  # the origin of what another package needs
COMMAND_LINE = "command line"
# Specifiers that are right by their form, for which PEP 440 need not be loaded.
_EVERYDAY = re.compile(
    r"(?:[=!]=\d+(?:\.\d+)*(?:\.\*)?|[<>]=?\d+(?:\.\d+)*)(?:,(?:[=!]=|[<>]=?)\d+(?:\.\d+)*)*", re.ASCII
)
# Markers of wheels are mostly comparisons that all must hold.
_EQUAL = re.compile(r"""\s*(\w+)\s*==\s*(?:'([^'"]*)'|"([^'"]*)")\s*""")
_PLAIN = re.compile(
    possessive(r"\s*+([A-Za-z0-9][\w.-]*+(?<=[A-Za-z0-9]))\s*+(?:\[([^\]]*+)\])?+\s*+([^;@]*+)"), re.ASCII
)
_NO_SPACE = re.compile(r"[^\S ]+")  # ends of lines, tabs
_EXTRA = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")


@frozen
class Wanted:
    """One requirement, and where it stands. A constraint limits a package without asking for it."""

    name: str  # normalised
    specifier: str
    extras: tuple[str, ...]
    text: str
    origin: str
    marker: str | None = None
    url: str | None = None
    constraint: bool = False


@frozen
class Need:
    """A package as it is to be asked for; `index` where it does not come from the default one."""

    requirement: str
    index_name: str | None = None
    index: str | None = None

    @property
    def name(self) -> str:
        return name_in(self.requirement)


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_in(text: str) -> str:
    """The package that a requirement names, whatever else is in it."""
    return normalised(re.split(r"[\s\[(<>=!~;@]", text.strip(), maxsplit=1)[0])


def wanted(text: str, origin: str = COMMAND_LINE, *, constraint: bool = False) -> Wanted:
    """The requirement that a text is; raises InputError for one that is none.

    It is one line, however it was written, so that it stays one in every file that it is put into.
    """
    text = " ".join(part.strip() for part in _NO_SPACE.split(text)).strip()
    if not is_plain(text):
        raise _no_requirement(text, origin, "it holds a character that is not shown")
    if not is_sane(text):
        raise _no_requirement(text, origin, "it has a number of more than 500 digits")
    match = _PLAIN.fullmatch(text)
    extras = tuple(part.strip() for part in (match[2] or "").split(",") if part.strip()) if match else ()
    told = match[3].rstrip() if match else ""
    right = all(map(_EXTRA.fullmatch, extras))
    if match and right and (not told or (told[0] in "=<>!~" and is_specifier(told))):
        return Wanted(normalised(match[1]), told.replace(" ", ""), extras, text, origin, constraint=constraint)
    return _by_the_book(text, origin, constraint)


def _by_the_book(text: str, origin: str, constraint: bool) -> Wanted:
    """With a marker, an address, or an error in it."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - seldom needed

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise _no_requirement(text, origin, str(error).splitlines()[0]) from None
    except (ValueError, RecursionError):
        raise _no_requirement(text, origin, "it is nested too deeply, or holds what no requirement holds") from None
    return Wanted(
        normalised(requirement.name),
        str(requirement.specifier),
        tuple(sorted(requirement.extras)),
        text,
        origin,
        str(requirement.marker) if requirement.marker else None,
        requirement.url,
        constraint,
    )


def _no_requirement(text: str, origin: str, cause: str) -> InputError:
    where = "" if origin == COMMAND_LINE else f" ({origin})"
    return InputError(
        f"`{text if len(text) <= _SHOWN else f'{text[:_SHOWN]}…'}` is not a requirement{where}",
        cause=[cause[:_LINE]],
        hint='write it as `name`, `name==1.2`, `"name>=1.2,<2"` or `name[extra]==1.2`',
    )


_SHOWN, _LINE = 200, 500
_SYSTEMS = {
    "linux": ("Linux", "linux", "posix"),
    "windows": ("Windows", "win32", "nt"),
    "macos": ("Darwin", "darwin", "posix"),
}
_PROCESSORS = {("windows", "x86_64"): "AMD64", ("windows", "aarch64"): "ARM64", ("macos", "aarch64"): "arm64"}


def applies(item: Wanted, platform: str, python: str, extra: str = "") -> bool:
    """Whether the requirement's marker holds on the target, which need not be where cudafit runs.

    Raises InputError for a marker that is none.
    """
    if item.marker is None:
        return True
    system, _, processor = platform.partition("-")
    platform_system, sys_platform, os_name = _SYSTEMS.get(system, (system, system, "posix"))
    version = python.rstrip("t")
    environment = {
        "platform_system": platform_system,
        "sys_platform": sys_platform,
        "os_name": os_name,
        "platform_machine": _PROCESSORS.get((system, processor), processor),
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": version if version.count(".") > 1 else f"{version}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_version": "",
        "extra": extra,
    }
    parts = [_EQUAL.fullmatch(part) for part in item.marker.split(" and ")]
    # A version is compared by its numbers, not as text.
    if all(part and part[1] in environment and "version" not in part[1] and part[1] != "extra" for part in parts):
        return all(part and environment[part[1]] == (part[2] or part[3] or "") for part in parts)
    from packaging.markers import Marker  # noqa: PLC0415 - seldom needed

    try:
        return bool(Marker(item.marker).evaluate(environment))
    except (ValueError, RecursionError) as error:  # what packaging raises for what compares nothing with nothing
        raise _no_requirement(item.text, item.origin, str(error)) from None


def merged(items: Iterable[Wanted]) -> dict[str, tuple[Wanted, ...]]:
    """By package, in the order in which each is first asked for."""
    found: dict[str, dict[Wanted, None]] = {}
    for item in items:
        found.setdefault(item.name, {})[item] = None  # what is said twice is said once
    return {name: tuple(said) for name, said in found.items()}


def is_specifier(text: str) -> bool:
    """Whether PEP 440 knows it."""
    if _EVERYDAY.fullmatch(text):
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - a bare name needs none

    try:
        SpecifierSet(text)
    except (InvalidSpecifier, RecursionError):
        return False
    return True
