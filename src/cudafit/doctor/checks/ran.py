"""What the frameworks said themselves, where they were run (`--deep`)."""

from collections.abc import Iterator

from cudafit.doctor.world import Unchecked, World
from cudafit.model.environment import Ran
from cudafit.model.finding import ERROR, Evidence, Finding, Fix
from cudafit.system.commands import joined

LAYER = "framework"
# Words of a framework's error -> what they mean, and the finding whose page says more.
_MEANINGS = (
    ("no kernel image is available", "it has no kernels for this GPU", "torch.arch_unsupported_new"),
    ("CUDA driver version is insufficient", "the driver is older than its CUDA", "driver.too_old_for_runtime"),
    ("driver on your system is too old", "the driver is older than its CUDA", "driver.too_old_for_runtime"),
    ("system not yet initialized", "the GPU is not ready", "gpu.fabric_not_ready"),
    ("CUDA unknown error", "the driver has lost its state", "driver.uvm_stale"),
    ("Failed to find C compiler", "it compiles code, and there is no C compiler", "triton.no_c_compiler"),
    ("out of memory", "the GPU's memory is used up", "gpu.memory_held"),
    ("busy or unavailable", "another process holds the GPU alone", "gpu.exclusive_mode"),
    ("libcudnn", "its cuDNN cannot be loaded", "lib.cudnn_shadowed"),
    ("GLIBC_", "it needs a newer C library", "sys.glibc_too_old"),
    ("cannot open shared object file", "a library is missing", "torch.nvidia_dist_missing"),
    ("undefined symbol", "its parts are of different versions", "torch.companion_mismatch"),
    ("compiled using NumPy 1", "it was compiled for NumPy 1", "numpy.abi_mismatch"),
)


def ran(world: World) -> Iterator[Finding | Unchecked]:
    environment = world.environment
    if environment is None or environment.ran is None:
        return
    for one in environment.ran:
        yield from _judged(one, world, environment.interpreter or "python")


def _judged(one: Ran, world: World, interpreter: str) -> Iterator[Finding | Unchecked]:
    what = f"{one.framework} {one.version or ''}".strip()
    if one.error:
        meaning, page = next(((told, page) for words, told, page in _MEANINGS if words in one.error), (None, None))
        did = "failed at its first operation on the GPU" if one.imported else "cannot be imported"
        command = ("cudafit", "explain", page) if page else ()
        fix = Fix(f"see `{joined(command)}`", (command,)) if command else None
        name = "run.operation_failed" if one.imported else "run.import_failed"
        title = f"{what} {did}" + (f": {meaning}" if meaning else "")
        yield Finding(name, ERROR, LAYER, title, (Evidence(one.error, interpreter),), fix)
    elif one.devices == 0 and world.visible:
        seen = (Evidence(f"{what} sees 0 GPUs", interpreter), Evidence(f"{len(world.visible)} are visible", "nvml"))
        yield Finding("run.gpu_not_seen", ERROR, LAYER, f"{what} runs and sees no GPU", seen)
    elif one.devices is not None and len(one.worked) < one.devices:
        bad = [index for index in range(one.devices) if index not in one.worked]
        evidence = (Evidence(f"a matrix product was wrong on GPU {bad[0]}", interpreter),)
        yield Finding("run.operation_failed", ERROR, LAYER, f"{what} computes wrongly on GPU {bad[0]}", evidence)
