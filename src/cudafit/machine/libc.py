"""The C library and its version: what decides which manylinux or musllinux wheels can be installed."""

import re

from cudafit.machine.context import Context
from cudafit.system.posix import posix

PROBE = "libc"

_GLIBC_FILES = (
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/libc.so.6",
)
_APK_INSTALLED = "/lib/apk/db/installed"
_LIBRARY_LIMIT = 8 << 20


def read_libc(context: Context) -> tuple[str, str] | None:
    """`glibc 2.36` or `musl 1.2.4`, and where it was read."""
    if context.here:
        told = _confstr()
        if told:
            return told, "confstr"
    return _glibc(context) or _musl(context)


def _confstr() -> str | None:
    try:
        told: str | None = posix.confstr("CS_GNU_LIBC_VERSION")
        return told or None
    except (AttributeError, ValueError, OSError):
        return None  # musl has no such name, Windows no such call


def _glibc(context: Context) -> tuple[str, str] | None:
    for path in _GLIBC_FILES:
        try:
            content = context.files.head(path, _LIBRARY_LIMIT)
        except OSError:
            continue
        # The banner that the library prints when it is run as a program.
        match = re.search(rb"GNU C Library[^\n\0]{0,200}?version (\d+\.\d+)", content)
        if match:
            return f"glibc {match.group(1).decode()}", path
    return None


def _musl(context: Context) -> tuple[str, str] | None:
    loaders = context.names(PROBE, "/lib", "ld-musl-*.so.1")
    if not loaders:
        return None
    packages = context.read(PROBE, _APK_INSTALLED, _LIBRARY_LIMIT) or ""
    match = re.search(r"^P:musl\nV:(\d+\.\d+(?:\.\d+)?)", packages, re.M)
    return (f"musl {match.group(1)}", _APK_INSTALLED) if match else ("musl", f"/lib/{loaders[0]}")
