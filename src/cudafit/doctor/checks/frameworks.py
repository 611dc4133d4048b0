"""PyTorch, TensorFlow, JAX and ONNX Runtime: what is installed, against the driver and the cards."""

import re
from collections.abc import Iterator, Sequence

from cudafit.doctor.fixes import reinstall, replace_build, uninstall
from cudafit.doctor.linker import nowhere
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.environment import Distribution, Environment, Load, TensorflowBuild
from cudafit.model.finding import ERROR, INFO, WARNING, Evidence, Finding, Fix
from cudafit.model.frameworks import TORCH
from cudafit.model.requirement import wanted
from cudafit.model.versions import numbers
from cudafit.resolve.kernels import Capability, oldest, serving_cubin, serving_ptx, sm
from cudafit.resolve.versions import admits_any


def torch_build(world: World) -> Iterator[Finding | Unchecked]:
    """A CPU build where a GPU is there. `+cpu` stands in version.py, not in METADATA."""
    environment = world.environment
    torch = environment.torch if environment else None
    if environment is None or torch is None:
        return
    if torch.has_cuda is None:
        yield Unchecked(f"{torch.path} does not tell what torch was built for")
        return
    if torch.has_cuda or torch.hip or not world.has_gpu:
        return
    conda = next((one for one in environment.conda if one.name in ("pytorch", "libtorch") and "cpu" in one.build), None)
    if conda:
        yield kinds.torch.cpu_conda.found(
            f"conda installed the CPU build of pytorch {conda.version}",
            (Evidence(f"{conda.name} {conda.version}, build {conda.build}", "conda-meta"),),
            replace_build(world, "torch"),
        )
        return
    evidence = [Evidence(f"torch {torch.version}, cuda = None", torch.path)]
    if torch.cuda_library is False:
        evidence.append(Evidence("libtorch_cuda is not there", torch.path.replace("version.py", "lib")))
    evidence += _who_pins(world, "torch")
    yield kinds.torch.cpu_wheel.found(
        f"torch {torch.version} is a build for the CPU",
        tuple(evidence),
        replace_build(world, "torch"),
    )


def _who_pins(world: World, name: str) -> list[Evidence]:
    """Whoever names an exact version may have replaced the build."""
    found = []
    for one in world.environment.distributions if world.environment else ():
        for text in one.requires:
            if re.match(rf"{name}\s*\(?==[^;]*$", text):
                found.append(Evidence(f"{one.name} {one.version} requires {text}", one.metadata))
    return found[:2]


def torch_driver(world: World) -> Iterator[Finding]:
    torch = world.environment.torch if world.environment else None
    if torch and torch.cuda:
        yield from _too_old(world, "torch", f"torch {torch.version}", torch.cuda, torch.path)


def tensorflow_driver(world: World) -> Iterator[Finding]:
    tensorflow = world.environment.tensorflow if world.environment else None
    if tensorflow and tensorflow.has_cuda and tensorflow.cuda:
        yield from _too_old(world, "tensorflow", f"tensorflow {tensorflow.version}", tensorflow.cuda, tensorflow.path)


def jax_driver(world: World) -> Iterator[Finding]:
    for plugin in _plugins(world):
        major = re.sub(r"\D", "", plugin.name)
        yield from _too_old(world, "jax", f"{plugin.name} {plugin.version}", major, plugin.metadata)


def _too_old(world: World, name: str, what: str, cuda: str, via: str) -> Iterator[Finding]:
    if world.host.kind.state != "gpu":
        return
    verdict = world.verdict(cuda)
    if verdict.compat is None and verdict.driver:
        yield kinds.driver.too_old_for_runtime.found(
            f"{what} is built for CUDA {cuda}, which needs driver {verdict.driver} or newer",
            (Evidence(f"{what} is built for CUDA {cuda}", via), world.driver_evidence),
            replace_build(world, name),
        )


