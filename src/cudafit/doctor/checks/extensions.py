"""Packages with CUDA code of their own: their kernels, the libraries that they load, what they take from torch."""

import re
from collections.abc import Iterator
from dataclasses import replace

from cudafit.doctor.fixes import reinstall, replace_build, uninstall
from cudafit.doctor.linker import nowhere
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.bitsandbytes import WITHOUT_LT, has_library, library_cudas
from cudafit.model.environment import Environment, Extension
from cudafit.model.finding import ERROR, INFO, WARNING, Evidence, Finding, Fix
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.sonames import package_of
from cudafit.model.versions import numbers
from cudafit.resolve.kernels import Capability, serving_cubin, serving_ptx, sm

# Since this release onnxruntime-gpu has the extras `cuda` and `cudnn`, and preload_dlls() which loads what they bring.
# Source: ONNX Runtime documentation, "CUDA Execution Provider", "Preload DLLs".
_PRELOADS = (1, 21)


_TURING: Capability = (7, 5)
_OF_CUDNN_8 = "install cuDNN 8 (nvidia-cudnn-cu12==8.9.*), and name its folder in LD_LIBRARY_PATH"


def bitsandbytes(world: World) -> Iterator[Finding]:
    """One library for each CUDA: that of torch must be among them."""
    environment = world.environment
    names = environment.bitsandbytes if environment else None
    torch = environment.torch if environment else None
    if environment is None or names is None or torch is None or not torch.cuda:
        return
    end = ".dll" if world.machine.os.system == "windows" else ".so"
    built = library_cudas(name for name in names if name.endswith(end))
    major, minor, *_ = (*numbers(torch.cuda), 0)
    if has_library(built, environment.bitsandbytes_falls_back, major, minor):
        yield from _without_cublaslt(world, names, f"libbitsandbytes_cuda{major}{minor}{WITHOUT_LT}{end}")
        return
    held = f"CUDA {' '.join(built)}" if built else "no CUDA"
    yield kinds.bnb.binary_missing.found(
        f"bitsandbytes has no library for CUDA {torch.cuda}",
        (
            Evidence(f"it has libraries for {held}", f"bitsandbytes/*_cuda*{end}"),
            Evidence(f"torch {torch.version} is built for CUDA {torch.cuda}", torch.path),
        ),
        replace_build(world, "bitsandbytes", keep=("torch",))
        or replace_build(world, "bitsandbytes", "torch")
        or reinstall(world, "bitsandbytes", text="upgrade bitsandbytes, or take a torch for a CUDA that it has"),
    )


def _without_cublaslt(world: World, names: tuple[str, ...], wanted: str) -> Iterator[Finding]:
    """Releases up to 0.44 load another library where no card is Turing or newer.

    bitsandbytes-foundation/bitsandbytes issue 386: a V100, and a build from source that made the other one alone.
    """
    environment = world.environment
    if environment is None or not environment.bitsandbytes_without_lt or not world.capabilities or wanted in names:
        return
    index, best = max(world.capabilities, key=lambda one: one[1])
    if best < _TURING:
        yield kinds.bnb.binary_missing.found(
            f"bitsandbytes has no library without cuBLASLt, which it loads for {sm(best)}",
            (Evidence(f"there is no {wanted}", "bitsandbytes/"), world.gpu_evidence(index)),
            replace_build(world, "bitsandbytes", keep=("torch",))
            or reinstall(world, "bitsandbytes", text="install bitsandbytes from its wheel, which has both"),
        )


def xformers(world: World) -> Iterator[Finding]:
    environment = world.environment
    if environment and environment.xformers_cuda == "" and world.has_gpu:
        yield kinds.ext.cpu_only.found(
            "xformers was compiled without CUDA",
            (Evidence("cuda: null", "xformers/cpp_lib.json"),),
            replace_build(world, "torch", "xformers"),
        )


