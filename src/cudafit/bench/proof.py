"""Whether a process used the GPU, by what was seen from outside of it. Pure.

What a framework says of itself is no proof: NVML lists the processes that hold a context. In a container the ids that
it lists are those of the host, and on WSL it lists none; there, what the process has opened and the growth of the
device's memory tell.
"""

from collections.abc import Sequence

from cudafit.model.bench import Proof
from cudafit.model.frozen import frozen

NVML = "nvml"
FILES_AND_MEMORY = "device files and memory"

# A driver that rounds and another process that ends must not tip the scale.
_GROWN_SHARE = 0.75


@frozen
class Sighting:
    """One look at a GPU. `processes` is None where NVML does not list them."""

    processes: tuple[int, ...] | None = None
    memory_used_mib: int | None = None
    opened: tuple[str, ...] | None = None  # device files that the process has open; None: not to be read


def prove(
    pid: int, before: Sighting, during: Sequence[Sighting], held_mib: int, *, ids_are_ours: bool, where: str
) -> Proof:
    """`ids_are_ours`: NVML and this program call a process by the same number. `where`: the GPU, for people."""
    if not during:
        return Proof(None, None, ("the GPU was not seen while the process ran",))
    if any(pid in (one.processes or ()) for one in during):
        return Proof(True, NVML, (f"NVML lists process {pid} on {where}",))
    listed = [one.processes for one in during if one.processes is not None]
    if ids_are_ours and listed:
        others = sorted({one for processes in listed for one in processes})
        told = f"processes {', '.join(map(str, others))}" if others else "no process"
        return Proof(False, NVML, (f"NVML lists {told} on {where}, and not {pid}",))
    return _by_files_and_memory(pid, before, during, held_mib)


def _by_files_and_memory(pid: int, before: Sighting, during: Sequence[Sighting], held_mib: int) -> Proof:
    opened = next((one.opened for one in reversed(during) if one.opened is not None), None)
    used = [one.memory_used_mib for one in during if one.memory_used_mib is not None]
    grown = max(used) - before.memory_used_mib if used and before.memory_used_mib is not None else None
    evidence = []
    if opened is not None:
        evidence.append(f"process {pid} has open: {', '.join(opened) or 'no device file of a GPU'}")
    if grown is not None:
        evidence.append(f"the GPU's memory grew by {grown} MiB, of which {held_mib} were asked for")
    if opened == ():
        return Proof(False, FILES_AND_MEMORY, tuple(evidence))
    if opened and grown is not None:
        if grown >= held_mib * _GROWN_SHARE:
            return Proof(True, FILES_AND_MEMORY, tuple(evidence))
        return Proof(False, FILES_AND_MEMORY, tuple(evidence))
    return Proof(None, None, (*evidence, "NVML does not list processes by the ids that they have here"))
