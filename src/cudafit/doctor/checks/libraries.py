"""The CUDA libraries in the environment and those that would be loaded in their place; copies and collisions."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from cudafit.doctor.fixes import reinstall, uninstall
from cudafit.doctor.world import Unchecked, World
from cudafit.errors import InputError
from cudafit.model import kinds
from cudafit.model.environment import Distribution, Environment
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.frameworks import LEADING, LEADING_NAMES
from cudafit.model.requirement import Wanted, applies, wanted
from cudafit.model.versions import numbers
from cudafit.resolve.platforms import libc_needed
from cudafit.resolve.versions import admits_any
from cudafit.system.commands import command_text, path_word

_LEADING = tuple(one.name for one in LEADING)
# Library file -> the short name that inspect gives it.
_SHORT = {"libcublas": "cublas", "libcudart": "cudart", "libnccl": "nccl", "libcudnn": "cudnn"}
# Distributions that decide by their presence which toolkit an environment has.
_RUNTIME = re.compile(r"nvidia-(cuda-runtime|cublas|cudnn|nccl)-cu(\d\d)$")


def collision(world: World) -> Iterator[Finding]:
    """Two packages that put different files in one folder: the last one installed has overwritten the other."""
    environment = world.environment
    if environment is None:
        return
    for place in world.facts.facts.places:
        there = [one for name in place.packages if (one := environment.distribution(name))]
        if len(there) < 2 or place.place in ("onnxruntime",):
            continue
        evidence = tuple(Evidence(f"{one.name} {one.version}", one.metadata) for one in there)
        names = [one.name for one in there]
        yield kinds.lib.nvidia_dir_collision.found(
            f"{' and '.join(names)} fill the same folder {place.place}",
            (*evidence, Evidence(f"both own {place.place}", ", ".join(place.sources))),
            uninstall(
                world, names, "keep those of one CUDA: remove both, then install the frameworks' builds for one CUDA"
            ),
        )


def conflict(world: World) -> Iterator[Finding]:
    """A framework's own pin on a CUDA library that is not what is installed."""
    environment = world.environment
    if environment is None or environment.python is None:
        return
    python = ".".join(environment.python.split(".")[:2])
    platform = f"{world.machine.os.system}-{world.machine.os.arch}"
    missing: dict[str, list[str]] = {}
    for owner in environment.distributions:
        for text in owner.requires:
            if not text.startswith("nvidia-") or (need := _need(text)) is None:
                continue
            if need.marker and not _holds(need.marker, platform, python):
                continue
            held = environment.distribution(need.name)
            if held is None:
                missing.setdefault(owner.name, []).append(f"{need.name}{need.specifier}")
            elif held.version and need.specifier and not admits_any(need.specifier, held.version):
                yield kinds.lib.nvidia_dist_conflict.found(
                    f"{owner.name} needs {need.name}{need.specifier}, and {held.version} is installed",
                    (
                        Evidence(f"{owner.name} {owner.version} requires {need.name}{need.specifier}", owner.metadata),
                        Evidence(f"{held.name} {held.version}", held.metadata),
                    ),
                    reinstall(world, f"{need.name}{need.specifier}"),
                )
    torch = environment.torch
    if torch and torch.has_cuda and (lacking := missing.get("torch")):
        yield kinds.torch.nvidia_dist_missing.found(
            f"torch needs {len(lacking)} CUDA packages that are not installed",
            tuple(Evidence(f"{text} is not installed", "site-packages") for text in lacking[:4]),
            reinstall(world, *lacking),
        )


def _need(text: str) -> Wanted | None:
    """METADATA may hold anything."""
    plain, _, marker = text.partition(";")
    try:
        return replace(wanted(plain), marker=marker.strip() or None)
    except InputError:
        return None


@cache
def _holds(marker: str, platform: str, python: str) -> bool:
    """A wheel's requirements have few different markers."""
    try:
        return "extra" not in marker and applies(Wanted("x", "", (), "", "", marker), platform, python)
    except InputError:
        return False


