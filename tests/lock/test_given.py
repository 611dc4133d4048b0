"""What of a given lock is handed to the installer, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cudafit.errors import InputError
from cudafit.lock.given import Given
from cudafit.lock.given_pylock import given_pylock
from cudafit.lock.given_requirements import given_requirements
from cudafit.lock.hashes import strong_hash, what_is_missing
from cudafit.lock.lines import logical_lines
from tests.older import tomllib

SHA, MD5, SHA512 = "a" * 64, "b" * 32, "c" * 128
WHEEL = "https://files.test/rich-14.0.0-py3-none-any.whl"


def pylock(body: str, *, name: str = "rich", allowed: bool = False) -> Given:
    text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "{name}"\nversion = "14.0.0"\n{body}\n'
    return given_pylock("/locks/pylock.toml", text, allowed=allowed)


def package(given: Given) -> Any:
    return tomllib.loads(given.text)["packages"][0]


def requirements(text: str, *, allowed: bool = False) -> Given:
    return given_requirements("/locks/requirements.txt", text, allowed=allowed)


# Hashes.


@pytest.mark.parametrize(
    ("told", "chosen", "missing"),
    [
        ({"sha256": SHA}, ("sha256", SHA), None),
        ({"sha256": SHA.upper()}, ("sha256", SHA), None),
        ({"md5": MD5, "sha512": SHA512, "sha256": SHA}, ("sha256", SHA), None),
        ({"sha512": SHA512}, ("sha512", SHA512), None),
        ({}, None, "has no hash"),
        (None, None, "has no hash"),
        ("sha256", None, "has no hash"),
        ({"md5": MD5}, None, "has only md5, which proves nothing"),
        ({"sha1": "d" * 40, "md5": MD5}, None, "has only md5, sha1, which proves nothing"),
        ({"sha3_256": SHA}, None, "has only sha3_256, which proves nothing"),
        ({"sha256": SHA[1:]}, None, "has a sha256 that is none"),
        ({"sha256": "g" * 64}, None, "has a sha256 that is none"),
        ({"sha256": 7}, None, "has a sha256 that is none"),
        ({"sha256": "\u0664" * 64}, None, "has a sha256 that is none"),
        ({"sha256": SHA, "sha512": "short"}, None, "has a sha256 that is none"),
    ],
)
def test_the_one_hash_that_counts(told: object, chosen: tuple[str, str] | None, missing: str | None) -> None:
    assert strong_hash(told) == chosen
    assert chosen is not None or what_is_missing(told) == missing


# pylock.


def test_a_wheel_with_its_hash_is_handed_on_and_nothing_else_is() -> None:
    given = pylock(
        f'index = "https://evil.test/simple"\nunknown = 1\n[[packages.wheels]]\nurl = "{WHEEL}"\nsize = 9\n'
        f'upload-time = 2026-01-01T00:00:00Z\nhashes = {{ md5 = "{MD5}", sha256 = "{SHA}", sha1 = "e" }}'
    )
    assert package(given) == {
        "name": "rich",
        "version": "14.0.0",
        "wheels": [{"size": 9, "url": WHEEL, "hashes": {"sha256": SHA}}],
    }
    assert (given.notes, given.unhashed, given.moved) == (
        ("files with an address come from files.test (1)",),
        (),
        False,
    )


@pytest.mark.parametrize("path", ["wheels/rich-14.0.0-py3-none-any.whl", "./wheels/rich-14.0.0-py3-none-any.whl"])
def test_a_path_is_one_beside_the_lock(path: str) -> None:
    given = pylock(f'wheels = [{{ path = "{path}", hashes = {{ sha256 = "{SHA}" }} }}]')
    assert package(given)["wheels"][0]["path"] == "/locks/wheels/rich-14.0.0-py3-none-any.whl"
    assert given.moved


SDIST = f'{{ url = "https://files.test/rich-14.0.0.tar.gz", hashes = {{ sha256 = "{SHA}" }} }}'
ENTRIES = {
    'directory = { path = "rich" }': "is a folder, /locks/rich, whose build is run",
    'vcs = { type = "git", url = "https://u:p@git.test/rich", commit-id = "1" }': "is a repository, https://***@git",
    'vcs = { type = "git", path = "rich", commit-id = "1" }': "is a repository, /locks/rich, whose build",
    f"sdist = {SDIST}": "would be built here, and what builds it has no hash",
    f"wheels = []\nsdist = {SDIST}": "would be built here",
    f"archive = {SDIST}": "would be built here",
    f'archive = {{ url = "{WHEEL}" }}': "has no hash for `rich-14.0.0-py3-none-any.whl`",
    f'wheels = [{{ url = "{WHEEL}" }}]': "has no hash for",
    f'wheels = [{{ url = "{WHEEL}", hashes = {{}} }}]': "has no hash for",
    f'wheels = [{{ url = "{WHEEL}", hashes = {{ md5 = "{MD5}" }} }}]': "has only md5, which proves nothing for",
    f'wheels = [{{ url = "{WHEEL}", hashes = {{ sha256 = "abc" }} }}]': "has a sha256 that is none for",
    f'wheels = [{{ url = "{WHEEL}", hashes = {{ sha256 = "{SHA}" }} }}, {{ url = "{WHEEL}" }}]': "has no hash for",
    'sdist = { url = "https://files.test/rich-14.0.0.tar.gz" }': "has no hash for `rich-14.0.0.tar.gz`",
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_nothing_proves_is_refused_unless_it_is_allowed(entry: str) -> None:
    with pytest.raises(InputError, match="does not tell a hash for all") as refused:
        pylock(entry)
    assert any(f"`rich` {ENTRIES[entry]}" in cause for cause in refused.value.cause), refused.value.cause
    given = pylock(entry, allowed=True)
    assert given.unhashed == ("rich",)
    assert given.notes[0].startswith("unchecked: `rich` ")


def test_a_source_beside_wheels_is_left_out() -> None:
    entry = f'wheels = [{{ url = "{WHEEL}", hashes = {{ sha256 = "{SHA}" }} }}]\nsdist = {SDIST}'
    assert "sdist" not in package(pylock(entry))
    assert "sdist" in package(pylock(entry, allowed=True))


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (
            f'wheels = [{{ url = "git+{WHEEL}", hashes = {{ sha256 = "{SHA}" }} }}]',
            "is no address of a file",
        ),
        (
            f'wheels = [{{ url = "rich-14.0.0-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]',
            "is no address of a file",
        ),
        ("", "is no pylock"),
        ('wheels = "x"', "is no pylock"),
        ("wheels = [1]", "is no pylock"),
        (f'wheels = [{{ hashes = {{ sha256 = "{SHA}" }} }}]', "is no pylock"),
        ('directory = "rich"', "is no pylock"),
        (
            f'wheels = [{{ url = "https://x.test/other-1-py3-none-any.whl", hashes = {{ sha256 = "{SHA}" }} }}]',
            "pylock",
        ),
    ],
)
def test_what_is_no_pylock(entry: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        pylock(entry)


# Requirements.


def test_pins_with_hashes_are_handed_on() -> None:
    given = requirements(
        "# a comment\n--require-hashes\n"
        f"Rich[jupyter]==14.0.0 \\\n    --hash=sha256:{SHA} \\\n    --hash sha256:{SHA}  # why\n\n"
        f"numpy @ {WHEEL.replace('rich', 'numpy')}#sha256={SHA}\n"
        f"six==1.0 ; python_version < '4' --hash=md5:{MD5} --hash=sha512:{SHA512}\r\n"
    )
    assert given.text == (
        f"Rich[jupyter]==14.0.0 --hash=sha256:{SHA} --hash=sha256:{SHA}\n"
        f"numpy @ https://files.test/numpy-14.0.0-py3-none-any.whl --hash=sha256:{SHA}\n"
        f"six==1.0 ; python_version < '4' --hash=sha512:{SHA512}\n"
    )
    assert [(one.name, one.version) for one in given.packages] == [
        ("rich", "14.0.0"),
        ("numpy", "14.0.0"),
        ("six", "1.0"),
    ]


HASH = f"--hash=sha256:{SHA}"
LINES: dict[str, tuple[str, str]] = {
    "rich==14.0.0": ("`rich` has no hash", "rich==14.0.0"),
    f"rich==14.0.0 --hash=md5:{MD5}": ("`rich` has only md5, which proves nothing", "rich==14.0.0"),
    "rich==14.0.0 --hash=sha256:abc": ("`rich` has a sha256 that is none", "rich==14.0.0"),
    f"rich==14.0.0 {HASH} --hash=sha256:abc": ("`rich` has a sha256 that is none", "rich==14.0.0"),
    f"rich>=14 {HASH}": ("`rich` is no pin: `rich>=14`", f"rich>=14 {HASH}"),
    f"rich==14.* {HASH}": ("`rich` is no pin: `rich==14.*`", f"rich==14.* {HASH}"),
    f"rich {HASH}": ("`rich` is no pin", f"rich {HASH}"),
    "-e ./rich": ("`rich` is installed from /locks/rich, whose build is run", "-e /locks/rich"),
    "--editable=git+https://git.test/rich#egg=rich": (
        "is installed from git+https",
        "-e git+https://git.test/rich#egg=rich",
    ),
    "./rich": ("`rich` is /locks/rich, whose build is run", "/locks/rich"),
    "../rich": ("`rich` is /rich, whose build is run", "/rich"),
    "rich @ git+https://git.test/rich@1": ("is a repository", "rich @ git+https://git.test/rich@1"),
    f"git+https://git.test/rich@1 {HASH}": ("`rich` is a repository", "git+https://git.test/rich@1"),
    f"rich @ https://x.test/rich-1.tar.gz {HASH}": (
        "`rich` is https://x.test/rich-1.tar.gz",
        "rich @ https://x.test/rich",
    ),
    f"rich-1.tar.gz {HASH}": ("`rich` is /locks/rich-1.tar.gz, whose build is run", "/locks/rich-1.tar.gz"),
    "./rich-1-py3-none-any.whl": ("`rich` has no hash", "rich @ file:///locks/rich-1-py3-none-any.whl"),
    "rich-1-py3-none-any.whl": ("`rich` has no hash", "rich @ file:///locks/rich-1-py3-none-any.whl"),
    "my folder/rich": ("`rich` is /locks/my folder/rich, whose build", "/locks/my folder/rich"),
    f"rich==1 {HASH}\n--no-binary :all:": ("`:all:` would be built here", "--no-binary :all:"),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_nothing_proves_is_refused_unless_it_is_allowed(line: str) -> None:
    cause, handed_on = LINES[line]
    text = f"numpy==2.1.0 {HASH}\n{line}\n"
    with pytest.raises(InputError, match="does not tell a hash for all") as refused:
        requirements(text)
    assert any(cause in one for one in refused.value.cause), refused.value.cause
    assert any(one.startswith(handed_on) for one in requirements(text, allowed=True).text.splitlines())


@pytest.mark.parametrize(
    ("line", "handed_on"),
    [
        (f"./w/rich-1-py3-none-any.whl {HASH}", f"rich @ file:///locks/w/rich-1-py3-none-any.whl {HASH}\n"),
        (f"rich @ file:w/rich-1-py3-none-any.whl {HASH}", f"rich @ file:///locks/w/rich-1-py3-none-any.whl {HASH}\n"),
        (f"rich==1 {HASH}\n--find-links wheels", f"rich==1 {HASH}\n--find-links /locks/wheels\n"),
        (f"-f./wheels\nrich==1 {HASH}", f"-f /locks/wheels\nrich==1 {HASH}\n"),
        (f"--index-url=https://a.test/s\nrich==1 {HASH}", f"--index-url https://a.test/s\nrich==1 {HASH}\n"),
        (f"--trusted-host a.test\nrich==1 {HASH}", f"rich==1 {HASH}\n"),
    ],
)
def test_paths_are_beside_the_lock_and_other_indexes_are_told(line: str, handed_on: str) -> None:
    given = requirements(line)
    assert given.text == handed_on
    told = "the lock also asks" if "-f" in line or "index" in line else "is not followed" if "trusted" in line else ""
    assert any(told in note for note in given.notes) or not told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"-r other.txt\nrich==1 {HASH}\n", "names another file"),
        (f"--requirement=other.txt\nrich==1 {HASH}\n", "names another file"),
        (f"-cother.txt\nrich==1 {HASH}\n", "names another file"),
        (f"rich==1 {HASH} --config-settings=x=y\n", "is an option that cudafit does not know"),
        (f"--proxy x\nrich==1 {HASH}\n", "is an option that cudafit does not know"),
        (f"rich=>1 {HASH}\n", "is no requirement"),
        (f"rich @ http://[x/rich-1-py3-none-any.whl {HASH}\n", "Invalid IPv6"),
        ("", "has no pins with hashes"),
    ],
)
def test_what_is_never_installed(text: str, why: str) -> None:
    for allowed in (False, True):
        with pytest.raises(InputError, match=why):
            requirements(text, allowed=allowed)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a \\\n b\nc", ["a   b", "c"]),
        ("a # \\\nb", ["a", "b"]),
        ("# x \\\nb", ["b"]),
        ("a\\\n", ["a"]),
        ("  \n\n a#b \n", ["a#b"]),
    ],
)
def test_lines(text: str, lines: list[str]) -> None:
    assert [" ".join(one.split()) for one in logical_lines(text)] == [" ".join(one.split()) for one in lines]


# Both, of any shape.

Reader = Callable[..., Given]


@pytest.mark.parametrize("reader", [given_pylock, given_requirements])
@pytest.mark.parametrize(
    "text", ["packages = 3", "[", "packages = [[]]", "packages = [{}]", "\x00", "--hash", "-", "@"]
)
def test_what_is_nothing_is_an_error_of_input(reader: Reader, text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        reader(str(tmp_path / "lock"), text, allowed=False)
