"""A request is closed over what its packages need, before anything is chosen: over a real uv and a small index."""

import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.matrix.harvest.source_archive import Archive, needs_of_archive, read_archive
from tests.conftest import Run
from tests.lock.world import DEFAULT, World, wheel, world
from tests.matrix.harvest.server import Index, serving

PASCAL = ("--gpu", "GTX 1080 Ti", "--driver", "580.65.06", "--glibc", "2.35", "--python", "3.11")
BLACKWELL = ("--gpu", "RTX 5090", "--driver", "580.65.06", "--glibc", "2.35", "--python", "3.11")
RUN = "raise SystemExit('it was run')\n"
Resolve = Callable[..., "subprocess.CompletedProcess[str]"]


def needing(name: str, version: str, *needs: str) -> tuple[str, bytes]:
    return wheel(name, version, requires="\n".join(f"Requires-Dist: {one}" for one in needs))


def source(name: str, version: str, files: dict[str, str]) -> tuple[str, bytes]:
    """An archive whose build would fail: whoever runs it has made a mistake."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for path, text in {"setup.py": RUN, **files}.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
    return f"{name}-{version}.tar.gz", out.getvalue()


PACKAGES = {
    "stands-on": dict([needing("stands_on", "2.0", "torch>=2.0", "numpy")]),
    "deep": dict([needing("deep", "1.0", "stands-on")]),
    "pins": dict([needing("pins", "3.0", "torch==2.15.0"), needing("pins", "2.0", "torch==2.14.1")]),
    "narrow": dict([needing("narrow", "1.0", "torch<2.15")]),
    "unknown-torch": dict([needing("unknown_torch", "1.0", "torch==2.99.0")]),
    "can-use": dict([needing("can_use", "1.0", "numpy", 'torch>=2.0; extra == "test"', 'torch>=2.0; extra == "gpu"')]),
    "plain": dict([needing("plain", "1.0", "numpy")]),
    "source-only": dict(
        [source("source_only", "1.0", {"source_only.egg-info/requires.txt": "numpy\ntorch>=2.1\n\n[dev]\npytest\n"})]
    ),
    "old-wheel": dict(
        [
            needing("old_wheel", "0.1", "numpy"),
            source("old_wheel", "2.0", {"PKG-INFO": "Metadata-Version: 2.2\nName: old-wheel\nRequires-Dist: torch\n"}),
        ]
    ),
    "old-wheels": dict(
        [
            needing("old_wheels", "0.1.dev3", "numpy"),
            needing("old_wheels", "0.1.dev5", "secretive"),
            source(
                "old_wheels", "2.0", {"PKG-INFO": "Metadata-Version: 2.2\nName: old-wheels\nRequires-Dist: torch\n"}
            ),
        ]
    ),
    "built-with": dict(
        [
            source(
                "built_with",
                "1.2",
                {"setup.py": f"import torch.utils.cpp_extension\n{RUN}", "built_with.egg-info/requires.txt": "numpy\n"},
            )
        ]
    ),
    "built-in-pieces": dict(
        [
            source(
                "built_in_pieces",
                "3.0",
                {
                    "setup.py": f"try:\n    import jax\nexcept ImportError:\n    pass\n{RUN}",
                    "pyproject.toml": '[build-system]\nrequires = ["hatchling>=1", "torch>=2", "ninja"]\n',
                },
            )
        ]
    ),
    "over-built": dict([needing("over_built", "1.0", "built-with")]),
    "secretive": dict([source("secretive", "1.0", {"PKG-INFO": "Metadata-Version: 2.1\nName: secretive\n"})]),
    "held-back": dict([needing("held_back", "2.0", "torch", "secretive"), needing("held_back", "0.1.dev1", "numpy")]),
    "of-its-time": dict([wheel("of_its_time", "1.0", f"cp{n}-cp{n}-manylinux2014_x86_64") for n in (38, 311)]),
    "wants-numpy-1": dict([needing("wants_numpy_1", "1.0", "numpy<2", "torch")]),
    "of-windows": dict([wheel("of_windows", "306", "cp311-cp311-win_amd64")]),
    "onnxruntime": dict([needing("onnxruntime", "1.2", "numpy")]),
    "on-the-cpu": dict([needing("on_the_cpu", "1.0", "onnxruntime<2", "torch")]),
    "needs-secretive": dict([needing("needs_secretive", "1.0", "secretive", "torch")]),
}


@pytest.fixture(scope="module")
def closing_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made, serving(Index({**DEFAULT, **PACKAGES})) as default:
        yield replace(made, default=default)


@pytest.fixture
def resolve(cudafit: Run, closing_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resolve:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")

    def run(*words: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        given = {**closing_world.env, **(env or {})}
        return cudafit("resolve", *words, "--matrix", str(closing_world.matrix), env=given)

    return run


def picked(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    assert done.returncode == 0, done.stderr + done.stdout
    return {pick["name"]: pick["version"] for pick in json.loads(done.stdout)["picks"]}


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (["stands-on"], ["stands-on 2.0 needs torch>=2.0"]),
        (["deep"], ["stands-on 2.0 needs torch>=2.0"]),
        (["source-only"], ["source-only 1.0 needs torch>=2.1"]),
        (["old-wheel"], ["old-wheel 2.0 needs torch"]),
        (["old-wheels"], ["old-wheels 2.0 needs torch"]),
        (["can-use[gpu]"], ["can-use 1.0 needs torch>=2.0"]),
        (["held-back"], ["held-back 2.0 needs torch"]),
        (["needs-secretive"], ["needs-secretive 1.0 needs torch"]),
    ],
)
def test_what_stands_on_torch_is_given_one(resolve: Resolve, words: list[str], because: list[str]) -> None:
    done = resolve(*words, *PASCAL, "--json")
    assert picked(done) == {"torch": "2.14.1"}
    assert json.loads(done.stdout)["picks"][0]["because"] == because


def test_the_screen_says_why(resolve: Resolve) -> None:
    done = resolve("deep", *PASCAL)
    assert "because    stands-on 2.0 needs torch>=2.0" in done.stdout
    assert "torch==2.14.1+cu126 deep" in done.stdout


def test_a_pin_chooses_where_it_fits_and_is_gone_around_where_it_does_not(resolve: Resolve) -> None:
    assert picked(resolve("pins", *BLACKWELL, "--json")) == {"torch": "2.15.0"}
    older = resolve("pins", *PASCAL, "--json")
    assert picked(older) == {"torch": "2.14.1"}
    assert json.loads(older.stdout)["picks"][0]["because"] == ["pins 2.0 needs torch==2.14.1"]


def test_what_was_asked_for_is_limited_too(resolve: Resolve) -> None:
    done = resolve("torch", "narrow", *BLACKWELL)
    assert done.returncode == 1
    assert "torch<2.15" in done.stderr
    assert "narrow 1.0 needs torch<2.15" in done.stderr


def test_a_version_that_only_pytorchs_index_has(resolve: Resolve) -> None:
    words = [*PASCAL[:6], "--python", "3.12"]
    assert picked(resolve("torch==2.14.1", "stands-on", *words, "--json")) == {"torch": "2.14.1"}


def test_what_does_not_fit_is_told_in_the_users_own_words(resolve: Resolve) -> None:
    """And not also as those who need it say it."""
    done = resolve("torch==2.0.0", "stands-on", *PASCAL)
    assert done.returncode == 1
    assert "error: no build of `torch==2.0.0` fits this machine\n" in done.stderr
    assert "stands-on 2.0 needs torch>=2.0" in done.stderr


def test_a_version_that_nobody_knows_is_no_fit(resolve: Resolve) -> None:
    done = resolve("unknown-torch", *PASCAL)
    assert done.returncode == 1
    assert "2.99.0" in done.stderr


def test_an_option_is_told_and_not_chosen(resolve: Resolve) -> None:
    done = resolve("can-use", *PASCAL)
    assert done.returncode == 0
    assert "note       nothing of this needs a framework; with `can-use[gpu]` it would be torch" in done.stdout
    assert "nothing of this needs a framework" in resolve("plain", *PASCAL).stdout


def test_a_login_that_uv_is_given_is_not_told(resolve: Resolve) -> None:
    done = resolve(
        *("stands-on", "numpy==9999", *PASCAL),
        env={"UV_INDEX": "http://me:hunter2-of-mine@127.0.0.1:9/simple/", "UV_HTTP_RETRIES": "0"},
    )
    assert "hunter2-of-mine" not in done.stdout + done.stderr


def test_what_could_not_be_looked_at_is_said(resolve: Resolve) -> None:
    assert "what `secretive` needs was not looked at" in resolve("needs-secretive", *PASCAL).stdout
    unknown = resolve("secretive", *PASCAL)
    assert "what `secretive` needs was not looked at" in unknown.stdout
    assert "nothing of this needs" not in unknown.stdout
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple/", "UV_HTTP_RETRIES": "0"}
    gone = resolve("stands-on", *PASCAL, env=nowhere)
    assert gone.returncode == 0
    assert "what `stands-on` needs was not looked at: no index answers" in gone.stdout
    offline = resolve("stands-on", *PASCAL, "--offline", env={"UV_NO_CACHE": "1"})  # the cache would know it by now
    assert "what `stands-on` needs was not looked at: `--offline` asks no index" in offline.stdout


def test_a_typed_package_that_is_on_no_index_is_refused(resolve: Resolve) -> None:
    done = resolve("stands-on", "torch-cu126", *PASCAL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: no index has a package `torch-cu126`" in done.stderr
    assert "hint: `cudafit resolve stands-on torch`, if `torch` is meant" in done.stderr


def test_a_package_of_a_file_that_is_on_no_index_is_said_and_cannot_be_locked(resolve: Resolve) -> None:
    Path("r.txt").write_text("stands-on\nis-not-there-at-all\n")
    done = resolve("-r", "r.txt", *PASCAL)
    assert done.returncode == 0
    assert "what `is-not-there-at-all` needs was not looked at: no index has it" in done.stdout
    assert "torch==2.14.1+cu126" in done.stdout
    locked = resolve("-r", "r.txt", *PASCAL, "-o", "requirements.txt")
    assert locked.returncode == 1
    assert "a package is on no index" in locked.stderr


@pytest.mark.parametrize("words", [["stands-on"], ["deep", "plain"], ["pins"]])
def test_the_lock_holds_what_fits_and_is_judged_whole(resolve: Resolve, words: list[str]) -> None:
    done = resolve(*words, *PASCAL, "-o", "requirements.txt")
    assert done.returncode == 0, done.stderr
    text = Path("requirements.txt").read_text()
    assert "torch-2.14.1%2Bcu126" in text
    assert "cu13" not in text
    assert resolve(*words, *PASCAL, "--check", "-o", "requirements.txt").returncode == 0
    assert resolve("torch", *PASCAL, "--check", "-o", "requirements.txt").returncode == 0
    old = [*PASCAL[:3], "470.57", *PASCAL[4:]]
    failed = resolve(*words, *old, "--check", "-o", "requirements.txt")
    assert failed.returncode == 1
    assert "torch" in failed.stderr


def test_a_foreign_lock_is_judged_by_all_that_it_holds(resolve: Resolve) -> None:
    Path("requirements.txt").write_text("stands-on==2.0\nnumpy==2.1.0\ntorch==2.15.0\nnvidia-cudnn-cu13==9.20.0.48\n")
    done = resolve("stands-on", *PASCAL, "--check", "--allow-unhashed", "--offline", "-o", "requirements.txt")
    assert done.returncode == 1
    assert "sm_61" in done.stderr


def test_what_does_not_go_together_before_any_build_is_named_with_its_places(resolve: Resolve) -> None:
    Path("base.txt").write_text("# what others need\nwants-numpy-1==1.0\n")
    Path("r.txt").write_text("-r base.txt\ntorch\nnumpy>=2\n")
    done = resolve("-r", "r.txt", *PASCAL)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: `wants-numpy-1==1.0` and `numpy>=2` do not go together"
    assert "`wants-numpy-1==1.0` stands in base.txt:2" in done.stderr
    assert "`numpy>=2` stands in r.txt:3" in done.stderr
    assert "with these builds" not in done.stderr


def test_a_conflict_does_not_hide_what_the_packages_need(resolve: Resolve) -> None:
    Path("requirements.txt").write_text("wants-numpy-1\nnumpy>=2\n")
    done = resolve("-r", "requirements.txt", *PASCAL)
    assert done.returncode == 1
    assert "`numpy>=2` stands in requirements.txt:2" in done.stderr
    assert "without that, wants-numpy-1 1.0 needs `torch`" in done.stderr


def test_a_package_of_another_system_without_a_marker_stops_nothing_and_is_said(resolve: Resolve) -> None:
    Path("requirements.txt").write_text("stands-on\nof-windows==306\n")
    done = resolve("-r", "requirements.txt", *PASCAL, "--json")
    assert picked(done)["torch"] == "2.14.1"
    [told] = [one for one in json.loads(done.stdout)["warnings"] if "of-windows" in one]
    assert "has no wheel for linux-x86_64" in told
    assert 'of-windows==306 ; sys_platform == "win32"' in told


def test_the_build_for_the_cpu_that_comes_through_another_is_told(resolve: Resolve) -> None:
    notes = json.loads(resolve("on-the-cpu", *PASCAL, "--json").stdout)["notes"]
    assert any(one.startswith("onnxruntime 1.2 comes through on-the-cpu: the build for the CPU") for one in notes)


def test_a_pin_that_has_wheels_for_another_python_chooses_it(resolve: Resolve) -> None:
    Path("r.txt").write_text("stands-on\nof-its-time==1.0\n")
    done = resolve("-r", "r.txt", *PASCAL[:6], "--json")
    answer = json.loads(done.stdout)
    assert answer["python"] == "3.11"
    assert any("`of-its-time==1.0`, r.txt:2: it has wheels for no other" in one for one in answer["notes"])
    typed = resolve("-r", "r.txt", *PASCAL[:6], "--python", "3.12")
    assert typed.returncode == 1
    assert "`of-its-time==1.0` stands in r.txt:2" in typed.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "built-with",
            "built-with 1.2 has no wheel here, and its build imports torch: install the others first, then"
            " `uv pip install setuptools` and `uv pip install --no-build-isolation built-with`",
        ),
        (
            "built-in-pieces",
            "built-in-pieces 3.0 has no wheel here, and its build imports torch: install the others first, then"
            " `uv pip install 'hatchling>=1' ninja` and `uv pip install --no-build-isolation built-in-pieces`",
        ),
        (
            "over-built",
            "built-with 1.2 has no wheel here, and its build imports torch: with torch installed first, add"
            " `--no-build-isolation-package built-with` to the line",
        ),
    ],
)
def test_what_is_built_with_torch_brings_it_and_is_told_how(resolve: Resolve, name: str, said: str) -> None:
    """No installer builds it in the line that brings torch: it comes after that."""
    Path("requirements.txt").write_text(f"numpy\n{name}\n")
    answer = json.loads(resolve("-r", "requirements.txt", *PASCAL, "--json").stdout)
    assert [pick["name"] for pick in answer["picks"]] == ["torch"]
    assert said in answer["notes"]
    last = ["-r", "requirements.txt"] if name == "over-built" else ["numpy"]
    assert answer["command"] == ["uv", "pip", "install", "torch==2.14.1+cu126", *last, "--torch-backend", "cu126"]
    silent = [one for one in answer["warnings"] if "not looked at" in one]
    assert [f"`{name}`" in one for one in silent] == ([True] if name == "built-in-pieces" else [])


def test_an_index_of_a_file_that_wants_a_login_is_said_and_stops_nothing(
    resolve: Resolve, closing_world: World
) -> None:
    """A file's own index goes before the one that pip is configured with, as it does for pip."""
    env = {"UV_DEFAULT_INDEX": "", "PIP_INDEX_URL": closing_world.default.address}
    with serving(Index({}, closed=True)) as index:
        Path("requirements.txt").write_text(f"--index-url {index.address}\ntorch\nof-the-firm\n")
        done = resolve("-r", "requirements.txt", *PASCAL, "--json", env=env)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["picks"][0]["version"]) == (0, "2.14.1")
    [told] = [one for one in answer["warnings"] if "of-the-firm" in one]
    assert told.startswith("what `of-the-firm` needs was not looked at: ")
    assert f"{index.address} wants a login" in told


