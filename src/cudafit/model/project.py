"""What a project's own files say that matters to its environment."""

from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted


@frozen
class Project:
    """The requirements of a folder, and the notebook cells that install with `!pip`."""

    wanted: tuple[Wanted, ...] = ()
    bang_pip: tuple[str, ...] = ()
