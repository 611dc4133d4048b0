"""Which file of a library is loaded, where there are several: of CUDA, OpenMP, C++, in the halves of a venv."""

import re
from collections.abc import Iterator

from cudafit.doctor.checks.cudnn import cuda_major
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.environment import Environment, Load
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.model.versions import numbers
from cudafit.system.commands import path_word

# Library file -> the short name that inspect gives it.
_SHORT = {"libcublas": "cublas", "libcudart": "cudart", "libnccl": "nccl", "libcudnn": "cudnn"}


def shadowed(world: World) -> Iterator[Finding | Unchecked]:
    """What LD_LIBRARY_PATH puts in front of the environment's own libraries."""
    environment, machine = world.environment, world.machine
    if environment is None or not environment.libraries:
        return
    if machine.libraries is None:
        yield Unchecked("the loader's folders were not read")
        return
    own = {one.soname: one for one in environment.libraries}
    yield from _other_parts(environment)
    # What is found by RPATH comes before the variable: it cannot be shadowed.
    safe = {load.soname for loads in environment.loads.values() for load in loads if load.via == "RPATH"}
    safe -= {load.soname for loads in environment.loads.values() for load in loads if load.via != "RPATH"}
    yield from _walked(environment)
    folders = [folder for folder in machine.environment.get("LD_LIBRARY_PATH", "").split(":") if folder]
    for library in machine.libraries:
        if library.via != "LD_LIBRARY_PATH" and not any(library.path.startswith(folder + "/") for folder in folders):
            continue
        # Of several links to one file inspect names the first, libcudnn.so: then the version tells.
        match = re.match(r"(lib[a-z]+)(?:_\w+)?\.so(?:\.(\d+))?", library.path.rpartition("/")[2])
        soname = f"{match[1]}.so.{match[2] or (library.version or '').partition('.')[0]}" if match else None
        if match is None or soname not in own or match[1] not in _SHORT or soname in safe:
            continue
        bundled = own[soname]
        if bundled.path in (library.path, library.target):
            continue  # the variable names the environment's own folder, as a remedy of doctor's may tell to do
        evidence = (
            Evidence(
                f"LD_LIBRARY_PATH has {library.path}" + (f" ({library.version})" if library.version else ""),
                library.via,
            ),
            Evidence(f"the environment has {bundled.path}", "site-packages"),
        )
        folder = library.path.rpartition("/")[0]
        fix = Fix(f"take {folder} out of LD_LIBRARY_PATH for this environment")
        if match[1] == "libcudnn":
            held = environment.version(f"nvidia-cudnn-cu{cuda_major(world)}")
            if held and library.version and numbers(held)[:3] == numbers(library.version)[:3]:
                continue
            yield kinds.lib.cudnn_shadowed.found(
                "another cuDNN is loaded in place of the environment's",
                evidence,
                fix,
            )
        else:
            name = _SHORT[match[1]]
            title = f"LD_LIBRARY_PATH puts another {name} in front of the environment's"
            yield kinds.lib.ld_path_shadow.found(title, evidence, fix)


def _walked(environment: Environment) -> Iterator[Finding]:
    """What torch's own libraries load by the variable, where the environment has a copy that they would find after it.

    cuSPARSE and its kin ask for libnvJitLink of their own release, and find it by RUNPATH, which comes after the
    variable: pytorch/pytorch issue 134929.
    """
    own = {one.soname: one.path for one in environment.libraries}
    for load in environment.loads.get("torch", ()):
        there = own.get(load.soname)
        if load.via == "LD_LIBRARY_PATH" and load.path and there and load.path != there and _is_told_here(load):
            folder = load.path.rpartition("/")[0]
            yield kinds.lib.ld_path_shadow.found(
                f"LD_LIBRARY_PATH puts another {load.soname.partition('.')[0]} in front of the environment's",
                (
                    Evidence(f"{load.by.rpartition('/')[2]} loads {load.path}", load.via),
                    Evidence(f"the environment has {there}", "site-packages"),
                ),
                Fix(f"take {folder} out of LD_LIBRARY_PATH for this environment"),
            )


def _is_told_here(load: Load) -> bool:
    """The others are told of by the names that inspect has for them."""
    return load.soname.partition(".")[0].partition("_")[0] not in _SHORT


def _other_parts(environment: Environment) -> Iterator[Finding]:
    """cuDNN's parts are loaded when they are used: one of another copy does not go with the rest."""
    main = next((one for one in environment.libraries if one.soname == "libcudnn.so.9"), None)
    if main is None:
        return
    folder = main.path.rpartition("/")[0]
    strange = [load for load in environment.loads.get("cudnn", ()) if load.path and not load.path.startswith(folder)]
    if strange and (first := strange[0]).path and first.by.startswith(folder):
        yield kinds.lib.cudnn_shadowed.found(
            "a part of another cuDNN is loaded into the environment's",
            (
                Evidence(f"{first.soname} is {first.path}", first.via),
                Evidence(f"the environment's cuDNN in {folder} lacks it, or is found later", main.path),
            ),
            Fix(f"remove the system's cuDNN, or take {first.path.rpartition('/')[0]} out of the linker's folders"),
        )


