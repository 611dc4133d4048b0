"""Doctor for the kernel that this runs in: its Python, its variables, its folder."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine, ask_driver
from cudafit.app.environments import described_environment, environment_of
from cudafit.app.environments import world as world_of
from cudafit.app.looking import look, seen_with
from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.errors import UndeterminedError
from cudafit.machine.processes import CUDA_FILE, opened_devices
from cudafit.model.finding import Report
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.frozen import frozen
from cudafit.render.doctor_rows import report_rows
from cudafit.render.row import Row


@frozen
class ThisKernel:
    """What doctor judges, and the environment in one line."""

    world: World
    described: str | None


def this_kernel() -> ThisKernel:
    """Reads files only, as `cudafit doctor` does: no framework is imported, nor is one asked that is imported."""
    if not sys.executable:
        raise UndeterminedError("this kernel does not say which Python it runs")
    which = WhichMachine()
    looked = look(which, WhichFacts(), ask_driver(which))
    looked = replace(looked, machine=seen_with(looked.machine, os.environ))
    environment = environment_of(WhichEnvironment(path=sys.executable), looked)
    described = None
    if environment:
        described = described_environment(environment).removesuffix(", named") + ", this kernel's"
    return ThisKernel(world_of(looked, environment), described)


def diagnosis() -> Report:
    here = this_kernel()
    return diagnose(here.world, described=here.described)


def doctor_rows(report: Report) -> list[Row]:
    rows = report_rows(report)
    place = next((at for at, row in enumerate(rows) if row.label == "environment"), len(rows) - 1)
    return [*rows[: place + 1], *_state_rows(), *rows[place + 1 :]]


def _state_rows() -> Iterator[Row]:
    """What is imported or started does not change any more in this kernel."""
    imported = [one.name for one in FRAMEWORKS if one.module in sys.modules]
    started = CUDA_FILE in (opened_devices(os.getpid()) or ())
    told = [*([f"{', '.join(imported)} imported"] if imported else []), *(["CUDA started"] if started else [])]
    if told:
        yield Row("kernel", f"{', '.join(told)}: restart it after a fix", "sys.modules, /proc")
