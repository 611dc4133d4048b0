"""conda's names for platforms and packages."""

from cudafit.errors import InputError

PLATFORMS = {
    "linux-x86_64": "linux-64",
    "linux-aarch64": "linux-aarch64",
    "windows-x86_64": "win-64",
    "macos-aarch64": "osx-arm64",
    "macos-x86_64": "osx-64",
}


def conda_platform(platform: str) -> str:
    if platform not in PLATFORMS:
        raise InputError(f"conda has no platform for {platform}")
    return PLATFORMS[platform]
