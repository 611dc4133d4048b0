"""Versions as NVIDIA writes them. Their raw text is kept: `580.65.06` is a driver, `580.65.6` is not."""

import re
from functools import cache

_LONGEST = 19
# Not only what is far above a hash of forty digits: by an environment variable Python's limit may be as low as 640.
_ENDLESS = re.compile(r"\d{501}")


def dotted_version(text: object) -> str | None:
    """`text` when it is a version such as `550.54.15`; None for what stands in its place (`N/A`, `[Not Supported]`)."""
    return text if isinstance(text, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)+", text) else None


def cuda_from_number(number: int) -> str:
    """CUDA writes its version as 1000 * major + 10 * minor: 12040 is 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}"


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts versions and numbered names as people read them: `cuda-12.10` after `cuda-12.9`."""
    return tuple(
        (0, int(part), "") if part.isdecimal() and len(part) < _LONGEST else (1, 0, part)
        for part in re.findall(r"\d+|\D+", text)
    )


def major_minor(version: str) -> str:
    """`12.4.1` -> `12.4`."""
    return ".".join(version.split(".")[:2])


@cache
def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a dotted version, to compare two of the same kind: drivers, toolkits, capabilities."""
    return tuple(number(part) for part in re.findall(r"[0-9]+", version))


def number(digits: str) -> int:
    """Its value; one of more digits than any version has is larger than all, and how large is not asked. Python itself
    refuses to turn thousands of digits into a number."""
    return int(digits) if len(digits) < _LONGEST else 10**_LONGEST


def is_version(text: str) -> bool:
    """Whether a text may be the version of a package, by how it begins and by its numbers: it need not be PEP 440's."""
    return re.match(r"v?[0-9]", text, re.I | re.ASCII) is not None and is_sane(text)


def is_sane(text: str) -> bool:
    """Whether the numbers in a version, or in a specifier, are such that Python computes with them."""
    return not _ENDLESS.search(text)
