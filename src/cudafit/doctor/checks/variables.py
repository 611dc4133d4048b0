"""Environment variables that hide the GPU or choose the CPU."""

from collections.abc import Iterator

from cudafit.doctor.fixes import unset
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.machine import Gpu
from cudafit.model.versions import number, numbers
from cudafit.render.counts import counted

CVD = "CUDA_VISIBLE_DEVICES"


def hidden(world: World) -> Iterator[Finding | Unchecked]:
    value = world.machine.environment.get(CVD)
    if value is None:
        return
    seen = world.machine.visible_devices
    evidence = (Evidence(f"{CVD}={value!r}", "environment"),)
    first = value.split(",")[0].strip()
    if first in ("", "-1", "none", "NoDevFiles"):
        yield kinds.env.cvd_empty.found(f"{CVD} hides every GPU", evidence, unset(CVD))
        return
    if not world.machine.gpus:
        yield Unchecked(f"{CVD} is set, and no GPU could be read that it could name")
        return
    for token in (part.strip() for part in value.split(",")):
        if token.isascii() and token.isdecimal() and number(token) >= len(world.machine.gpus):
            count = len(world.machine.gpus)
            many = f"there {'is' if count == 1 else 'are'} {count}"
            yield kinds.env.cvd_out_of_range.found(
                f"{CVD} names GPU {token}, and {many}: it and all after it are hidden",
                (*evidence, Evidence(f"{counted(count, 'GPU')}, numbered from 0", "nvml")),
                Fix(f"name GPUs from 0 to {count - 1}" if count > 1 else "name GPU 0", (("export", f"{CVD}=0"),)),
                severity=ERROR if not (seen and seen.order) else WARNING,
            )
            return
        if not token.lstrip("-").isdecimal() and not token.startswith(("GPU-", "MIG-")) and not token[:1].isdecimal():
            yield kinds.env.cvd_invalid.found(
                f"{CVD} holds `{token}`, which is neither a number nor a UUID",
                evidence,
                Fix("give numbers from 0, or UUIDs as `nvidia-smi -L` shows them", (("export", f"{CVD}=0"),)),
                severity=ERROR if not (seen and seen.order) else WARNING,
            )
            return


def mig(world: World) -> Iterator[Finding]:
    on = [gpu for gpu in world.machine.gpus if gpu.mig]
    if not on:
        return
    value = world.machine.environment.get(CVD, "")
    evidence = tuple(
        Evidence(f"GPU {gpu.index} is in MIG mode with {len(gpu.mig_devices)} slices", "nvml") for gpu in on
    )
    seen = world.machine.visible_devices
    without = [gpu for gpu in on if not gpu.mig_devices]
    if without:
        yield kinds.gpu.mig_needs_selection.found(
            f"GPU {without[0].index} is in MIG mode and has no slice",
            evidence,
            Fix("make one", (("nvidia-smi", "mig", "-cgi", "0", "-C"),), root=True),
        )
    elif value and "MIG-" not in value and seen and not seen.order:
        slices = [one.uuid for gpu in on for one in gpu.mig_devices if one.uuid]
        command = (("export", f"{CVD}={slices[0]}"),) if slices else ()
        yield kinds.gpu.mig_needs_selection.found(
            "the GPU is in MIG mode, and no slice is named",
            (*evidence, Evidence(f"{CVD}={value!r}", "environment")),
            Fix("name one slice; a process uses one", command),
        )
    elif not value and _torch_counts_more(world, on):
        slices = [one.uuid for gpu in on for one in gpu.mig_devices if one.uuid]
        yield kinds.gpu.mig_needs_selection.found(
            "torch counts every GPU, and CUDA shows one slice: name the slice",
            (*evidence, Evidence(f"{CVD} is not set", "environment")),
            Fix("name one slice; a process uses one", (("export", f"{CVD}={slices[0]}"),) if slices else ()),
        )
    else:
        yield kinds.info.mig_single_visible.found("a process uses one MIG slice, which is normal", evidence)


def _torch_counts_more(world: World, on: list[Gpu]) -> bool:
    """torch 2 counts GPUs by NVML, where a slice is none: with several GPUs in MIG mode it asks CUDA for one too many.

    "device >= 0 && device < num_gpus INTERNAL ASSERT FAILED": pytorch/pytorch issues 130181, 131650 and 131667.
    """
    torch = world.environment.torch if world.environment else None
    all_on = len(on) > 1 and len(on) == len(world.machine.gpus)
    return bool(torch and torch.has_cuda and all_on and torch.version and numbers(torch.version)[:1] >= (2,))


def forced_to_cpu(world: World) -> Iterator[Finding]:
    variables = world.machine.environment
    for name in ("JAX_PLATFORMS", "JAX_PLATFORM_NAME"):
        value = variables.get(name, "")
        if value.split(",")[0].strip().lower() == "cpu":
            yield kinds.env.jax_platforms_cpu.found(
                f"{name} makes JAX use the CPU",
                (Evidence(f"{name}={value}", "environment"),),
                unset(name),
            )
    value = variables.get("ACCELERATE_USE_CPU", "")
    if value.strip().lower() in ("1", "true", "yes", "on", "y", "t"):
        yield kinds.env.accelerate_use_cpu.found(
            "ACCELERATE_USE_CPU makes Accelerate use the CPU",
            (Evidence(f"ACCELERATE_USE_CPU={value}", "environment"),),
            unset("ACCELERATE_USE_CPU"),
        )


def accelerate_file(world: World) -> Iterator[Finding]:
    """`accelerate config` asks once, and the answer stays in a file."""
    path = world.environment.accelerate_cpu if world.environment else None
    if path and world.has_gpu and world.environment and world.environment.distribution("accelerate"):
        yield kinds.env.accelerate_use_cpu.found(
            "Accelerate's configuration file makes it use the CPU",
            (Evidence("use_cpu: true", path),),
            Fix(f"run `accelerate config` again, or edit {path}"),
        )


def old_torch_and_uuids(world: World) -> Iterator[Finding]:
    """torch 1.13 counted no device where the variable holds UUIDs."""
    value = world.machine.environment.get(CVD, "")
    torch = world.environment.torch if world.environment else None
    if torch and torch.version and numbers(torch.version)[:2] == (1, 13) and value.startswith(("GPU-", "MIG-")):
        yield kinds.torch.cvd_uuid_bug.found(
            f"torch {torch.version} finds no GPU where {CVD} holds UUIDs",
            (Evidence(f"{CVD}={value!r}", "environment"), Evidence(f"torch {torch.version}", torch.path)),
            Fix("use numbers, or a newer torch", (("export", f"{CVD}=0"),)),
        )
