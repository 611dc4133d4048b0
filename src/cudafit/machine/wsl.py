"""The Windows Subsystem for Linux, and which of its two kinds."""

import re

from cudafit.machine.context import Context

PROBE = "wsl"
GPU_NODE = "/dev/dxg"
LIBRARIES = "/usr/lib/wsl/lib"
WITH_GPU = 2  # WSL 1 has no access to a GPU


def read_wsl(context: Context, kernel: str | None) -> tuple[int, str] | None:
    """1 or 2, and the sign it was known by.

    WSL 1 has Windows' own build number for a kernel (`4.4.0-19041-Microsoft`), WSL 2 a Linux kernel built by Microsoft
    (`5.15.153.1-microsoft-standard-WSL2`), or one that its user built, which says nothing: then its devices tell.
    """
    name = kernel or ""
    if re.search(r"-Microsoft$", name):
        return 1, "kernel release"
    if "microsoft" in name.lower():
        return 2, "kernel release"
    if context.files.exists(GPU_NODE) and context.files.is_dir(LIBRARIES):
        return 2, GPU_NODE
    if "WSL_INTEROP" in context.environ:
        return 2, "WSL_INTEROP"
    return None