def xformers_cuda(world: World) -> Iterator[Finding]:
    """xformers says with which CUDA it was compiled; beside a torch of another one its operators may not load.

    yufu-wang/PromptHMR issue 4: built for 2.6.0+cu124, beside 2.6.0+cu126, no operator was there.
    """
    environment = world.environment
    torch = environment.torch if environment else None
    told = re.fullmatch(r"(\d\d)0?(\d+)", (environment.xformers_cuda or "") if environment else "")
    if environment is None or torch is None or not torch.cuda or told is None or world.on_paper:
        return
    built = (int(told[1]), int(told[2]))
    if built == numbers(torch.cuda)[:2]:
        return
    version = environment.version("xformers")
    yield kinds.ext.abi_mismatch.found(
        f"xformers {version} was compiled with CUDA {built[0]}.{built[1]}, and torch {torch.version} with {torch.cuda}",
        (
            Evidence(f"cuda: {environment.xformers_cuda}", "xformers/cpp_lib.json"),
            Evidence(f"torch {torch.version} is built for CUDA {torch.cuda}", torch.path),
        ),
        Fix("take xformers and torch for one CUDA, from one index"),
        severity=WARNING if built[0] == numbers(torch.cuda)[0] else ERROR,
    )


def kernels(world: World) -> Iterator[Finding | Unchecked]:
    environment = world.environment
    if environment is None or not world.capabilities:
        return
    cuda = environment.torch.cuda if environment.torch else None
    # Where its CUDA is not known, PTX is taken to compile: no alarm without a reason.
    compiles = world.verdict(cuda).ptx if cuda else True
    exact = world.machine.os.tegra is not None
    for one in _used(environment):
        if one.kernels is None:
            yield Unchecked(f"the kernels of {one.package} could not be read")
            continue
        given = one.kernels

        def served(gpu: Capability, given: tuple[str, ...] = given) -> bool:
            return bool(serving_cubin(given, gpu, exact) or (compiles and serving_ptx(given, gpu)))

        without = [(index, gpu) for index, gpu in world.capabilities if not served(gpu)]
        if not given or not without:
            continue
        index, gpu = without[0]
        yield kinds.ext.arch_unsupported.found(
            f"{one.package} {environment.version(one.package)} has no kernels for {sm(gpu)}",
            (Evidence(f"its kernels are {' '.join(given)}", one.path), world.gpu_evidence(index)),
            Fix(f"take a wheel of {one.package} for this card, compile it here, or go without it"),
            severity=ERROR if len(without) == len(world.capabilities) else WARNING,
        )


def libraries(world: World) -> Iterator[Finding | Unchecked]:
    """What the linker does not find for a package: it fails, or falls back to the CPU without a word."""
    environment = world.environment
    if environment is None or not world.has_gpu:
        return
    own = {one.soname: one.path for one in environment.libraries}
    for one in _used(environment):
        optional = next((of.optional for of in FRAMEWORKS if of.is_called(one.package)), r"\0")
        if not one.kernels:
            continue
        lacking, unknown = nowhere(world, [load for load in one.missing if not re.match(optional, load.soname)])
        if unknown:
            names = ", ".join(dict.fromkeys(load.soname for load in unknown))
            yield Unchecked(f"{one.package} needs {names}: the linker's own folders of that machine were not read")
        if not lacking:
            continue
        inside = [load for load in lacking if load.soname in own]
        version = environment.version(one.package)
        names = ", ".join(dict.fromkeys(load.soname for load in lacking))
        evidence = [Evidence(f"it needs {names}", lacking[0].by)]
        if inside:
            evidence.append(Evidence(f"{inside[0].soname} is {own[inside[0].soname]}", "file name"))
        torch_has = {load.soname for load in environment.loads.get("torch", ()) if load.path}
        by_torch = all(load.soname in torch_has for load in lacking)
        # A program may load them itself: whether it does stands in its code.
        preloaded = one.package == "onnxruntime-gpu" and len(inside) == len(lacking)
        yield kinds.ext.cuda_libs_missing.found(
            f"{one.package} {version} does not find its CUDA libraries"
            + _unless(by_torch=by_torch, preloaded=preloaded),
            tuple(evidence),
            _libraries_fix(world, one, version, [load.soname for load in lacking], own, by_torch=by_torch),
            severity=WARNING if by_torch or preloaded else ERROR,
        )


def _unless(*, by_torch: bool, preloaded: bool) -> str:
    if by_torch:
        return " unless torch is imported before it"
    return " unless the program calls preload_dlls()" if preloaded else ""


