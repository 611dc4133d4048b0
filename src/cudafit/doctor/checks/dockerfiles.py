"""Dockerfiles: what keeps a container from its GPU, whatever the machine.

Sources: NVIDIA Container Toolkit, "Specialized Configurations with Docker" (NVIDIA_VISIBLE_DEVICES and
NVIDIA_DRIVER_CAPABILITIES; the driver's libraries are the host's); CUDA Installation Guide, "Meta Packages"; CUDA
Compatibility guide (who may use cuda-compat); uv, "Using uv with PyTorch" (`auto` asks the driver).
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from cudafit.doctor.checks.project import wrong_names
from cudafit.doctor.containers import HIDING, Built, every_build, evidence, install_fix
from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.container_files import Setting, shown
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix, Severity
from cudafit.model.frameworks import FRAMEWORKS, LEADING_NAMES
from cudafit.model.installs import CONDA, PIP, SYSTEM, UV, Install, installs, torch_variant
from cudafit.model.kind import FindingKind

# What has wheels for glibc alone.
_FRAMEWORKS = LEADING_NAMES.union(*(one.builds for one in FRAMEWORKS))
_DRIVER = re.compile(
    r"(?:nvidia-(?:driver(?!s?-assistant)|open|dkms|kernel|libs|headless|utils-\d|\d{3}(?:-|$))[\w.*-]*"
    r"|cuda-drivers[\w.*-]*|cuda(?:-\d+-\d+)?|libnvidia-(?!container|egl)[\w.*-]+|libcuda1|xserver-xorg-video-nvidia[\w.*-]*)"
)
_RUN_FILE = re.compile(r"NVIDIA-Linux-(?:x86_64|aarch64)-[\d.]{1,40}[\w-]{0,60}\.run$")


def cpu_builds(world: World) -> Iterator[Finding]:
    """Builds for the CPU in an image that is made for a GPU."""
    for built in every_build(world):
        if not (wish := built.wants_gpu):
            continue
        certain = [one for one in built.installs if one.command.certain]
        for install, what, severity, fix in _for_cpu(world, built, certain):
            yield kinds.image.cpu_build.found(
                f"the image gets {what}",
                (evidence(f"{install.tool} installs {what}", install.command.place), evidence(*wish)),
                fix,
                severity=severity,
            )


def _for_cpu(world: World, built: Built, found: list[Install]) -> Iterator[tuple[Install, str, Severity, Fix]]:
    python = built.image.python if built.image else None
    torch = [(one, variant) for one in found if one.tool in (PIP, UV) and (variant := torch_variant(one))]
    # The last line decides which torch is there in the end.
    if torch and torch[-1][1] in ("cpu", "extra-cpu"):
        one = torch[-1][0]
        yield one, "torch's build for the CPU", ERROR, install_fix(world, one.command.where, None, python)
    elif torch and torch[-1][1] == "auto" and not torch[-1][0].variable("UV_CUDA_DRIVER_VERSION"):
        one = torch[-1][0]
        what = "torch's build for the CPU: `auto` asks the driver, and there is none while an image is built"
        yield one, what, ERROR, install_fix(world, one.command.where, None, python)
    names = {want.name for one in found if one.tool in (PIP, UV) for want in one.wanted}
    for one in found:
        place = shown(one.command.where)
        if one.tool in (PIP, UV):
            if one.requirement("tensorflow-cpu") and "tensorflow" not in names:
                yield one, "tensorflow-cpu", ERROR, Fix(f"in {place} write `tensorflow[and-cuda]`")
            if (jax := one.requirement("jax")) and "cpu" in jax.extras:
                yield one, "jax[cpu]", ERROR, Fix(f"in {place} write `jax[cuda12]` or `jax[cuda13]`")
            if one.requirement("onnxruntime") and "onnxruntime-gpu" not in names:
                yield one, "onnxruntime, which is for the CPU", WARNING, Fix(f"in {place} write `onnxruntime-gpu`")
        elif one.tool == CONDA and (told := _conda(one)):
            yield one, told, ERROR, Fix(f"in {place} {_CONDA_FIX[told]}")


_ONLY = "conda's build of PyTorch for the CPU"
_BLIND = "conda's build for the CPU: conda asks the driver, and there is none while an image is built"
_CONDA_FIX = {
    _ONLY: "leave `cpuonly` and the CPU's build string out",
    _BLIND: "set CONDA_OVERRIDE_CUDA to the CUDA that the image is for, as in `CONDA_OVERRIDE_CUDA=12.8 conda install`",
}


def _conda(install: Install) -> str | None:
    """Source: the recipes of conda-forge, whose builds for CUDA need `__cuda`; the channel pytorch had `cpuonly`."""
    specs = [re.sub(r"^.*::", "", text) for text in install.packages]
    names = {re.split(r"[=<>! \[]", text)[0].lower() for text in specs}
    if "cpuonly" in names or any(re.match(r"pytorch(=[^=]*)?=[^=]*cpu", text) for text in specs):
        return _ONLY
    channels = install.option("-c", "--channel") or (install.variable("CONDA_CHANNELS") or "").split(",")
    forge = channels[:1] == ["conda-forge"] or any("conda-forge::" in text for text in install.packages)
    told = install.variable("CONDA_OVERRIDE_CUDA")
    asked = any(re.match(r"pytorch(=[^=]*)?=[^=]*cuda", text) for text in specs)
    if forge and names & {"pytorch", "jaxlib"} and not names & {"pytorch-cuda", "pytorch-gpu"} and not asked:
        return None if told else _BLIND
    return None


def musl(world: World) -> Iterator[Finding]:
    """Wheels with CUDA are built for glibc; Alpine has musl."""
    for built in every_build(world):
        if not built.image or not built.image.musl:
            continue
        for install in built.installs:
            names = [one.name for one in install.wanted] if install.tool in (PIP, UV) else []
            if framework := next((name for name in names if name in _FRAMEWORKS), None):
                better = f"python:{built.image.python or '3.12'}-slim"
                yield kinds.image.musl_base.found(
                    f"`{shown(built.image.name)}` has musl, and {framework} has wheels for glibc alone",
                    (
                        evidence(built.base.text, built.base.place),
                        evidence(f"{install.tool} installs {framework}", install.command.place),
                    ),
                    Fix(f"in {shown(built.base.place)} take a base with glibc, as `{better}`"),
                )
                break


def hidden(world: World) -> Iterator[Finding]:
    for built in every_build(world):
        if not built.wants_gpu:
            continue
        settings = built.settings
        cuda = settings.get("CUDA_VISIBLE_DEVICES")
        if cuda and cuda.value is not None and hides(cuda.value):
            yield hidden_finding(kinds.image.gpu_hidden, ERROR, cuda)
        told = settings.get("NVIDIA_VISIBLE_DEVICES")
        if told and told.value in HIDING:
            # `docker run --gpus` sets it anew; the NVIDIA runtime, Podman and Kubernetes read the image's.
            yield hidden_finding(kinds.image.gpu_hidden, WARNING, told)
        if (capabilities := settings.get("NVIDIA_DRIVER_CAPABILITIES")) and lacks_compute(capabilities.value):
            yield capabilities_finding(kinds.image.caps_missing, capabilities)


def hides(value: str) -> bool:
    """CUDA stops at the first entry that names no GPU."""
    first = value.split(",", maxsplit=1)[0].strip().lower()
    return not first or first.startswith("-") or first in ("none", "void", "nodevfiles")


def lacks_compute(value: str | None) -> bool:
    parts = {part.strip() for part in (value or "").split(",") if part.strip()}
    return bool(parts) and not parts & {"all", "compute"} and not any("$" in part for part in parts)


def hidden_finding(kind: FindingKind, severity: Severity, setting: Setting) -> Finding:
    return kind.found(
        f"{setting.name}={shown(setting.value or '')!r} hides every GPU",
        (evidence(f"{setting.name}={setting.value!r}", setting.place),),
        Fix(f"take it out of {shown(setting.place)}"),
        severity=severity,
    )


def capabilities_finding(kind: FindingKind, setting: Setting) -> Finding:
    return kind.found(
        "the container gets the GPU without compute, which CUDA needs",
        (evidence(f"{setting.name}={setting.value}", setting.place),),
        Fix(f"in {shown(setting.place)} write NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
    )


def driver(world: World) -> Iterator[Finding]:
    """A driver in the image lies in the way of the host's, which is put into the container."""
    for built in every_build(world):
        for stage in built.dockerfile.chain:
            found = [
                (re.split(r"[=:]", package)[0], one.command.place)
                for one in installs(stage.commands)
                if one.tool == SYSTEM
                for package in one.packages
            ]
            found += [
                (match[0], one.place)
                for one in stage.commands
                for word in one.words
                if (match := _RUN_FILE.search(word)) and one.words[0] not in ("wget", "curl", "rm", "chmod")
            ]
            for package, place in found:
                if _DRIVER.fullmatch(package) or _RUN_FILE.fullmatch(package):
                    tool = package.startswith("nvidia-utils")
                    toolkit = package == "cuda" or re.fullmatch(r"cuda-\d+-\d+", package)
                    other = f"write `{package.replace('cuda', 'cuda-toolkit', 1)}`" if toolkit else "leave it out"
                    yield kinds.image.driver_installed.found(
                        f"`{shown(package)}` puts a driver into the image, where the host's is mounted",
                        (evidence(f"installs {package}", place),),
                        Fix(f"in {shown(place)} {other}"),
                        severity=WARNING if tool else ERROR,
                    )


