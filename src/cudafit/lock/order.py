"""What is to be written: a fit with what it was asked for."""

from cudafit.errors import InputError
from cudafit.indexes import Indexes
from cudafit.model.fit import Pick, Resolution, Target
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted
from cudafit.system.secrets import redacted

CONDA = "conda-forge"
PYTORCH = "pytorch-"


@frozen
class Order:
    """A fit, the words of the request, and how it was asked for."""

    resolution: Resolution
    wanted: tuple[Wanted, ...]
    lines: tuple[str, ...] = ()  # of requirement files, for installers alone
    command: tuple[str, ...] = ()  # as it was typed, without secrets
    cudafit: str = ""  # the version that writes
    indexes: Indexes = Indexes()
    offline: bool = False
    name: str = "gpu"  # of environments and projects that are made from nothing
    toolkits: tuple[str, ...] = ()  # the releases of CUDA, as 12.6.3
    conda_names: frozenset[str] = frozenset()  # what conda-forge has under the name of the Python index

    @property
    def python(self) -> str:
        return self.resolution.python

    @property
    def picks(self) -> tuple[Pick, ...]:
        return self.resolution.picks

    @property
    def target(self) -> Target:
        """The one platform of a lock for one; raises InputError for a fit over several."""
        targets = self.resolution.targets
        if len(targets) != 1:
            names = ", ".join(target.platform for target in targets)
            raise InputError(
                f"this lock is for one platform, and the machines have {len(targets)}: {names}",
                hint="write one for each (`--machine` names the machines), or `-o conda-lock.yml`, which holds several",
            )
        return targets[0]

    @property
    def others(self) -> tuple[Wanted, ...]:
        """What was asked for and is none of the picks: passed on as it was written."""
        passed = {one.requirement for one in self.resolution.passed}
        return tuple(want for want in self.wanted if redacted(want.text) in passed)
