"""Foreign text on its way out: names and values that would command a terminal, or the log of a CI.

Every case puts `EVIL` somewhere that others can write, and looks at all that is printed and written: none of what
commands is there, and the spelling that shows it is, so that the text did come by.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.hostile.case import Case, Ended, Place, Words
from tests.lint.test_check import MOVED
from tests.older import tomllib
from tests.repair.world import MACHINE, PYTHON

# A title for the terminal's window with BEL, a colour by C1, a line of its own that is a workflow command, and what
# turns text around.
EVIL = "a\x1b]0;b\x07\x9b31m\r\n::error ::forged\u202e\u2066z"
SPELLED = r"\x1b]0;b\x07\x9b31m\r\n::error ::forged\u202e\u2066z"
HEAD = SPELLED.partition("::")[0]  # a colon may be escaped, and a line be cut
IN_BYTES = r"a\033]0;b\007\302\23331m\r\n::error"  # as a shell and `patch` read it
IN_ADDRESS = "a%1B%5D0%3Bb%07%C2%9B31m%0D%0A"
SILENT = ("\x1b", "\x07", "\x9b", "\r", "\u202e", "\u2066", "\n::error ::forged", "\n ::error ::forged")
MACHINES = Path(__file__).resolve().parents[1] / "machines"
LAZY = "import torch\ndevice = torch.device('cpu' if torch.cuda.is_available() else 'cuda')\n"
FORMATS = ("text", "markdown", "github", "sarif", "json")
Build = Callable[[Place], Words]


def _case(
    name: str, build: Build, codes: tuple[int, ...], *, said: str = SPELLED, writes: tuple[str, ...] = ()
) -> Case:
    return Case(name, build, codes, says=(re.escape(said),), silent=SILENT, writes=writes, after=_no_line_is_forged)


def _no_line_is_forged(_made: Place, ended: Ended) -> None:
    """GitHub's runner obeys what follows blanks, too."""
    forged = [line for line in ended.printed.split("\n") if line.lstrip().startswith("::error ::")]
    assert not forged, forged
    assert "##[" not in ended.printed


def _in_formats(
    name: str,
    build: Build,
    codes: tuple[int, ...],
    formats: Sequence[str] = FORMATS,
    as_json: str = r"\u001b]0;b\u0007\u009b31m\r\n",
) -> Iterator[Case]:
    """In JSON and SARIF the value is there as it was, but for what is spelled where it is read."""
    for form in formats:

        def with_format(made: Place, form: str = form) -> Words:
            return [*build(made), *(("--json",) if form == "json" else ("--format", form))]

        said = as_json if form in ("json", "sarif") else HEAD
        yield _case(f"{name}, {form}", with_format, codes, said=said)


def machine(made: Place) -> Words:
    return [*MACHINE, "--matrix", made.world.matrix]


