"""Which of the two Windows Subsystems for Linux."""

from pathlib import Path

import pytest

from cudafit.machine.wsl import read_wsl
from tests.machine.trees import Folder, Tree, image

GPU: Tree = {"/dev/dxg": "", "/usr/lib/wsl/lib": Folder()}


@pytest.mark.parametrize(
    ("kernel", "tree", "environ", "found"),
    [
        pytest.param("4.4.0-19041-Microsoft", {}, {}, (1, "kernel release"), id="WSL 1"),
        pytest.param("5.15.153.1-microsoft-standard-WSL2", {}, {}, (2, "kernel release"), id="WSL 2"),
        pytest.param("6.6.36.6-microsoft-standard-WSL2+", GPU, {}, (2, "kernel release"), id="WSL 2, own build"),
        pytest.param("6.9.0-custom", GPU, {}, (2, "/dev/dxg"), id="own kernel, with the GPU's device"),
        pytest.param("6.9.0-custom", {}, {"WSL_INTEROP": "/run/WSL/8_interop"}, (2, "WSL_INTEROP"), id="own kernel"),
        pytest.param("6.9.0-custom", {"/dev/dxg": ""}, {}, None, id="the device without WSL's libraries"),
        pytest.param("6.9.0-custom", {"/usr/lib/wsl/lib": Folder()}, {}, None, id="the libraries without the device"),
        pytest.param("6.8.0-45-generic", {}, {}, None, id="Linux"),
        pytest.param("6.5.0-1025-azure", {}, {}, None, id="Linux on Azure"),
        pytest.param(None, {}, {}, None, id="nothing known"),
    ],
)
def test_signs(
    kernel: str | None, tree: Tree, environ: dict[str, str], found: tuple[int, str] | None, tmp_path: Path
) -> None:
    assert read_wsl(image(tmp_path, tree, environ), kernel) == found
