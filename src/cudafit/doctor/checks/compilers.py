"""What torch.compile needs beside torch: Triton compiles a small C file for each kernel that it starts."""

from collections.abc import Iterator

from cudafit.doctor.world import Unchecked, World
from cudafit.model import kinds
from cudafit.model.environment import Environment
from cudafit.model.finding import INFO, WARNING, Evidence, Finding, Fix, Severity
from cudafit.model.machine import Compiler, Machine
from cudafit.model.versions import numbers

# Distribution -> what brings the compiler with the C library's files, and what brings Python.h.
_PACKAGES = {
    "ubuntu": (("apt", "install", "gcc", "libc6-dev"), ("apt", "install", "python{python}-dev")),
    "debian": (("apt", "install", "gcc", "libc6-dev"), ("apt", "install", "python{python}-dev")),
    "fedora": (("dnf", "install", "gcc", "glibc-devel"), ("dnf", "install", "python{python}-devel")),
    "rocky": (("dnf", "install", "gcc", "glibc-devel"), ("dnf", "install", "python{python}-devel")),
    "almalinux": (("dnf", "install", "gcc", "glibc-devel"), ("dnf", "install", "python{python}-devel")),
    "rhel": (("dnf", "install", "gcc", "glibc-devel"), ("dnf", "install", "python{python}-devel")),
    "arch": (("pacman", "-S", "gcc"), ("pacman", "-S", "python")),
}


def no_compiler(world: World) -> Iterator[Finding | Unchecked]:
    """No compiler is no fault: slim images have none, and many never use torch.compile. A broken one is."""
    machine, environment = world.machine, world.environment
    if environment is None or machine.os.system != "linux" or not world.has_gpu or not _uses_triton(environment):
        return
    if machine.compilers is None:
        yield Unchecked("no C compiler was looked for")
        return
    compiler = machine.compilers[0] if machine.compilers else None
    if compiler is None and environment.compiler is None:
        yield _finding(
            INFO, "there is no C compiler, which torch.compile needs", "neither gcc nor clang, nor CC", "PATH", machine
        )
    elif compiler and environment.compiler is None and (missing := _missing(compiler, machine)):
        fact = f"{compiler.path} is there, {' and '.join(missing)} not"
        title = "the C compiler that torch.compile needs cannot link: the C library's files for it are missing"
        yield _finding(WARNING, title, fact, "/usr/lib", machine)
    elif environment.header is False and (compiler or environment.compiler):
        python = ".".join((environment.python or "").split(".")[:2])
        ours = (environment.program or "").startswith("/usr/bin/")  # another Python's headers come from elsewhere
        yield _finding(
            INFO,
            "torch.compile needs Python.h, and it is not there",
            f"no Python.h beside {environment.program}",
            "include folder",
            machine,
            python,
            packaged=ours,
        )


def _uses_triton(environment: Environment) -> bool:
    return has_compile(environment) or environment.distribution("triton") is not None


def has_compile(environment: Environment) -> bool:
    """torch.compile came with torch 2."""
    torch = environment.torch
    return bool(torch and torch.has_cuda and (not torch.version or numbers(torch.version)[:1] >= (2,)))


def _missing(compiler: Compiler, machine: Machine) -> list[str]:
    """Those of glibc; musl has no libc_nonshared.a, and of an unknown libc only crt1.o is sure to be needed."""
    if compiler.files is None:
        return []
    needed = ["crt1.o", *(["libc_nonshared.a"] if (machine.os.libc or "").startswith("glibc") else [])]
    return [name for name in needed if not any(path.endswith(f"/{name}") for path in compiler.files)]


def _finding(
    severity: Severity,
    title: str,
    fact: str,
    via: str,
    machine: Machine,
    python: str | None = None,
    *,
    packaged: bool = True,
) -> Finding:
    commands = _PACKAGES.get((machine.os.distro or "").partition(" ")[0]) if packaged else None
    chosen = commands[python is not None] if commands else None
    what = "Python's header files" if python is not None else "gcc and the C library's header files"
    return kinds.triton.no_c_compiler.found(
        title,
        (Evidence(fact, via),),
        Fix(
            f"where torch.compile or Triton is used: install {what}",
            (tuple(word.format(python=python) for word in chosen),) if chosen else (),
            root=True,
        ),
        severity=severity,
    )
