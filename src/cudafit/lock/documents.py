"""Each file that was asked for, as text: none is written before all of them are made."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cudafit.errors import InputError
from cudafit.lock.formats import CONDA, IMAGE, PIP, Format
from cudafit.lock.order import Order
from cudafit.lock.write import Document
from cudafit.system.commands import command_text

if TYPE_CHECKING:
    from cudafit.lock.conda_solve import Solved
    from cudafit.lock.uv import Compiled

Output = tuple[str, Format]


def documents(outputs: Sequence[Output], order: Callable[[str], Order]) -> list[Document]:
    """`order` gives the fit of a kind, `pip` or `conda`. Raises CudafitError."""
    maker = _Maker(order, outputs)
    return [maker.document(path, form) for path, form in outputs]


class _Maker:
    """Makes the texts; what several of them need is compiled or solved once."""

    def __init__(self, order: Callable[[str], Order], outputs: Sequence[Output]) -> None:
        self._order = order
        self._outputs = outputs

    def document(self, path: str, form: Format) -> Document:
        text, packages, edits = getattr(self, "_" + form.name.replace("-", "_"))(path)
        return Document(path, form.name, text, packages, edits)

    @cache  # noqa: B019 - lives as long as one command
    def _compiled(self) -> "Compiled":
        from cudafit.lock.uv import compiled  # noqa: PLC0415

        return compiled(self._order(PIP))

    def _requirements(self, _path: str) -> tuple[str, int, bool]:
        from cudafit.lock.requirements_txt import offline_text, requirements_text  # noqa: PLC0415

        order = self._order(PIP)
        if order.offline:
            return offline_text(order), len(order.picks), False
        locked = self._compiled()
        return requirements_text(order, locked), len(locked.packages), False

    def _pylock(self, path: str) -> tuple[str, int, bool]:
        from cudafit.lock.pylock import pylock_text  # noqa: PLC0415

        order = self._order(PIP)
        if order.offline:
            raise InputError(
                f"`-o {path}`: a pylock has an address and a hash for each file, which only the index knows",
                hint="leave out `--offline`, or write `-o requirements.txt`",
            )
        locked = self._compiled()
        return pylock_text(order, locked), len(locked.packages), False

    def _pyproject(self, path: str) -> tuple[str, int, bool]:
        from cudafit.lock.pyproject_toml import pyproject_text  # noqa: PLC0415
        from cudafit.lock.write import current  # noqa: PLC0415

        order = self._order(PIP)
        return pyproject_text(order, current(path, errors="strict"), path), len(order.picks), True

    def _environment(self, _path: str) -> tuple[str, int, bool]:
        from cudafit.lock.environment_yml import environment_text  # noqa: PLC0415

        order = self._order(CONDA)
        return environment_text(order), len(order.picks), False

    def _pixi(self, _path: str) -> tuple[str, int, bool]:
        from cudafit.lock.pixi_toml import pixi_text  # noqa: PLC0415

        order = self._order(CONDA)
        return pixi_text(order), len(order.picks), False

    @cache  # noqa: B019 - lives as long as one command
    def _solved(self, path: str) -> "tuple[Solved, ...]":
        from cudafit.lock.conda_solve import solved  # noqa: PLC0415

        order = self._order(CONDA)
        if order.offline:
            raise InputError(
                f"`-o {path}`: a conda lock has an address and a hash for each package, which only the channel knows",
                hint="leave out `--offline`, or write `-o environment.yml`",
            )
        return solved(order)

    def _conda_lock(self, path: str) -> tuple[str, int, bool]:
        from cudafit.lock.conda_lock_yml import conda_lock_text  # noqa: PLC0415

        text, packages = conda_lock_text(self._order(CONDA), self._solved(path), path)
        return text, packages, False

    def _explicit(self, path: str) -> tuple[str, int, bool]:
        from cudafit.lock.explicit_txt import explicit_text  # noqa: PLC0415

        order = self._order(CONDA)
        (only,) = [one for one in self._solved(path) if one.target == order.target]
        return explicit_text(order, only), len(only.records), False

    def _dockerfile(self, path: str) -> tuple[str, int, bool]:
        from cudafit.lock.containers import dockerfile_text  # noqa: PLC0415

        lock, form = self._copied(path)
        return dockerfile_text(self._order(form.kind), path, lock, form.name), 0, False

    def _compose(self, path: str) -> tuple[str, int, bool]:
        from cudafit.lock.containers import compose_text  # noqa: PLC0415

        return compose_text(self._any_order(), self._dockerfile_path("Dockerfile"), path), 0, False

    def _devcontainer(self, path: str) -> tuple[str, int, bool]:
        from cudafit.lock.containers import devcontainer_text  # noqa: PLC0415

        return devcontainer_text(self._any_order(), self._dockerfile_path("Dockerfile"), path), 0, False

    def _any_order(self) -> Order:
        kinds = [form.kind for _, form in self._outputs if form.kind != IMAGE]
        return self._order(kinds[0] if kinds else PIP)

    def _copied(self, path: str) -> Output:
        """The lock that an image installs: the strictest of those written beside it."""
        order = ("requirements", "pylock", "conda-lock", "explicit", "environment")
        ranked = [one for one in self._outputs if one[1].name in order]
        if not ranked:
            raise InputError(
                f"`-o {path}` installs a lock, and none is written with it",
                hint=f"add one: `{command_text('-o', 'requirements.txt', '-o', path)}`",
            )
        return min(ranked, key=lambda one: order.index(one[1].name))

    def _dockerfile_path(self, default: str) -> str:
        return next((path for path, form in self._outputs if form.name == "dockerfile"), default)
