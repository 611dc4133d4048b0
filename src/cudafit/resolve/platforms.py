"""Whether a wheel's platform tags suit a machine's C library.

Sources: PEP 600 (manylinux_X_Y), PEP 513, 571 and 599 for the old names, PEP 656 (musllinux).
"""

import re
from functools import cache

from cudafit.model.versions import number, numbers

_OLD_NAMES = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


@cache
def libc_needed(tags: tuple[str, ...], libc: str | None) -> str | None:
    """What the wheels need and this machine does not have; None when one suits, or when nothing is known."""
    needs = [need for tag in tags if (need := _need(tag))]
    if not needs or len(needs) < len(tags) or libc is None:
        return None
    family, _, told = libc.partition(" ")
    version = numbers(told)[:2] or None
    if any(name == family and (version is None or version >= least) for name, least in needs):
        return None
    name, least = min(needs, key=lambda need: (need[0] != family, need[1]))
    return f"{name} {least[0]}.{least[1]} or newer"


@cache
def _need(tag: str) -> tuple[str, tuple[int, int]] | None:
    if match := re.match(r"(many|musl)linux_(\d+)_(\d+)_", tag):
        return ("glibc" if match[1] == "many" else "musl"), (number(match[2]), number(match[3]))
    if match := re.match(r"(manylinux(?:1|2010|2014))_", tag):
        return "glibc", _OLD_NAMES[match[1]]
    return None
