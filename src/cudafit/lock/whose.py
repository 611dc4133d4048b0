"""Which of PyTorch's indexes a locked wheel is from: CUDA wheels for aarch64 have one name on all of them, and on the
default index a build for the CPU has it too. The address tells, and the hash, where locks quoted that wheel before."""

from collections.abc import Collection, Iterable, Iterator
from urllib.parse import urlsplit

from cudafit.lock.integrity import Integrity, Named
from cudafit.lock.order import PYTORCH
from cudafit.model.fit import Pick
from cudafit.model.matrix import QuotedWheels


def of_another_index(
    lock: Integrity, picks: Iterable[Pick], wheels: Iterable[QuotedWheels], indexes: Collection[str]
) -> Iterator[str]:
    """What a lock takes from another index than the one whose build fits."""
    wanted = {pick.name: pick for pick in picks if pick.index_name.startswith(PYTORCH)}
    known: dict[tuple[str, str], set[str]] = {}
    for row in wheels:
        for text in row.files if row.package in wanted else ():
            known.setdefault((row.package, text.rpartition("=")[2]), set()).add(row.index)
    for file in lock.files or ():
        pick = wanted.get(file.package)
        found = _by_address(file, indexes) or _by_hash(file, known) if pick else set()
        if pick and found and pick.index_name not in found:
            yield f"`{file.package}` is the wheel of {sorted(found)[0]}, and what fits is {pick.index_name}'s"


def _by_address(file: Named, indexes: Collection[str]) -> set[str]:
    """`…/whl/cu130/torchvision-0.24.1-….whl`."""
    parts = urlsplit(file.url or "").path.split("/")
    return {name for name in indexes if name.startswith(PYTORCH) and name.removeprefix(PYTORCH) in parts[-2:-1]}


def _by_hash(file: Named, known: dict[tuple[str, str], set[str]]) -> set[str]:
    """A pin has a hash for each file of its version: one that the wanted index has is enough."""
    return {name for one in file.hashes for name in known.get((file.package, one.removeprefix("sha256:")), ())}
