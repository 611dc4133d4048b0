"""cudafit: which CUDA builds work on this machine, and is the GPU really doing the work?"""

TYPE_CHECKING = False  # for type checkers it is true; `typing` itself is slow to import
if TYPE_CHECKING:
    from cudafit import api as api

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`cudafit.api`, loaded when it is asked for: the command needs none of it."""
    if name == "api":
        from importlib import import_module  # noqa: PLC0415

        return import_module("cudafit.api")
    raise AttributeError("module 'cudafit' has no attribute '%s'" % name)  # noqa: UP031 - read by older Pythons too


def load_ipython_extension(ipython: object) -> None:
    """For `%load_ext cudafit`."""
    from cudafit.notebook import load  # noqa: PLC0415 - only IPython asks for it

    load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    from cudafit.notebook import unload  # noqa: PLC0415

    unload(ipython)
