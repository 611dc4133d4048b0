"""What is nowhere for certain, also where the linker's own folders could not be walked."""

import re
from collections.abc import Iterable

from cudafit.doctor.world import World
from cudafit.model.environment import NOT_LOOKED, Load

# Those that a snapshot of a machine records, where they are there.
_RECORDED = re.compile(r"lib(cudnn|nccl|cudart|cublas|nvinfer)\.so\.\d+")
_TOOLKIT = ("cudart", "cublas")


def nowhere(world: World, loads: Iterable[Load]) -> tuple[list[Load], list[Load]]:
    """Those that are missing, and those of which that is not known."""
    missing: list[Load] = []
    unknown: list[Load] = []
    libraries = world.machine.libraries
    names = [one.path.rpartition("/")[2] for one in libraries or ()]
    toolkit = any(one.name in _TOOLKIT for one in libraries or ())
    for load in loads:
        if load.path is not None or any(re.match(rf"{re.escape(load.soname)}(\.|$)", name) for name in names):
            continue
        if load.via != NOT_LOOKED:
            missing.append(load)
        elif libraries is None or (toolkit and not _RECORDED.fullmatch(load.soname)):
            unknown.append(load)  # the other libraries of a toolkit are not recorded
        else:
            missing.append(load)
    return missing, unknown