def torch_kernels(world: World) -> Iterator[Finding | Unchecked]:
    torch = world.environment.torch if world.environment else None
    if torch is None or not torch.has_cuda:
        return
    if torch.kernels is None:
        yield Unchecked("the kernels of torch could not be read from its library")
        return
    yield from _unserved(world, "torch", f"torch {torch.version}", torch.kernels, torch.cuda, torch.path)
    yield from _newer_than_listed(world, torch.kernels, torch.path)


def _newer_than_listed(world: World, kernels: Sequence[str], via: str) -> Iterator[Finding]:
    """torch warns of a card newer than its list; kernels of the same major run there all the same."""
    if world.machine.os.tegra:
        return
    listed = [numbers(re.sub(r"sm_(\d+)(\d)[af]?", r"\1.\2", name)) for name in kernels if name.startswith("sm_")]
    for index, gpu in world.capabilities:
        if listed and gpu > max(listed) and (cubin := serving_cubin(tuple(kernels), gpu)):
            yield kinds.ok.arch_minor_compatible.found(
                f"{sm(gpu)} runs the kernels for {cubin}: torch's warning of an unknown card does not matter",
                (Evidence(f"its kernels are {' '.join(kernels)}", via), world.gpu_evidence(index)),
            )
            return


def tensorflow_kernels(world: World) -> Iterator[Finding]:
    tensorflow = world.environment.tensorflow if world.environment else None
    if tensorflow is None or not tensorflow.has_cuda or not tensorflow.kernels:
        return
    kernels, path = tensorflow.kernels, tensorflow.path
    for index, gpu in world.capabilities:
        if serving_cubin(kernels, gpu):
            continue
        ptx = serving_ptx(kernels, gpu)
        slowly = ptx is not None and _compiles(world, tensorflow.cuda)
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


def _compiles(world: World, cuda: str | None) -> bool:
    return bool(cuda and world.verdict(cuda).ptx)


def _unserved(
    world: World, name: str, what: str, kernels: Sequence[str], cuda: str | None, via: str
) -> Iterator[Finding]:
    """Cards that no kernel serves: all of them is an error, some of them a warning."""
    given = tuple(kernels)
    exact = world.machine.os.tegra is not None
    compiles = _compiles(world, cuda)

    def served(gpu: Capability) -> bool:
        return bool(serving_cubin(given, gpu, exact) or (compiles and not exact and serving_ptx(given, gpu)))

    without = [(index, gpu) for index, gpu in world.capabilities if not served(gpu)]
    if not without:
        return
    index, gpu = without[0]
    evidence = (Evidence(f"its kernels are {' '.join(given)}", via), world.gpu_evidence(index))
    if exact:
        yield kinds.torch.jetson_wrong_wheel.found(
            f"{what} is not a build for this Jetson",
            evidence,
            Fix("take NVIDIA's own wheel or container for this JetPack"),
        )
    elif len(without) < len(world.capabilities):
        others = ",".join(str(one) for one, capability in world.capabilities if served(capability))
        yield kinds.torch.arch_mixed_gpus.found(
            f"{what} has no kernels for GPU {index} ({sm(gpu)}), and has for the others",
            evidence,
            Fix(
                f"leave GPU {index} out",
                (("export", "CUDA_DEVICE_ORDER=PCI_BUS_ID", f"CUDA_VISIBLE_DEVICES={others}"),),
            ),
        )
    else:
        first = oldest(given)
        older = first and gpu < first
        kind = kinds.torch.arch_unsupported_old if older else kinds.torch.arch_unsupported_new
        yield kind.found(
            f"{what} has no kernels for {sm(gpu)}",
            evidence,
            replace_build(world, name),
        )


def companions(world: World) -> Iterator[Finding]:
    """torchvision and torchaudio are compiled against one torch."""
    environment = world.environment
    torch = environment.distribution("torch") if environment else None
    if environment is None or torch is None or torch.version is None:
        return
    for name in TORCH.companions:
        one = environment.distribution(name)
        for text in one.requires if one else ():
            if not re.match(r"torch\s*\(?==", text) or one is None:
                continue
            need = wanted(text.partition(";")[0])
            public = torch.version.partition("+")[0]
            if not admits_any(need.specifier, torch.version) and not admits_any(need.specifier, public):
                yield kinds.torch.companion_mismatch.found(
                    f"{name} {one.version} was built for torch{need.specifier}, and {torch.version} is installed",
                    (
                        Evidence(f"{name} {one.version} requires {text}", one.metadata),
                        Evidence(f"torch {torch.version}", torch.metadata),
                    ),
                    replace_build(world, "torch"),
                )


