"""The benchmark as verbs run it: `bench` itself, and the end of `create` and `repair`."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from cudafit import __version__
from cudafit.app.asked import WhichMachine
from cudafit.bench.payload import Order, frameworks_in
from cudafit.bench.run import run
from cudafit.errors import InputError
from cudafit.model.bench import NOT_VERIFIED, Bench, Cause, Device

if TYPE_CHECKING:
    from cudafit.model.environment import Environment
    from cudafit.model.machine import Machine

_MOST_FRAMEWORKS_AT_THE_END = 1


def benched(
    environment: "Environment",
    machine: "Machine",
    facts: Callable[..., Any],
    *,
    device: str,
    mode: str,
    timeout_s: float,
    say: Callable[[str], None],
    only: tuple[str, ...] = (),
) -> Bench:
    """Run it now; raises InputError where the environment cannot be run."""
    if environment.interpreter is None:
        raise InputError(f"`{environment.path}` has no interpreter, so nothing can be run in it")
    names = frameworks_in(one.name for one in environment.distributions)
    names = [name for name in names if not only or name in only]
    variables = {**os.environ, **(environment.kernel.variables if environment.kernel else {})}
    order = Order(environment.interpreter, device, mode, variables, timeout_s)
    bench = run(order, names, machine, facts("gpus", "pci_gpus", "bench_speeds", "bench_errors"), say)
    return replace(
        bench,
        environment=environment.path,
        date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        driver=machine.driver.version if machine.driver else None,
        cudafit=__version__,
    )


def verified(
    which: WhichMachine,
    environment: "Environment | None",
    machine: "Machine",
    facts: Callable[..., Any],
    say: Callable[[str], None],
) -> Bench:
    """The end of `create` and `repair`: a quick run of the first framework, where a GPU can be used."""

    def unverified(why: str, via: str) -> Bench:
        return Bench(NOT_VERIFIED, Device(None, None, None), (), (Cause(why, via),), mode="quick")

    if which.machines or which.driver or which.gpus:
        return unverified("the environment is for another machine, so it cannot be run here", "options")
    if environment is None or environment.interpreter is None:
        return unverified("there is no interpreter to run", "the environment")
    names = frameworks_in(one.name for one in environment.distributions)
    if not machine.gpus and not machine.undetermined:
        return unverified("no GPU here", "NVML")
    if not names:
        return unverified("it has no framework that computes on a GPU", "the environment")
    return benched(
        environment,
        machine,
        facts,
        device="cuda:0",
        mode="quick",
        timeout_s=120.0,
        say=say,
        only=tuple(names[:_MOST_FRAMEWORKS_AT_THE_END]),
    )


def found_a_problem(bench: Bench) -> bool:
    """A GPU that is there and was not used is a problem found, not a question left open."""
    return bench.verdict in ("wrong", "slow") or bool(bench.regressions) or bench.not_used
