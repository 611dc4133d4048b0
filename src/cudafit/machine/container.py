"""Whether this is a container, and of which kind, by several signs."""

import re

from cudafit.machine.context import Context

PROBE = "container"
DOCKER_FILE = "/.dockerenv"
PODMAN_FILE = "/run/.containerenv"
KUBERNETES_FOLDER = "/run/secrets/kubernetes.io"
APPTAINER_FOLDER = "/.singularity.d"
MOUNTS = "/proc/self/mountinfo"

# Words in the path of a control group or of the root file system's layers, most specific first.
_WORDS = (
    (r"kubepods", "kubernetes"),
    (r"libpod|/containers/storage/", "podman"),
    (r"/docker[/-]|/var/lib/docker/|docker/overlay2", "docker"),
    (r"/lxc[./]|lxc\.payload", "lxc"),
    (r"cri-containerd|io\.containerd", "containerd"),
)

# What `container=` holds (systemd's container interface), in our words where they differ.
_ENVIRONMENT_NAMES = {"oci": "oci", "systemd-nspawn": "systemd-nspawn", "podman": "podman", "lxc": "lxc"}


def read_container(context: Context) -> tuple[str, str] | None:
    """The kind of container and the sign it was known by; None when nothing says that this is one."""
    files, environ = context.files, context.environ
    mounts = context.read(PROBE, MOUNTS, 1 << 22) or ""
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes", "KUBERNETES_SERVICE_HOST"
    if files.exists(KUBERNETES_FOLDER):
        return "kubernetes", KUBERNETES_FOLDER
    for variable in ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"):
        if variable in environ:
            return "apptainer", variable
    if files.exists(PODMAN_FILE):
        return "podman", PODMAN_FILE
    if files.exists(DOCKER_FILE) and not is_whole_disk(mounts):
        return "docker", DOCKER_FILE
    if files.is_dir(APPTAINER_FOLDER):
        return "apptainer", APPTAINER_FOLDER
    if name := environ.get("container"):
        return _ENVIRONMENT_NAMES.get(name, name), "container="
    if name := (context.read(PROBE, "/run/systemd/container") or "").strip():
        return _ENVIRONMENT_NAMES.get(name, name), "/run/systemd/container"
    return _by_paths(context, mounts)


def _by_paths(context: Context, mounts: str) -> tuple[str, str] | None:
    groups = context.read(PROBE, "/proc/1/cgroup") or ""
    root = _root_mount(mounts) or ""
    for words, kind in _WORDS:
        if re.search(words, groups):
            return kind, "/proc/1/cgroup"
        if re.search(words, root):
            return kind, MOUNTS
    return None


def is_whole_disk(mounts: str) -> bool:
    """Whether the root file system is a disk of its own, as a container's is not.

    A virtual machine made from a container image keeps the image's /.dockerenv and is no container for it.
    """
    fields = (_root_mount(mounts) or "").split(" ")
    after = fields[fields.index("-") + 1 :] if "-" in fields else []
    if len(after) < 2:
        return False
    inner, source = fields[3], after[1]
    return inner == "/" and re.match(r"/dev/(vd|sd|xvd|nvme|mmcblk)", source) is not None


def _root_mount(mounts: str) -> str | None:
    """The line of /proc/self/mountinfo (proc(5)) that is mounted on `/`: the last one wins."""
    lines = [line for line in mounts.splitlines() if len(line.split(" ")) > 5 and line.split(" ")[4] == "/"]
    return lines[-1] if lines else None
