"""What is run, believed and installed: programs, locks, and the exit code of a job."""

import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import md5, sha256
from importlib.util import find_spec
from pathlib import Path

from tests.hostile.case import Case, Ended, Place, Words, run
from tests.lock.channel import package as conda_package
from tests.repair.world import PYTHON, broken_env, wheel

# A job's exit code, whatever becomes of the report.


def _run(name: str, words: tuple[str | Path, ...], job: tuple[str, ...], code: int, *says: str) -> Case:
    return Case(f"run, {name}", lambda _made: ["run", *words, "--", *job], codes=(code,), says=says, process=True)


def _runs() -> list[Case]:
    jobs = {
        "a job that ends with 7": (("sh", "-c", "exit 7"), 7),
        "a job that is killed": (("sh", "-c", "kill $$"), 143),
    }
    places: dict[str, tuple[tuple[str | Path, ...], str]] = {
        "a full disk": (("--json-file", "/dev/full"), "cannot write `/dev/full`"),
        "a folder that takes no files": (("--json-file", "/proc/report.json"), "cannot write `/proc/report.json`"),
        "a picture for a folder that takes no files": (("--plot", "/proc/report.svg"), "cannot write"),
        "a folder in place of a file": (("--json-file", "."), "cannot write `.`"),
        "one file of two": (("--json-file", "/dev/full", "--plot", "/proc/x.html"), "cannot write `/proc/x.html`"),
    }
    return [
        _run(f"{place}, {name}", words, job, code, says)
        for name, (job, code) in jobs.items()
        for place, (words, says) in places.items()
    ]


# Programs that lie where the command is run, and leave a file behind when they are started.

_PROGRAMS = (
    "nvidia-smi nvcc nvidia-ctk ldconfig lspci modinfo docker git systemctl wslpath uname conda mamba micromamba "
)
_PROGRAMS += "pixi uv pip python python3 gcc cc clang file dpkg rpm sh bash env".replace(" sh bash env", "")


