"""C compilers that Triton would use, found by files alone: none is run.

Triton compiles a small C file for each kernel that it starts: it takes `CC`, else `gcc`, else `clang` from PATH
(triton/runtime/build.py). Linking that file needs parts of the C library that slim images leave out.
"""

from cudafit.machine.context import Context
from cudafit.model.machine import Compiler

PROBE = "compilers"
NAMES = ("gcc", "clang")
_SYSTEM_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin")
_MOST_FOLDERS = 100
# glibc's own; musl has no second one, and needs none.
FILES = ("crt1.o", "libc_nonshared.a")


def read_compilers(context: Context) -> tuple[Compiler, ...]:
    """In the order in which Triton takes them; of each name the first on PATH."""
    found = []
    if (given := context.environ.get("CC", "").split(" ")[0]).startswith("/") and context.files.is_file(given):
        found.append(Compiler("CC", given, "CC", _files(context, given)))
    folders = [folder for folder in context.environ.get("PATH", "").split(":") if folder.startswith("/")]
    folders = folders[:_MOST_FOLDERS] or list(_SYSTEM_FOLDERS)
    for name in NAMES:
        path = next((f"{folder}/{name}" for folder in folders if context.files.is_file(f"{folder}/{name}")), None)
        if path is not None:
            found.append(Compiler(name, path, "PATH", _files(context, path)))
    return tuple(found)


def _files(context: Context, compiler: str) -> tuple[str, ...] | None:
    """The parts of the C library that a compiler of the distribution finds; conda's and Nix's bring their own."""
    if not context.files.real(compiler).startswith(("/usr/bin/", "/usr/lib/", "/usr/lib64/", "/bin/")):
        return None
    folders = ["/usr/lib64", "/usr/lib", "/lib64", "/lib"]
    folders += [f"/usr/lib/{name}" for name in context.names(PROBE, "/usr/lib", "*-linux-*")]
    return tuple(
        path
        for name in FILES
        if (path := next((f"{one}/{name}" for one in folders if context.files.is_file(f"{one}/{name}")), None))
    )
