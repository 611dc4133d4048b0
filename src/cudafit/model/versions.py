"""Versions as NVIDIA writes them. Their raw text is kept: `580.65.06` is a driver, `580.65.6` is not."""

import re
from functools import cache


def dotted_version(text: object) -> str | None:
    """`text` when it is a version such as `550.54.15`; None for what stands in its place (`N/A`, `[Not Supported]`)."""
    return text if isinstance(text, str) and re.fullmatch(r"\d+(\.\d+)+", text) else None


def cuda_from_number(number: int) -> str:
    """CUDA writes its version as 1000 * major + 10 * minor: 12040 is 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}"


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts versions and numbered names as people read them: `cuda-12.10` after `cuda-12.9`."""
    return tuple(
        (0, int(part), "") if part.isdecimal() and len(part) < 19 else (1, 0, part)
        for part in re.findall(r"\d+|\D+", text)
    )


def major_minor(version: str) -> str:
    """`12.4.1` -> `12.4`."""
    return ".".join(version.split(".")[:2])


@cache
def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a dotted version, to compare two of the same kind: drivers, toolkits, capabilities."""
    return tuple(int(part) for part in re.findall(r"\d+", version))