def test_an_extra_that_there_is_not_is_told(resolve: Resolve) -> None:
    def warnings(*words: str) -> list[str]:
        done = resolve(*words, *BLACKWELL, "--json")
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout)["warnings"])

    assert warnings("torch[foo]") == ["`torch[foo]`: nothing comes with that extra of torch 2.15.0; it has none"]
    assert warnings("torch") == []
    offline = warnings("torch[foo]", "--offline")
    assert offline == ["whether there is a `torch[foo]` was not looked at: `--offline` asks no index"]


def test_source_archives_are_read_and_broken_ones_are_passed_over() -> None:
    packed = next(iter(PACKAGES["source-only"].values()))
    assert needs_of_archive(packed) == ("numpy", "torch>=2.1", 'pytest; extra == "dev"')
    assert needs_of_archive(packed[: len(packed) // 2]) is None
    broken = source("x", "1", {"setup.py": "import torch\nx = (", "pyproject.toml": "[build-system"})[1]
    assert read_archive(broken) == Archive(None)
    assert needs_of_archive(b"PK\x03\x04 no archive") is None
    assert needs_of_archive(b"") is None
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a-1/PKG-INFO", "Metadata-Version: 2.2\nName: a\nDynamic: Requires-Dist\nRequires-Dist: b\n")
        archive.writestr("a-1/a.egg-info/requires.txt", '[gpu:python_version < "3"]\ntorch\n')
    assert needs_of_archive(out.getvalue()) == ('torch; extra == "gpu" and (python_version < "3")',)
