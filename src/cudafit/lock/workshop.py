"""What the files are made from: fits, compiled or solved once, however many files need it."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cudafit.errors import InputError
from cudafit.lock.formats.format import CONDA, IMAGE, PIP, Format
from cudafit.lock.order import Order
from cudafit.system.commands import command_text

if TYPE_CHECKING:
    from cudafit.lock.conda_solve import Solved
    from cudafit.lock.uv import Compiled

Output = tuple[str, Format]


class Workshop:
    """For the files of one command. `order` gives the fit of a kind, `pip` or `conda`."""

    def __init__(self, order: Callable[[str], Order], outputs: Sequence[Output]) -> None:
        self.order = order
        self._outputs = outputs

    @cache  # noqa: B019 - lives as long as one command
    def compiled(self) -> "Compiled":
        """Python's side, as uv locks it. Raises CudafitError."""
        from cudafit.lock.uv import compiled  # noqa: PLC0415 - for locks alone

        return compiled(self.order(PIP))

    @cache  # noqa: B019 - lives as long as one command
    def solved(self, path: str) -> "tuple[Solved, ...]":
        """conda's side, for each platform. Raises CudafitError, also where no channel may be asked."""
        from cudafit.lock.conda_solve import solved  # noqa: PLC0415 - for locks alone

        order = self.order(CONDA)
        if order.offline:
            raise InputError(
                f"`-o {path}`: a conda lock has an address and a hash for each package, which only the channel knows",
                hint="leave out `--offline`, or write `-o environment.yml`",
            )
        return solved(order)

    def any_order(self) -> Order:
        """For files that name no package: the fit of the first file that does."""
        kinds = [form.kind for _, form in self._outputs if form.kind != IMAGE]
        return self.order(kinds[0] if kinds else PIP)

    def installed_by(self, path: str) -> Output:
        """The lock that an image installs: the strictest of those written beside it. Raises InputError for none."""
        ranked = [(form.in_image.rank, lock, form) for lock, form in self._outputs if form.in_image]
        if not ranked:
            raise InputError(
                f"`-o {path}` installs a lock, and none is written with it",
                hint=f"add one: `{command_text('-o', 'requirements.txt', '-o', path)}`",
            )
        _, lock, form = min(ranked, key=lambda one: one[0])
        return lock, form

    def dockerfile(self) -> str:
        """The Dockerfile that other container files build from."""
        return next((path for path, form in self._outputs if form.name == "dockerfile"), "Dockerfile")
