"""Device files, containers, WSL and Slurm: whether a program gets at the GPU that is there."""

import re
from collections.abc import Iterator, Sequence

from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.machine import DeviceNode, Gpu, GpuProcess
from cudafit.system.commands import Variable, command_text

_REVOKED = "Operation not permitted"
_CARD = re.compile(r"/dev/nvidia\d+")
WSL_LIBRARIES = "/usr/lib/wsl/lib"


def uvm_node(world: World) -> Iterator[Finding | Unchecked]:
    nodes = {node.path for node in world.machine.device_nodes or ()}
    if world.machine.device_nodes is None:
        yield Unchecked("/dev was not read")
    elif "/dev/nvidiactl" in nodes and "/dev/nvidia-uvm" not in nodes and not world.machine.os.tegra:
        container = world.machine.os.container
        if world.worked or (world.machine.nvidia_modprobe and not container):
            return  # the first program that uses CUDA has it made
        yield kinds.driver.uvm_node_missing.found(
            "/dev/nvidia-uvm is missing: nvidia-smi works and CUDA does not",
            (Evidence("/dev/nvidiactl is there, /dev/nvidia-uvm is not", "/dev"),),
            Fix("start the container with this device too (--gpus all does)")
            if container
            else Fix("make the node", (("nvidia-modprobe", "-c0", "-u"),), root=True),
        )


def permission(world: World) -> Iterator[Finding]:
    refused = _refused(world.machine.device_nodes or ())
    revoked = [node for node in refused if _REVOKED in (node.error or "")]
    if revoked and _job_without_gpu(world):
        return  # Slurm hides what a job did not ask for: `slurm` says so
    if revoked:
        yield kinds.container.cgroup_revoked.found(
            "access to the GPU was taken from this container while it ran",
            tuple(
                Evidence(f"{node.path}: mode {node.mode}, and opening it says: {node.error}", "/dev")
                for node in revoked
            ),
            Fix("make the container anew; on the host, use CDI or keep systemd from reloading its devices"),
        )
    elif refused:
        groups = sorted({node.group for node in refused if node.group and node.group != "root"})
        group = groups[0] if groups else "video"
        yield kinds.dev.permission.found(
            "this user may not open the GPU's device files",
            tuple(
                Evidence(f"{node.path}: mode {node.mode}, {node.owner}:{node.group}, {node.error}", "/dev")
                for node in refused
            ),
            _group_for_container(group)
            if world.machine.os.container
            else Fix(
                f"add the user to the group {group}, then log in again",
                (("usermod", "-aG", group, Variable("$USER")),),
                root=True,
            ),
        )


def _group_for_container(group: str) -> Fix:
    """A group of the host that the container does not know is shown as `nogroup`, which is no group to be in."""
    if group in ("nogroup", "nobody"):
        return Fix(
            "start the container with `--group-add` and the number of the group that these files have on the host:"
            " there it is the fourth word of this",
            (("ls", "-ln", "/dev/nvidia0"),),
        )
    told = command_text("--group-add", group)
    return Fix(f"start the container with `{told}`, where {group} is the host's group of these files")


def _refused(nodes: Sequence[DeviceNode]) -> list[DeviceNode]:
    """Without the cards that are others', where one is this user's: Slurm gives a job one of four, and closes three."""
    cards = [node for node in nodes if _CARD.fullmatch(node.path)]
    given = any(node.access for node in cards)
    return [
        node for node in nodes if node.access is False and _matters(node) and not (given and _CARD.fullmatch(node.path))
    ]


def _matters(node: DeviceNode) -> bool:
    return not node.path.endswith(("-modeset", "-uvm-tools"))


