"""Values that Python's own functions stumble over: each is an answer or an error, and no bug."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.hostile.case import Case, Place, Words
from tests.repair.world import MACHINE

HOST = ("--gpu", "RTX 4090", "--driver", "550.54.15", "--platform", "linux-x86_64", "--glibc", "2.35")
RESOLVE = ("resolve", *HOST)
DOCTOR = ("doctor", *HOST[:4])
LOCK = (*RESOLVE, "torch", "--offline", "--dry-run", "-o", "requirements.txt")
DIGITS = "9" * 5000  # Python turns no more than 4,300 into a number
DEEP = "[" * 100_000
SNAPSHOT = json.loads((Path(__file__).parent.parent / "machines/a100-mig-550.json").read_text())
PACKAGES = ".venv/lib/python3.12/site-packages"
ANY, SETTLED = (0, 1, 3), (0, 1, 2, 3)
Files = dict[str, str | bytes]


def _case(
    name: str, files: Files, words: Sequence[str], codes: tuple[int, ...], *says: str, process: bool = False
) -> Case:
    """`home/…` lies in the user's home, everything else in the folder of the command."""

    def build(made: Place) -> Words:
        for path, data in files.items():
            target = made.top / path if path.startswith("home/") else made.work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
        for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
            made.environ.pop(name, None)
        return words

    return Case(name, build, codes, says=says, silent=("SyntaxWarning",), process=process)


def _snapshot(name: str, change: Callable[[Any], object], *says: str, codes: tuple[int, ...] = (2,)) -> Case:
    value = json.loads(json.dumps(SNAPSHOT))
    change(value)
    return _case(name, {"m.json": json.dumps(value)}, ("doctor", "--machine", "m.json"), codes, *says)


def _raw_snapshot(name: str, data: str | bytes, *says: str) -> Case:
    return _case(name, {"m.json": data}, ("resolve", "torch", "--machine", "m.json"), (2,), *says)


def _venv(files: Files) -> Files:
    whole: Files = {
        ".venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.12.1\n",
        f"{PACKAGES}/torch-2.9.0.dist-info/METADATA": "Name: torch\nVersion: 2.9.0\n",
        f"{PACKAGES}/torch/version.py": "__version__ = '2.9.0+cu126'\ncuda = '12.6'\n",
    }
    return {**whole, **{f"{PACKAGES}/{path}": data for path, data in files.items()}}


def _doctor(name: str, files: Files, *says: str) -> Case:
    return _case(name, _venv(files), DOCTOR, ANY, *says)


def _conda(name: str, record: str | bytes, *says: str) -> Case:
    files: Files = {".venv/conda-meta/pytorch-2.9.0-cuda126_0.json": record, ".venv/bin/python": ""}
    return _case(name, files, DOCTOR, ANY, *says)


def _record(path: object, **more: object) -> str:
    entry = {"_path": path, "path_type": "hardlink", "sha256": "a", "size_in_bytes": 3}
    known = {"name": "pytorch", "version": "2.9.0", "build": "cuda126_0", "subdir": "linux-64"}
    return json.dumps({**known, **more, "paths_data": {"paths": [entry]}})


def _odd_name(build: Callable[[Place, str], Words], name: str, codes: tuple[int, ...], *says: str) -> Case:
    """A file whose name holds the byte 0xff, which is no UTF-8."""
    return Case(name, lambda made: build(made, os.fsdecode(b"a\xffb")), codes, says=says, writes=("lock",))


def _odd_requirements(made: Place, name: str) -> Words:
    (made.work / f"{name}.txt").write_text("torch\n")
    (made.work / "lock").mkdir()
    return (*RESOLVE, "-r", f"{name}.txt", "--offline", "-o", "lock/requirements.txt")


def _odd_code(made: Place, name: str) -> Words:
    (made.work / name).mkdir()
    (made.work / name / f"{name}.py").write_text("import torch\nx = '\\d'\n")
    return ("lint", "--json", name)


def _odd_matrix(made: Place, name: str) -> Words:
    (made.work / "rows").mkdir()
    (made.work / "rows" / f"{name}.yaml").write_text("libraries:\n")
    return (*RESOLVE, "torch", "--matrix", "rows")


def _odd_snapshot(made: Place, name: str) -> Words:
    (made.work / f"{name}.json").write_text(json.dumps(SNAPSHOT))
    return ("resolve", "torch", "--json", "--machine", f"{name}.json")


