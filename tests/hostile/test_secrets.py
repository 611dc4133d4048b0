"""Secrets of every kind are planted where cudafit reads: none comes out, neither printed nor in a file.

Everything is planted at once and every command is run once; then it is asked of each secret where it is.
"""

import base64
import json
import os
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.hostile.case import Ended, Place, place, run, run_here
from tests.older import SAFE_PYTHON
from tests.repair.conda_world import CondaWorld, conda_world
from tests.repair.world import PYTHON, World, broken_env, world

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the place is built for Linux"),
    pytest.mark.slow,
    pytest.mark.xdist_group("secrets"),  # every command is run once, for all of them
]

ROOT = Path(__file__).parents[2]
NOWHERE = "127.0.0.1:9"


class Planted:
    """The place, the secrets by their kinds, and what came out."""

    def __init__(self, made: Place, conda: CondaWorld, channel: str) -> None:
        self.made, self.conda, self.channel = made, conda, channel
        self.secrets: dict[str, str] = {}
        self.printed: dict[str, Ended] = {}
        self.before: dict[Path, bytes] = {}

    def secret(self, kind: str, begin: str = "") -> str:
        """A new one, never twice the same."""
        assert kind not in self.secrets
        self.secrets[kind] = begin + f"Zq{uuid.uuid4().hex[:18]}K"
        return self.secrets[kind]

    def login(self, kind: str, address: str) -> str:
        return address.replace("://", f"://me:{self.secret(kind)}@")

    def run(self, name: str, *words: str | Path, codes: tuple[int, ...] = (0,), **environ: str) -> Ended:
        """One command; what it was and how it ended is kept."""
        kept = dict(self.made.environ)
        self.made.environ |= environ
        try:
            ended = (run if words[0] == "run" else run_here)(self.made, words)
        finally:
            self.made.environ = kept
        assert ended.code in codes, f"{name}: exit code {ended.code}\n{ended.printed}"
        self.printed[name] = ended
        return ended

    def files(self) -> dict[Path, bytes]:
        paths = [path for path in self.made.top.rglob("*") if path.is_file() and not path.is_symlink()]
        return {path: path.read_bytes() for path in paths if path.stat().st_size < 10 << 20}


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The folder at a loopback address, for whoever comes."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, compiled: Path) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("secrets")
    foreign = ("CUDA", "NVIDIA_", "CONDA_", "UV_", "PIP_", "XDG_", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "GITHUB_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    (folder / "conda").mkdir()
    (folder / "pip").mkdir()
    conda = conda_world(folder / "conda")
    with world(folder / "pip") as small, _served(conda.channel) as channel:
        planted = Planted(place(folder / "place", small, environ, compiled), conda, channel)
        _variables(planted, small)
        _files(planted, small)
        broken_env(planted.made.env, planted.made.canary)
        _origin(planted)
        planted.before = planted.files()
        _run_all(planted, small)
        yield planted


def _variables(planted: Planted, small: World) -> None:
    base = small.env["CUDAFIT_PYTORCH_INDEX"]
    planted.made.environ |= {
        **{name: planted.secret(name) for name in ("HF_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD")},
        "GITHUB_TOKEN": planted.secret("GITHUB_TOKEN", "ghp_"),
        "UV_DEFAULT_INDEX": planted.login("UV_DEFAULT_INDEX", small.default.address),
        "PIP_INDEX_URL": planted.login("PIP_INDEX_URL", small.default.address),
        "PIP_EXTRA_INDEX_URL": planted.login("PIP_EXTRA_INDEX_URL", small.default.address),
        "CUDAFIT_PYTORCH_INDEX": planted.login("CUDAFIT_PYTORCH_INDEX", base),
        "CUDAFIT_CONDA_CHANNEL": planted.login("CUDAFIT_CONDA_CHANNEL", planted.channel),
        "HTTPS_PROXY": planted.login("HTTPS_PROXY", f"http://{NOWHERE}"),
        "UV_HTTP_RETRIES": "0",
        # Of those that a snapshot records.
        "XLA_FLAGS": f"--xla_dump_to=s3://me:{planted.secret('XLA_FLAGS')}@bucket/x",
        "PYTORCH_CUDA_ALLOC_CONF": f"api_key={planted.secret('PYTORCH_CUDA_ALLOC_CONF')}",
        "CUDA_HOME": f"https://me:{planted.secret('CUDA_HOME')}@host.example/cuda",
    }


def _files(planted: Planted, small: World) -> None:
    work, home = planted.made.work, planted.made.home

    def write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def secret(kind: str, begin: str = "") -> str:
        return planted.secret(kind, begin)

    write(home / ".netrc", f"machine host.example login me password {secret('.netrc')}\n")
    write(home / ".config/pip/pip.conf", f"[global]\nindex-url = {planted.login('pip.conf', small.default.address)}\n")
    write(home / ".config/uv/uv.toml", f'index-url = "{planted.login("uv.toml", small.default.address)}"\n')
    write(home / ".condarc", f"channels:\n- https://conda.example/t/{secret('condarc')}/mine\n")
    write(work / ".git/config", f'[remote "origin"]\n\turl = https://me:{secret("git remote")}@git.example/x.git\n')
    write(
        work / "r.txt",
        f"numpy\nrich\npillow @ https://me:{secret('requirement')}@host.example/pillow-1-py3-none-any.whl\n"
        f"x @ git+https://{secret('git requirement')}@git.example/o/x.git@v1\n"
        f"y @ https://host.example/y-1-py3-none-any.whl?token={secret('query')}\n",
    )
    write(work / "index.txt", f"--extra-index-url {planted.login('--extra-index-url', small.default.address)}\nnumpy\n")
    write(
        work / "Dockerfile",
        f"FROM nvidia/cuda:12.4.1-base-ubuntu22.04\nARG NPM_TOKEN={secret('ARG')}\nENV HF_TOKEN={secret('ENV')}\n"
        f"ENV LEGACY_TOKEN {secret('ENV without =')}\nENV CUDA_VISIBLE_DEVICES=-1\n"
        f"RUN pip install torch --index-url https://me:{secret('RUN')}@host.example/whl/cpu?t={secret('RUN query')}\n"
        f"RUN HF_TOKEN={secret('RUN variable')} pip install torch --token {secret('RUN option')}\n",
    )
    write(work / ".env", f"TAG={secret('.env')}\n")
    write(
        work / "compose.yaml",
        "services:\n  train:\n    image: https://me:" + secret("compose image") + "@registry.example/x:1\n"
        f"    environment:\n      HF_TOKEN: {secret('compose environment')}\n      CUDA_VISIBLE_DEVICES: '-1'\n"
        f"    runtime: https://me:{secret('compose runtime')}@x\n"
        f"  other:\n    build: https://me:{secret('compose build')}@git.example/x.git\n",
    )
    write(
        work / "train.py",
        f"import torch\nimport wandb\nHF_TOKEN = '{secret('code variable')}'\nwandb.login(key='{secret('code key')}')\n"
        f"device = torch.device('cuda', '{secret('code device', 'hf_')}')\nx = torch.zeros(3).to('cpu')\n"
        f"x.cuda()\nmodel = torch.load('https://me:{secret('code address')}@host.example/x.pt', map_location='cpu')\n",
    )
    write(work / "quiet.py", "import time\ntime.sleep(0.2)\n")
    kernel = {
        "argv": [sys.executable, "-m", "ipykernel", f"--token={secret('kernel argv')}"],
        "env": {"HF_TOKEN": secret("kernel env"), "CUDA_VISIBLE_DEVICES": "-1"},
    }
    write(home / ".local/share/jupyter/kernels/mine/kernel.json", json.dumps(kernel))
    snapshot = json.loads((ROOT / "tests/machines/rtx4090-550.json").read_text())
    snapshot["environment"]["XLA_FLAGS"] = f"--xla_dump_to=https://me:{secret('snapshot')}@host.example/x"
    snapshot["environment"]["HF_TOKEN"] = secret("snapshot variable")
    snapshot["problems"].append({"probe": "nvml", "error": f"https://me:{secret('snapshot problem')}@host.example/"})
    write(work / "machine.json", json.dumps(snapshot))
    lock = "numpy @ http://me:{}@{}/numpy-2.2.0-py3-none-any.whl \\\n    --hash=sha256:{}\n"
    write(work / "locked.txt", lock.format(secret("lock"), NOWHERE, "a1" * 32))
    write(
        work / "explicit.txt",
        f"@EXPLICIT\nhttp://me:{secret('explicit')}@{NOWHERE}/linux-64/numpy-2.2.0-py_0.conda#{'a1' * 16}\n"
        f"http://{NOWHERE}/t/{secret('explicit token')}/linux-64/rich-13-py_0.conda#{'a1' * 16}\n",
    )
    write(
        work / "prefix/conda-meta/numpy-2.2.0-py_0.json",
        json.dumps(
            {
                "channel": f"https://me:{secret('conda-meta channel')}@conda.example/mine/linux-64",
                "url": f"https://conda.example/t/{secret('conda-meta url')}/mine/linux-64/numpy-2.2.0-py_0.conda",
                "name": "numpy",
                "version": "2.2.0",
                "build": "py_0",
            }
        ),
    )
    write(work / "prefix/conda-meta/history", f"# cmd: conda install --token {secret('conda history')}\n")


def _origin(planted: Planted) -> None:
    (found,) = planted.made.env.glob("lib/python3*/site-packages/rich-*.dist-info")
    address = f"https://me:{planted.secret('direct_url.json')}@host.example/rich.whl"
    (found / "direct_url.json").write_text(json.dumps({"url": address, "archive_info": {}}))


def _run_all(planted: Planted, small: World) -> None:
    _looks(planted)
    _resolves(planted, small)
    _makes(planted, small)
    _jobs(planted)
    _bug(planted)


def _looks(planted: Planted) -> None:
    go = planted.run
    any_end = (0, 1, 2, 3)
    go("inspect", "inspect", codes=any_end)
    go("inspect --json", "inspect", "--json", "--save", "saved.json", codes=any_end)
    go("inspect --machine", "inspect", "--machine", "machine.json")
    go("inspect --machine --json", "inspect", "--machine", "machine.json", "--json", "--save", "again.json")
    go("doctor", "doctor", "--env", ".venv", "--code", "train.py", codes=any_end)
    for form in ("json", "markdown", "github", "sarif"):
        option = ["--json"] if form == "json" else ["--format", form]
        go(f"doctor {form}", "doctor", "--machine", "machine.json", "--code", "train.py", *option, codes=any_end)
    go("doctor --dockerfile", "doctor", "--dockerfile", "Dockerfile", "--machine", "machine.json", codes=any_end)
    go("doctor --compose", "doctor", "--compose", "compose.yaml", "--json", codes=any_end)
    go("doctor --kernel", "doctor", "--kernel", "mine", "--json", codes=any_end)
    go("doctor of conda", "doctor", "--env", "prefix", "--json", codes=any_end)
    go("lint", "lint", "train.py", codes=any_end)
    go("lint --json", "lint", "train.py", "--json", codes=any_end)
    go("lint github", "lint", "train.py", "--format", "github", codes=any_end)
    go("explain", "explain", "gpu.none")
    go("matrix list", "matrix", "list")
    go("bench", "bench", "--env", ".venv", "--quick", "--json", codes=any_end)


def _resolves(planted: Planted, small: World) -> None:
    go = planted.run
    target = (*small.words, "--python", PYTHON)
    address = f"https://me:{planted.secret('typed requirement')}@host.example/x-1-py3-none-any.whl"
    words = ("resolve", "torch", f"x @ {address}", "-r", "r.txt", *target)
    go("resolve", *words)
    go("resolve --json", *words, "--json", "--explain", "--all")
    unfit = ("resolve", "torch==9", "--offline", f"x @ {address}", *target)
    assert "error: no build" in go("resolve, no fit", *unfit, codes=(1,)).stderr
    out = planted.made.work / "out"
    out.mkdir()
    (planted.made.work / "off").mkdir()
    names = ("requirements.txt", "pylock.toml", "pyproject.toml", "Dockerfile", "compose.yaml", "devcontainer.json")
    files = [word for name in names for word in ("-o", f"out/{name}")]
    ended = go("locks", "resolve", "torch", "numpy", "-r", "index.txt", *target, *files)
    assert "is not written into files; installers take it from `~/.netrc`" in ended.stderr
    assert re.search(r"^url = \"http://127\.0\.0\.1:\d+/cu126\"$", (out / "pyproject.toml").read_text(), re.M)
    go("locks, shown", "resolve", "torch", "numpy", *target, *files, "--dry-run", "--force")
    go("locks, checked", "resolve", "torch", "numpy", *target, *files[:6], "--check")
    go(
        "a lock with a login, checked",
        "resolve",
        "numpy",
        *target,
        "-o",
        "locked.txt",
        "--format",
        "requirements",
        "--check",
        codes=(0, 1, 2),
    )
    go("offline", *words, "-o", "out/offline-requirements.txt", "-o", "off/pyproject.toml", "--offline")
    machine = ("--gpu", "A100", "--driver", "580.65.06", "--matrix", planted.conda.matrix)
    conda = ("environment.yml", "pixi.toml", "conda-lock.yml", "explicit-lock.txt")
    forms = [word for name in conda[:3] for word in ("-o", f"out/{name}")]
    go("conda locks", "resolve", "torch", "numpy", *machine, *forms, codes=(0,))
    go("explicit", "resolve", "torch", *machine, "-o", "out/explicit.txt", codes=(0,))
    nowhere = planted.login("an index that is not there", f"http://{NOWHERE}/simple")
    gone = ("resolve", "torch", "numpy", *target, "-o", "out/gone.txt", "--format", "requirements")
    go("no index", *gone, codes=(1,), PIP_INDEX_URL=nowhere)
    go("no mirror", *gone, codes=(1,), CUDAFIT_PYTORCH_INDEX=nowhere)
    go(
        "no channel",
        "resolve",
        "torch",
        *machine,
        "-o",
        "out/gone-explicit.txt",
        "--format",
        "explicit",
        codes=(1,),
        CUDAFIT_CONDA_CHANNEL=f"http://{NOWHERE}/t/{planted.secret('a channel that is not there')}/x",
    )
    for sign in "/#?@:%":
        secret = planted.secret(f"{sign} in a password", f"p{sign}")
        for variable in ("PIP_INDEX_URL", "CUDAFIT_PYTORCH_INDEX"):
            go(f"{variable} with {sign}", *gone, codes=(1, 2), **{variable: f"http://me:{secret}@{NOWHERE}/simple"})
    coded = quote(planted.secret("an encoded password", "p/@"), safe="")
    go("an encoded password", *gone, codes=(1,), PIP_INDEX_URL=f"http://me:{coded}@{NOWHERE}/simple")


def _makes(planted: Planted, small: World) -> None:
    go = planted.run
    target = (*small.words, "--python", PYTHON)
    go("create --dry-run", "create", "./new", "torch", *target, "--dry-run", "--json")
    go("create", "create", "./new", "torch", "numpy", *target)
    go("create --from", "create", "./other", "--from", "locked.txt", "--python", PYTHON, codes=(1, 2, 4))
    go("create --from, conda", "create", "--prefix", "./c", "--from", "explicit.txt", codes=(1, 2, 4))
    machine = ("--gpu", "A100", "--driver", "580.65.06", "--matrix", planted.conda.matrix)
    go("create, conda", "create", "--prefix", "./made", "torch", *machine)
    words = ("repair", ".venv", *small.words)
    user = planted.made.work / "user.py"
    user.write_text("import time\ntime.sleep(300)\n")
    python = planted.made.env / "bin" / "python"
    running = subprocess.Popen([python, "user.py", f"HF_TOKEN={planted.secret('another program')}"], cwd=user.parent)
    try:
        go("repair --dry-run", *words, "--dry-run", codes=(0, 1))
        go("repair --json", *words, "--dry-run", "--json", codes=(0, 1))
        assert "running program" in go("repair --yes", *words, "--yes").stderr
    finally:
        running.kill()
        running.wait()
    go("rollback --list", "rollback", ".venv", "--list")
    go("rollback --list --json", "rollback", ".venv", "--list", "--json")


def _jobs(planted: Planted) -> None:
    secret = planted.secret
    job = [
        sys.executable,
        "quiet.py",
        "--wandb-key",
        secret("--wandb-key"),
        "--auth",
        secret("--auth"),
        "--key",
        secret("--key"),
    ]
    job += ["--pwd", secret("--pwd"), f"--passphrase={secret('--passphrase')}", f"trainer.api_key={secret('hydra')}"]
    job += [
        "--url",
        f"https://host.example/x?token={secret('?token')}",
        "-H",
        f"Authorization: Bearer {secret('Bearer')}",
    ]
    job += [f"https://me:{secret('address of a job')}@host.example/x", secret("sk-", "sk-"), secret("hf_", "hf_")]
    job += [
        "-u",
        f"me:{secret('-u')}",
        "--json",
        json.dumps({"password": secret("JSON")}),
        f"HF_TOKEN={secret('KEY=VALUE')}",
    ]
    job += ["bash", "-c", f"python x.py --token {secret('nested')}", f"postgres://u:{secret('postgres')}@h/db"]
    out = ("--json-file", "out/run.json", "--plot", "out/run.svg")
    planted.run("run", "run", *out, "--", *job)
    planted.run("run, html", "run", "--plot", "out/run.html", "--", *job)
    code = f"import os; os.environ['HF_TOKEN'] = '{secret('code of a job')}'; import time; time.sleep(0.2)"
    planted.run("run -c", "run", "--json-file", "out/code.json", "--", sys.executable, "-c", code)
    planted.run("run, no such", "run", "--", f"https://me:{secret('no such command')}@h.example/x", codes=(2,))


def _bug(planted: Planted) -> None:
    """A bug that nobody foresaw, with secrets in its message and on the command line."""
    message = f"https://me:{planted.secret('bug message')}@h.example/ password={planted.secret('bug password')}"
    code = (
        "import sys, cudafit.machine.saved as saved\n"
        f"def broken(*_): raise RuntimeError({message!r})\n"
        "saved.load = broken\n"
        "from cudafit.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    address = f"https://me:{planted.secret('bug argument')}@h.example/x"
    for name, more in (("bug", []), ("bug -vv", ["-vv"])):
        words = [*SAFE_PYTHON, "-c", code, *more, "inspect", "--machine", address]
        done = subprocess.run(
            words,
            cwd=planted.made.work,
            env=planted.made.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 70
        planted.printed[name] = Ended(70, done.stdout, done.stderr, 0.0, 0.0)


def _spellings(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), base64.b64encode(f"me:{secret}".encode()).decode()}


def test_no_secret_is_printed(told: Planted) -> None:
    leaks = [
        f"{kind} by `{name}`"
        for kind, secret in told.secrets.items()
        for name, ended in told.printed.items()
        if any(one in ended.printed for one in _spellings(secret))
    ]
    assert not leaks


def test_no_secret_is_in_a_file_that_was_written(told: Planted) -> None:
    written = {path: data for path, data in told.files().items() if told.before.get(path) != data}
    # What a generation keeps of an environment is the user's own file, byte by byte.
    written = {path: data for path, data in written.items() if data not in told.before.values()}
    assert len(written) > 30, "the commands write files"
    leaks = [
        f"{kind} in {path.relative_to(told.made.top)}"
        for kind, secret in told.secrets.items()
        for path, data in written.items()
        if any(one.encode() in data for one in _spellings(secret))
    ]
    assert not leaks


def test_what_was_given_is_as_it_was_and_holds_the_secrets(told: Planted) -> None:
    """So that the tests above could fail."""
    given = [path for path in told.before if ".venv" not in path.parts]
    now = told.files()
    assert [path for path in given if now.get(path) != told.before[path]] == []
    assert len(told.secrets) > 70
    held = b"".join(told.before.values())
    assert sum(secret.encode() in held for secret in told.secrets.values()) > 30


def test_what_is_no_secret_is_told(told: Planted) -> None:
    """Hosts, and words beside the secrets."""
    assert "host.example" in told.printed["resolve"].stdout
    assert "--wandb-key" in (told.made.work / "out/run.json").read_text()
    assert NOWHERE in told.printed["no index"].stderr
    assert "host.example" in (told.made.work / "saved.json").read_text()
