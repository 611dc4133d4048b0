"""Builds a stand-in for NVIDIA's libnvidia-ml.so.1 and prepares the environment in which a process finds it.

A spec is text, one line per fact; ``#`` starts a comment, indentation is ignored, the first word is the key.
Lines about the machine::

    driver 550.54.15
    cuda 12.4                           # the version the driver supports
    nvml 12.550.54.15
    init 18                             # nvmlInit fails with this code
    error nvmlDeviceGetTemperature 3    # this function returns the code; a third word names one GPU
    hang nvmlDeviceGetName              # this call never returns; another word names one GPU
    crash nvmlInitWithFlags             # this call ends in SIGSEGV; another word names one GPU
    missing nvmlDeviceGetRemappedRows   # the library has no such function, like one of an old driver
    processname 4321 python
    gpu                                 # starts GPU 0, the next one GPU 1, ...

Where several error, hang and crash lines fit a call, the last one counts. Lines about the GPU above them::

    name NVIDIA A100-SXM4-40GB
    uuid GPU-00000000-1111-2222-3333-444444444444
    bus 00000000:01:00.0
    device_id 0x20B010DE                # PCI device << 16 | vendor
    subsystem_id 0x134F10DE
    cc 8.0
    memory 40960 512                    # MiB: total, used
    mig 1 1                             # current, pending
    compute_mode 0
    temperature 41
    clocks 210 1215                     # MHz now: SM and graphics, memory
    max_clocks 1410 1215
    throttle 0x1                        # the bitmask of clocks event reasons
    pcie 1 4 16 16                      # generation now, largest; width now, largest
    ecc 1 1                             # current, pending
    ecc_errors 0 0                      # corrected, uncorrected
    remapped 0 0 0 0                    # corrected, uncorrected, pending, failed
    power 21000 400000                  # mW: usage, enforced limit
    power_default 400000                # mW: the limit that the card comes with
    fabric 3 0                          # of NVSwitches: 0 none, 1 not started, 2 in progress, 3 completed; its code
    persistence 1
    utilization 3 1                     # percent: GPU, memory
    cores 6912
    virtualization 0
    process 4321 1024                   # a compute process: pid, MiB
    graphics 999 64                     # a graphics process: pid, MiB
    migdevice MIG-5555 1 0 9856 NVIDIA A100-SXM4-40GB MIG 2g.10gb
                                        # uuid, GPU instance, compute instance, MiB, the whole name
    lost                                # the GPU has fallen off the bus

What is not stated is "Not Supported"; a line that makes no sense ends the process that uses the library with
SIGABRT. If FAKE_NVML_PROCESSES names a directory, each file ``<pid>`` in it that says ``<gpu index> <MiB>`` is
one more compute process, read anew at each call; what it holds counts as used memory.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("fake_nvml.c")
SONAME = "libnvidia-ml.so.1"

PROPRIETARY_MODULE = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Thu Feb 22 01:44:30 UTC 2024
GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
"""
MOUNT_AND_RUN = 'mount --bind "$1" /proc/driver && mount --bind "$2" /sys/module && shift 2 && exec "$@"'


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


def functions() -> list[str]:
    """The names of all functions the library can have."""
    return re.findall(r"^(?:int |const char \*|\w+_GETTER\()(nvml\w+)", SOURCE.read_text(), flags=re.MULTILINE)


def _words_after(key: str, spec_text: str) -> list[str]:
    return re.findall(rf"^[ \t]*{key}[ \t]+([^\s#]+)", spec_text, flags=re.MULTILINE)


def _cache_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"cudafit-fake-nvml-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    # What lies here gets loaded, so it must not be a folder someone else made under this name.
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise RuntimeError(f"{folder} does not belong to this user")
    return folder


