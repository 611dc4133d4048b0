"""The requirements in a wheel's METADATA that fitting rests on, for the wheel's own platform and Python."""

import re
from collections.abc import Iterator
from email.parser import HeaderParser

from packaging.requirements import InvalidRequirement, Requirement

from cudafit.matrix.harvest.index import WheelFile

# A requirement on anything else is left to the package solver.
KEPT = re.compile(
    r"(nvidia-(?!ml-py)|cuda-|triton|torch|tensorflow$|keras$|jax|numpy$|cupy|flashinfer|ctranslate2$|faster-whisper$|sgl-kernel$"
    r"|sglang-kernel$|fbgemm-gpu|rmm-|(lib)?cuvs-|cudf-|cuml-|cugraph-|numba-cuda$|warp-lang$|transformer-engine)"
)

_SYSTEMS = {
    "linux": ("Linux", "linux", "posix"),
    "windows": ("Windows", "win32", "nt"),
    "macos": ("Darwin", "darwin", "posix"),
}
_MACHINES = {"x86_64": {"windows": "AMD64"}, "aarch64": {"windows": "ARM64", "macos": "arm64"}}


def requirements(metadata: str, wheel: WheelFile, extra: str = "") -> tuple[str, ...]:
    """Written without spaces and sorted; markers are applied and left out, extras of the requirement are kept."""
    found = set()
    for requirement in _all(metadata):
        name = requirement.name.lower().replace("_", "-").replace(".", "-")
        if not KEPT.match(name) or not _applies(requirement, wheel, extra):
            continue
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        found.add(f"{name}{extras}{_specifier(requirement)}")
    return tuple(sorted(found))


def requires_python(metadata: str) -> str | None:
    """The wheel's `Requires-Python`, without spaces."""
    told = HeaderParser().parsestr(metadata).get("Requires-Python")
    return str(told).replace(" ", "") if told else None


def exact(requires: tuple[str, ...], pattern: str) -> str | None:
    """The version that `pattern` (a package's name) is pinned to with `==`."""
    for requirement in requires:
        if match := re.fullmatch(rf"(?:{pattern})(?:\[[^\]]*\])?==([0-9][0-9A-Za-z.]*)", requirement):
            return match.group(1)
    return None


def _all(metadata: str) -> Iterator[Requirement]:
    for line in HeaderParser().parsestr(metadata).get_all("Requires-Dist") or []:
        try:
            yield Requirement(line)
        except InvalidRequirement:
            continue  # some old wheels have requirements of before PEP 508


def _specifier(requirement: Requirement) -> str:
    return ",".join(sorted(str(part) for part in requirement.specifier))


def _applies(requirement: Requirement, wheel: WheelFile, extra: str) -> bool:
    if requirement.marker is None:
        return not extra
    environment = _environment(wheel)
    with_extra = requirement.marker.evaluate({**environment, "extra": extra})
    # An extra's own requirements are those that do not apply without it.
    return with_extra and not (extra and requirement.marker.evaluate({**environment, "extra": ""}))


def _environment(wheel: WheelFile) -> dict[str, str]:
    system, _, machine = (wheel.platform if wheel.platform != "any" else "linux-x86_64").partition("-")
    platform_system, sys_platform, os_name = _SYSTEMS[system]
    python = next((python.rstrip("t+") for python in wheel.pythons), "3.12")
    return {
        "platform_system": platform_system,
        "sys_platform": sys_platform,
        "os_name": os_name,
        "platform_machine": _MACHINES[machine].get(system, machine),
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
