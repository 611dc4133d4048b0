"""What a probe is: a name, the systems that have what it reads, and how it is read."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

from cudafit.machine.context import Context
from cudafit.model.frozen import frozen

T = TypeVar("T")
Read_co = TypeVar("Read_co", covariant=True)
LINUX = ("linux",)
EVERY = ("linux", "windows", "macos")


class Readings:
    """What was read so far, by probe: a later one may build on an earlier one."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._read: dict[str, Any] = {}

    def take(self, probes: "Iterable[Probe[Any]]") -> None:
        for probe in probes:
            if probe.is_for(self.context):
                self._read[probe.name] = probe.read(self.context, self)

    def __getitem__(self, probe: "Probe[T]") -> "T | None":
        """None: it was not asked, or it does not know."""
        return self._read.get(probe.name)

    def sure(self, probe: "Probe[T]") -> T:
        """Of one that every system answers."""
        return cast(T, self._read[probe.name])


@frozen
class Probe(Generic[Read_co]):
    """`told`: whether it is said where the system has nothing for it to read."""

    name: str
    systems: tuple[str, ...]
    read: Callable[[Context, Readings], "Read_co | None"]
    told: bool = True

    def is_for(self, context: Context) -> bool:
        return context.system in self.systems or self.systems == EVERY
