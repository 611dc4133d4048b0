"""The signs of a container, each met in the wild."""

from pathlib import Path

import pytest

from cudafit.machine.container import MOUNTS, is_whole_disk, read_container
from tests.machine.trees import Folder, Tree, image

DOCKER_ROOT = (
    "1234 1100 0:312 / / rw,relatime master:301 - overlay overlay rw,"
    "lowerdir=/var/lib/docker/overlay2/l/ABC:/var/lib/docker/overlay2/l/DEF,"
    "upperdir=/var/lib/docker/overlay2/9f/diff,workdir=/var/lib/docker/overlay2/9f/work\n"
    "1235 1234 0:315 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
)
CONTAINERD_ROOT = (
    "901 800 0:77 / / rw,relatime - overlay overlay rw,"
    "lowerdir=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs\n"
)
PODMAN_ROOT = (
    "702 600 0:55 / / rw,nodev,relatime - overlay overlay rw,"
    "lowerdir=/home/ada/.local/share/containers/storage/overlay/l/ABC\n"
)
DISK_ROOT = "29 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n30 29 0:5 / /dev rw - devtmpfs devtmpfs rw\n"
NVME_ROOT = "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
BOUND_FOLDER = "29 1 259:2 /srv/image / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"


@pytest.mark.parametrize(
    ("tree", "environ", "found"),
    [
        pytest.param({"/.dockerenv": "", MOUNTS: DOCKER_ROOT}, {}, ("docker", "/.dockerenv"), id="docker"),
        pytest.param({"/.dockerenv": "", MOUNTS: DISK_ROOT}, {}, None, id="a virtual machine made from an image"),
        pytest.param({"/.dockerenv": ""}, {}, ("docker", "/.dockerenv"), id="docker, mounts not readable"),
        pytest.param({MOUNTS: DOCKER_ROOT}, {}, ("docker", MOUNTS), id="docker by its layers"),
        pytest.param(
            {"/proc/1/cgroup": "12:memory:/docker/3f2a\n0::/docker/3f2a\n"},
            {},
            ("docker", "/proc/1/cgroup"),
            id="groups",
        ),
        pytest.param(
            {"/proc/1/cgroup": "0::/system.slice/docker-3f2a.scope\n"}, {}, ("docker", "/proc/1/cgroup"), id="scope"
        ),
        pytest.param({"/proc/1/cgroup": "0::/system.slice/docker.service\n"}, {}, None, id="a host that runs docker"),
        pytest.param({"/run/.containerenv": ""}, {}, ("podman", "/run/.containerenv"), id="podman"),
        pytest.param({MOUNTS: PODMAN_ROOT}, {}, ("podman", MOUNTS), id="podman by its layers"),
        pytest.param({}, {"container": "podman"}, ("podman", "container="), id="podman by its variable"),
        pytest.param(
            {"/.dockerenv": ""},
            {"KUBERNETES_SERVICE_HOST": "10.96.0.1"},
            ("kubernetes", "KUBERNETES_SERVICE_HOST"),
            id="kubernetes by its variable",
        ),
        pytest.param(
            {"/run/secrets/kubernetes.io/serviceaccount": Folder()},
            {},
            ("kubernetes", "/run/secrets/kubernetes.io"),
            id="kubernetes by its folder",
        ),
        pytest.param(
            {"/proc/1/cgroup": "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-3f.scope\n"},
            {},
            ("kubernetes", "/proc/1/cgroup"),
            id="kubernetes by its group, before containerd",
        ),
        pytest.param({MOUNTS: CONTAINERD_ROOT}, {}, ("containerd", MOUNTS), id="containerd"),
        pytest.param({"/proc/1/cgroup": "8:memory:/lxc/web\n"}, {}, ("lxc", "/proc/1/cgroup"), id="lxc"),
        pytest.param({"/proc/1/cgroup": "0::/lxc.payload.web/init.scope\n"}, {}, ("lxc", "/proc/1/cgroup"), id="lxc 4"),
        pytest.param({}, {"container": "lxc"}, ("lxc", "container="), id="lxc by its variable"),
        pytest.param({}, {"container": "systemd-nspawn"}, ("systemd-nspawn", "container="), id="systemd-nspawn"),
        pytest.param(
            {"/run/systemd/container": "systemd-nspawn\n"},
            {},
            ("systemd-nspawn", "/run/systemd/container"),
            id="systemd-nspawn by its file",
        ),
        pytest.param({}, {"container": "flatpak"}, ("flatpak", "container="), id="one we have no word for"),
        pytest.param(
            {},
            {"APPTAINER_CONTAINER": "/images/torch.sif", "SINGULARITY_CONTAINER": "/images/torch.sif"},
            ("apptainer", "APPTAINER_CONTAINER"),
            id="apptainer",
        ),
        pytest.param(
            {"/.dockerenv": ""},
            {"SINGULARITY_CONTAINER": "x.sif"},
            ("apptainer", "SINGULARITY_CONTAINER"),
            id="singularity",
        ),
        pytest.param({"/.singularity.d": Folder()}, {}, ("apptainer", "/.singularity.d"), id="apptainer by its folder"),
        pytest.param({"/proc/1/cgroup": "0::/init.scope\n", MOUNTS: NVME_ROOT}, {"container": ""}, None, id="a host"),
        pytest.param({}, {}, None, id="nothing"),
    ],
)
def test_signs(tree: Tree, environ: dict[str, str], found: tuple[str, str] | None, tmp_path: Path) -> None:
    assert read_container(image(tmp_path, tree, environ)) == found


@pytest.mark.parametrize(
    ("mounts", "whole"),
    [
        pytest.param(DISK_ROOT, True, id="disk of a virtual machine"),
        pytest.param(NVME_ROOT, True, id="partition"),
        pytest.param(BOUND_FOLDER, False, id="a folder of a disk"),
        pytest.param(DOCKER_ROOT, False, id="overlay"),
        pytest.param(DISK_ROOT + DOCKER_ROOT, False, id="the last mount on / wins"),
        pytest.param("29 1 254:0 / / rw,relatime - ext4\n", False, id="cut off after the type"),
        pytest.param("29 1 254:0 / / rw,relatime -\n", False, id="cut off after the separator"),
        pytest.param("29 1 254:0 / / rw,relatime\n", False, id="no separator"),
        pytest.param("garbage\n\n", False, id="garbage"),
        pytest.param("", False, id="empty"),
    ],
)
def test_whether_the_root_is_a_disk_of_its_own(mounts: str, whole: bool) -> None:
    assert is_whole_disk(mounts) is whole
