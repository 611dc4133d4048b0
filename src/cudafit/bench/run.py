"""A whole run: each framework of an environment in turn, watched from outside, then judged."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cudafit.bench.payload import Order, run_payload
from cudafit.bench.peaks import Peaks, peaks_of
from cudafit.bench.proof import prove
from cudafit.bench.verdict import CPU, judge
from cudafit.bench.watch import Ask, Watch, gpu_of, load_of, sighting
from cudafit.machine.nvml import Reading, interpret
from cudafit.machine.processes import read_process
from cudafit.machine.question import ask as ask_nvml
from cudafit.model.bench import FAILED, NOT_VERIFIED, Bench, Cause, Device, Load, Proof
from cudafit.model.machine import Gpu, Machine
from cudafit.model.matrix import Facts
from cudafit.system.scratch import scratch

_NVML_SILENCE_S = 8.0

Say = Callable[[str], None]


def run(order: Order, frameworks: Sequence[str], machine: Machine, facts: Facts, say: Say) -> Bench:
    """Where there is no GPU to use, nothing is run, and nothing is verified."""
    start = time.monotonic()
    bench = (
        _on_cpu(order, frameworks, facts, say)
        if order.device == CPU
        else _on_gpu(order, frameworks, machine, facts, say)
    )
    return replace(bench, seconds=round(time.monotonic() - start, 1), mode=order.mode)


def _on_cpu(order: Order, frameworks: Sequence[str], facts: Facts, say: Say) -> Bench:
    runs = []
    for name in frameworks:
        say(f"{name} computes on the CPU")
        runs.append(run_payload(order, name, len(frameworks), lambda _pid, _held: None, None))
    device = Device("CPU", None, None, CPU, CPU)
    return judge(device, runs, Peaks(), facts, Load())


def _on_gpu(order: Order, frameworks: Sequence[str], machine: Machine, facts: Facts, say: Say) -> Bench:
    ask = _asker(order.environ)
    found = visible(machine, int(order.device.partition(":")[2]))
    if isinstance(found, Cause):
        return Bench(NOT_VERIFIED, Device(None, None, None, "cuda", order.device), (), (found,))
    gpu, part = found
    name = gpu.name or f"GPU {gpu.index}"
    for other in gpu.processes or ():
        if other.kind == "compute":
            say(f"warning: {_named(other.pid)} computes on {name} as well")
    runs, proofs, gpus, pids = [], [], [], []
    for framework in frameworks:
        say(f"{framework} computes on {name}")
        before = gpu_of(ask(), gpu.index) or gpu
        with scratch() as folder:
            hold = os.path.join(folder, "hold")
            with open(hold, "w", encoding="utf-8"):
                pass
            watch = Watch(ask, gpu.index, hold)
            runs.append(run_payload(order, framework, len(frameworks), watch.begin, hold))
            watch.end()
        if watch.pid:
            proofs.append(
                prove(
                    watch.pid,
                    sighting(before),
                    watch.sightings,
                    watch.held_mib,
                    ids_are_ours=machine.os.container is None and not machine.os.wsl,
                    where=name,
                )
            )
            gpus += watch.gpus
            pids.append(watch.pid)
    proof = whole(proofs)
    load = load_of(gpus, pids, _named)
    peaks = peaks_of(gpu, facts, slice_of_mig=bool(gpu.mig))
    device = Device(
        name, proof.used_gpu, proof.proof, "cuda", order.device, part or gpu.uuid, proof.evidence, peaks.model
    )
    bench = judge(device, runs, peaks, facts, load)
    return with_lost(
        with_others(bench, [_named(one.pid) for one in gpu.processes or () if one.kind == "compute"]), ask, gpu
    )


def visible(machine: Machine, number: int) -> tuple[Gpu, str | None] | Cause:
    """The GPU that CUDA calls by this number, and the UUID of the MIG slice if it is one; or why there is none."""
    if machine.undetermined:
        return Cause(f"the GPUs could not be determined: {machine.undetermined}", "NVML")
    if not machine.gpus:
        return Cause("no GPU here", "NVML")
    if machine.visible_devices is None:
        order: tuple[int | str, ...] = tuple(gpu.index for gpu in machine.gpus)
    else:
        order = machine.visible_devices.order
    if number >= len(order):
        told = f", by {machine.visible_devices.variable}" if machine.visible_devices else ""
        return Cause(f"there is no cuda:{number}: CUDA sees {len(order)} of {len(machine.gpus)} GPUs{told}", "NVML")
    wanted = order[number]
    for gpu in machine.gpus:
        if gpu.index == wanted:
            return gpu, None
        if any(part.uuid == wanted for part in gpu.mig_devices):
            return gpu, str(wanted)
    return Cause(f"which GPU cuda:{number} is could not be told", "NVML")


def whole(proofs: Sequence[Proof]) -> Proof:
    """Of several frameworks: used by all, or by the first that did not, or not seen."""
    for doubtful in (False, None):
        if found := next((one for one in proofs if one.used_gpu is doubtful), None):
            return found
    if not proofs:
        return Proof(None, None, ("no framework came so far as to compute",))
    return Proof(True, proofs[0].proof, tuple(line for one in proofs for line in one.evidence))


def with_others(bench: Bench, others: Sequence[str]) -> Bench:
    """Where memory did not suffice, those who have it are named."""
    texts = [one.error for one in bench.frameworks] + [one.note for one in bench.results]
    if not others or not any("memory" in (text or "").lower() for text in texts):
        return bench
    busy = Cause(f"others compute on the GPU, and hold memory of it: {', '.join(others[:5])}", "NVML's process list")
    return replace(bench, causes=(*bench.causes, busy))


def with_lost(bench: Bench, ask: Ask, gpu: Gpu) -> Bench:
    """A GPU that was there before, and that the driver cannot reach any more, explains what failed."""
    if all(one.error is None for one in bench.frameworks) and not any(one.status == FAILED for one in bench.results):
        return bench
    reading = ask()
    after = gpu_of(reading, gpu.index)
    if after is not None and after.uuid == gpu.uuid and "handle" not in after.unread:
        return bench
    why = (after.unread.get("handle") if after else None) or reading.error or "it is not listed any more"
    lost = Cause(f"the GPU fell off the bus while it worked: {why}", "NVML after the run")
    return replace(bench, causes=(lost, *bench.causes))


def _asker(environ: Mapping[str, str]) -> Ask:
    def ask() -> Reading:
        question = ask_nvml(environ, _NVML_SILENCE_S)
        return interpret(question.answer()) if question else Reading(error="there is no NVML on this system")

    return ask


def _named(pid: int) -> str:
    found = read_process(pid)
    return f"process {pid} ({found.name})" if found else f"process {pid}"