def venv(path: Path, distributions: dict[str, str] | None = None, **files: str) -> Path:
    """As much of an environment as is read."""
    site = path / "lib" / "python3.11" / "site-packages"
    (site / "torch").mkdir(parents=True)
    (site / "torch" / "version.py").write_text("__version__ = '2.14.1+cpu'\ncuda = None\nhip = None\n")
    (path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    for name, metadata in (distributions or {"torch": "Name: torch\nVersion: 2.14.1+cpu\n"}).items():
        info = site / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{metadata}")
        (info / "RECORD").write_text("")
        for file, text in files.items():
            (info / file.replace("__", ".")).write_text(text)
    return path


def _venv_in_evil(made: Place) -> Words:
    return ["doctor", "--env", venv(made.work / EVIL / ".venv"), *machine(made)]


def _cuda_visible_devices(made: Place) -> Words:
    venv(made.env)
    made.environ |= {"CUDA_VISIBLE_DEVICES": EVIL, "LD_LIBRARY_PATH": f"/{EVIL}"}
    return ["doctor", *machine(made)]


def _metadata(made: Place) -> Words:
    evil = "".join(EVIL.split())
    two = {
        "torch": f"Name: torch\nVersion: 2.14.1\nRequires-Dist: nvidia-cudnn-cu12==9.9\nRequires-Dist: x{EVIL}\n",
        "nvidia_cudnn_cu12": f"Name: nvidia-cudnn-cu12\nVersion: 9.1{evil}\n",
        "other": f"Name: other{evil}\nVersion: {evil}\n",
    }
    venv(made.env, two, direct_url__json=json.dumps({"url": f"file:///{EVIL}"}))
    return ["doctor", "--env", ".venv", *machine(made)]


def _conda_meta(made: Place) -> Words:
    meta = made.env / "conda-meta"
    meta.mkdir(parents=True)
    for name in ("python", EVIL):
        record = {
            "name": name,
            "version": f"3.11.7{EVIL}",
            "build": EVIL,
            "build_number": 0,
            "files": [],
            "depends": [],
        }
        (meta / f"{name}-1-0.json").write_text(json.dumps({**record, "channel": EVIL, "url": f"http://x/{EVIL}"}))
    (meta / f"{EVIL}.json").write_text("{")
    return ["doctor", "--env", ".venv", *machine(made)]


def _snapshot(made: Place) -> str:
    value = json.loads((MACHINES / "h200-580.json").read_text())
    value["gpus"][0]["name"] = EVIL
    value["os"]["distro"] = EVIL
    value["problems"] = [{"probe": EVIL, "error": EVIL}]
    value["skipped"] = [{"probe": EVIL, "reason": EVIL}]
    (made.work / f"{EVIL}.json").write_text(json.dumps(value))
    return f"{EVIL}.json"


def _inspect(made: Place) -> Words:
    return ["inspect", "--machine", _snapshot(made)]


def _doctor_of_snapshot(made: Place) -> Words:
    made.environ["VIRTUAL_ENV"] = str(venv(made.work / EVIL / ".venv"))
    return ["doctor", "--machine", _snapshot(made), "--matrix", str(made.world.matrix)]


def _lock(made: Place) -> Words:
    (made.work / EVIL).mkdir()
    output = f"{EVIL}/requirements.txt"
    of = ["--machine", _snapshot(made), "--matrix", str(made.world.matrix), "--python", PYTHON]
    return ["resolve", "torch", *of, "--offline", "-o", output]


def _stays_a_comment(made: Place, ended: Ended) -> None:
    _no_line_is_forged(made, ended)
    lines = (made.work / EVIL / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("# machine: ") and SPELLED in line for line in lines)
    assert any(line.startswith("#   cudafit resolve torch ") and IN_BYTES in line for line in lines)


def _lock_dry(made: Place) -> Words:
    return [*_lock(made), "--dry-run"]


def _dockerfile(made: Place) -> Words:
    (made.work / EVIL).mkdir()
    path = made.work / EVIL / "Dockerfile"
    text = f"FROM nvidia/cuda:13.9.0{EVIL} AS base\nFROM nvidia/cuda:13.3.0-base\nENV CUDA_VISIBLE_DEVICES={EVIL}\n"
    path.write_text(f"{text}RUN pip install tensorflow-cpu 'x{EVIL}'\n", newline="")
    return ["doctor", "--dockerfile", f"{EVIL}/Dockerfile", *machine(made)]


def _compose(made: Place) -> Words:
    service = {"image": f"nvidia/cuda:13.3.0-{EVIL}", "environment": {"CUDA_VISIBLE_DEVICES": EVIL}}
    (made.work / f"{EVIL}.yaml").write_text(json.dumps({"services": {f"s{EVIL}": service}}))
    return ["doctor", "--compose", f"{EVIL}.yaml", *machine(made)]


def _lint(made: Place) -> Words:
    (made.work / EVIL).mkdir()
    (made.work / EVIL / f"{EVIL}.py").write_text(LAZY)
    (made.work / EVIL / "b.ipynb").write_text("{")
    return ["lint", "."]


def _lint_begins_so(made: Place) -> Words:
    (made.work / "::error ::forged.py").write_text(LAZY)
    (made.work / "##[error]forged.py").write_text(LAZY)
    return ["lint", "."]


def _lint_fix(made: Place) -> Words:
    (made.work / f"{EVIL}.py").write_text(MOVED)
    return ["lint", "--fix", "."]


def _kernel(made: Place) -> Words:
    folder = made.home / ".local" / "share" / "jupyter" / "kernels" / EVIL.lower()
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": [f"/{EVIL}"], "env": {"LD_LIBRARY_PATH": EVIL}}))
    return ["doctor", "--kernel", EVIL.lower(), *machine(made)]


def _repair_kernel(made: Place) -> Words:
    _kernel(made)
    venv(made.env)
    python = made.env / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (made.env / "lib" / "python3.11" / "site-packages" / "ipykernel").mkdir()
    return ["repair", ".venv", "--kernel", EVIL.lower(), "--dry-run"]


def _requirements(made: Place) -> Words:
    (made.work / "requirements.txt").write_text(f"torch\nx==1 {EVIL}\n", newline="")
    return ["resolve", *machine(made)]


def _pyproject(text: str) -> Build:
    def build(made: Place) -> Words:
        (made.work / "pyproject.toml").write_text(
            f"[project]\nname = 'x'\ndependencies = ['torch', {json.dumps(text)}]\n"
        )
        assert tomllib.loads((made.work / "pyproject.toml").read_text())
        return ["resolve", *machine(made), "--offline", "-o", "requirements.txt"]

    return build


def _matrix(*words: str) -> Build:
    def build(made: Place) -> Words:
        folder = made.work / EVIL
        (folder / "frameworks").mkdir(parents=True)
        evil = json.dumps(EVIL)
        row = f"- {{version: 1, variant: {evil}, platform: linux-x86_64, index: {evil}, note: {evil}, sources: {evil}}}"
        (folder / "frameworks" / "torch.yaml").write_text(f"# x\npackage: torch\n\nbuilds:\n{row}\n")
        (folder / "matrix.yaml").write_text("# x\nversion: '1'\n")
        filled = {"DIR": EVIL, "PACKAGED": str(made.world.matrix)}
        return [filled.get(word, word) for word in words]

    return build


def unfinished(env: Path, told: str) -> None:
    """A journal as a change leaves it that was cut off."""
    state = env.parent / ".venv.cudafit"
    state.mkdir(mode=0o700)
    (state / "generations").mkdir(mode=0o700)
    journal = {"schema": "cudafit.journal/1", "step": "apply", "environment": ".venv", "generation": "1"}
    words = {"reason": told, "started": told, "pid": 1, "host": told, "command": told}
    (state / "journal.json").write_text(json.dumps({**journal, "replaced": None, "new": False, **words}))


def _unfinished(made: Place) -> Words:
    unfinished(venv(made.env), EVIL)
    return ["doctor", "--env", ".venv", *machine(made)]


def _job(*options: str) -> Build:
    def build(made: Place) -> Words:
        (made.work / f"{EVIL}.py").write_text("print('done')\n")
        return ["run", *options, "--", "python3", f"{EVIL}.py"]

    return build


def _words(*words: str) -> Build:
    return lambda _made: words


def _is_xml(name: str) -> Callable[[Place, Ended], None]:
    def after(made: Place, ended: Ended) -> None:
        _no_line_is_forged(made, ended)
        text = (made.work / name).read_text()
        assert IN_BYTES in text
        ElementTree.fromstring(re.sub("<meta [^<>]*>", "", text.removeprefix("<!doctype html>\n")))

    return after


def _drawn(name: str) -> Case:
    return Case(
        f"run, drawn as {name}",
        _job("--plot", name),
        (0,),
        says=(re.escape(HEAD),),
        silent=SILENT,
        writes=(name,),
        after=_is_xml(name),
    )


CASES = [
    *_in_formats("an environment in a folder of that name", _venv_in_evil, (1,), ("text", "markdown", "json")),
    _case("an environment, sarif", lambda made: [*_venv_in_evil(made), "--format", "sarif"], (1,), said=IN_ADDRESS),
    *_in_formats("CUDA_VISIBLE_DEVICES and LD_LIBRARY_PATH", _cuda_visible_devices, (1,)),
    _case("names and versions in METADATA", _metadata, (1, 0), said=r"9.1a\x1b]0;b\x07\x9b31m"),
    _case("conda's records", _conda_meta, (0, 1, 2, 3), writes=(".venv",)),
    _case("a snapshot, inspect", _inspect, (0,)),
    *_in_formats("a snapshot, doctor", _doctor_of_snapshot, (1,), ("text", "markdown", "json")),
    Case(
        "a lock, and its name",
        _lock,
        (0,),
        says=(re.escape(SPELLED),),
        silent=SILENT,
        writes=(EVIL,),
        after=_stays_a_comment,
    ),
    _case("the difference of a lock, and its name", _lock_dry, (0,), said=IN_BYTES),
    *_in_formats("a Dockerfile", _dockerfile, (1,), as_json="x1b"),
    *_in_formats("a compose file", _compose, (0, 1), as_json="x1b"),
    *_in_formats("lint", _lint, (1,), ("text", "github", "json")),
    _case("lint, sarif", lambda made: [*_lint(made), "--format", "sarif"], (1,), said=IN_ADDRESS),
    _case("lint, names that begin so", _lint_begins_so, (1,), said=r"\x3a:error ::forged"),
    _case("lint, the difference", _lint_fix, (1,), said=IN_BYTES),
    _case("a kernel", _kernel, (2,), said=SPELLED),
    _case("a kernel to be mended", _repair_kernel, (0,), writes=(".venv",)),
    _case("a line of requirements", _requirements, (2,), said=r"\x1b]0;b\x07"),
    _case("a requirement in pyproject.toml", _pyproject(EVIL), (2,), said=r"\x1b]0;b\x07"),
    _case(
        "an extra in pyproject.toml", _pyproject("x[a\n--index-url http://evil\n]"), (2,), said="is not a requirement"
    ),
    _case("an address in pyproject.toml", _pyproject("x @ http://x/\n--pre"), (2,), said="is not a requirement"),
    _case("matrix check", _matrix("matrix", "check", "DIR"), (1,)),
    _case("matrix show", _matrix("matrix", "show", "torch", "--matrix", "DIR"), (0,)),
    _case("matrix diff", _matrix("matrix", "diff", "PACKAGED", "DIR"), (1, 2)),
    _case("a change that was cut off", _unfinished, (1, 2), writes=(".venv", ".venv.cudafit")),
    _case("run", _job(), (0,), said=HEAD),
    _drawn("job.svg"),
    _drawn("job.html"),
    _case("no such command", _words(EVIL), (2,)),
    _case("no such option", _words("doctor", f"--{EVIL}"), (2,)),
    _case("a text that means nothing", _words("explain", EVIL), (3,), said="no error that concerns a GPU"),
    _case("no such version", _words("resolve", "torch", "--driver", EVIL), (2,)),
    _case("no such environment", _words("bench", EVIL), (2,)),
]
