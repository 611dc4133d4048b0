"""The shared libraries in NVIDIA's packages, by the names that programs load.

Sources: the file lists of the packages themselves, as `cudafit matrix update` reads them.
"""

import re
from collections.abc import Iterator

# Of a package for CUDA 11, 12 and 13: the number behind `.so`; one for all where there is one.
_NUMBERS: dict[str, tuple[tuple[str, tuple[str, str, str]], ...]] = {
    "cuda-runtime": (("libcudart", ("11.0", "12", "13")),),
    "cublas": (("libcublas", ("11", "12", "13")), ("libcublasLt", ("11", "12", "13"))),
    "cufft": (("libcufft", ("10", "11", "12")),),
    "curand": (("libcurand", ("10", "10", "10")),),
    "cusolver": (("libcusolver", ("11", "11", "12")),),
    "cusparse": (("libcusparse", ("11", "12", "12")),),
    "cuda-nvrtc": (("libnvrtc", ("11.2", "12", "13")),),
    "nvjitlink": (("libnvJitLink", ("11", "12", "13")),),
    "cuda-cupti": (("libcupti", ("11.8", "12", "13")),),
    "nccl": (("libnccl", ("2", "2", "2")),),
}
_MAJORS = ("11", "12", "13")


def libraries_of(package: str, version: str) -> Iterator[str]:
    """Of `nvidia-cublas-cu12`, `libcublas.so.12` and `libcublasLt.so.12`; none of a package that is not known."""
    match = re.fullmatch(r"nvidia-(.+?)(?:-cu(\d\d))?", package)
    if match is None:
        return
    stem, major = match[1], match[2] or "13"
    if stem == "cudnn" and version:
        yield f"libcudnn.so.{version.partition('.')[0]}"
    for name, at in _NUMBERS.get(stem, ()) if major in _MAJORS else ():
        yield f"{name}.so.{at[_MAJORS.index(major)]}"


def package_of(soname: str, major: str = "") -> str | None:
    """Of `libcublas.so.12`, `nvidia-cublas-cu12`; None where it does not tell which CUDA it is of. `major` is that of
    whoever opens it: `libcurand.so.10` is of them all."""
    if match := re.fullmatch(r"([A-Za-z]+)64_(\d+)\.dll", soname):
        return _of_dll(match[1], match[2])
    name, _, number = soname.partition(".so.")
    for stem, libraries in _NUMBERS.items():
        at = dict(libraries).get(name)
        if at is None or number not in at:
            continue
        of = [one for one, told in zip(_MAJORS, at, strict=True) if told == number and major in ("", one)]
        if len(of) == 1:
            return f"nvidia-{stem}" if of[0] == "13" else f"nvidia-{stem}-cu{of[0]}"
    return None


def _of_dll(name: str, number: str) -> str | None:
    """Of `cublas64_12.dll`: Windows' names are those of Linux, but that cudart's is 110 for CUDA 11."""
    major = "11.0" if name == "cudart" and number == "110" else number
    return package_of(f"lib{name}.so.{major}")
