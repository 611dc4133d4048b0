"""Wheels that a project names by their address: those for another system or Python than is meant."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename

from cudafit.model.declaration import Bound
from cudafit.model.requirement import COMMAND_LINE, Wanted, applies
from cudafit.model.wheel_names import wheel_parts
from cudafit.resolve.answer import DEFAULT_PYTHON
from cudafit.resolve.bounds import KNOWN, is_bound
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Library
from cudafit.resolve.request import Request

_SYSTEMS = {"linux": ("linux", "manylinux", "musllinux"), "windows": ("win",), "macos": ("macosx",)}


def suited(request: Request, machines: Sequence[Host], library: Library) -> Request:
    """A wheel for one Python binds it. One that cannot be installed here is taken from an index in that version, where
    it is ours, and otherwise left out; both are said."""
    platform = machines[0].kind.platform
    wanted: list[Wanted] = []
    pythons, told = list(request.pythons), list(request.warnings)
    for want in request.wanted:
        file = _file(want)
        if file is None or not applies(want, platform, request.python or DEFAULT_PYTHON):
            wanted.append(want)
            continue
        version, mine, bound = _read(file, platform)
        bounds = [*pythons, *bound]
        fits_python = (
            is_bound(request.python, bounds) if request.python else any(is_bound(one, bounds) for one in KNOWN)
        )
        if mine and fits_python:
            pythons += [Bound(one.specifier, want.origin) for one in bound]
            wanted.append(want)
        elif library.knows(want.name):
            pinned = replace(want, specifier=f"=={version}", text=f"{want.name}=={version}", url=None, marker=None)
            wanted.append(pinned)
            told.append(f"`{file}` ({want.origin}) cannot be installed here: {want.name} {version} comes from an index")
        else:
            told.append(f"`{file}` ({want.origin}) cannot be installed here: {want.name} is left out")
    if len(wanted) == len(request.wanted) and pythons == list(request.pythons) and told == list(request.warnings):
        return request
    return replace(request, wanted=tuple(wanted), pythons=tuple(pythons), warnings=tuple(told))


def _file(want: Wanted) -> str | None:
    """The wheel's name; None for what is no wheel by its address, and for what was typed, which is taken as it is."""
    if want.url is None or want.origin == COMMAND_LINE or "+" in urlsplit(want.url).scheme:
        return None
    name = unquote(urlsplit(want.url).path).rpartition("/")[2]
    try:
        wheel_parts(name)
    except InvalidWheelFilename:
        return None
    return name


def _read(file: str, platform: str) -> tuple[str, bool, list[Bound]]:
    """The version without its local part, whether it is for this platform, and the Python that it is for."""
    _, version, _, tags = wheel_parts(file)
    system, _, processor = platform.partition("-")
    arch = {"x86_64": ("x86_64", "amd64", "universal2"), "aarch64": ("aarch64", "arm64", "universal2")}.get(
        processor, ()
    )
    mine = [
        tag
        for tag in tags
        if tag.platform == "any" or (tag.platform.startswith(_SYSTEMS.get(system, ())) and tag.platform.endswith(arch))
    ]
    return (
        version.public,
        bool(mine),
        list(_pythons(tag.interpreter for tag in mine if tag.abi not in ("abi3", "none"))),
    )


def _pythons(interpreters: Iterator[str]) -> Iterator[Bound]:
    found = sorted({one[2:] for one in interpreters if one.startswith("cp3") and one[2:].isdigit()})
    if len(found) == 1:
        yield Bound(f"=={found[0][0]}.{found[0][1:]}.*", "")