def companion_variants(world: World) -> Iterator[Finding]:
    """`torchvision 0.21.0+cu126` beside a torch for another CUDA: by the local parts of their own version.py."""
    environment = world.environment
    torch = environment.torch if environment else None
    local = (torch.version or "").partition("+")[2] if torch else ""
    for name, version in environment.companions.items() if environment and torch and local else ():
        other = version.partition("+")[2]
        if other and other != local and re.fullmatch(r"cpu|cu\d+", other) and re.fullmatch(r"cpu|cu\d+", local):
            yield kinds.torch.companion_mismatch.found(
                f"{name} {version} was built for another CUDA than torch {torch.version if torch else ''}",
                (
                    Evidence(f"{name} {version}", f"{name}/version.py"),
                    Evidence(f"torch {torch.version}" if torch else "", torch.path if torch else ""),
                ),
                replace_build(world, "torch"),
            )


def tensorflow_build(world: World) -> Iterator[Finding | Unchecked]:
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
    if system.system == "windows":
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


def _called_cpu(environment: Environment) -> bool:
    return environment.distribution("tensorflow-cpu") is not None


# Since 2.14 the wheels leave their CUDA libraries to the extra `and-cuda`.
_TF_NEEDS = ("libcudart.so", "libcublas.so", "libcudnn.so", "libcufft.so", "libcusolver.so", "libcusparse.so")


def tensorflow_libraries(world: World) -> Iterator[Finding | Unchecked]:
    environment = world.environment
    tensorflow = environment.tensorflow if environment else None
    if environment is None or tensorflow is None or not tensorflow.has_cuda or not world.has_gpu:
        return
    if environment.kind == "conda" and any(one.name == "tensorflow" for one in environment.conda):
        return  # conda's packages bring them in a folder of their own
    if loads := environment.loads.get("tensorflow"):
        yield from _by_the_linker(world, environment, tensorflow, loads)
        return
    own = {one.soname.rpartition(".")[0] for one in environment.libraries}
    system = {f"lib{one.name}.so" for one in world.machine.libraries or ()}
    checked = [name for name in _TF_NEEDS if name in ("libcudart.so", "libcublas.so", "libcudnn.so") or own]
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
            reinstall(world, f"tensorflow[and-cuda]=={version}", text=f"install tensorflow[and-cuda]=={version}"),
        )
    elif version_is(tensorflow.version, "2.16.1") and own:
        yield kinds.tf.cuda_libs_unreachable.found(
            "tensorflow 2.16.1 does not find the CUDA libraries that are installed",
            (Evidence("tensorflow 2.16.1 looks for them in the wrong folder", tensorflow.path),),
            reinstall(world, "tensorflow[and-cuda]>=2.16.2"),
        )


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
            reinstall(world, f"tensorflow[and-cuda]=={version}", text=f"install tensorflow[and-cuda]=={version}"),
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


def version_is(version: str | None, other: str) -> bool:
    return version is not None and numbers(version)[:3] == numbers(other)


def _plugins(world: World) -> list[Distribution]:
    names = world.environment.distributions if world.environment else ()
    return [one for one in names if re.fullmatch(r"jax-cuda\d\d-plugin", one.name)]


def _came_along(world: World) -> bool:
    """Whether another package brought JAX, in an environment whose work is done by another framework on the GPU."""
    environment = world.environment
    if environment is None or any(one.name == "jax" for one in world.project.wanted):
        return False
    torch, tensorflow = environment.torch, environment.tensorflow
    others = [one for one in environment.distributions if not one.name.startswith("jax")]
    brought = any(re.match(r"jax\b(?!-)", text) and "extra" not in text for one in others for text in one.requires)
    return brought and bool((torch and torch.has_cuda) or (tensorflow and tensorflow.has_cuda))


