"""cudafit: which CUDA builds work on this machine, and is the GPU really doing the work?"""

__version__ = "0.1.0"


def load_ipython_extension(ipython: object) -> None:
    """For `%load_ext cudafit`."""
    from cudafit.notebook import load  # noqa: PLC0415 - only IPython asks for it

    load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    from cudafit.notebook import unload  # noqa: PLC0415

    unload(ipython)
