"""The plan of a repair with the lock that it installs: what resolve picks, what uv makes of the rest, and the sizes."""

from collections.abc import Mapping
from dataclasses import replace

from cudafit.doctor.world import World
from cudafit.errors import CudafitError
from cudafit.indexes import Indexes
from cudafit.lock.order import PYTORCH, Order
from cudafit.lock.requirements_txt import entry
from cudafit.lock.sizes import sizes_of
from cudafit.lock.uv import compiled
from cudafit.model.environment import Environment
from cudafit.model.fit import CPU
from cudafit.model.frozen import frozen
from cudafit.model.plan import Plan, Wish
from cudafit.render.resolve_rows import error_of
from cudafit.render.sizes import size_text
from cudafit.repair.plan import changed, plan_of, preferred, request_of, with_sizes
from cudafit.repair.room import room_needed
from cudafit.resolve.answer import resolve


@frozen
class Prepared:
    """A plan, and the requirement file with hashes that brings in what changes."""

    plan: Plan
    lock: str


# What is installed takes more than its wheel, which is packed.
_UNPACKED = 1.5


def check_space(plan: Plan) -> None:
    """Raises CudafitError, with numbers, where neither the snapshot nor what comes in would fit."""
    needed = room_needed(plan.environment)
    coming = sum(step.size or 0 for step in plan.steps)
    wanted = needed.bytes + int(coming * _UNPACKED)
    if wanted > needed.free_bytes:
        raise CudafitError(
            f"there is no room to repair `{plan.environment}`",
            cause=[
                f"{size_text(wanted)} are needed: {size_text(needed.bytes)} for the snapshot, and about "
                f"{size_text(wanted - needed.bytes)} for what comes in",
                f"{size_text(needed.free_bytes)} are free on its file system",
            ],
            hint="free some space there",
        )


def prepare(
    wish: Wish, world: World, environment: Environment, indexes: Indexes, environ: Mapping[str, str]
) -> Prepared:
    """Raises CudafitError where nothing fits, the packages do not go together, or an index does not answer."""
    library = world.facts
    request = request_of(wish, environment, library)
    answer = resolve(request, [world.host], library.book)
    if error := error_of(answer):
        raise error
    if answer.status == CPU and world.has_gpu and wish.choose:
        raise CudafitError("no build for the GPU fits this environment", cause=[answer.reason or ""])
    order = Order(resolution=answer, wanted=request.wanted, indexes=indexes)
    made = compiled(order, environ, preferred=preferred(environment, wish, library))
    elsewhere = {pick.name: pick.index_name for pick in answer.picks if pick.index_name.startswith(PYTORCH)}
    plan = plan_of(wish, environment, library, {one.name: one.version for one in made.packages}, elsewhere)
    coming = {step.package for step in changed(plan)}
    packages = [one for one in made.packages if one.name in coming]
    sized = with_sizes(replace(plan, warnings=answer.warnings), sizes_of(packages, order))
    return Prepared(sized, "".join(entry(one, order) for one in packages))
