"""conda's names for platforms and packages."""

import os
import re
from urllib.parse import unquote, urlsplit

from cudafit.errors import InputError
from cudafit.model.frameworks import MAIN_OF_CONDA

PLATFORMS = {
    "linux-x86_64": "linux-64",
    "linux-aarch64": "linux-aarch64",
    "windows-x86_64": "win-64",
    "windows-aarch64": "win-arm64",
    "macos-aarch64": "osx-arm64",
    "macos-x86_64": "osx-64",
}


def conda_platform(platform: str) -> str:
    if platform not in PLATFORMS:
        raise InputError(f"conda has no platform for {platform}")
    return PLATFORMS[platform]


def main_name(name: str) -> str:
    """A package of conda as it is asked for."""
    of = MAIN_OF_CONDA.get(name)
    return of.name if of else name


def package_of_file(url: str) -> tuple[str, str]:
    """`.../pytorch-2.13.0-cuda130_mkl_h0_0.conda`: the package, and its version with its build."""
    name = re.sub(r"\.(conda|tar\.bz2)$", "", unquote(os.path.basename(urlsplit(url).path)))
    package, version, build = name.rsplit("-", 2)
    return main_name(package), f"{version}={build}"
