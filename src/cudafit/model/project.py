"""What a project's own files say that matters to its environment."""

from cudafit.model.container_files import ContainerFiles
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted


@frozen
class Project:
    """The requirements of a folder, the notebook cells that install with `!pip`, and container files by their names."""

    wanted: tuple[Wanted, ...] = ()
    bang_pip: tuple[str, ...] = ()
    containers: ContainerFiles | None = None
    unread: tuple[str, ...] = ()  # what could not be read, and why
