"""TensorFlow: what was installed, against the driver and the cards, and whether it finds its CUDA libraries."""

from collections.abc import Iterator, Sequence

from cudafit.doctor.checks.builds import compiles, too_old
from cudafit.doctor.fixes import reinstall, replace_build, uninstall
from cudafit.doctor.linker import nowhere
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.environment import Environment, Load, TensorflowBuild
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.versions import numbers
from cudafit.resolve.kernels import oldest, serving_cubin, serving_ptx, sm

# Since 2.14 the wheels leave their CUDA libraries to the extra `and-cuda`.
_NEEDS = ("libcudart.so", "libcublas.so", "libcudnn.so", "libcufft.so", "libcusolver.so", "libcusparse.so")


def build(world: World) -> Iterator[Finding | Unchecked]:
    environment = world.environment
    tensorflow = environment.tensorflow if environment else None
    if environment is None:
        return
    stub = environment.distribution("tensorflow-gpu")
    if stub and stub.version and numbers(stub.version)[:2] >= (2, 12):
        yield kinds.tf.gpu_stub_package.found(
            f"tensorflow-gpu {stub.version} is an empty package",
            (Evidence(f"tensorflow-gpu {stub.version}", stub.metadata),),
            uninstall(world, ["tensorflow-gpu"], "remove it; CUDA comes with tensorflow[and-cuda]"),
        )
    if tensorflow is None:
        return
    if tensorflow.has_cuda is None:
        yield Unchecked(f"{tensorflow.path} does not tell what tensorflow was built for")
        return
    if tensorflow.has_cuda or not world.has_gpu:
        return
    evidence = (Evidence(f"tensorflow {tensorflow.version}, is_cuda_build = False", tensorflow.path),)
    system = world.machine.os
    if system.system == "windows" and not _had_windows(tensorflow):
        yield kinds.tf.windows_native_unsupported.found(
            "TensorFlow has no GPU build for Windows since 2.11",
            evidence,
            Fix("use it in WSL2"),
        )
    elif system.arch == "aarch64":
        yield kinds.tf.aarch64_cpu_only.found(
            f"tensorflow {tensorflow.version} is a build for the CPU, as all wheels for this processor are",
            evidence,
            Fix("NVIDIA's own container image, or conda-forge's build"),
        )
    else:
        yield kinds.tf.cpu_build.found(
            f"tensorflow {tensorflow.version} is a build for the CPU",
            evidence,
            replace_build(world, "tensorflow", remove=["tensorflow-cpu"] if _called_cpu(environment) else []),
        )


def _had_windows(tensorflow: TensorflowBuild) -> bool:
    """Up to 2.10 there were builds for Windows' GPUs, so one without CUDA is another build of the same release."""
    return tensorflow.version is not None and numbers(tensorflow.version)[:2] < (2, 11)


def _called_cpu(environment: Environment) -> bool:
    return environment.distribution("tensorflow-cpu") is not None


def driver(world: World) -> Iterator[Finding]:
    tensorflow = world.environment.tensorflow if world.environment else None
    if tensorflow and tensorflow.has_cuda and tensorflow.cuda:
        yield from too_old(world, "tensorflow", f"tensorflow {tensorflow.version}", tensorflow.cuda, tensorflow.path)


def kernels(world: World) -> Iterator[Finding]:
    tensorflow = world.environment.tensorflow if world.environment else None
    if tensorflow is None or not tensorflow.has_cuda or not tensorflow.kernels:
        return
    kernels, path = tensorflow.kernels, tensorflow.path
    for index, gpu in world.capabilities:
        if serving_cubin(kernels, gpu):
            continue
        ptx = serving_ptx(kernels, gpu)
        slowly = ptx is not None and compiles(world, tensorflow.cuda)
        told = f"only PTX ({ptx}), which the driver compiles for minutes" if slowly else "no kernels"
        if oldest(kernels) and gpu < (oldest(kernels) or gpu):
            continue
        yield kinds.tf.arch_unsupported_new.found(
            f"tensorflow {tensorflow.version} has {told} for {sm(gpu)}",
            (Evidence(f"its kernels are {' '.join(kernels)}", path), world.gpu_evidence(index)),
            Fix("NVIDIA's own container image of TensorFlow has kernels for this GPU"),
            severity=WARNING if slowly else ERROR,
        )
        return