def majors(world: World) -> Iterator[Finding]:
    """Libraries of two CUDA majors, each with somebody who needs it."""
    environment = world.environment
    if environment is None:
        return
    users: dict[str, list[Distribution]] = {}
    for owner in environment.distributions:
        for text in owner.requires:
            match = re.match(r"nvidia-(?:cuda-runtime|cublas|cudnn|nccl)-cu(\d\d)\b", text)
            if match and owner.name.startswith(_LEADING) and "extra" not in text:
                users.setdefault(match[1], []).append(owner)
    if len(users) > 1:
        evidence = tuple(
            Evidence(f"{owners[0].name} {owners[0].version} needs CUDA {major} libraries", owners[0].metadata)
            for major, owners in sorted(users.items())
        )
        yield kinds.lib.mixed_cuda_major.found(
            f"frameworks of CUDA {' and '.join(sorted(users))} are in one environment",
            evidence,
            Fix("choose builds of one CUDA: `cudafit resolve` with all of them names such"),
        )


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
    folders = [folder for folder in machine.environment.get("LD_LIBRARY_PATH", "").split(":") if folder]
    for library in machine.libraries:
        if library.via != "LD_LIBRARY_PATH" and not any(library.path.startswith(folder + "/") for folder in folders):
            continue
        match = re.match(r"(lib[a-z]+)(?:_\w+)?\.so\.(\d+)", library.path.rpartition("/")[2])
        soname = f"{match[1]}.so.{match[2]}" if match else None
        if match is None or soname not in own or match[1] not in _SHORT or soname in safe:
            continue
        bundled = own[soname]
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
            held = environment.version(f"nvidia-cudnn-cu{_cuda_major(world)}")
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


def _cuda_major(world: World) -> int:
    environment = world.environment
    torch, tensorflow = (environment.torch, environment.tensorflow) if environment else (None, None)
    told = (torch.cuda if torch else None) or (tensorflow.cuda if tensorflow else None)
    return numbers(told)[0] if told else 12


def cudnn(world: World) -> Iterator[Finding]:
    """The cuDNN that a framework was built with, against the one that it gets."""
    environment = world.environment
    if environment is None:
        return
    for name, built, who in _built_with(environment):
        got = _got(world, name)
        if got is None:
            continue
        version, evidence, package = got
        need, have = numbers(built), numbers(version)
        told = (who, evidence)
        where = "is installed" if package else "is loaded from the system"
        if need[0] != have[0]:
            title = f"{name} needs cuDNN {need[0]}, and {have[0]} {where}"
            fix = _cudnn_fix(world, package, f"=={need[0]}.*")
            yield kinds.lib.cudnn_major_mismatch.found(title, told, fix)
        elif len(need) > 1 and have[:2] < need[:2]:
            title = f"{name} was built with cuDNN {built}, and an older one, {version}, {where}"
            fix = _cudnn_fix(world, package, f">={need[0]}.{need[1]},<{need[0] + 1}")
            yield kinds.lib.cudnn_too_old.found(title, told, fix)


def _built_with(environment: Environment) -> Iterator[tuple[str, str, Evidence]]:
    """The frameworks that say which cuDNN they were built with."""
    tensorflow, jaxlib = environment.tensorflow, environment.distribution("jaxlib")
    if tensorflow and tensorflow.has_cuda and tensorflow.cudnn:
        text = f"tensorflow {tensorflow.version} was built with cuDNN {tensorflow.cudnn}"
        yield "tensorflow", tensorflow.cudnn, Evidence(text, tensorflow.path)
    # Until 0.4.29, builds of jaxlib had it in their version: 0.4.25+cuda12.cudnn89.
    match = re.search(r"\+cuda\d+\.cudnn(\d)(\d*)$", jaxlib.version or "") if jaxlib else None
    if jaxlib and match:
        built = f"{match[1]}.{match[2]}" if match[2] else match[1]
        yield "jaxlib", built, Evidence(f"jaxlib {jaxlib.version}", jaxlib.metadata)


def _got(world: World, framework: str) -> tuple[str, Evidence, str | None] | None:
    """The cuDNN's version, how that is known, and its package; None where that is not known."""
    environment = world.environment
    if environment is None:
        return None
    held = next((one for one in environment.distributions if re.fullmatch(r"nvidia-cudnn-cu\d\d", one.name)), None)
    if held and held.version:
        return held.version, Evidence(f"{held.name} {held.version}", held.metadata), held.name
    if held or any(one.soname.startswith("libcudnn.so") for one in environment.libraries):
        return None
    told = [load.path for load in environment.loads.get(framework, ()) if load.soname.startswith("libcudnn.so.")]
    there = [one for one in world.machine.libraries or () if one.name == "cudnn" and one.version]
    system = [one for one in there if one.path in told or not any(told)]
    if len({one.version for one in system}) != 1 or system[0].version is None or environment.conda:
        return None
    return system[0].version, Evidence(f"cuDNN {system[0].version} is {system[0].path}", system[0].via), None


def _cudnn_fix(world: World, package: str | None, wish: str) -> Fix:
    if package:
        return reinstall(world, f"{package}{wish}")
    return reinstall(
        world, f"nvidia-cudnn-cu{_cuda_major(world)}{wish}", text="take the one of the system away, or install it here"
    )


