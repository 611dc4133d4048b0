"""The cuDNN that a framework was built with, and the one that it gets."""

import re
from collections.abc import Iterator

from cudafit.doctor.fixes import reinstall
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.environment import Environment, TensorflowBuild
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.versions import numbers

# Distributions that decide by their presence which toolkit an environment has.
_RUNTIME = re.compile(r"nvidia-(cuda-runtime|cublas|cudnn|nccl)-cu(\d\d)$")

# nvidia-cudnn-cu12<10.0,>=9.8; extra == "with-cuda"
LEAST_OF_JAX = re.compile(r"nvidia-cudnn-cu\d\d\b[^;]*>=(\d+\.\d+)")


# The cuDNN that TensorFlow's wheels were compiled with; of themselves they tell its major alone. An older one of the
# same major is refused at the first convolution. Source: tensorflow/docs, site/en/install/source.md, "Tested build
# configurations", Linux, GPU.
_COMPILED_WITH: dict[tuple[int, ...], str] = {
    (2, 1): "7.6",
    (2, 2): "7.6",
    (2, 3): "7.6",
    (2, 4): "8.0",
    **dict.fromkeys(((2, minor) for minor in range(5, 12)), "8.1"),
    (2, 12): "8.6",
    (2, 13): "8.6",
    (2, 14): "8.7",
    (2, 15): "8.9",
    (2, 16): "8.9",
    (2, 17): "8.9",
    (2, 18): "9.3",
}


def of_frameworks(world: World) -> Iterator[Finding]:
    """The cuDNN that a framework was built with, against the one that it gets: what TensorFlow and XLA refuse."""
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


def of_another_cuda(world: World) -> Iterator[Finding]:
    """cuDNN is made for each CUDA under the same names: what it opens tells for which."""
    environment = world.environment
    if environment is None or environment.cudnn_made_for is None:
        return
    opens, path = environment.cudnn_made_for
    major = opens.rpartition(".")[2]
    users = dict(_cudas(environment))
    if not users or major in users:
        return
    there = any(one.soname == opens for one in environment.libraries) or any(
        one.name == "cublas" and one.version and one.version.partition(".")[0] == major
        for one in world.machine.libraries or ()
    )
    (wanted, who), *_ = users.items()
    owners = [one for one in environment.distributions if re.fullmatch(r"nvidia-cudnn-cu\d\d", one.name)]
    name = f"nvidia-cudnn-cu{wanted}"
    held = next((one.version for one in owners if one.name == name), None)
    others = [one.name for one in owners if one.name != name]
    package = f"{name}=={held}" if held else name
    yield kinds.lib.mixed_cuda_major.found(
        f"the cuDNN here is made for CUDA {major}, and {who.fact.partition(' is ')[0]} for CUDA {wanted}",
        (
            Evidence(f"it opens {opens}", path),
            who,
            *(Evidence(f"{one.name} {one.version}", one.metadata) for one in owners),
        ),
        reinstall(world, package, text=f"install {name} in its place", remove=others)
        if owners
        else Fix(f"take a cuDNN for CUDA {wanted}"),
        severity=WARNING if there else ERROR,
    )


def _cudas(environment: Environment) -> Iterator[tuple[str, Evidence]]:
    """The CUDA majors of the frameworks that take this cuDNN."""
    torch, tensorflow = environment.torch, environment.tensorflow
    if torch and torch.cuda:
        yield torch.cuda.partition(".")[0], Evidence(f"torch {torch.version} is for CUDA {torch.cuda}", torch.path)
    if tensorflow and tensorflow.has_cuda and tensorflow.cuda:
        text = f"tensorflow {tensorflow.version} is for CUDA {tensorflow.cuda}"
        yield tensorflow.cuda.partition(".")[0], Evidence(text, tensorflow.path)
    for one in environment.distributions:
        if match := re.fullmatch(r"jax-cuda(\d\d)-plugin", one.name):
            yield match[1], Evidence(f"{one.name} {one.version} is for CUDA {match[1]}", one.metadata)