def jax(world: World) -> Iterator[Finding]:
    environment = world.environment
    jaxlib = environment.distribution("jaxlib") if environment else None
    if environment is None or jaxlib is None:
        return
    plugins = _plugins(world)
    with_cuda = "+cuda" in (jaxlib.version or "") or any(
        one.name == "jaxlib" and "cuda" in one.build for one in environment.conda
    )
    asked = environment.distribution("jax") is not None and not _came_along(world)
    if not plugins and not with_cuda and world.has_gpu:
        alone = (Evidence(f"jaxlib {jaxlib.version}, and no jax-cuda*-plugin", jaxlib.metadata),)
        if world.machine.os.system == "windows":
            yield kinds.jax.windows_unsupported.found(
                "JAX has no CUDA on Windows",
                alone,
                Fix("use it in WSL2"),
            )
        else:
            yield kinds.jax.no_cuda_plugin.found(
                f"JAX {jaxlib.version} has no CUDA plugin, so it runs on the CPU",
                alone,
                replace_build(world, "jax"),
                severity=ERROR if asked else INFO,
            )
    for plugin in plugins:
        pjrt = environment.distribution(plugin.name.replace("-plugin", "-pjrt"))
        skewed = [one for one in (plugin, pjrt) if one and one.version and not _pairs(one.version, jaxlib.version)]
        if skewed:
            evidence = (
                Evidence(f"jaxlib {jaxlib.version}", jaxlib.metadata),
                *(Evidence(f"{one.name} {one.version}", one.metadata) for one in skewed),
            )
            major = re.sub(r"\D", "", plugin.name)
            version = environment.version("jax") or jaxlib.version
            yield kinds.jax.plugin_version_skew.found(
                f"{skewed[0].name} {skewed[0].version} is not for jaxlib {jaxlib.version}",
                evidence,
                reinstall(world, f"jax[cuda{major}]=={version}"),
            )


def _pairs(plugin: str, jaxlib: str | None) -> bool:
    """A plugin is for the jaxlib of its own version; a fourth number is a rebuild."""
    return jaxlib is not None and numbers(plugin.partition("+")[0])[:3] == numbers(jaxlib.partition("+")[0])[:3]


def libdevice(world: World) -> Iterator[Finding | Unchecked]:
    """XLA compiles with NVIDIA's device library; without it `jit_compile` and JAX fail at their first step."""
    environment = world.environment
    tensorflow = environment.tensorflow if environment else None
    if environment is None or environment.kind == "conda" or not world.has_gpu:
        return
    plugins = _plugins(world)
    if not plugins and not (tensorflow and tensorflow.has_cuda and environment.libraries):
        return
    if environment.libdevice or world.machine.toolkits:
        return
    if world.machine.toolkits is None:
        yield Unchecked("the CUDA toolkits of this machine were not read")
        return
    package = "nvidia-nvvm" if plugins and "cuda13" in plugins[0].name else "nvidia-cuda-nvcc-cu12"
    evidence = "no nvvm/libdevice/libdevice.10.bc in the environment, and no CUDA toolkit"
    yield kinds.xla.libdevice_missing.found(
        "XLA finds no libdevice, which it compiles with",
        (Evidence(evidence, "nvidia/*, /usr/local/cuda*"),),
        reinstall(world, package),
    )


def onnxruntime(world: World) -> Iterator[Finding]:
    environment = world.environment
    cpu = environment.distribution("onnxruntime") if environment else None
    gpu = environment.distribution("onnxruntime-gpu") if environment else None
    if cpu and gpu:
        yield kinds.ort.cpu_and_gpu_both.found(
            "onnxruntime and onnxruntime-gpu fill the same folder",
            (
                Evidence(f"onnxruntime {cpu.version}", cpu.metadata),
                Evidence(f"onnxruntime-gpu {gpu.version}", gpu.metadata),
            ),
            uninstall(
                world,
                ["onnxruntime", "onnxruntime-gpu"],
                "remove both, then install onnxruntime-gpu alone",
                install=[f"onnxruntime-gpu=={gpu.version}"],
            ),
        )
