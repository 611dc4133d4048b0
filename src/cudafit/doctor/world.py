"""What a check looks at: the machine, the environment, and the facts; with the questions that several checks ask."""

import re
from dataclasses import replace
from functools import cached_property

from cudafit.model.environment import Environment
from cudafit.model.finding import Evidence
from cudafit.model.fit import FORWARD
from cudafit.model.frozen import frozen
from cudafit.model.gpu_names import spoken
from cudafit.model.machine import Gpu, Library, Machine
from cudafit.model.matrix import ArchitectureSupport
from cudafit.model.project import Project
from cudafit.model.versions import numbers
from cudafit.resolve.drivers import Verdict
from cudafit.resolve.host import Host, host_of
from cudafit.resolve.kernels import Capability, capability
from cudafit.resolve.problem import Library as Facts


class World:
    """One machine with one environment, or with none."""

    def __init__(
        self,
        machine: Machine,
        environment: Environment | None,
        facts: Facts,
        project: Project | None = None,
        *,
        on_paper: bool = False,
    ) -> None:
        self.machine = machine
        self.on_paper = on_paper  # what a remedy would make of it: nobody asks for remedies of that
        self.project = project or Project()
        self.environment = environment
        self.facts = facts

    def with_environment(self, environment: Environment) -> "World":
        """The same machine and project with the environment as a remedy would make it."""
        return World(self.machine, environment, self.facts, self.project, on_paper=True)

    @cached_property
    def host(self) -> Host:
        """The machine as the rules of fitting see it."""
        return host_of(self.machine, "this machine", self.facts.book.facts)

    @cached_property
    def has_gpu(self) -> bool | None:
        """Whether an NVIDIA GPU is there, driven or not; None where that could not be read."""
        if self.machine.gpus or self.machine.pci or self.machine.os.tegra:
            return True
        if self.machine.undetermined or (self.machine.pci is None and self.machine.os.system == "linux"):
            return None
        return False

    @property
    def visible(self) -> tuple[Gpu, ...]:
        return tuple(gpu for gpu in self.machine.gpus if gpu.visible)

    @cached_property
    def capabilities(self) -> tuple[tuple[int, Capability], ...]:
        """Index and capability of each visible GPU whose capability is known."""
        return tuple((card.index, card.capability) for card in self.host.cards if card.capability)

    def architecture(self, gpu: Capability) -> ArchitectureSupport | None:
        text = f"{gpu[0]}.{gpu[1]}"
        return next((row for row in self.facts.facts.architectures if text in row.capabilities), None)

    @cached_property
    def cards_on_the_bus(self) -> tuple[tuple[str, str, Capability], ...]:
        """Address, name and capability of each card by its PCI id: a driver that ignores a card does not list it."""
        there = {device.address: device.device_id.removeprefix("10de:").lower() for device in self.machine.pci or ()}
        if not there:
            return ()
        ids = set(there.values())
        known = {row.device: row for row in self.facts.book.facts("pci_gpus").pci_gpus if row.device in ids}
        return tuple(
            (address, spoken(row.name), capability(row.compute_capability))
            for address, device in there.items()
            if (row := known.get(device))
        )

    def verdict(self, cuda: str) -> Verdict:
        """What the driver can do with a build for this CUDA: `12.6`, or `12` for all of 12."""
        parts = numbers(cuda)
        wanted = (parts[0], parts[1] if len(parts) > 1 else None)
        found = self.facts.drivers.verdict(wanted, self.host.kind)
        if found.compat is None and self.bridged and self.bridged >= (wanted[0], wanted[1] or 0):
            return Verdict(FORWARD, ptx=True)
        return found

    @cached_property
    def bridged(self) -> tuple[int, int] | None:
        """The CUDA of a forward-compatibility libcuda that is found first, and serves these cards with this driver.

        CUDA Compatibility guide, "Forward Compatibility": Linux, data-centre GPUs, drivers of long-term and production
        branches. The copy's own file name tells its version; without that, what it does is not known.
        """
        first, kind = self.library("libcuda"), self.host.kind
        if first is None or "/compat" not in first.place or not first.version:
            return None
        if not kind.data_centre or kind.wsl or kind.tegra or not kind.driver or not kind.platform.startswith("linux"):
            return None
        if not self.facts.drivers.production(kind.driver):
            return None
        return self.facts.drivers.limit(replace(kind, driver=first.version, cuda=None))

    @property
    def worked(self) -> bool:
        """Whether a framework was run, and computed on a GPU."""
        ran = self.environment.ran if self.environment else None
        return any(one.worked and not one.error for one in ran or ())

    def logged(self, pattern: str) -> list[str]:
        """The lines of the kernel log in which this is found."""
        return [line.strip() for line in self.machine.kernel_log or () if re.search(pattern, line)]

    def library(self, name: str) -> Library | None:
        """The library that the loader finds first outside of the environment."""
        return next((one for one in self.machine.libraries or () if one.name == name), None)

    @property
    def driver_evidence(self) -> Evidence:
        driver = self.machine.driver
        if driver is None:
            return Evidence("no NVIDIA driver", "nvml, /proc/driver/nvidia")
        limit = self.facts.drivers.limit_text(self.host.kind)
        told = f" (CUDA {limit})" if limit else ", which is older than the facts reach" if self._is_ancient else ""
        return Evidence(f"driver {driver.version}{told}", driver.via or "nvml")

    @property
    def _is_ancient(self) -> bool:
        return self.facts.drivers.limit(self.host.kind) == (0, 0)

    def gpu_evidence(self, index: int) -> Evidence:
        card = next(card for card in (*self.host.cards, *self.host.hidden) if card.index == index)
        via = next((gpu.via for gpu in self.machine.gpus if gpu.index == index and gpu.via), "nvml")
        return Evidence(f"GPU {index}: {card.label}", via)


@frozen
class Unchecked:
    """What a check yields where it could not look."""

    reason: str
