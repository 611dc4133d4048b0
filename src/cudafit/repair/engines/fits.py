"""The builds that a wish asks for."""

from cudafit.doctor.world import World
from cudafit.errors import CudafitError
from cudafit.model.finding import Wish
from cudafit.model.fit import CPU, Resolution
from cudafit.render.resolve_rows import error_of
from cudafit.resolve.answer import resolve
from cudafit.resolve.request import Request


def fit_for(wish: Wish, request: Request, world: World) -> Resolution:
    """Raises CudafitError where nothing fits, or nothing that would use the GPU."""
    answer = resolve(request, [world.host], world.facts.book)
    if error := error_of(answer):
        raise error
    if answer.status == CPU and world.has_gpu and wish.change.choose:
        raise CudafitError("no build for the GPU fits this environment", cause=[answer.reason or ""])
    return answer
