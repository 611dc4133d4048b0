"""Pythons without an environment as they are met: which packages are theirs, and which folder would change.

Layouts by the images' own files and documentation: Docker's `python`, Ubuntu and Debian (site.py, PEP 668), Colab,
Kaggle, Fedora ("Making sudo pip safe").
"""

from pathlib import Path

import pytest

from cudafit.env.inventory import read_inventory
from cudafit.env.locate import Asked, locate
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.environment import Environment
from cudafit.model.located import Located
from cudafit.model.plan import Plan, Step
from cudafit.repair.engines.system import place_of as chosen

UBUNTU = {"usr/bin/python3.12": "", "usr/bin/python3": "-> python3.12", "usr/lib/python3.12/os.py": ""}
DEBIAN = {"usr/bin/python3.11": "", "usr/bin/python3": "-> python3.11", "usr/lib/python3.11/os.py": ""}
MARKED = {"usr/lib/python3.11/EXTERNALLY-MANAGED": "[externally-managed]\nError=Debian keeps it\n"}
DPKG = "usr/lib/python3/dist-packages"
IMAGE = {"usr/local/bin/python3.12": "", "usr/local/bin/python3": "-> python3.12"}
FEDORA = {"usr/bin/python3.13": "", "usr/bin/python3": "-> python3.13", "usr/lib64/python3.13/os.py": ""}


def dist(place: str, name: str, installer: str = "pip") -> dict[str, str]:
    info = f"{place}/{name}-2.7.1.dist-info"
    return {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.7.1\n\n",
        f"{info}/INSTALLER": f"{installer}\n",
    }


def seen(top: Path, files: dict[str, str]) -> Environment:
    for path, text in files.items():
        place = top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            place.symlink_to(text[3:])
        else:
            place.write_text(text)
    root = Files(str(top))
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/me"}
    found = locate(root, Asked(environ=environ, folder="/", system=True))
    assert isinstance(found, Located)
    return read_inventory(root, found, environ, ())


def place_of(environment: Environment) -> str:
    return chosen(Plan(environment.path, "3", (Step("replace", "torch", "2.7.1", "2.7.1+cu126", "why"),)), environment)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        (
            {**IMAGE, **dist("usr/local/lib/python3.12/site-packages", "torch")},
            "/usr/local/lib/python3.12/site-packages",
        ),
        (
            # Colab, and PyTorch's own images: another Python's folder lies beside it.
            {
                **UBUNTU,
                **dist(DPKG, "cryptography", "debian"),
                **dist("usr/local/lib/python3.12/dist-packages", "torch"),
                **dist("usr/local/lib/python3.10/dist-packages", "torch"),
            },
            "/usr/local/lib/python3.12/dist-packages",
        ),
        (
            {**UBUNTU, **dist(DPKG, "six", "debian"), **dist("home/me/.local/lib/python3.12/site-packages", "torch")},
            "/home/me/.local/lib/python3.12/site-packages",
        ),
        (
            {**FEDORA, **dist("usr/local/lib64/python3.13/site-packages", "torch")},
            "/usr/local/lib64/python3.13/site-packages",
        ),
    ],
    ids=["docker", "colab", "user", "fedora"],
)
def test_the_folder_that_changes(tmp_path: Path, files: dict[str, str], place: str) -> None:
    found = seen(tmp_path, files)
    assert (found.kind, found.managed_by) == ("system", None)
    assert place_of(found) == place


def test_what_a_distribution_keeps(tmp_path: Path) -> None:
    found = seen(tmp_path, {**DEBIAN, **MARKED, **dist("usr/local/lib/python3.11/dist-packages", "torch")})
    assert (found.python, found.managed_by) == ("3.11", "/usr/lib/python3.11/EXTERNALLY-MANAGED")


def test_packages_of_rpm_are_for_nobody_else_to_change(tmp_path: Path) -> None:
    rpm = seen(tmp_path, {**FEDORA, **dist("usr/lib64/python3.13/site-packages", "numpy", "rpm")})
    plan = Plan("/usr", "3", (Step("install", "torch", None, "2.7.1+cu126", "why"),))
    with pytest.raises(InputError, match="its distribution's") as caught:
        chosen(plan, rpm)
    assert "/usr/lib64/python3.13/site-packages" in caught.value.cause[0]