def _traps(made: Place, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PROGRAMS.split():
        path = folder / name
        if not path.exists():
            path.write_text(f"#!/bin/sh\n: > '{made.top}/PWNED'\necho 'NVIDIA A100, 550.54.15'\n")
            path.chmod(0o755)


def _before_path(made: Place, *folders: str | Path) -> None:
    made.environ["PATH"] = ":".join([*map(str, folders), made.environ["PATH"]])


def _active(made: Place) -> None:
    """An environment that is active, as if by its own script."""
    (made.env / "lib").mkdir(parents=True)
    (made.env / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    _traps(made, made.env / "bin")
    made.environ["VIRTUAL_ENV"] = str(made.env)
    _before_path(made, made.env / "bin")


def _active_conda(made: Place) -> None:
    (made.work / "prefix" / "conda-meta").mkdir(parents=True)
    _traps(made, made.work / "prefix" / "bin")
    made.environ["CONDA_PREFIX"] = str(made.work / "prefix")
    _before_path(made, made.work / "prefix" / "bin")


def _in_the_current_folder(made: Place) -> None:
    _traps(made, made.work)
    _before_path(made, "", ".")


def _below_a_relative_folder(made: Place) -> None:
    _traps(made, made.work / "bin")
    _before_path(made, "bin")


def _at_home(made: Place) -> None:
    _traps(made, made.home / "bin")
    _before_path(made, made.home / "bin")


def _anywhere_on_path(made: Place) -> None:
    _traps(made, made.top / "tools")
    _before_path(made, made.top / "tools")


_PLACES: dict[str, Callable[[Place], None]] = {
    "the active environment": _active,
    "the active conda environment": _active_conda,
    "the current folder": _in_the_current_folder,
    "a relative folder of PATH": _below_a_relative_folder,
    "HOME/bin": _at_home,
    "any folder of PATH": _anywhere_on_path,
}
_LOOKS: dict[str, tuple[str, ...]] = {
    "inspect": ("inspect",),
    "inspect --deep": ("inspect", "--deep"),
    "doctor": ("doctor",),
    "resolve": ("resolve", "torch"),
    "create --dry-run": ("create", "new/.venv", "--dry-run", "--python", PYTHON, "--from", "requirements.txt"),
}
_HELD = "rich==13.9.4 --hash=sha256:" + "0" * 64 + "\n"


def _words(made: Place, look: str) -> Words:
    (made.work / "requirements.txt").write_text(_HELD)
    return [*_LOOKS[look], *(() if look.startswith("inspect") else ("--matrix", made.world.matrix))]


def _programs(place: str, look: str) -> Case:
    def build(made: Place) -> Words:
        _PLACES[place](made)
        return _words(made, look)

    says = ("nvidia-smi was not run: ",) if look.startswith("inspect") else ()
    return Case(f"{look}, programs in {place}", build, codes=(0, 1, 2, 3), says=says, writes=())


# Modules that lie in the current folder, under the names of what cudafit imports.

_MODULES = (
    "yaml click pynvml rich packaging requests tomlkit uv rattler certifi pypi_simple remotezip matplotlib conda_lock"
)


def _modules(look: str) -> Case:
    def build(made: Place) -> Words:
        for name in _MODULES.split():
            (made.work / f"{name}.py").write_text(f"open({str(made.top / 'PWNED')!r}, 'w')\n")
        made.environ["PYTHONPATH"] = f":{made.environ.get('PYTHONPATH', '')}:.:"
        return _words(made, look)

    return Case(f"{look}, modules in the current folder", build, codes=(0, 1, 3), writes=())


# What an environment starts with its interpreter, where only its files are to be read.


def _environment(made: Place) -> None:
    (made.top / "wheels").mkdir()
    broken_env(made.env, made.top / "wheels")
    (packages,) = made.env.glob("lib/python3*/site-packages")
    leave = f"open({str(made.top / 'PWNED')!r}, 'w')"
    (packages / "trap.pth").write_text(f"import sys; {leave}\n")
    (packages / "sitecustomize.py").write_text(f"{leave}\n")
    (packages / "torch" / "__init__.py").write_text(f"{leave}\n")


def _replaced(made: Place) -> None:
    """With a program of its own in place of the interpreter."""
    _environment(made)
    for name in ("python", "python3"):
        (made.env / "bin" / name).unlink()
    _traps(made, made.env / "bin")


def _only_read(words: tuple[str, ...], kind: str, prepare: Callable[[Place], None]) -> Case:
    def build(made: Place) -> Words:
        prepare(made)
        return [*words, *made.world.words]

    return Case(f"{' '.join(words)}, {kind}", build, codes=(0, 1, 2), writes=())


_READING = (
    ("doctor", "--env", ".venv"),
    ("repair", ".venv", "--dry-run"),
    ("resolve", "torch", "--prefer", "installed"),
    ("create", "new/.venv", "torch", "--dry-run"),
)

# Locks that tell no hash, or one that proves nothing. What would be built or installed leaves a file behind.

_SOURCE = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "be"\nbackend-path = ["."]\n'
    '[project]\nname = "trap"\nversion = "1.0"\n',
    "be.py": "open({mark!r}, 'w')\n",
    "setup.py": "open({mark!r}, 'w')\n",
}


@dataclass(frozen=True)
class Goods:
    """What a lock may name: a wheel, and the source of a trap as a folder, an archive and a repository."""

    folder: Path
    sha256: str
    md5: str
    archive_sha256: str

    @property
    def wheel(self) -> str:
        return f"{self.folder}/six-1.0-py3-none-any.whl"


def _goods(made: Place, folder: str = "work") -> Goods:
    where = made.top / folder
    name, data = wheel("six", "1.0", {"six/__init__.py": ""})
    (where / name).write_bytes(data)
    (where / "trap").mkdir()
    for file, text in _SOURCE.items():
        (where / "trap" / file).write_text(text.replace("{mark!r}", repr(str(made.top / "PWNED"))))
    with tarfile.open(where / "trap-1.0.tar.gz", "w:gz") as archive:
        archive.add(where / "trap", "trap-1.0")
    git = ["git", "-C", str(where / "trap"), "-c", "user.name=x", "-c", "user.email=x"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    packed = (where / "trap-1.0.tar.gz").read_bytes()
    return Goods(where, sha256(data).hexdigest(), md5(data).hexdigest(), sha256(packed).hexdigest())


_SIX = "[[packages]]\nname = 'six'\nversion = '1.0'\n"
_TRAP = "[[packages]]\nname = 'trap'\nversion = '1.0'\n"


def _wheel(hashes: str) -> str:
    return _SIX + "wheels = [{{ path = 'six-1.0-py3-none-any.whl', hashes = {{" + hashes + "}} }}]"


_PYLOCKS: dict[str, str] = {
    "a folder": _TRAP + "directory = {{ path = 'trap' }}",
    "an editable folder": _TRAP + "directory = {{ path = 'trap', editable = true }}",
    "a folder of /tmp": _TRAP + "directory = {{ path = '/tmp/trap' }}",
    "a repository": _TRAP + "vcs = {{ type = 'git', url = 'file://{folder}/trap', commit-id = 'HEAD' }}",
    "a repository by a path": _TRAP + "vcs = {{ type = 'git', path = 'trap', commit-id = 'HEAD' }}",
    "an archive without a hash": _TRAP + "archive = {{ path = 'trap-1.0.tar.gz' }}",
    "an archive with a hash, which is built": _TRAP
    + "archive = {{ path = 'trap-1.0.tar.gz', hashes = {{ sha256 = '{archive}' }} }}",
    "a source with a hash, which is built": _TRAP
    + "sdist = {{ path = 'trap-1.0.tar.gz', hashes = {{ sha256 = '{archive}' }} }}",
    "a source without a hash": _TRAP + "sdist = {{ path = 'trap-1.0.tar.gz' }}",
    "a wheel without hashes": _SIX + "wheels = [{{ path = 'six-1.0-py3-none-any.whl' }}]",
    "a wheel with an empty table": _wheel(""),
    "a wheel with md5": _wheel("md5 = '{md5}'"),
    "a wheel with sha1": _wheel("sha1 = '0'"),
    "a wheel with a kind that uv does not know": _wheel("sha3_256 = '" + "0" * 64 + "'"),
    "a wheel with half a sha256": _wheel("sha256 = 'abc'"),
}
_REQUIREMENTS: dict[str, str] = {
    "-e": "-e ./trap",
    "--editable": "--editable=./trap",
    "a bare path": "./trap",
    "a path with a name": "trap @ file://{folder}/trap",
    "git+": "trap @ git+file://{folder}/trap",
    "git+ without a name": "git+file://{folder}/trap",
    "an archive with a hash, which is built": "trap @ file://{folder}/trap-1.0.tar.gz --hash=sha256:{archive}",
    "a wheel without a hash": "six @ file://{wheel}",
    "a wheel with md5": "six @ file://{wheel} --hash=md5:{md5}",
    "a pin without a hash": "rich==13.9.4",
    "a pin with half a hash": "rich==13.9.4 --hash=sha256:abc",
}
_FINE = "six @ file://{wheel} --hash=sha256:{sha256}\n"


def _locked(made: Place, goods: Goods, text: str, name: str) -> str:
    told = {"folder": goods.folder, "archive": goods.archive_sha256, "wheel": goods.wheel}
    text = text.format(**told, sha256=goods.sha256, md5=goods.md5)
    if name == "pylock.toml":
        text = f"lock-version = '1.0'\ncreated-by = 'x'\n{text}\n"
    (goods.folder / name).write_text(text)
    return os.path.relpath(goods.folder / name, made.work)


_CREATE = ("create", "./new", "--python", PYTHON, "--from")


_NEW = ("new", ".cudafit-new")


def _refused(what: str, text: str, name: str, *words: str) -> Case:
    def build(made: Place) -> Words:
        return [*_CREATE, _locked(made, _goods(made), text, name), *words, "--matrix", made.world.matrix]

    kind = " ".join([name, *words])
    says = ("does not tell a hash for all", "hint: `--allow-unhashed`")
    return Case(f"create --from {kind}, {what}", build, codes=(2,), says=says, writes=())


def _not_read(what: str, text: str, says: str) -> Case:
    """With what leads out of the lock, whatever was allowed."""

    def build(made: Place) -> Words:
        (made.work / "more.txt").write_text("-e ./trap\n")
        lock = _locked(made, _goods(made), text, "requirements.txt")
        return [*_CREATE, lock, "--allow-unhashed", "--matrix", made.world.matrix]

    return Case(f"create --from requirements.txt, {what}", build, codes=(2,), says=(says,), writes=())


def _installed(made: Place, _ended: Ended) -> None:
    assert list(made.work.glob("new/lib/python3*/site-packages/six/__init__.py"))


def _beside_the_lock(text: str, name: str) -> Case:
    """Relative paths, of a lock that lies in another folder than the command is run in."""

    def build(made: Place) -> Words:
        (made.top / "locks").mkdir()
        lock = _locked(made, _goods(made, "locks"), text, name)
        return [*_CREATE, lock, "--matrix", made.world.matrix]

    return Case(f"create --from {name}, a path", build, codes=(0, 1), writes=_NEW, after=_installed)


def _other_hash(text: str, name: str) -> Case:
    def build(made: Place) -> Words:
        return [*_CREATE, _locked(made, _goods(made), text, name), "--matrix", made.world.matrix]

    says = ("its hash differs", "everything is as it was|was removed|rolled back")
    return Case(
        f"create --from {name}, another hash beside a right weak one", build, codes=(4,), says=says[:1], writes=_NEW
    )


def _built_when_allowed(words: tuple[str, ...], codes: tuple[int, ...], ran: bool) -> Case:
    def build(made: Place) -> Words:
        lock = _locked(made, _goods(made), _PYLOCKS["a folder"], "pylock.toml")
        return [*_CREATE, lock, "--allow-unhashed", *words, "--matrix", made.world.matrix]

    def after(made: Place, _ended: Ended) -> None:
        """The folder beside the lock, and none in /tmp."""
        assert (made.work / "ran").exists() is ran

    def marked(made: Place) -> Words:
        words = build(made)
        builds = "def build_wheel(*_):\n    raise SystemExit('no')\nbuild_editable = build_wheel\n"
        (made.work / "trap" / "be.py").write_text(f"open({str(made.work / 'ran')!r}, 'w')\n{builds}")
        return words

    says = (r"unchecked: `trap` is a folder, .*/work/trap, whose build is\s+run",)
    name = f"create --from pylock.toml --allow-unhashed {' '.join(words)}"
    return Case(name, marked, codes=codes, says=says, writes=(*_NEW, "ran"), after=after)


# conda's locks, and the scripts that its packages bring along.

_CONDA_URL = "https://conda.test/linux-64/six-1.0-0.conda"
_CONDA_ROWS: dict[str, tuple[dict[str, object], str]] = {
    "no hash": ({}, "has no hash for 1 of its 1 packages"),
    "a broken hash": ({"sha256": "abc"}, "the hash of `https://conda.test/linux-64/six-1.0-0.conda` is none"),
    "a hash that is a path": ({"sha256": "../" * 9 + "canary/thesis.txt"}, "is none"),
    "a hash that is a number": ({"md5": 7}, "is none"),
}


def _conda(name: str, what: str, text: str, says: str) -> Case:
    def build(made: Place) -> Words:
        (made.work / name).write_text(text)
        return [
            "create",
            "--prefix",
            "new",
            "--from",
            name,
            "--matrix",
            made.world.matrix,
            "--platform",
            "linux-x86_64",
        ]

    return Case(f"create --from {name}, {what}", build, codes=(2,), says=(says,), writes=())


def _conda_locks() -> Iterator[Case]:
    for what, (hashes, says) in _CONDA_ROWS.items():
        row = {"name": "six", "manager": "conda", "platform": "linux-64", "url": _CONDA_URL, "hash": hashes}
        yield _conda("conda-lock.yml", what, json.dumps({"package": [row]}), says)
        packages = {"linux-64": [{"conda": _CONDA_URL}]}
        listed = [{"conda": _CONDA_URL, **hashes}]
        value = {"environments": {"default": {"packages": packages}}, "packages": listed}
        yield _conda("pixi.lock", what, json.dumps(value), says)
    for what, line, says in (
        ("no hash", _CONDA_URL, "has no hash for 1 of its 1 packages"),
        ("a broken hash", f"{_CONDA_URL}#abc", "has no hash for 1 of its 1 packages"),
        ("a path", "./linux-64/six-1.0-0.conda#" + "0" * 32, "is no address of a conda package"),
        ("a name that leads elsewhere", "file:///c/linux-64/..%2Fsix-1.0-0.conda#" + "0" * 32, "is no address"),
    ):
        yield _conda("explicit.txt", what, f"@EXPLICIT\n{line}\n", says)


def _scripts() -> Case:
    def build(made: Place) -> Words:
        channel = made.top / "channel"
        (channel / "noarch").mkdir(parents=True)
        script = f"#!/bin/sh\n: > '{made.top}/PWNED'\n".encode()
        names = [f"bin/.six-{when}.sh" for when in ("post-link", "pre-link", "pre-unlink")]
        names += ["etc/conda/activate.d/six.sh", "bin/python", "bin/six"]
        name, data, entry = conda_package("six", "1.0", "0", subdir="noarch", files=dict.fromkeys(names, script))
        (channel / "noarch" / name).write_bytes(data)
        url = f"{channel.as_uri()}/noarch/{name}"
        (made.work / "explicit.txt").write_text(f"@EXPLICIT\n{url}#{entry['md5']}\n")
        made.environ["HOME"] = str(made.work / "home")  # the list of conda's environments is written there
        words = ("--prefix", "new", "--from", "explicit.txt", "--platform", "linux-x86_64")
        return ["create", *words, "--matrix", made.world.matrix]

    says = (
        "the scripts that six bring along were not run",
        "checked by md5 alone.*: six",
        "packages come from file://",
    )
    return Case(
        "create --from explicit.txt, scripts in a package", build, codes=(0, 1), says=says, writes=(*_NEW, "home")
    )


def _locks() -> Iterator[Case]:
    for what, text in _PYLOCKS.items():
        yield _refused(what, text, "pylock.toml")
    for what, text in _REQUIREMENTS.items():
        yield _refused(what, _FINE + text + "\n", "requirements.txt")
    yield _refused("a folder", _PYLOCKS["a folder"], "pylock.toml", "--dry-run")
    yield _refused("-e", _FINE + _REQUIREMENTS["-e"], "requirements.txt", "--dry-run")
    yield _not_read("-r", _FINE + "-r more.txt\n", "`-r more.txt` names another file")
    yield _not_read("-c", _FINE + "-cmore.txt\n", "`-cmore.txt` names another file")
    yield _not_read("an option for a build", _FINE.rstrip() + " --config-settings=a=b\n", "does not know")
    good = _wheel("sha256 = '{sha256}'")
    bad = _wheel("md5 = '{md5}', sha256 = '" + "0" * 64 + "'")
    yield _beside_the_lock(good, "pylock.toml")
    yield _beside_the_lock("./six-1.0-py3-none-any.whl --hash=sha256:{sha256}\n", "requirements.txt")
    yield _beside_the_lock("six==1.0 --hash=sha256:{sha256}\n--no-index\n--find-links .\n", "requirements.lock.txt")
    yield _other_hash(bad, "pylock.toml")
    yield _built_when_allowed(("--dry-run",), (0,), ran=False)
    yield _built_when_allowed((), (4,), ran=True)


# A project's own requirements, whose builds tell their dependencies only when they are run.

_DYNAMIC = '[project]\nname = "trap"\ndynamic = ["version"]\n'
_REQUESTS = {
    "a folder": "trap @ file://{folder}/trap",
    "a folder beside it": "trap @ ./trap",
    "a folder above": "trap @ ../work/trap",
    "a repository": "trap @ git+file://{folder}/trap",
    "-e": "-e ./trap",
    "a bare path": "./trap",
}


def _requested(what: str, line: str, *words: str) -> Case:
    def build(made: Place) -> Words:
        goods = _goods(made)
        head, _, _ = (goods.folder / "trap" / "pyproject.toml").read_text().partition("[project]")
        (goods.folder / "trap" / "pyproject.toml").write_text(head + _DYNAMIC)
        git = [
            "git",
            "-C",
            str(goods.folder / "trap"),
            "-c",
            "user.name=x",
            "-c",
            "user.email=x",
            "commit",
            "-qam",
            "x",
        ]
        subprocess.run(git, check=True, capture_output=True)
        (made.work / "requirements.in").write_text(f"rich\n{line.format(folder=goods.folder)}\n")
        return [*words, "-r", "requirements.in", "--python", PYTHON, *made.world.words]

    name = f"{' '.join(words)}, {what} among the requirements"
    return Case(name, build, codes=(2,), says=("cannot be locked",), writes=_NEW)


def _requests() -> Iterator[Case]:
    for what, line in _REQUESTS.items():
        yield _requested(what, line, "resolve", "torch", "-o", "requirements.txt")
        yield _requested(what, line, "create", "./new", "torch", "--dry-run")


# Committed locks that somebody changed.

_EVIL = "https://evil.test"
_CHANGED: tuple[tuple[str, str, str, str, str, bool], ...] = (
    # what, the lock, what in it is replaced, by what, what is said, whether that is seen without an index
    ("all hashes gone", "requirements.txt", r" \\\n    --hash=\S+", "", "it has no hashes", True),
    ("one hash gone", "requirements.txt", r"(rich==\S+)( \\\n +--hash=\S+)+", r"\g<1>", "no hash, .* for `rich`", True),
    ("a hash cut short", "requirements.txt", r"(rich==\S+ \\\n +--hash=sha256:)\w+", r"\g<1>ab", "for `rich`", True),
    ("a weak hash", "requirements.txt", r"(rich==\S+ \\\n +--hash=)\S+", r"\g<1>md5:" + "0" * 32, "for `rich`", True),
    (
        "another hash",
        "requirements.txt",
        r"(rich==\S+ \\\n +--hash=sha256:)\w+",
        r"\g<1>" + "0" * 64,
        "rich .* a hash",
        False,
    ),
    ("another index more", "requirements.txt", r"\A", f"--extra-index-url {_EVIL}/s\n", f"it asks {_EVIL}", True),
    ("an index in its place", "requirements.txt", r"\A", f"-i{_EVIL}/s\n", f"it asks {_EVIL}", True),
    ("a folder to look in", "requirements.txt", r"\A", "--find-links ./w\n", r"it asks \./w", True),
    ("no certificates", "requirements.txt", r"\A", "--trusted-host x\n", "certificates", True),
    (
        "torch from elsewhere",
        "requirements.txt",
        r"torch @ \w+://[^/]+",
        f"torch @ {_EVIL}",
        f"come from\\s+{_EVIL}",
        True,
    ),
    (
        "rich by an address",
        "requirements.txt",
        r"rich==\S+",
        f"rich @ {_EVIL}/rich-14.0.0-py3-none-any.whl",
        _EVIL,
        False,
    ),
    (
        "torch from elsewhere",
        "pylock.toml",
        r"http://[^/]+(/files/torch)",
        _EVIL + r"\g<1>",
        f"come from\\s+{_EVIL}",
        True,
    ),
    (
        "rich from elsewhere",
        "pylock.toml",
        r"http://[^/]+(/files/rich)",
        _EVIL + r"\g<1>",
        f"come from\\s+{_EVIL}",
        True,
    ),
    ("another hash", "pylock.toml", r"(files/rich.*sha256 = \")\w+", r"\g<1>" + "0" * 64, "another hash", False),
    ("an empty table", "pylock.toml", r"(files/rich.*hashes = )\{[^}]*\}", r"\g<1>{}", "for `rich`", True),
    (
        "a repository",
        "pylock.toml",
        r"(name = \"rich\"\n.*\n)wheels = \[.*\]\n",
        r"\g<1>vcs = {type = 'git', url = 'x', commit-id = 'HEAD'}\n",
        "for `rich`",
        True,
    ),
)


_WRITTEN: dict[tuple[str, ...], str] = {}


def _written(made: Place, words: Sequence[str], name: str) -> str:
    """The lock that the command writes: once for all cases in one world."""
    if (key := (str(made.world.matrix), *words)) not in _WRITTEN:
        assert run(made, ["resolve", *words]).code == 0
        _WRITTEN[key] = (made.work / name).read_text()
    return _WRITTEN[key]


def _changed(what: str, name: str, pattern: str, instead: str, says: str, offline: bool) -> Case:
    def build(made: Place) -> Words:
        words = ["torch", "rich", *made.world.words, "-o", name, "--python", PYTHON]
        text = _written(made, words, name)
        altered = re.sub(pattern, instead, text)
        assert altered != text, text
        (made.work / name).write_text(altered)
        return ["resolve", *words, "--check", *(["--offline"] if offline else [])]

    case = f"resolve --check -o {name}{' --offline' if offline else ''}, {what}"
    return Case(case, build, codes=(1,), says=(rf"`{name}` does not fit", says), writes=())


def _checks() -> Iterator[Case]:
    for what, name, pattern, instead, says, seen in _CHANGED:
        yield _changed(what, name, pattern, instead, says, offline=False)
        if seen:
            yield _changed(what, name, pattern, instead, says, offline=True)


CASES = [
    *_runs(),
    *_locks(),
    *_conda_locks(),
    *_requests(),
    *_checks(),
    *([_scripts()] if find_spec("rattler") else []),
    *(_programs(place, look) for place in _PLACES for look in _LOOKS),
    *(_modules(look) for look in _LOOKS),
    *(_only_read(words, "code that its start runs", _environment) for words in _READING),
    *(_only_read(words, "a program for its interpreter", _replaced) for words in _READING),
]
