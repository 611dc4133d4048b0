"""`--check`: a lock that cannot be installed as it is written, or that would come from elsewhere, does not fit."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cudafit.errors import InputError
from cudafit.indexes import Indexes
from cudafit.lock.formats import format_of
from cudafit.lock.held import read_lock
from cudafit.lock.integrity import Integrity, Named
from cudafit.lock.origins import Origins, elsewhere, origin_problems, origins_of, plain, site
from tests.conftest import Run
from tests.lock.channel import make
from tests.lock.every_format import COMPLETE, needs_conda
from tests.lock.world import World

TARGET = ("--gpu", "A100", "--glibc", "2.35", "--python", "3.12", "--driver", "580.65.06")
Resolve = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def resolve(cudafit: Run, lock_world: World, tmp_path: Path, folder: Path) -> Resolve:
    channel = make(tmp_path / "channel")

    def run(*words: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        given = {**lock_world.env, "CUDAFIT_CONDA_CHANNEL": channel, **(env or {})}
        return cudafit("resolve", *words, *TARGET, "--matrix", str(lock_world.matrix), env=given)

    return run


@pytest.fixture
def written(resolve: Resolve, lock_world: World) -> Callable[[str], str]:
    """A fresh lock, its text."""

    def write(name: str) -> str:
        if needs_conda(format_of(name)):
            pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
        done = resolve("torch", "numpy", "-o", name)
        assert done.returncode == 0, done.stderr
        return Path(name).read_text()

    return write


def checked(resolve: Resolve, name: str, *words: str, env: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    done = resolve("torch", "numpy", "--check", "--json", "-o", name, *words, env=env)
    return done.returncode, json.loads(done.stdout)["checks"][0]


@pytest.mark.parametrize("name", [one.example for one in COMPLETE])
def test_a_fresh_lock_is_compared_and_fits(resolve: Resolve, written: Callable[[str], str], name: str) -> None:
    written(name)
    assert checked(resolve, name) == (
        0,
        {"path": name, "fits": True, "problems": [], "notes": [], "hashes": "compared"},
    )
    code, told = checked(resolve, name, "--offline")
    assert (code, told["fits"], told["hashes"]) == (0, True, "not compared")
    assert told["notes"] == ["hashes were not compared with an index (`--offline` asks no index)"]


def _without_hashes(text: str) -> str:
    text = re.sub(r" \\\n    --hash=\S+", "", text)
    text = re.sub(r"hashes = \{[^}]*\}", "hashes = {}", text)
    text = re.sub(r"(sha256|md5): \w+", r"\1: ''", text)
    return re.sub(r"#sha256:\w+", "", text)


def _one_without(text: str) -> str:
    text = re.sub(r"(numpy==\S+)( \\\n    --hash=\S+)+", r"\1", text)
    if "\nname = " in text:
        head, middle, rest = text.partition('name = "numpy"')
        return head + middle + re.sub(r"hashes = \{[^}]*\}", "hashes = {}", rest, count=1)
    text = re.sub(r"(numpy-\S+)#sha256:\w+", r"\1", text)
    return re.sub(r"(?s)(name: numpy.*?)md5: \w+(.*?)sha256: \w+", r"\1md5: ''\2sha256: ''", text, count=1)


def _altered(text: str) -> str:
    """Well-formed, and others."""
    return re.sub(r"\b[0-9a-f]{64}\b", lambda match: match[0][::-1], text)


def _shortened(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{64}\b", "abc", text)


ALTERED: dict[str, tuple[Callable[[str], str], str, str | None]] = {
    "no hashes": (_without_hashes, "it has no hashes", "it has no hashes"),
    "one hash gone": (_one_without, "for `numpy`", "for `numpy`"),
    "hashes cut short": (_shortened, "has no hash", "has no hash"),
    "other hashes": (_altered, "hash", None),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [one.example for one in COMPLETE])
@pytest.mark.parametrize("what", ALTERED)
def test_hashes_that_are_gone_or_altered(resolve: Resolve, written: Callable[[str], str], name: str, what: str) -> None:
    alter, says, says_offline = ALTERED[what]
    text = written(name)
    assert alter(text) != text, f"{alter.__name__} does not know how {name} tells a hash"
    Path(name).write_text(alter(text))
    code, told = checked(resolve, name)
    assert (code, told["fits"]) == (1, False), told
    assert any(says in problem for problem in told["problems"]), told
    code, told = checked(resolve, name, "--offline")
    if says_offline is None:
        assert (code, told["hashes"]) == (0, "not compared"), "only an index knows the right one"
    else:
        assert code == 1
        assert any(says_offline in problem for problem in told["problems"]), told


def test_a_lock_that_was_written_offline_fits_where_that_was_asked_for(resolve: Resolve) -> None:
    assert resolve("torch", "--offline", "-o", "requirements.txt").returncode == 0
    check = ("torch", "--check", "--json", "-o", "requirements.txt")
    for words, code in (
        ((), 1),
        (("--offline",), 1),
        (("--allow-unhashed",), 0),
        (("--offline", "--allow-unhashed"), 0),
    ):
        done = resolve(*check, *words)
        (told,) = json.loads(done.stdout)["checks"]
        assert (done.returncode, told["hashes"]) == (code, "not compared"), words
        assert told["problems"] == (["it has no hashes, so nothing says which files are meant"] if code else [])
        assert told["notes"] == ["it has no hashes: what is installed is whatever its index has then"]


OTHER_PLACES: dict[str, tuple[str, str, str, str]] = {
    "an index more": (
        "requirements.txt",
        r"\A",
        "--extra-index-url https://evil.test/simple\n",
        "it asks https://evil",
    ),
    "another index": ("requirements.txt", r"\A", "-i https://evil.test/simple\n", "it asks https://evil.test/simple"),
    "a folder of files": ("requirements.txt", r"\A", "--find-links=wheels\n", "it asks wheels"),
    "no certificates": ("requirements.txt", r"\A", "--trusted-host evil.test\n", "certificates for evil.test"),
    "a wheel elsewhere": (
        "requirements.txt",
        r"torch @ http://[^/]+/",
        "torch @ https://evil.test/",
        "would come from https://evil.test",
    ),
    "a wheel elsewhere, in a pylock": (
        "pylock.toml",
        r"http://[^/]+(/files/torch)",
        r"https://evil.test\1",
        "would come from https://evil.test",
    ),
    "numpy elsewhere": (
        "pylock.toml",
        r"http://[^/]+(/files/numpy)",
        r"https://evil.test\1",
        "would come from https://evil.test",
    ),
    "a file of this machine": (
        "pylock.toml",
        r'url = "http://[^/]+/files/numpy',
        'path = "numpy',
        "would come from file://",
    ),
    "a channel": (
        "explicit.txt",
        r"file://\S+(/noarch/numpy)",
        r"https://evil.test/c\1",
        "come from https://evil.test/c",
    ),
    "a channel, in a conda-lock": (
        "conda-lock.yml",
        r"url: file://\S+(/noarch/numpy)",
        r"url: https://evil.test/c\1",
        "come from https://evil.test/c",
    ),
    "a first channel": ("environment.yml", r"channels:\n", "channels:\n- evil\n", "it takes packages from evil first"),
    "a first channel of pixi": ("pixi.toml", r"channels = \[", 'channels = ["evil", ', "from evil first"),
    "a source of uv": (
        "pyproject.toml",
        r'url = "http://[^"]+"',
        'url = "https://evil.test/whl/cu126"',
        "`torch` is to come from https://evil.test/whl/cu126",
    ),
    "a repository for a source of uv": (
        "pyproject.toml",
        r'torch = \{ ?index = "pytorch-cu126" ?\}',
        'torch = { git = "https://evil.test/torch" }',
        "`torch` is to come from https://evil.test/torch",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", OTHER_PLACES)
@pytest.mark.parametrize("offline", [False, True])
def test_other_places(resolve: Resolve, what: str, offline: bool) -> None:
    name, pattern, instead, says = OTHER_PLACES[what]
    if name in ("conda-lock.yml", "explicit.txt"):
        pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
    conda = name.startswith(("conda", "explicit", "environment", "pixi"))
    words = ("torch" if conda else "torch==2.14.1", "numpy")  # the one of PyTorch's own index
    assert resolve(*words, "-o", name).returncode == 0
    text = Path(name).read_text()
    assert re.search(pattern, text), text
    Path(name).write_text(re.sub(pattern, instead, text))
    done = resolve(*words, "--check", "--json", "-o", name, *(("--offline",) if offline else ()))
    (told,) = json.loads(done.stdout)["checks"]
    assert (done.returncode, told["fits"]) == (1, False), told
    assert any(says in problem for problem in told["problems"]), told


def test_an_index_that_the_request_names_may_be_asked(resolve: Resolve, lock_world: World) -> None:
    Path("wanted.in").write_text(f"--extra-index-url {lock_world.default.address}\ntorch\nnumpy\n")
    assert resolve("-r", "wanted.in", "-o", "requirements.txt").returncode == 0
    assert resolve("-r", "wanted.in", "--check", "-o", "requirements.txt").returncode == 0


def test_an_index_that_does_not_answer_is_told(resolve: Resolve, written: Callable[[str], str]) -> None:
    written("requirements.txt")
    gone = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "CUDAFIT_PYTORCH_INDEX": "http://127.0.0.1:9"}
    done = resolve("torch", "numpy", "--check", "-o", "requirements.txt", env=gone)
    assert "hashes were not compared with an index (127.0.0.1 cannot be asked: ConnectionError)" in done.stderr


def test_a_version_that_its_index_does_not_have(resolve: Resolve, written: Callable[[str], str]) -> None:
    text = written("requirements.txt")
    Path("requirements.txt").write_text(re.sub(r"numpy==[\d.]+", "numpy==2.0.9", text))
    _, told = checked(resolve, "requirements.txt")
    assert any(problem.startswith("`numpy 2.0.9` is not on ") for problem in told["problems"]), told


# By the addresses alone.


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://download.pytorch.org/whl/cu126/torch.whl", "https://pytorch.org"),
        ("https://download-r2.pytorch.org/whl/torch.whl", "https://pytorch.org"),
        ("https://pytorch.org.evil.test/torch.whl", "https://evil.test"),
        ("https://evilpytorch.org/torch.whl", "https://evilpytorch.org"),
        ("http://download.pytorch.org/whl", "http://pytorch.org"),
        ("http://127.0.0.1:80/x", "http://127.0.0.1:80"),
        ("http://127.0.0.1:81/x", "http://127.0.0.1:81"),
        ("https://a.example.co.uk/x", "https://example.co.uk"),
        ("https://user:secret@b.example.org/x", "https://example.org"),
        ("file:///srv/x", "file://"),
    ],
)
def test_sites(address: str, found: str) -> None:
    assert site(address) == found


def test_the_same_address_however_it_is_written() -> None:
    assert plain("HTTPS://me:secret@Mirror.test/simple/") == plain("https://mirror.test/simple")
    assert plain("https://mirror.test/simple") != plain("https://mirror.test/simple/more")


def _named(package: str, url: str) -> Named:
    return Named(package, "1", ("sha256:0",), url, url.rpartition("/")[2])


def test_files_of_the_default_index_lie_together() -> None:
    lock = Integrity(
        (_named("a", "https://files.test/a"), _named("b", "https://files.test/b"), _named("c", "http://x/c"))
    )
    assert list(elsewhere(lock, Origins(None, (), {}, ()))) == [("c", "http://x")]
    assert list(elsewhere(lock, Origins("http://x/simple", (), {}, ()))) == [
        ("a", "https://files.test"),
        ("b", "https://files.test"),
    ]
    assert list(elsewhere(lock, Origins(None, ("http://x/whl",), {}, ()))) == []


def test_mirrors_and_the_addresses_of_the_matrix_are_both_known() -> None:
    origins = origins_of((), Indexes(pytorch="https://mirror.test"), {"pytorch-cpu": "https://p.test/cpu"}, ())
    for address in ("https://mirror.test/cpu", "https://p.test/cpu/"):
        assert origins.may_be_asked(address)
        lock = Integrity((), asks=(address,))
        assert not list(origin_problems(lock, origins, hashless=False))
    assert not origins.may_be_asked("https://p.test/cu126")


def read_back(name: str, text: str) -> Integrity:
    """Of a file in the folder that the test stands in."""
    Path(name).write_text(text)
    return read_lock(name, format_of(name)).integrity


def test_locks_of_conda_may_have_md5_alone(folder: Path) -> None:
    md5 = "0" * 32
    lock = read_back("explicit.txt", f"@EXPLICIT\nhttps://c.test/linux-64/six-1.0-0.conda#{md5}\n")
    assert lock.files == (
        Named("six", "", (f"md5:{md5}",), "https://c.test/linux-64/six-1.0-0.conda", "six-1.0-0.conda"),
    )
    url = "https://c.test/linux-64/six-1.0-0.conda"
    row = f"package:\n- {{manager: conda, url: '{url}', hash: {{md5: {md5}x, sha256: '{md5}'}}}}\n"
    assert read_back("conda-lock.yml", row).unproven == ("six",)


@pytest.mark.parametrize("text", ["-i http://[x\n", "rich @ http://x:99999999/rich-1-py3-none-any.whl\n"])
def test_an_address_that_is_none(folder: Path, text: str) -> None:
    with pytest.raises(InputError, match="cannot be read as requirements"):
        read_back("requirements.txt", text)


def test_a_channel_with_a_token_is_the_same_channel() -> None:
    channel = "https://conda.test/t/tk-0a1b2c3d/forge"
    origins = origins_of((), Indexes(conda=channel), {}, ())
    lock = Integrity((_named("six", "https://conda.test/forge/linux-64/six-1.0-0.conda"),), first_channel=channel)
    assert not list(elsewhere(lock, origins))
    assert not list(origin_problems(lock, origins, hashless=False))
