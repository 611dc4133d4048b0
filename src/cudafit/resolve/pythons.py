"""Whether a build has a wheel for a Python."""

from functools import cache

from cudafit.model.matrix import Build
from cudafit.model.versions import numbers
from cudafit.resolve.versions import admits_any


@cache
def has_wheel(pythons: tuple[str, ...], requires_python: str | None, python: str) -> bool:
    """`pythons` as the matrix writes them: `3.12`, `3.13t` (free-threaded), `3.9+` (stable ABI); none: any."""
    threads = "t" if python.endswith("t") else ""
    wanted = numbers(python)
    # `3.12` stands for its releases: a bound such as `!=3.14.1` must not decide about all of 3.14.
    told = ".".join(map(str, wanted)) if len(wanted) > 2 else f"{'.'.join(map(str, wanted))}.99"
    if requires_python and not admits_any(requires_python, told):
        return False
    if not pythons:
        return True
    for entry in pythons:
        if entry.endswith("+"):
            if not threads and wanted[:2] >= numbers(entry):
                return True
        elif entry.endswith("t") == bool(threads) and numbers(entry) == wanted[:2]:
            return True
    return False


def described(build: Build) -> str:
    """What `has_wheel` looks at, in words."""
    parts = [f"Python {', '.join(build.pythons)}"] if build.pythons else []
    if build.requires_python:
        parts.append(f"Python {build.requires_python}")
    return " and ".join(parts) or "any Python"