def _odd_folder(made: Place, name: str) -> Words:
    (made.work / name / "bin").mkdir(parents=True)
    (made.work / name / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")
    (made.work / name / "bin/python").symlink_to("/usr/bin/python3")
    return ("bench", name, "--history")


def _odd_argument(*words: str) -> Callable[[Place, str], Words]:
    return lambda _made, name: (*words, name)


CHAIN = "".join(f"  s{n}: {{tty: true, extends: s{n + 1}}}\n" for n in range(3000))
COMPOSE = f"services:\n{CHAIN}  s3000: {{image: x}}\n"
MERGED = "".join(f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}, *m{n - 1}], k{n}: 1}}\n" for n in range(1, 30))
MERGES = f"m0: &m0 {{a: 1, b: 2}}\n{MERGED}"
ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
INCLUDES: Files = {f"{n}.txt": f"-r {n + 1}.txt\n" * 9 for n in range(15)}
INCLUDES["15.txt"] = "torch\n"
CREATE = ("create", "--prefix", "made", "--dry-run", *MACHINE)
FROM = ("create", ".venv", "--dry-run", *MACHINE, "--from")
CHECK = (*RESOLVE, "torch", "--check", "-o")
EDIT = (*LOCK[:-1], "pyproject.toml")
PROJECT = "[project]\nname = 'x'\nversion = '0'\n"
UV, PIP, OWN = (f"home/.config/{name}" for name in ("uv/uv.toml", "pip/pip.conf", "cudafit/config.toml"))
METADATA = "torch-2.9.0.dist-info/METADATA"
CONDA_RECORD = ".venv/conda-meta/pytorch-2.9.0-cuda126_0.json"

# Numbers of thousands of digits.
_DIGITS = [
    _case("digits in pyproject.toml", {"pyproject.toml": f"n = {DIGITS}\n"}, RESOLVE, (2,), "number"),
    _case("digits in a pyproject.toml to edit", {"pyproject.toml": f"{PROJECT}n = {DIGITS}\n"}, EDIT, (2,), "not TOML"),
    _case("digits on the command line", {}, (*RESOLVE, f"torch>=2.{DIGITS}"), (2,), "is not a requirement"),
    _case("digits in a requirement file", {"requirements.txt": f"torch=={DIGITS}\n"}, RESOLVE, (2,), "txt:1"),
    _case("digits in a marker", {"requirements.txt": f"torch; python_version > '{DIGITS}'\n"}, RESOLVE, (2,), "txt:1"),
    _case(
        "digits in a lock",
        {"pylock.toml": f"lock-version='1.0'\ncreated-by='x'\n[[packages]]\nname='torch'\nversion='{DIGITS}'\n"},
        (*CHECK, "pylock.toml"),
        (2,),
        "a number of thousands of digits",
    ),
    _case("digits in the TOML of a lock", {"pylock.toml": f"n = {DIGITS}\n"}, (*FROM, "pylock.toml"), (2,), "number"),
    _case("digits as a driver", {}, ("resolve", "torch", "--gpu", "sm_89", "--driver", DIGITS), SETTLED),
    _case("digits in config.toml", {OWN: f"n = {DIGITS}\n"}, LOCK, (2,), "config.toml"),
    _doctor("digits in METADATA", {METADATA: f"Name: torch\nVersion: {DIGITS}\n"}, "version that is none"),
    _doctor(
        "digits in a requirement of METADATA", {METADATA: f"Name: torch\nRequires-Dist: nvidia-cudnn-cu12=={DIGITS}\n"}
    ),
    _doctor("digits in version.py", {"torch/version.py": f"__version__ = '2.{DIGITS}'\ncuda = '12.{DIGITS}'\n"}),
    _doctor("digits as a number in version.py", {"torch/version.py": f"cuda = {DIGITS}\n"}),
    _snapshot(
        "digits in a version of a snapshot", lambda value: value["driver"].update(version=f"5{DIGITS}.1"), codes=SETTLED
    ),
    _snapshot(
        "digits in a capability", lambda value: value["gpus"][0].update(compute_capability=f"8.{DIGITS}"), codes=SETTLED
    ),
    _snapshot(
        "digits in a number of a snapshot", lambda value: value["gpus"][0].update(memory_mib=10**4000), "64 bits"
    ),
    _raw_snapshot("digits in the JSON of a snapshot", f'{{"schema": {DIGITS}}}', "number of thousands of digits"),
]

