"""What the frameworks said themselves, where they were run (`--deep`)."""

from collections.abc import Iterator

from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.environment import Ran
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.system.commands import joined

# Words of a framework's error -> what they mean, and the finding whose page says more.
_MEANINGS = (
    ("no kernel image is available", "it has no kernels for this GPU", kinds.torch.arch_unsupported_new),
    ("CUDA driver version is insufficient", "the driver is older than its CUDA", kinds.driver.too_old_for_runtime),
    ("driver on your system is too old", "the driver is older than its CUDA", kinds.driver.too_old_for_runtime),
    ("system not yet initialized", "the GPU is not ready", kinds.gpu.fabric_not_ready),
    ("CUDA unknown error", "the driver has lost its state", kinds.driver.uvm_stale),
    ("Failed to find C compiler", "it compiles code, and there is no C compiler", kinds.triton.no_c_compiler),
    ("out of memory", "the GPU's memory is used up", kinds.gpu.memory_held),
    ("busy or unavailable", "another process holds the GPU alone", kinds.gpu.exclusive_mode),
    ("libcudnn", "its cuDNN cannot be loaded", kinds.lib.cudnn_shadowed),
    ("GLIBC_", "it needs a newer C library", kinds.sys.glibc_too_old),
    ("cannot open shared object file", "a library is missing", kinds.torch.nvidia_dist_missing),
    ("undefined symbol", "its parts are of different versions", kinds.torch.companion_mismatch),
    ("compiled using NumPy 1", "it was compiled for NumPy 1", kinds.numpy.abi_mismatch),
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
        command = ("cudafit", "explain", page.id) if page else ()
        fix = Fix(f"see `{joined(command)}`", (command,)) if command else None
        kind = kinds.run.operation_failed if one.imported else kinds.run.import_failed
        title = f"{what} {did}" + (f": {meaning}" if meaning else "")
        yield kind.found(title, (Evidence(one.error, interpreter),), fix)
    elif one.devices == 0 and world.visible:
        seen = (Evidence(f"{what} sees 0 GPUs", interpreter), Evidence(f"{len(world.visible)} are visible", "nvml"))
        yield kinds.run.gpu_not_seen.found(f"{what} runs and sees no GPU", seen)
    elif one.devices is not None and len(one.worked) < one.devices:
        bad = [index for index in range(one.devices) if index not in one.worked]
        evidence = (Evidence(f"a matrix product was wrong on GPU {bad[0]}", interpreter),)
        yield kinds.run.operation_failed.found(f"{what} computes wrongly on GPU {bad[0]}", evidence)
