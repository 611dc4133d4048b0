"""What is asked of a build of any framework: does the driver run it?"""

from collections.abc import Iterator

from cudafit.doctor.fixes import replace_build
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.finding import Evidence, Finding


def too_old(world: World, name: str, what: str, cuda: str, via: str) -> Iterator[Finding]:
    if world.host.kind.state != "gpu":
        return
    verdict = world.verdict(cuda)
    if verdict.compat is None and verdict.driver:
        yield kinds.driver.too_old_for_runtime.found(
            f"{what} is built for CUDA {cuda}, which needs driver {verdict.driver} or newer",
            (Evidence(f"{what} is built for CUDA {cuda}", via), world.driver_evidence),
            replace_build(world, name),
        )


def compiles(world: World, cuda: str | None) -> bool:
    return bool(cuda and world.verdict(cuda).ptx)
