"""The user's word on virtual packages: CONDA_OVERRIDE_CUDA and its like, as conda and pixi take them."""

from collections.abc import Mapping, Sequence

from cudafit.model.arch_override import NO_ARCH, is_arch

Virtual = tuple[str, str]

_NAMES = ("CUDA", "CUDA_ARCH", "GLIBC", "LINUX", "OSX", "ARCHSPEC")


def overridden(virtual: Sequence[Virtual], environ: Mapping[str, str]) -> tuple[tuple[Virtual, ...], tuple[str, ...]]:
    """The virtual packages with what the variables say, and a line for each variable that changed one.

    An empty value says that there is none. `__cuda_arch` goes with `__cuda`. Sources: conda's documentation of virtual
    packages; CEP 46.
    """
    found = dict(virtual)
    told: list[str] = []
    for name in _NAMES:
        value = environ.get(f"CONDA_OVERRIDE_{name}")
        package = f"__{name.lower()}"
        if value is None or found.get(package, "") == value:
            continue
        if name == "CUDA_ARCH" and value and not is_arch(value):
            told.append(NO_ARCH)
            continue
        before = f"{package} {found[package]}" if package in found else f"no {package}"
        found.pop(package, None)
        if value:
            found[package] = value
        now = f"{package} {value}" if value else f"no {package}"
        told.append(f"CONDA_OVERRIDE_{name}={value}: {now} in place of {before}")
    if "__cuda" not in found and (arch := found.pop("__cuda_arch", None)):
        told.append(f"no __cuda_arch {arch}, since there is no __cuda")
    return tuple(found.items()), tuple(told)
