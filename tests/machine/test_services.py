"""Services by the links of systemd."""

from pathlib import Path

from cudafit.machine.services import read_services
from tests.machine.trees import Folder, Link, Tree, image


def test_services_that_are_wanted_or_required(tmp_path: Path) -> None:
    system = "/etc/systemd/system"
    unit = "/usr/lib/systemd/system/nvidia-suspend.service"
    tree: Tree = {
        f"{system}/systemd-suspend.service.requires/nvidia-suspend.service": Link(unit),
        f"{system}/multi-user.target.wants/nvidia-persistenced.service": Link("gone"),
        f"{system}/multi-user.target.wants/ssh.service": Link("gone"),
        f"{system}/nvidia-resume.service": "",  # is there, and nobody starts it
        "/usr/lib/systemd/system/systemd-hibernate.service.wants/nvidia-hibernate.service": Link("gone"),
        unit: "",
    }
    found = ("nvidia-hibernate.service", "nvidia-persistenced.service", "nvidia-suspend.service")
    assert read_services(image(tmp_path, tree)) == found


def test_none_and_not_known_are_two_things(tmp_path: Path) -> None:
    assert read_services(image(tmp_path / "a", {"/etc/systemd/system": Folder()})) == ()
    assert read_services(image(tmp_path / "b", {})) is None