def container(world: World) -> Iterator[Finding]:
    machine = world.machine
    kind = machine.os.container
    variables = machine.environment
    if kind is None:
        return
    capabilities = variables.get("NVIDIA_DRIVER_CAPABILITIES")
    told = variables.get("NVIDIA_VISIBLE_DEVICES")
    via = machine.os.via.get("container", "container")
    given = {part.strip() for part in (capabilities or "all").split(",")}
    closed = machine.device_nodes is not None and not _has_control(world)
    # CDI gives the GPU and says `void` beside it, so that no other hook gives it a second time:
    # NVIDIA/nvidia-container-toolkit pull request 395.
    if told in ("void", "none") and closed:
        yield kinds.container.caps_missing.found(
            f"the container asks for no GPU (NVIDIA_VISIBLE_DEVICES={told})",
            (Evidence(f"NVIDIA_VISIBLE_DEVICES={told}", "environment"),),
            Fix("start it with `--gpus all`, or set NVIDIA_VISIBLE_DEVICES=all"),
        )
    elif capabilities and not given & {"all", "compute"} and not _has_libcuda(world):
        yield kinds.container.caps_missing.found(
            "the container gets the GPU without compute",
            (Evidence(f"NVIDIA_DRIVER_CAPABILITIES={capabilities}", "environment"),),
            Fix("set NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
        )
    elif capabilities is None and _for_utility_alone(world):
        yield kinds.container.caps_missing.found(
            "the container gets the GPU without compute",
            (
                Evidence("the driver's libnvidia-ml is there, and its libcuda is not", "the loader's folders"),
                Evidence("NVIDIA_DRIVER_CAPABILITIES is not set", "environment"),
            ),
            Fix("set NVIDIA_DRIVER_CAPABILITIES=compute,utility"),
        )
    elif closed and _a_gpu_is_behind(world):
        node = "/dev/dxg" if machine.os.wsl else "/dev/nvidiactl"
        evidence = [Evidence(f"this is a {kind} container", via), Evidence(f"there is no {node}", "/dev")]
        if machine.pci:
            evidence.append(Evidence(f"the host has NVIDIA's {machine.pci[0].device_id}", "/sys/bus/pci"))
        yield kinds.container.no_gpu_exposed.found(
            "the container was started without the GPU",
            tuple(evidence),
            Fix(_START.get(kind, "start it with the GPU"), root=False),
        )


_START = {
    "docker": "start it with `docker run --gpus all`; the host needs the NVIDIA Container Toolkit",
    "podman": "start it with `podman run --device nvidia.com/gpu=all`; the host needs the NVIDIA Container Toolkit",
    "apptainer": "start it with `apptainer run --nv`",
    "singularity": "start it with `singularity run --nv`",
    "kubernetes": "ask for it in the pod: `resources: {limits: {nvidia.com/gpu: 1}}`",
}


def _has_control(world: World) -> bool:
    return any(node.path in ("/dev/nvidiactl", "/dev/dxg", "/dev/nvmap") for node in world.machine.device_nodes or ())


def _has_libcuda(world: World) -> bool:
    """The driver's own, which `compute` brings: not a stub, and not the image's own for forward compatibility."""
    found = [one.place for one in world.machine.libraries or () if one.name == "libcuda"]
    return any("/stubs" not in path and "/compat" not in path for path in found)


def _for_utility_alone(world: World) -> bool:
    """An image without NVIDIA's variables gets what the toolkit gives by itself, once `utility`: nvidia-smi works.

    NVIDIA/nvidia-docker issue 533.
    """
    told = {one.name for one in world.machine.libraries or ()}
    return bool(world.machine.gpus) and _has_control(world) and "libnvidia-ml" in told and not _has_libcuda(world)


def _a_gpu_is_behind(world: World) -> bool:
    """The host's card can be seen, or the environment was made for one."""
    torch = world.environment.torch if world.environment else None
    tensorflow = world.environment.tensorflow if world.environment else None
    return bool(world.machine.pci or (torch and torch.has_cuda) or (tensorflow and tensorflow.has_cuda))


def wsl(world: World) -> Iterator[Finding]:
    """Not in a container on WSL, which gets its devices and its libcuda, in other folders, from its engine."""
    machine = world.machine
    if not machine.os.wsl or machine.os.container:
        return
    nodes = {node.path for node in machine.device_nodes or ()}
    if machine.device_nodes is not None and "/dev/dxg" not in nodes:
        version = f", version {machine.os.wsl_version}" if machine.os.wsl_version else ""
        yield kinds.wsl.no_dxg.found(
            "this WSL has no GPU",
            (Evidence(f"WSL{version}, and there is no /dev/dxg", "/dev"),),
            Fix("on Windows: install the newest NVIDIA driver, then `wsl --update` and `wsl --shutdown`"),
        )
        return
    firsts = [one for name in ("libcuda", "libnvidia-ml") if (one := world.library(name))]
    foreign = [one for one in firsts if not re.search(r"^/usr/lib/wsl/|/stubs|/compat", one.path)]
    if foreign:
        yield kinds.wsl.linux_driver_installed.found(
            "a Linux driver is installed inside WSL, where Windows' own must be used",
            tuple(Evidence(f"{one.path} is found first, not {WSL_LIBRARIES}'s", one.via) for one in foreign),
            Fix(
                "remove it: WSL brings its own",
                (("apt", "purge", "libnvidia-compute-*", "nvidia-driver-*"),),
                root=True,
            ),
        )


_NIX = "/nix/store/"


def wsl_libcuda(world: World) -> Iterator[Finding | Unchecked]:
    """Windows' libcuda lies in a folder that the loader must be told of; Nix's own loader knows no such file."""
    machine, environment = world.machine, world.environment
    given = machine.environment.get("LD_LIBRARY_PATH", "").split(":")
    drivers = [one for one in machine.libraries or () if one.name == "libcuda"]
    there = [one for one in drivers if one.path.startswith(f"{WSL_LIBRARIES}/")]
    if not machine.os.wsl or not there or WSL_LIBRARIES in (folder.rstrip("/") for folder in given):
        return
    if world.worked or len(there) < len(drivers):
        return  # another copy that is found is the driver's, or wrong: `wsl` says so
    evidence = [
        Evidence(f"{there[0].path} is there", "/usr/lib/wsl"),
        Evidence("not in LD_LIBRARY_PATH", "environment"),
    ]
    program = (environment.program or environment.base or "") if environment else ""
    if program.startswith(_NIX):
        evidence.append(Evidence(f"the interpreter is {program}, whose loader looks into the Nix store alone", "links"))
    elif machine.loader_knows_wsl is None:
        yield Unchecked("the loader's configuration was not read")
        return
    elif not machine.loader_knows_wsl:
        evidence.append(Evidence("neither ld.so.conf nor the loader's cache names it", "/etc/ld.so.cache"))
    else:
        return
    yield kinds.wsl.libcuda_unreachable.found(
        "Windows' libcuda is there, and this Python's loader does not find it",
        tuple(evidence),
        Fix("name the folder", (("export", f"LD_LIBRARY_PATH={WSL_LIBRARIES}"),)),
    )


_GIVEN = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE")


def _job_without_gpu(world: World) -> str | None:
    """The number of a Slurm job that was given no GPU, where there is one or the environment was made for one."""
    if world.machine.limits is None or world.visible:
        return None
    told = world.machine.limits.slurm or {}
    job = told.get("SLURM_JOB_ID") or world.machine.environment.get("SLURM_JOB_ID")
    wanted = _has_control(world) or _a_gpu_is_behind(world)
    return job if job and wanted and not any(told.get(name) for name in _GIVEN) else None


def slurm(world: World) -> Iterator[Finding]:
    if job := _job_without_gpu(world):
        yield kinds.slurm.no_gres.found(
            "the Slurm job has no GPU",
            (Evidence(f"job {job} has neither SLURM_JOB_GPUS nor SLURM_GPUS_ON_NODE", "environment"),),
            Fix("ask for one: `--gpus-per-node=1` or `--gres=gpu:1`"),
        )


def _is_closed(gpu: Gpu) -> bool:
    """To a further process of CUDA."""
    busy = any(one.kind == "compute" for one in gpu.processes or ())
    return gpu.compute_mode == "prohibited" or (gpu.compute_mode not in (None, "default", "unknown") and busy)


def modes(world: World) -> Iterator[Finding]:
    """MIG, exclusive mode, and memory that others hold."""
    for gpu in world.machine.gpus:
        busy = [one for one in gpu.processes or () if one.kind == "compute"]
        # With MPS one server is there, and lets others in: so its documentation tells to set the mode.
        shared = any((one.name or "").rpartition("/")[2].startswith("nvidia-cuda-mps") for one in busy)
        if _is_closed(gpu) and not shared:
            free = [other for other in world.visible if other is not gpu and not _is_closed(other)]
            told = f", process {busy[0].pid}" if busy else ""
            yield kinds.gpu.exclusive_mode.found(
                f"GPU {gpu.index} admits one process, and one is there"
                if busy
                else f"GPU {gpu.index} admits no process",
                (Evidence(f"GPU {gpu.index}: compute mode {gpu.compute_mode}{told}", "nvml"),),
                Fix(
                    "take another GPU, or lift the mode", (("nvidia-smi", "-i", str(gpu.index), "-c", "0"),), root=True
                ),
                severity=WARNING if free or not gpu.visible else ERROR,  # where another one is free, programs start
            )
        if ended := next((one for one in gpu.processes or () if one.state == "Z"), None):
            yield _held_by_ended(gpu, ended)
        elif gpu.memory_mib and gpu.memory_used_mib and gpu.memory_used_mib > 0.9 * gpu.memory_mib:
            holders = ", ".join(f"process {one.pid}" + (f" ({one.name})" if one.name else "") for one in busy[:3])
            yield kinds.gpu.memory_held.found(
                f"GPU {gpu.index} has {gpu.memory_mib - gpu.memory_used_mib} of {gpu.memory_mib} MiB left",
                (
                    Evidence(f"GPU {gpu.index}: {gpu.memory_used_mib} of {gpu.memory_mib} MiB are used", "nvml"),
                    Evidence(holders or "by processes that cannot be seen from here", "nvml"),
                ),
                Fix("wait for it, ask its owner, or take another GPU"),
            )


def _held_by_ended(gpu: Gpu, process: GpuProcess) -> Finding:
    """At any amount: no program will ever use that memory again, and none gets it."""
    name = f" ({process.name})" if process.name else ""
    held = f", {process.memory_mib} MiB" if process.memory_mib else ""
    evidence = [Evidence(f"GPU {gpu.index}: process {process.pid}{name}{held}", "nvml")]
    told = f", and its parent {process.parent} has not taken note" if process.parent and process.parent > 1 else ""
    evidence.append(Evidence(f"process {process.pid} has ended (state Z){told}", f"/proc/{process.pid}/stat"))
    which = (
        f"its parent, process {process.parent}" if process.parent and process.parent > 1 else "the job that it was of"
    )
    return kinds.gpu.memory_held.found(
        f"GPU {gpu.index}: a process that has ended still holds memory",
        tuple(evidence),
        Fix(f"end {which}: a thread of it still works, or its end was not noticed. Where that does not help: reboot"),
    )
