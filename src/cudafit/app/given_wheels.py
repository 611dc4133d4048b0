"""Wheels that are named by their address: those for another system or Python than is meant."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename

from cudafit.errors import InputError
from cudafit.model.declaration import Bound
from cudafit.model.requirement import COMMAND_LINE, Wanted, applies
from cudafit.model.wheel_names import wheel_parts
from cudafit.resolve.answer import DEFAULT_PYTHON
from cudafit.resolve.bounds import KNOWN, is_bound
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Library
from cudafit.resolve.request import Request

_SYSTEMS = {"linux": ("linux", "manylinux", "musllinux"), "windows": ("win",), "macos": ("macosx",)}
_PROCESSORS = {"x86_64": ("x86_64", "amd64", "universal2"), "aarch64": ("aarch64", "arm64", "universal2")}


def suited(request: Request, machines: Sequence[Host], library: Library) -> Request:
    """A wheel for some Pythons binds them. One of a file that cannot be installed here is taken from an index in that
    version, where it is ours, and otherwise left out; both are said, and no installer is given the file. One that was
    typed is refused."""
    platform = machines[0].kind.platform
    wanted: list[Wanted] = []
    pythons, told, notes = list(request.pythons), list(request.warnings), list(request.notes)
    altered = list(request.altered)
    for want in request.wanted:
        file = _file(want)
        if file is None or not applies(want, platform, request.python or DEFAULT_PYTHON):
            wanted.append(want)
            continue
        _, version, _, tags = wheel_parts(file)
        mine = [tag for tag in tags if _is_for(tag, platform)]
        known = [request.python] if request.python else [one for one in KNOWN if is_bound(one, pythons)]
        suits = [one for one in known if any(_runs(tag, one) for tag in mine)]
        if suits:
            wanted.append(want)
            if bound := _bound(mine, want.origin):
                pythons.append(bound)
                if bound.specifier.startswith("==") and not request.python:
                    notes.append(f"`{file}` ({want.origin}) is for Python {suits[0]} alone, so the answer is too")
            continue
        if want.origin == COMMAND_LINE:
            raise _refused(file, mine, platform, request)
        altered.append(want.origin)
        what = f"`{file}` ({want.origin}) cannot be installed here"
        if library.knows(want.name):
            text = f"{want.name}=={version.public}"
            wanted.append(replace(want, specifier=f"=={version.public}", text=text, url=None, marker=None))
            told.append(f"{what}: {want.name} {version.public} comes from an index")
        else:
            told.append(f"{what}: {want.name} is left out")
    return replace(
        request,
        wanted=tuple(wanted),
        pythons=tuple(pythons),
        warnings=tuple(told),
        notes=tuple(notes),
        altered=tuple(altered),
    )


def _file(want: Wanted) -> str | None:
    """The wheel's name; None for what is no wheel by its address."""
    if want.url is None or "+" in urlsplit(want.url).scheme:
        return None
    name = unquote(urlsplit(want.url).path).rpartition("/")[2]
    try:
        wheel_parts(name)
    except InvalidWheelFilename:
        return None
    return name


def _refused(file: str, mine: Sequence[Tag], platform: str, request: Request) -> InputError:
    own = next((one for one in KNOWN if any(_runs(tag, one) for tag in mine)), None)
    if not mine:
        return InputError(f"`{file}` cannot be installed on {platform}", hint="name the wheel for this system")
    meant = f"Python {request.python}" if request.python else "the Python that is asked for"
    hint = f"name the wheel for {meant}" + (f", or answer for its own with `--python {own}`" if own else "")
    return InputError(f"`{file}` cannot be installed for {meant}", hint=hint)


def _is_for(tag: Tag, platform: str) -> bool:
    system, _, processor = platform.partition("-")
    ends = _PROCESSORS.get(processor, ())
    return tag.platform == "any" or (tag.platform.startswith(_SYSTEMS.get(system, ())) and tag.platform.endswith(ends))


def _runs(tag: Tag, python: str) -> bool:
    """Whether CPython of this version, `3.12` or `3.13t`, takes it. Source: the specification of compatibility tags."""
    minor = int(python.rstrip("t").split(".")[1])
    kind, digits = tag.interpreter[:2], tag.interpreter[2:]
    if not digits.isdigit() or digits[0] != "3":
        return False
    told = int(digits[1:] or 0)
    if kind == "py":
        return told <= minor and tag.abi == "none"
    if kind != "cp":
        return False
    if tag.abi == "abi3":
        return told <= minor and not python.endswith("t")
    return told == minor and (tag.abi == "none" or tag.abi.endswith("t") == python.endswith("t"))


def _bound(mine: Sequence[Tag], origin: str) -> Bound | None:
    """What it says of the Python, where it says anything."""
    fine = sorted((one for one in KNOWN if any(_runs(tag, one) for tag in mine)), key=lambda one: int(one[2:]))
    if len(fine) == len(KNOWN) or not fine:
        return None  # `3.13t` alone is nobody's without a word
    return Bound(f"=={fine[0]}.*" if len(fine) == 1 else f">={fine[0]}", origin)