def library_path(world: World) -> Iterator[Finding | Unchecked]:
    for built in every_build(world):
        path = built.settings.get("LD_LIBRARY_PATH")
        parts = (path.value or "").split(":") if path else []
        for part in parts:
            place = _first_place(built, part) if path else ""
            if re.search(r"/stubs/?$", part) and "cuda" in part:
                yield kinds.image.stub_on_path.found(
                    f"LD_LIBRARY_PATH has {shown(part)}, whose libcuda is an empty stub for linking",
                    (evidence(f"LD_LIBRARY_PATH has {part}", place),),
                    Fix(f"in {shown(place)} put it into LIBRARY_PATH, which is for linking alone"),
                )
            elif re.search(r"/cuda[\w.-]*/compat(/|$)", part):
                yield from _compat(world, part, place)


def _compat(world: World, part: str, place: str) -> Iterator[Finding | Unchecked]:
    if not world.host.cards:
        why = world.host.why or "no GPU is known"
        yield Unchecked(f"{shown(place)}: {shown(part)} is for data-centre GPUs alone; {why}")
    elif not world.host.kind.data_centre:
        card = next(iter(world.host.cards))
        known: tuple[Evidence, ...] = (world.gpu_evidence(card.index),)
        yield kinds.image.compat_on_path.found(
            f"LD_LIBRARY_PATH has {shown(part)}, which works on data-centre GPUs alone",
            (evidence(f"LD_LIBRARY_PATH has {part}", place), *known),
            Fix(f"take it out of {shown(place)}: the host's libcuda is found without it"),
        )


def _first_place(built: Built, part: str) -> str:
    """The line that brought an entry."""
    settings = [one for stage in built.dockerfile.chain for one in stage.settings if one.name == "LD_LIBRARY_PATH"]
    last = [one for one in settings if part in (one.value or "").split(":")]
    place = last[-1].place if last else ""
    for one in reversed(last):
        if settings.index(one) != settings.index(last[-1]) - 1 and one is not last[-1]:
            break
        place = one.place
    return place


def names(world: World) -> Iterator[Finding]:
    """What a RUN line installs, by the names that requirement files are looked through for."""
    for built in every_build(world):
        for install in built.installs:
            if install.tool in (PIP, UV):
                place = shown(install.command.place)
                yield from wrong_names(world, (replace(one, origin=place) for one in install.wanted))
