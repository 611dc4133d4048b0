"""cudafit on a system that has none of what POSIX alone has: a stand-in for Windows, since the tests run elsewhere.

Its modules are loaded anew with an `os`, `signal` and `sys` that have been stripped of what Windows lacks, and
commands are then called there. Paths stay those of this system.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STAND_IN = r'''
import contextlib, io, json, os, pkgutil, signal, sys, types

import cudafit.cli.main
import jsonschema, conda_lock, rattler, IPython, packaging.pylock  # what lies below cudafit stays as it is

for found in list(pkgutil.walk_packages(cudafit.__path__, "cudafit.")):
    if ".payloads." not in found.name:
        __import__(found.name)
names = sorted(name for name in sys.modules if name.split(".")[0] == "cudafit" and name != "cudafit.__main__")
for name in names:
    del sys.modules[name]
sys.modules.pop("cudafit.__main__", None)

FLAGS = "O_CLOEXEC O_NOFOLLOW O_DIRECTORY O_NONBLOCK O_PATH O_NOCTTY WNOHANG ST_RDONLY PRIO_PROCESS".split()
CALLS = """getuid geteuid getgid getegid fchmod fchown chown lchown statvfs pread pwrite wait4 uname confstr sysconf
killpg
setpriority nice sync posix_spawnp posix_fallocate set_blocking listxattr getxattr setxattr sched_getaffinity fork
mkfifo
WIFSIGNALED WTERMSIG WEXITSTATUS""".split()
SIGNALS = """SIGHUP SIGKILL SIGQUIT SIGUSR1 SIGUSR2 SIGCHLD SIGPIPE SIGXFSZ SIG_BLOCK SIG_SETMASK sigtimedwait
struct_siginfo pthread_sigmask""".split()


def without(module, names):
    """For cudafit alone: the standard library keeps its own, without which it could not start a program here."""
    stripped = types.ModuleType(module.__name__)
    stripped.__dict__.update((name, value) for name, value in vars(module).items() if name not in names)
    sys.modules[module.__name__] = stripped
    return stripped


without(signal, SIGNALS)
without(os, FLAGS + CALLS).name = "nt"
for name in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[name] = None
sys.platform = "win32"
sys.getwindowsversion = lambda: types.SimpleNamespace(major=10, minor=0, build=26100)

for name in names:
    __import__(name)
answers = []
from cudafit.cli.main import main
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["cudafit", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main()
        except SystemExit as ended:
            code = ended.code
    answers.append([code or 0, out.getvalue(), err.getvalue()])
print(json.dumps(answers))
'''


def on_windows(folder: Path, *commands: list[str]) -> list[tuple[int, str, str]]:
    done = subprocess.run(
        [sys.executable, "-c", STAND_IN, json.dumps(commands)],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [tuple(one) for one in json.loads(done.stdout)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it takes Linux's things away")
def test_every_module_is_loaded_and_commands_answer(tmp_path: Path) -> None:
    machine = ("--gpu", "RTX 4090", "--driver", "580.65.06")
    resolve, doctor, conda, run, repair = on_windows(
        tmp_path,
        ["resolve", "torch", *machine, "--platform", "windows-x86_64", "--json"],
        ["doctor", "--json"],
        ["doctor", "--conda", "C:\\envs\\x"],
        ["run", "--", "python"],
        ["repair", "envs/gpu", "--yes"],
    )
    assert (resolve[0], json.loads(resolve[1])["status"]) == (0, "fit")
    assert doctor[0] in (0, 3)
    assert json.loads(doctor[1])["schema"] == "cudafit.doctor/1"
    assert (conda[0], "there is no such folder" in conda[2]) == (2, True)
    assert (run[0], "only Linux has" in run[2]) == (2, True)
    assert (repair[0], "is not a Python environment" in repair[2]) == (2, True)