def _compiled(missing: frozenset[str]) -> Path:
    if unknown := missing.difference(functions()):
        raise ValueError(f"a spec leaves out functions that were never there: {', '.join(sorted(unknown))}")
    key = hashlib.sha256(SOURCE.read_bytes() + b"\0" + " ".join(sorted(missing)).encode()).hexdigest()
    library = _cache_folder() / f"{key}.so"
    if library.exists():
        return library
    command = compiler()
    if command is None:
        raise RuntimeError("building the fake NVML needs a C compiler (cc or gcc)")
    # Other processes may build the same library now: each works in a folder of its own and moves the result.
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        exports = Path(folder, "exports")
        left_out = f" local: {' '.join(name + ';' for name in sorted(missing))}" if missing else ""
        exports.write_text(f"{{ global: nvml*;{left_out} }};\n")
        built = Path(folder, SONAME)
        flags = ["-std=c11", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
        linking = [f"-Wl,-soname,{SONAME}", f"-Wl,--version-script,{exports}", "-ldl"]
        subprocess.run([command, *flags, str(SOURCE), "-o", str(built), *linking], check=True)
        os.replace(built, library)
    return library


def build(spec_text: str, folder: Path) -> Path:
    """Puts the spec and the library for it into ``folder``; returns the folder to load the library from."""
    compiled = _compiled(frozenset(_words_after("missing", spec_text)))
    library_folder = folder / "lib"
    library_folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.txt").write_text(spec_text)
    driver = (_words_after("driver", spec_text) or ["0.0"])[0]
    # As the driver's own installer leaves it: the file has the version in its name, the soname points to it.
    shutil.copy(compiled, library_folder / f"libnvidia-ml.so.{driver}")
    link = library_folder / SONAME
    link.unlink(missing_ok=True)
    link.symlink_to(f"libnvidia-ml.so.{driver}")
    return library_folder


def environment(spec_text: str, folder: Path, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Builds the library in ``folder`` and returns ``base`` plus what makes a process load it."""
    library_folder = build(spec_text, folder.resolve())
    search_path = [str(library_folder), *filter(None, [base.get("LD_LIBRARY_PATH")])]
    spec = library_folder.parent / "spec.txt"
    return {**base, "LD_LIBRARY_PATH": os.pathsep.join(search_path), "FAKE_NVML": str(spec)}


def namespace_command(kernel_version: str, folder: Path, command: Sequence[str]) -> list[str]:
    """The command that runs ``command`` where NVIDIA's kernel module seems to be loaded.

    ``kernel_version`` is a version (550.54.14), the whole text of /proc/driver/nvidia/version, or empty for
    a machine without the module. The command runs as root of a namespace, which has no rights outside it.
    """
    proc_driver, sys_module = folder.resolve() / "proc_driver", folder.resolve() / "sys_module"
    for tree in (proc_driver, sys_module):
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
    is_version = re.fullmatch(r"\d+(\.\d+)+", kernel_version)
    text = PROPRIETARY_MODULE.format(version=kernel_version) if is_version else kernel_version
    version = re.search(r"(?<![\w.])\d+\.\d+(\.\d+)?(?![\w.])", text)
    if text:
        (proc_driver / "nvidia").mkdir()
        (proc_driver / "nvidia" / "version").write_text(text)
        (sys_module / "nvidia").mkdir()
    if version:
        (sys_module / "nvidia" / "version").write_text(version[0] + "\n")
    return _in_namespace(proc_driver, sys_module, command)


def _in_namespace(proc_driver: Path, sys_module: Path, command: Sequence[str]) -> list[str]:
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    return [*unshare, "sh", "-c", MOUNT_AND_RUN, "sh", str(proc_driver), str(sys_module), *command]


@functools.cache
def can_mount() -> str | None:
    """Why ``namespace_command`` cannot work on this machine, or None if it can."""
    if shutil.which("unshare") is None:
        return "there is no 'unshare' command"
    with tempfile.TemporaryDirectory() as folder:
        attempt = _in_namespace(Path(folder), Path(folder), ["true"])
        result = subprocess.run(attempt, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    return result.stderr.strip() or f"'unshare' ended with code {result.returncode}"