def split(world: World) -> Iterator[Finding]:
    """A venv whose lib64 is a folder of its own: torch in one half, its libraries in the other."""
    environment = world.environment
    if environment is None or environment.torch is None or not environment.torch.has_cuda:
        return
    torch = environment.distribution("torch")
    nvidia = [one for one in environment.distributions if one.name.startswith("nvidia-")]
    places = {one.place for one in nvidia}
    inside = {place for place in places if place.startswith(environment.path)}
    if torch and inside and torch.place not in places and torch.place.startswith(environment.path):
        yield kinds.lib.venv_lib_lib64_split.found(
            "torch and its CUDA libraries lie in different halves of the environment",
            (
                Evidence(f"torch in {torch.place}", torch.metadata),
                Evidence(f"nvidia-* in {sorted(inside)[0]}", "site-packages"),
            ),
            Fix("make the environment anew; lib64 must be a link to lib"),
        )


def openmp(world: World) -> Iterator[Finding]:
    """Two copies of Intel's OpenMP in one process abort it, or slow it down."""
    found = world.environment.openmp if world.environment else ()
    if len(found) > 1:
        yield kinds.lib.duplicate_openmp.found(
            f"{len(found)} copies of libiomp5 are in the environment",
            tuple(Evidence(path, "file name") for path in found[:4]),
            Fix("keep one provider: all of these packages from conda, or all from wheels; not KMP_DUPLICATE_LIB_OK"),
        )


def vc_runtime(world: World) -> Iterator[Finding]:
    """torch's libraries for Windows need Visual C++'s runtime, which many a Windows has not."""
    environment = world.environment
    if environment is None or not environment.no_vc_runtime or world.machine.os.system != "windows":
        return
    named = ", ".join(environment.no_vc_runtime)
    yield kinds.windows.dll_missing.found(
        f"torch needs {named} of Visual C++'s runtime, and that is not on this Windows",
        (Evidence(f"{named} is neither in System32 nor beside the interpreter", "files"),),
        Fix(_vc_fix(environment.no_vc_runtime)),
    )


def _vc_fix(names: tuple[str, ...]) -> str:
    if names == ("libomp140.x86_64.dll",):
        return (
            "install the component MSVC v143 x64/x86 build tools with Visual Studio's installer, which brings it; or"
            " take a torch whose fbgemm.dll does not ask for it"
        )
    return "install Microsoft's Visual C++ Redistributable (x64), then start Python anew"


def _of_conda(environment: Environment, path: str) -> Fix:
    """What is installed is not to be installed: it is found too late, or too old."""
    there = next((one.name for one in environment.conda if one.name in ("libstdcxx-ng", "libstdcxx")), None)
    prefix = path_word(environment.path)
    if there is None:
        command = ("conda", "install", "--prefix", prefix, "-c", "conda-forge", "libstdcxx-ng")
        return Fix("install conda's C++ library in the environment", (command,), automatic=True)
    if path.startswith(f"{environment.path.rstrip('/')}/"):
        command = ("conda", "update", "--prefix", prefix, "-c", "conda-forge", there)
        return Fix("update conda's C++ library in the environment", (command,), automatic=True)
    own = f"{environment.path.rstrip('/')}/lib"
    return Fix(
        f"the environment has a C++ library of its own: let programs find it before {path}",
        (("export", f"LD_LIBRARY_PATH={own}"),),
    )


def cplusplus(world: World) -> Iterator[Finding]:
    """The libstdc++ that is found first is older than what a library was compiled with."""
    environment = world.environment
    for one in environment.too_old if environment else ():
        folder = one.path.rpartition("/")[0]
        conda = environment is not None and environment.kind == "conda"
        if one.via == "LD_LIBRARY_PATH":
            fix = Fix(f"take {folder} out of LD_LIBRARY_PATH for this environment")
        elif conda and environment:
            fix = _of_conda(environment, one.path)
        else:
            fix = Fix("a newer system, a container, or conda, which brings its own C++ library")
        yield kinds.lib.libstdcxx_too_old.found(
            f"{one.by.rpartition('/')[2]} needs {one.version}, and the libstdc++ that is found first lacks it",
            (Evidence(f"it needs {one.version}", one.by), Evidence(f"libstdc++.so.6 is {one.path}", one.via)),
            fix,
        )