# Shapes that nobody expects.
_SHAPES = [
    _snapshot("visible_devices is a text", lambda value: value.update(visible_devices="x"), "at `visible_devices`"),
    _snapshot("a GPU is a text", lambda value: value.update(gpus=["x"]), r"at `gpus\[0\]`"),
    _snapshot(
        "a size is NaN", lambda value: value["gpus"][0].update(power_w=float("nan")), "at `gpus.*: expected a number"
    ),
    _snapshot("a size is infinite", lambda value: value["gpus"][0].update(power_w=float("inf")), "expected a number"),
    _raw_snapshot("a snapshot is empty", "", "expected JSON"),
    _raw_snapshot("a snapshot is a mark alone", "\ufeff", "expected JSON"),
    _raw_snapshot("a snapshot is UTF-16", json.dumps(SNAPSHOT).encode("utf-16"), "not UTF-8"),
    _raw_snapshot("a snapshot is nested deeply", DEEP, "nested too deeply"),
    _raw_snapshot("a snapshot's number is 1e999", '{"schema": 1e999}', "not a machine snapshot"),
    *(
        _case(f"uv.toml: {text}", {UV: text}, LOCK, (0,))
        for text in ('index = "abc"', "index = [1]", "[[index]]\nurl = 3", "index-url = 3")
    ),
    *(
        _case(f"pip.conf: {text}", {PIP: text}, LOCK, (0,))
        for text in ("[global", "index-url = x", "[global]\n[global]", "[global]\nindex-url")
    ),
    *(
        _case(f"config.toml: {text}", {OWN: text}, LOCK, (2,), "config.toml")
        for text in ("indexes = 'x'", "[indexes]\nconda = [1]")
    ),
    _doctor("METADATA with a NUL", {METADATA: "Name: torch\0\nVersion: 2.9\0.0\nRequires-Dist: a\0b\n"}),
    _doctor(
        "METADATA without a sense", {METADATA: "Name: torch\nVersion: =\nRequires-Dist: ((((\n"}, "version that is none"
    ),
    _doctor(
        "METADATA with digits of another script",
        {METADATA: "Name: torch\nVersion: ٢.٣\nRequires-Dist: nvidia-cudnn-cu12==٩\n"},
    ),
    _doctor("METADATA in UTF-16", {METADATA: "Name: torch\n".encode("utf-16")}),
    _doctor("RECORD with a NUL", {"torch-2.9.0.dist-info/RECORD": "torch/lib/\0.so,,\n"}),
    _doctor("direct_url.json with half a character", {"torch-2.9.0.dist-info/direct_url.json": '{"url": "\\ud800"}'}),
    _doctor("direct_url.json is nested deeply", {"torch-2.9.0.dist-info/direct_url.json": "[" * 60_000}, "direct_url"),
    _doctor("a .pth file with a NUL", {"a.pth": "\0\n/a\0b\n"}),
    _doctor("cuda is no version", {"torch/version.py": "__version__ = '='\ncuda = '$'\n"}),
    _case("pyvenv.cfg with a NUL", {**_venv({}), ".venv/pyvenv.cfg": "home = /\0\nversion = \0\n"}, DOCTOR, ANY),
    _conda("a record of conda with a NUL in a path", _record("lib/\0"), "whose name none can have"),
    _conda("a record of conda with half a character", _record("lib/\ud800"), "whose name none can have"),
    _conda("a record of conda with a list for a path", _record(["x"]), "whose name none can have"),
    _conda("a record of conda with odd types", _record("lib/a", size="x", sha256=3), "not as it should be"),
    _conda("a record of conda is nested deeply", DEEP, "nested too deeply"),
    _conda("a record of conda is empty", b"", "cannot be read"),
    _case("the version of cuda-version is none", {".venv/conda-meta/cuda-version-x-0.json": "{}"}, DOCTOR, ANY),
    _case("the version of cudatoolkit is none", {".venv/conda-meta/cudatoolkit-x-0.json": "{}"}, DOCTOR, ANY),
    _case(
        "a row of a matrix",
        {"rows/drivers.yaml": "drivers:\n- {branch: x, sources: s}\n"},
        (*RESOLVE, "torch", "--matrix", "rows"),
        (2,),
        "`branch` cannot be `x`",
    ),
    _case(
        "a version of a matrix",
        {"rows/libraries.yaml": "libraries:\n- {package: a, version: x, sources: s}\n"},
        (*RESOLVE, "torch", "--matrix", "rows"),
        (2,),
        "`version` cannot be `x`",
    ),
    _case("an endless time", {}, ("inspect", "--timeout", "inf"), (2,), "cannot be waited for"),
    _case("a time that is none", {}, ("doctor", "--timeout", "nan"), (2,), "cannot be waited for"),
]

