"""For which platforms a marker holds."""

from collections.abc import Iterator
from functools import cache

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

# The platforms whose wheels have requirements that matter here; Python stands for any that a wheel is for.
_ENVIRONMENTS = {
    "linux-x86_64": ("Linux", "linux", "posix", "x86_64"),
    "linux-aarch64": ("Linux", "linux", "posix", "aarch64"),
    "windows-x86_64": ("Windows", "win32", "nt", "AMD64"),
    "windows-aarch64": ("Windows", "win32", "nt", "ARM64"),
}
_PYTHON = "3.12"


def platforms(marker: str) -> Iterator[str]:
    """All of them for an empty marker; none for one that is none."""
    yield from (name for name in _ENVIRONMENTS if _holds(marker, name))


@cache
def _holds(marker: str, platform: str) -> bool:
    if not marker:
        return True
    system, sys_platform, os_name, machine = _ENVIRONMENTS[platform]
    try:
        return Marker(marker).evaluate(
            {
                "platform_system": system,
                "sys_platform": sys_platform,
                "os_name": os_name,
                "platform_machine": machine,
                "python_version": _PYTHON,
                "python_full_version": f"{_PYTHON}.0",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "extra": "",
            }
        )
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return False
