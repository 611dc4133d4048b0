"""conda, where a file names the environment: it is to say the same as the environment."""

from cudafit.doctor.managers.work import Told, Work
from cudafit.model.finding import Edit, Owner


def told(owner: Owner, work: Work) -> Told:
    if not work.needs:
        return Told()
    where = "among its `dependencies`" if work.conda else "below `pip:`"
    lines = tuple(f"- {one.requirement}" for one in work.needs)
    return Told((), (Edit(owner.declaration or "", where, lines),))