# What is nested without end, or names itself.
_NESTED = [
    _case(
        "services that extend each other",
        {"compose.yaml": COMPOSE},
        (*DOCTOR, "--compose", "compose.yaml"),
        ANY,
        "in a row",
    ),
    _case(
        "compose nested deeply",
        {"compose.yaml": f"services: {DEEP[:50_000]}"},
        (*DOCTOR, "--compose", "compose.yaml"),
        (2,),
        "compose.yaml",
    ),
    _case(
        "aliases in compose",
        {"compose.yaml": f"{ALIASES}services:\n  t: {{image: *a59}}\n"},
        (*DOCTOR, "--compose", "compose.yaml"),
        ANY,
        process=True,
    ),
    _case(
        "merges in compose",
        {"compose.yaml": f"{MERGES}services:\n  t: {{<<: *m29, image: x}}\n"},
        (*DOCTOR, "--compose", "compose.yaml"),
        ANY,
        process=True,
    ),
    _case(
        "merges in a conda lock",
        {"conda-lock.yml": f"{MERGES}package: []\n"},
        (*CREATE, "--from", "conda-lock.yml"),
        (2,),
        "conda-lock.yml",
        process=True,
    ),
    _case(
        "a conda lock nested deeply",
        {"conda-lock.yml": f"package: {DEEP[:50_000]}"},
        (*CREATE, "--from", "conda-lock.yml"),
        (2,),
        "nested too deeply",
    ),
    _case(
        "an environment.yml nested deeply",
        {"environment.yml": f"dependencies: {DEEP[:50_000]}"},
        (*CHECK, "environment.yml"),
        (2,),
        "nested too deeply",
    ),
    _case("pyproject.toml nested deeply", {"pyproject.toml": f"a = {DEEP}"}, RESOLVE, (2,), "not TOML"),
    _case(
        "a matrix nested deeply",
        {"rows/toolkits.yaml": f"toolkits: {DEEP}"},
        (*RESOLVE, "torch", "--matrix", "rows"),
        (2,),
        "toolkits.yaml:1",
    ),
    _case("a requirement nested deeply", {}, (*RESOLVE, f"torch; {'(' * 4000}"), (2,), "is not a requirement"),
    _case(
        "requirement files that name each other",
        INCLUDES,
        (*RESOLVE, "-r", "0.txt"),
        (2,),
        "more than 500 files",
    ),
]

# Names of files that are no UTF-8.
_NAMES = [
    _odd_name(_odd_requirements, "a requirement file with an odd name", (0,), r"wrote lock/requirements\.txt"),
    _odd_name(_odd_code, "code with an odd name", (0,)),
    _odd_name(_odd_matrix, "a file of a matrix with an odd name", (2,), r"a\\xffb\.yaml"),
    _odd_name(_odd_snapshot, "a snapshot with an odd name", (0,)),
    _odd_name(_odd_folder, "an environment with an odd name", (2,), "no earlier run"),
    _odd_name(_odd_argument("explain"), "explain an odd name", (2, 3)),
    *(
        _odd_name(_odd_argument(*words), f"{' '.join(words)} an odd name", (1, 2))
        for words in (
            ("lint",),
            ("doctor", "--env"),
            ("resolve", "-r"),
            ("inspect", "--machine"),
            ("run", "--"),
            ("rollback",),
        )
    ),
]

# What the parser says of other people's code is not cudafit's to print.
_WARNED = [
    _case(
        "code with a wrong escape",
        {"a.py": "import torch\nx = '\\d'\nif 1 is 1: pass\n"},
        ("lint", "a.py"),
        (0,),
        "nothing found",
    ),
    _case(
        "a notebook with a wrong escape",
        {"a.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "import torch\nx = '\\d'\n1 is 1"}]})},
        ("lint", "a.ipynb"),
        (0,),
    ),
    _doctor("version.py with a wrong escape", {"torch/version.py": "__version__ = '\\d'\n1 is 1\n"}),
]

CASES = [*_DIGITS, *_SHAPES, *_NESTED, *_NAMES, *_WARNED]