def copies(world: World) -> Iterator[Finding]:
    """Two copies of one distribution: which one wins depends on the path."""
    environment = world.environment
    if environment is None:
        return
    seen: dict[str, Distribution] = {}
    for one in environment.distributions:
        first = seen.setdefault(one.name, one)
        if first is one or first.metadata == one.metadata:
            continue
        if first.version == one.version and first.place == one.place:
            continue
        yield kinds.dist.duplicate_install.found(
            f"{one.name} is installed twice: {first.version} wins over {one.version}",
            (
                Evidence(f"{first.name} {first.version}", first.metadata),
                Evidence(f"{one.name} {one.version}", one.metadata),
            ),
            _once(world, first, one),
            severity=ERROR if _decides(one.name) else WARNING,
        )


def _once(world: World, first: Distribution, other: Distribution) -> Fix:
    if first.place != other.place:
        return Fix(f"remove the copy in {other.place}")
    chosen = [first.name] if first.name in _LEADING else []
    return uninstall(
        world,
        [first.name],
        "remove both and install it once",
        choose=chosen,
        install=[] if chosen else [f"{first.name}=={first.version}"],
    )


def _decides(name: str) -> bool:
    return name in LEADING_NAMES or name == "numpy" or name.startswith("nvidia-")


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


def cplusplus(world: World) -> Iterator[Finding]:
    """The libstdc++ that is found first is older than what a library was compiled with."""
    environment = world.environment
    for one in environment.too_old if environment else ():
        folder = one.path.rpartition("/")[0]
        conda = environment is not None and environment.kind == "conda"
        if one.via == "LD_LIBRARY_PATH":
            fix = Fix(f"take {folder} out of LD_LIBRARY_PATH for this environment")
        elif conda and environment:
            command = ("conda", "install", "--prefix", path_word(environment.path), "-c", "conda-forge", "libstdcxx-ng")
            fix = Fix("install conda's C++ library in the environment", (command,), automatic=True)
        else:
            fix = Fix("a newer system, a container, or conda, which brings its own C++ library")
        yield kinds.lib.libstdcxx_too_old.found(
            f"{one.by.rpartition('/')[2]} needs {one.version}, and the libstdc++ that is found first lacks it",
            (Evidence(f"it needs {one.version}", one.by), Evidence(f"libstdc++.so.6 is {one.path}", one.via)),
            fix,
        )


def placeholders(world: World) -> Iterator[Finding]:
    environment = world.environment
    for one in environment.distributions if environment else ():
        if (
            one.version in ("0.0.0", "0.0.1.dev5", "0.0.1.dev4")
            and (one.files or 0) <= 12
            and one.name.startswith("nvidia-")
        ):
            name = one.name
            new = re.sub(r"-cu\d\d$", "", name)
            yield kinds.provision.placeholder_package.found(
                f"{name} {one.version} is a placeholder without libraries",
                (Evidence(f"{name} {one.version} lists {one.files} files", one.metadata),),
                uninstall(
                    world,
                    [name],
                    f"remove it; the package is called {new}" if new != name else "remove it",
                    install=[new] if new != name else [],
                ),
            )


def numpy_abi(world: World) -> Iterator[Finding]:
    """torch up to 2.2 was compiled for NumPy 1."""
    environment = world.environment
    torch = environment.torch if environment else None
    numpy = environment.distribution("numpy") if environment else None
    if not (torch and torch.version and numpy and numpy.version):
        return
    if numbers(torch.version)[:2] < (2, 3) and numbers(numpy.version)[:1] >= (2,):
        yield kinds.numpy.abi_mismatch.found(
            f"torch {torch.version} was compiled for NumPy 1, and {numpy.version} is installed",
            (Evidence(f"torch {torch.version}", torch.path), Evidence(f"numpy {numpy.version}", numpy.metadata)),
            reinstall(world, "numpy<2"),
        )


def libc(world: World) -> Iterator[Finding]:
    environment = world.environment
    told = world.machine.os.libc
    for name in [one.build for one in LEADING] if environment and told else ():
        one = environment.distribution(name) if environment else None
        platforms = tuple(tag.rpartition("-")[2] for tag in one.tags) if one else ()
        if one and (need := libc_needed(platforms, told)):
            resolve = command_text("cudafit", "resolve", name)
            yield kinds.sys.glibc_too_old.found(
                f"{name} {one.version} needs {need}, and this system has {told}",
                (
                    Evidence(f"{name}'s wheel is tagged {', '.join(platforms)}", one.metadata),
                    Evidence(told or "", "libc"),
                ),
                Fix(f"an older {name}, a newer system, or a container: `{resolve}` names one that fits"),
            )
