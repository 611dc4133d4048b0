"""Requirements with hashes that somebody wrote, before they are installed: see `given`."""

import os
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename

from cudafit.errors import InputError
from cudafit.lock.given import SHOWN, Given, Judge, judge, shown
from cudafit.lock.hashes import STRONG, is_hash, strong_hash, what_is_missing
from cudafit.lock.integrity import file_name
from cudafit.lock.lines import VCS, logical_lines, option_of
from cudafit.model.plan import Package
from cudafit.model.requirement import normalised
from cudafit.model.wheel_names import wheel_parts
from cudafit.system.commands import command_text

_INDEXES = ("-i", "--index-url", "--extra-index-url", "--pypi-url")
_LINKS = ("-f", "--find-links")
_INCLUDES = ("-r", "--requirement", "-c", "--constraint")
_EDITABLE = ("-e", "--editable")
# They change nothing for pins with hashes, or are done anyhow.
_WITHOUT_EFFECT = ("--require-hashes", "--pre", "--prefer-binary", "--only-binary", "--use-feature")
_FILE = re.compile(r"\.(whl|tar\.gz|tgz|tar\.bz2|tar\.xz|zip)$")  # without a folder it looks like a name
_BUILT = "would be built here, and what builds it has no hash"


def given_requirements(path: str, text: str, *, allowed: bool) -> Given:
    """Raises InputError."""
    court = judge(path, allowed=allowed)
    lines: list[str] = []
    packages: list[Package] = []
    for line in logical_lines(text):
        try:
            lines += _option(court, line, packages) if line.startswith("-") else [_requirement(court, line, packages)]
        except ValueError as error:  # an address that is none
            court.not_a_lock(f"`{shown(line)}`: {error}")
    if not packages or not (allowed or any(" --hash=" in line for line in lines)):
        raise InputError(
            f"`{path}` is no lock: it has no pins with hashes",
            cause=court.faults[:SHOWN],
            hint=f"`{command_text('cudafit', 'create', '-r', path)}` resolves what it asks for",
        )
    return court.judged(Given("".join(f"{line}\n" for line in lines), tuple(packages)))


def _option(court: Judge, line: str, packages: list[Package]) -> Iterator[str]:
    name, value = option_of(line)
    if name in _INCLUDES:
        court.not_a_lock(f"`{line}` names another file", "put its lines into the lock, as a lock is one file")
    elif name in _EDITABLE:
        package = _name_in(value)
        packages.append(Package(package, ""))
        court.no_hash(package, f"is installed from {shown(_place(court, value))}, whose build is run")
        yield f"-e {_place(court, value)}"
    elif name in _INDEXES or name in _LINKS:
        place = _place(court, value) if name in _LINKS else value
        court.notes.append(f"the lock also asks {shown(place)}")
        yield f"{name} {place}"
    elif name == "--no-index":
        yield name
    elif name == "--no-binary":
        court.no_hash(value, _BUILT)
        yield f"{name} {value}"
    elif name == "--trusted-host":
        court.notes.append(f"`{line}` is not followed: certificates are checked")
    elif name not in _WITHOUT_EFFECT:
        court.not_a_lock(f"`{line}` is an option that cudafit does not know")


def _requirement(court: Judge, line: str, packages: list[Package]) -> str:
    """The line that is handed on."""
    text, *options = map(str.strip, re.split(r"\s(?=--[a-z])", line))
    hashes: dict[str, list[str]] = {}
    for option in options:
        name, value = option_of(option)
        if name != "--hash":
            court.not_a_lock(f"`{option}` is an option that cudafit does not know")
        kind, _, digest = value.partition(":")
        hashes.setdefault(kind, []).append(digest)
    wanted, address = _parsed(court, text)
    name = normalised(wanted.name) if wanted else _name_in(address)
    if address:
        if fragment := re.fullmatch(r"(sha\d+|md5)=([^&]*)", urlsplit(address).fragment):
            hashes.setdefault(fragment[1], []).append(fragment[2])
            address = address.partition("#")[0]
        text = _from_address(court, name, wanted, address)
        packages.append(Package(name, _version_of(address)))
    else:
        assert wanted is not None  # noqa: S101 - narrows the type: a line without an address is a requirement
        pin = re.fullmatch(r"={2,3}([^*,]+)", str(wanted.specifier))
        if pin is None:
            court.no_hash(name, f"is no pin: `{text}`")
        packages.append(Package(name, pin[1] if pin else ""))
    if VCS.match(address) or (address and not file_name(address).endswith(".whl")):
        return text  # said already, and a hash of what is built proves little
    return text + "".join(f" --hash={one}" for one in _strong(court, name, hashes))


def _strong(court: Judge, name: str, hashes: dict[str, list[str]]) -> Iterator[str]:
    """Each of them may be the one: a pin has a hash for each file that its version has."""
    if any(kind in STRONG and not all(is_hash(kind, one) for one in told) for kind, told in hashes.items()):
        court.no_hash(name, what_is_missing({kind: "" for kind in hashes if kind in STRONG}))
        return
    if strong_hash({kind: told[0] for kind, told in hashes.items()}) is None:
        court.no_hash(name, what_is_missing(dict.fromkeys(hashes, "")))
        return
    kind = next(kind for kind in STRONG if kind in hashes)
    yield from (f"{kind}:{digest.lower()}" for digest in hashes[kind])


def _parsed(court: Judge, text: str) -> tuple[Requirement | None, str]:
    """The requirement, and the address or path that it is to come from; without a name it is that alone."""
    if _FILE.search(text) and " " not in text and "=" not in text:
        return None, text
    try:
        wanted = Requirement(text)
    except InvalidRequirement as error:
        if not VCS.match(text) and not re.search(r"[/\\]|^\.", text):
            court.not_a_lock(f"`{text}` is no requirement: {str(error).splitlines()[0]}")
        return None, text
    return wanted, wanted.url or ""


def _from_address(court: Judge, name: str, wanted: Requirement | None, address: str) -> str:
    """The requirement, from an absolute address."""
    place = _place(court, address)
    if VCS.match(address):
        court.no_hash(name, f"is a repository, {shown(address)}, whose build is run")
    elif not file_name(address).endswith(".whl"):
        court.no_hash(name, f"is {shown(place)}, whose build is run")
    elif "://" in place:
        court.comes_from(place)
    if wanted is None and not file_name(address).endswith(".whl"):
        return place  # a folder, an archive: it has no other name yet
    extras = f"[{','.join(sorted(wanted.extras))}]" if wanted and wanted.extras else ""
    marker = f" ; {wanted.marker}" if wanted and wanted.marker else ""
    url = place if "://" in place else "file://" + quote(place)
    return f"{name}{extras} @ {url}{marker}"


def _place(court: Judge, address: str) -> str:
    if re.match(r"[a-z+]+://", address) or VCS.match(address):
        return address
    return court.below_the_lock(unquote(address.removeprefix("file:")))


def _name_in(address: str) -> str:
    """What a package is called that has only an address."""
    if egg := re.search(r"[#&]egg=([A-Za-z0-9._-]+)", address):
        return normalised(egg[1])
    name = file_name(address.partition("#")[0].rstrip("/")).partition("@")[0]
    try:
        return str(wheel_parts(name)[0])
    except InvalidWheelFilename:
        return normalised(re.sub(r"(-\d[^-]*)?\.(tar\.gz|zip)$|\.git$", "", name)) or os.path.basename(address)


def _version_of(address: str) -> str:
    try:
        return str(wheel_parts(file_name(address))[1])
    except InvalidWheelFilename:
        return ""
