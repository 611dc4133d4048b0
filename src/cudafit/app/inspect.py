"""What this machine is, as far as it can be read."""

import os
from typing import TYPE_CHECKING

from cudafit.app.result import Result, Talk
from cudafit.errors import CudafitError, InputError, UndeterminedError
from cudafit.machine.saved import load, save
from cudafit.model.frozen import frozen
from cudafit.model.machine import SCHEMA, Machine
from cudafit.render.json_text import record_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cudafit.machine.question import Question
    from cudafit.render.row import Row


@frozen
class Request:
    """A snapshot in a file, the file system below `root`, or this machine. With `save_to` the file is the result."""

    machines: tuple[str, ...] = ()
    root: str | None = None
    deep: bool = False
    timeout_s: float = 8.0
    save_to: str | None = None


def inspect(request: Request, question: "Question | None", talk: Talk) -> Result:
    """`question` is what this machine's driver was asked; None where another one is meant."""
    _refuse(request)
    machine = _machine(request, question)
    if request.save_to:
        save(request.save_to, record_text(SCHEMA, machine))
        talk.say(f"saved to {request.save_to}")
    error = _undetermined(machine) if machine.undetermined else None
    return Result(
        SCHEMA,
        machine,
        _title(request),
        lambda: [] if request.save_to else _rows(machine),
        UndeterminedError.exit_code if error else 0,
        error,
    )


def _machine(request: Request, question: "Question | None") -> Machine:
    if request.machines:
        return load(request.machines[0])
    if request.root is not None:
        from cudafit.app.below import machine_below  # noqa: PLC0415 - for another root alone

        return machine_below(request.root)
    from cudafit.machine.context import this_machine  # noqa: PLC0415 - the probes, for this machine alone
    from cudafit.machine.snapshot import take  # noqa: PLC0415

    return take(this_machine(deep=request.deep, silence_s=request.timeout_s), question)


def _refuse(request: Request) -> None:
    """What cannot be meant; raises InputError."""
    if len(request.machines) > 1:
        raise InputError("inspect shows one machine, but `--machine` was given more than once")
    if request.machines and (request.root or request.deep):
        option = "--root" if request.root else "--deep"
        raise InputError(f"`--machine` shows a saved snapshot, so `{option}` has no meaning")
    if request.root is None:
        return
    if not os.path.isdir(request.root):
        raise InputError(f"`--root {request.root}`: there is no such folder")
    if request.deep:
        raise InputError("`--root` runs no program, so `--deep` has no meaning with it")


def _rows(machine: Machine) -> "Sequence[Row]":
    from cudafit.render.machine_rows import machine_rows  # noqa: PLC0415 - not for JSON

    return machine_rows(machine)


def _title(request: Request) -> str:
    if request.machines:
        return "snapshot from stdin" if request.machines[0] == "-" else f"snapshot {request.machines[0]}"
    return f"file system below {request.root}" if request.root else "this machine"


def _undetermined(machine: Machine) -> CudafitError:
    driver = machine.driver
    cause = [machine.undetermined or ""]
    hint = None
    if machine.os.container and not machine.device_nodes:
        hint = "start the container with its GPU; for docker: `docker run --gpus all …`"
    if driver and driver.kernel and driver.library and driver.kernel != driver.library:
        cause.append(f"kernel module {driver.kernel} (via {driver.kernel_via})")
        cause.append(f"library {driver.library} (via {driver.library_via})")
        hint = "reboot, so that the kernel loads the module of the installed version"
    return UndeterminedError("the driver could not be asked for its GPUs", cause=cause, hint=hint)