def _built_with(environment: Environment) -> Iterator[tuple[str, str, Evidence]]:
    """The frameworks that say which cuDNN they were built with."""
    tensorflow, jaxlib = environment.tensorflow, environment.distribution("jaxlib")
    if tensorflow and tensorflow.has_cuda and tensorflow.cudnn:
        built, via = _of_tensorflow(environment, tensorflow)
        text = f"tensorflow {tensorflow.version} was built with cuDNN {built}"
        yield "tensorflow", built, Evidence(text, via)
    # Until 0.4.29, builds of jaxlib had it in their version: 0.4.25+cuda12.cudnn89.
    match = re.search(r"\+cuda\d+\.cudnn(\d)(\d*)$", jaxlib.version or "") if jaxlib else None
    if jaxlib and match:
        built = f"{match[1]}.{match[2]}" if match[2] else match[1]
        yield "jaxlib", built, Evidence(f"jaxlib {jaxlib.version}", jaxlib.metadata)
    # Since then the plugin has it: the least that its extra asks for is what XLA was compiled with, whoever brings it.
    for plugin in environment.distributions:
        asked = [found[1] for text in plugin.requires if (found := LEAST_OF_JAX.match(text))]
        if asked and re.fullmatch(r"jax-cuda\d\d-plugin", plugin.name):
            text = f"{plugin.name} {plugin.version} was built with cuDNN {asked[0]}"
            yield "jax", asked[0], Evidence(text, plugin.metadata)


def _of_tensorflow(environment: Environment, tensorflow: TensorflowBuild) -> tuple[str, str]:
    """As exactly as it is known: conda's builds, and those of others, have their own."""
    told = tensorflow.cudnn or ""
    row = _COMPILED_WITH.get(numbers(tensorflow.version or "0")[:2], "")
    own = any(one.name.startswith("tensorflow") for one in environment.conda) or "+" in (tensorflow.version or "")
    if "." in told or own or row.partition(".")[0] != told:
        return told, tensorflow.path
    return row, "TensorFlow's tested build configurations"


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
    if world.machine.os.system == "windows":
        return _of_toolkit(world)
    told = [load.path for load in environment.loads.get(framework, ()) if load.soname.startswith("libcudnn.so.")]
    there = [one for one in world.machine.libraries or () if one.name == "cudnn" and one.version]
    system = [one for one in there if one.path in told or not any(told)]
    if len({one.version for one in system}) != 1 or system[0].version is None or environment.conda:
        return None
    return system[0].version, Evidence(f"cuDNN {system[0].version} is {system[0].path}", system[0].via), None


def _of_toolkit(world: World) -> tuple[str, Evidence, str | None] | None:
    """On Windows, where one cuDNN was unpacked into the toolkits: which DLL is found first is not known of several."""
    there = [one for one in world.machine.toolkits or () if one.cudnn]
    if len({one.cudnn for one in there}) != 1 or (world.environment and world.environment.conda):
        return None
    version = there[0].cudnn or ""
    return version, Evidence(f"cuDNN {version} is in {there[0].path}", "include/cudnn_version.h"), None


def _cudnn_fix(world: World, package: str | None, wish: str) -> Fix:
    if world.machine.os.system == "windows" and not package:
        wanted = wish.replace(".*", "").strip("=>").partition(",")[0]
        return Fix(f"unpack cuDNN {wanted} or a later one of its major into the CUDA toolkit, over the old one")
    if package:
        return reinstall(world, f"{package}{wish}")
    return reinstall(
        world, f"nvidia-cudnn-cu{cuda_major(world)}{wish}", text="take the one of the system away, or install it here"
    )


def cuda_major(world: World) -> int:
    environment = world.environment
    torch, tensorflow = (environment.torch, environment.tensorflow) if environment else (None, None)
    told = (torch.cuda if torch else None) or (tensorflow.cuda if tensorflow else None)
    return numbers(told)[0] if told else 12