def libraries(world: World) -> Iterator[Finding | Unchecked]:
    environment = world.environment
    tensorflow = environment.tensorflow if environment else None
    if environment is None or tensorflow is None or not tensorflow.has_cuda or not world.has_gpu:
        return
    if environment.kind == "conda" and any(one.name == "tensorflow" for one in environment.conda):
        return  # conda's packages bring them in a folder of their own
    if loads := environment.loads.get("tensorflow"):
        yield from _by_the_linker(world, environment, tensorflow, loads)
        return
    if world.machine.os.system == "windows":
        yield from _on_windows(world, tensorflow)
        return
    own = {one.soname.rpartition(".")[0] for one in environment.libraries}
    system = {f"lib{one.name}.so" for one in world.machine.libraries or ()}
    checked = [name for name in _NEEDS if name in ("libcudart.so", "libcublas.so", "libcudnn.so") or own]
    lacking = [name for name in checked if name not in own and name not in system]
    if world.machine.libraries is None and lacking:
        yield Unchecked("the loader's folders were not read")
        return
    if lacking:
        version = tensorflow.version
        yield kinds.tf.cuda_libs_missing.found(
            f"tensorflow {version} cannot load its GPU libraries",
            tuple(
                Evidence(
                    f"{name} is neither in the environment nor in the loader's folders", "nvidia/*/lib, ld.so.conf"
                )
                for name in lacking
            ),
            _with_cuda(world, version),
        )
    elif _is(tensorflow.version, "2.16.1") and own:
        yield kinds.tf.cuda_libs_unreachable.found(
            "tensorflow 2.16.1 does not find the CUDA libraries that are installed",
            (Evidence("tensorflow 2.16.1 looks for them in the wrong folder", tensorflow.path),),
            reinstall(world, "tensorflow[and-cuda]>=2.16.2"),
        )


def _on_windows(world: World, tensorflow: TensorflowBuild) -> Iterator[Finding | Unchecked]:
    """Up to 2.10, which takes an installed toolkit's DLLs: cudart64_101.dll of one release, _110 of all of CUDA 11."""
    toolkits = world.machine.toolkits
    environment = world.environment
    need = numbers(tensorflow.cuda or "0")[:2]
    if not tensorflow.cuda or (environment and environment.kind == "conda"):
        return  # conda has a package of them
    if toolkits is None:
        yield Unchecked(f"tensorflow {tensorflow.version} needs CUDA {tensorflow.cuda}, and nobody looked for toolkits")
        return
    if any(one.version is None for one in toolkits):
        return
    there = [numbers(one.version or "0")[:2] for one in toolkits]
    if any(have == need or (need[0] >= 11 and have[0] == need[0] and have >= (11, 0)) for have in there):
        return
    held = ", ".join(f"CUDA {one.version}" for one in toolkits) or "no CUDA"
    yield kinds.tf.cuda_libs_missing.found(
        f"tensorflow {tensorflow.version} needs the DLLs of CUDA {tensorflow.cuda}, and {held} is installed",
        (
            Evidence(f"it was built with CUDA {tensorflow.cuda}", tensorflow.path),
            *(Evidence(f"CUDA {one.version} is {one.path}", one.via) for one in toolkits[:3]),
        ),
        Fix(
            f"install the CUDA {tensorflow.cuda} toolkit and its cuDNN {tensorflow.cudnn or ''}".rstrip() + " beside it"
        ),
    )


def _with_cuda(world: World, version: str | None) -> Fix:
    """The extra that brings CUDA's libraries came with 2.14."""
    if version is None or numbers(version)[:2] < (2, 14):
        return reinstall(world, "tensorflow[and-cuda]>=2.14")
    return reinstall(world, f"tensorflow[and-cuda]=={version}")


def _by_the_linker(
    world: World, environment: Environment, tensorflow: TensorflowBuild, loads: Sequence[Load]
) -> Iterator[Finding | Unchecked]:
    """Each library by its exact name, as the linker would look for it from TensorFlow's own."""
    missing, unknown = nowhere(world, loads)
    own = {one.soname: one.path for one in environment.libraries}
    out_of_reach = [load for load in missing if load.soname in own]
    lacking = [load for load in missing if load.soname not in own]
    if unknown:
        names = ", ".join(load.soname for load in unknown)
        yield Unchecked(f"tensorflow needs {names}: the linker's own folders of that machine were not read")
    version = tensorflow.version
    if lacking:
        yield kinds.tf.cuda_libs_missing.found(
            f"tensorflow {version} cannot load {', '.join(load.soname for load in lacking)}",
            tuple(Evidence(f"{load.soname} is nowhere that the linker looks", load.by) for load in lacking),
            _with_cuda(world, version),
        )
    elif out_of_reach:
        first = own[out_of_reach[0].soname]
        folders = sorted({own[load.soname].rpartition("/")[0] for load in out_of_reach})
        yield kinds.tf.cuda_libs_unreachable.found(
            f"tensorflow {version} does not find what is installed: {', '.join(load.soname for load in out_of_reach)}",
            (
                Evidence(f"{out_of_reach[0].soname} is {first}", "file name"),
                Evidence("that is in none of the folders of its RUNPATH", out_of_reach[0].by),
            ),
            Fix(
                "give the linker their folders when you start Python",
                (("export", f"LD_LIBRARY_PATH={':'.join(folders)}"),),
            ),
        )


def _is(version: str | None, other: str) -> bool:
    return version is not None and numbers(version)[:3] == numbers(other)