def _libraries_fix(
    world: World, one: Extension, version: str | None, names: list[str], own: dict[str, str], *, by_torch: bool
) -> Fix:
    if one.package == "onnxruntime-gpu":
        if all(name in own for name in names):
            told = "call onnxruntime.preload_dlls() before the first session"
            return Fix(f"{told}, or import torch first" if by_torch else told)
        if numbers(version or "0")[:2] >= _PRELOADS:
            return reinstall(
                world,
                f"onnxruntime-gpu[cuda,cudnn]=={version}",
                text="install them with it; call onnxruntime.preload_dlls() before the first session",
            )
    if by_torch:
        return Fix("import torch first")
    if all(name in own for name in names):
        folders = sorted({own[name].rpartition("/")[0] for name in names})
        return Fix("give the linker their folders", (("export", f"LD_LIBRARY_PATH={':'.join(folders)}"),))
    if any(name.startswith(("libcudnn_", "cudnn_")) for name in names):
        return Fix(
            _OF_CUDNN_8 + (", or ctranslate2 from 4.5 on, which takes cuDNN 9" if one.package == "ctranslate2" else "")
        )
    packages = list(dict.fromkeys(name for soname in names if (name := package_of(soname))))
    if not packages:
        return Fix("install the CUDA toolkit that it was built with")
    if one.by_name and set(names) <= set(one.by_name) and (place := _place(world, one.package)):
        fix = reinstall(world, *packages, text="install the libraries, and give the linker their folder")
        folders = [_folder(place, name) for name in dict.fromkeys(packages)]
        shown = ("export", f"LD_LIBRARY_PATH={':'.join(folders)}")
        return replace(fix, commands=(*fix.commands, shown), automatic=False) if fix.commands else fix
    return reinstall(world, *packages, text="install the libraries, or the CUDA toolkit that it was built with")


def _place(world: World, package: str) -> str | None:
    one = world.environment.distribution(package) if world.environment else None
    return one.place if one else None


def _folder(place: str, package: str) -> str:
    """Where NVIDIA's wheels put their libraries: in a folder for each, and from CUDA 13 on in one."""
    stem, dash, _ = package.removeprefix("nvidia-").partition("-cu1")
    return f"{place}/nvidia/{stem.replace('-', '_')}/lib" if dash else f"{place}/nvidia/cu13/lib"


def _used(environment: Environment) -> Iterator[Extension]:
    """Those that are loaded: of bitsandbytes the one library for torch's CUDA."""
    digits = "".join((environment.torch.cuda or "").split(".")[:2]) if environment.torch else ""
    for one in environment.extensions:
        if one.package != "bitsandbytes" or (digits and f"_cuda{digits}." in one.path):
            yield one


def cpu_only(world: World) -> Iterator[Finding]:
    """A package whose library has no CUDA, where a card is."""
    environment = world.environment
    if environment is None or not world.has_gpu:
        return
    for one in environment.extensions:
        if one.package == "xgboost" and one.kernels == ():
            title = f"xgboost {environment.version(one.package)} is a build without CUDA"
            evidence = (Evidence("its library has no CUDA kernels", one.path),)
            fix = Fix("compile it here, or take conda-forge's build")
            yield kinds.ext.cpu_only.found(title, evidence, fix, severity=WARNING)
        elif one.package == "lightgbm" and one.kernels == ():
            title = f"lightgbm {environment.version(one.package)} is a build without CUDA"
            evidence = (Evidence("its library has no CUDA kernels; `device: gpu` is OpenCL's", one.path),)
            fix = Fix("for `device: cuda`: compile it here, or take conda-forge's build")
            yield kinds.ext.cpu_only.found(title, evidence, fix, severity=INFO)
    runtime = environment.distribution("onnxruntime")
    if runtime and environment.distribution("onnxruntime-gpu") is None:
        none_here = world.machine.os.arch == "aarch64" and world.machine.os.tegra is None
        fix = Fix("there is no onnxruntime-gpu wheel for this processor: compile it, or take NVIDIA's container")
        yield kinds.ext.cpu_only.found(
            f"onnxruntime {runtime.version} is the build for the CPU",
            (Evidence(f"onnxruntime {runtime.version}, and no onnxruntime-gpu", runtime.metadata),),
            fix if none_here else _onnxruntime_gpu(world),
            severity=INFO,
        )


def _onnxruntime_gpu(world: World) -> Fix:
    """In place of the build for the CPU, which fills the same folder."""
    made = uninstall(world, ["onnxruntime"], "for the GPU: onnxruntime-gpu in its place", install=["onnxruntime-gpu"])
    return made if made.exact != ("onnxruntime-gpu",) else Fix("no onnxruntime-gpu runs here")
