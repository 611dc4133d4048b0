"""What packaging would refuse and is read all the same, and what is refused."""

import pytest

from cudafit.lock.formats import format_of
from cudafit.lock.pylock_file import PylockError, files_of, hashes_of, name_of, read_pylock

SHA = "a" * 64
WHEEL = "https://files.test/rich-14.0.0-py3-none-any.whl"


def one(body: str, name: str = "rich") -> str:
    return f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "{name}"\nversion = "14.0.0"\n{body}\n'


@pytest.mark.parametrize(
    ("hashes", "told"),
    [
        ("", {}),
        (", hashes = {}", {}),
        (", hashes = 3", {}),
        (', hashes = { md5 = "x" }', {"md5": "x"}),
        (f', hashes = {{ sha256 = "{SHA}", sha512 = 7 }}', {"sha256": SHA, "sha512": ""}),
    ],
)
def test_a_file_without_a_hash_is_one(hashes: str, told: dict[str, str]) -> None:
    (package,) = read_pylock(one(f'wheels = [{{ url = "{WHEEL}"{hashes} }}]')).packages
    (file,) = files_of(package)
    assert hashes_of(file) == told
    assert name_of(file) == "rich-14.0.0-py3-none-any.whl"


@pytest.mark.parametrize("file", ["rich-14.0.0.tar.bz2", "rich-14.0.0-r2.tar.gz", "rich.zip"])
def test_an_archive_with_a_name_of_former_times(file: str) -> None:
    lock = one(f'sdist = {{ url = "https://files.test/{file}", hashes = {{ sha256 = "{SHA}" }} }}')
    (package,) = read_pylock(lock).packages
    assert [name_of(one) for one in files_of(package)] == [file]
    named = format_of("pylock.toml").read
    assert named
    assert [one.file for one in named(lock).integrity.files or ()] == [file]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('wheels = [{ url = "https://x.test/other-1-py3-none-any.whl" }]', "not consistent with package name"),
        ('wheels = [{ url = "https://x.test/rich-1-py3-none-any.whl" }]', "not consistent with package version"),
        ('sdist = { url = "https://x.test/other-14.0.0.tar.gz" }', "not consistent with package name"),
        (f'vcs = {{ type = "git", url = "x", commit-id = "1" }}\nwheels = [{{ url = "{WHEEL}" }}]', "None of"),
        (f'archive = {{ url = "{WHEEL}" }}\nwheels = [{{ url = "{WHEEL}" }}]', "None of"),
        ("wheels = 3", "Unexpected type int"),
        ("sdist = 3", "Unexpected type int"),
        ("", "Exactly one of"),
    ],
)
def test_what_is_no_pylock(body: str, why: str) -> None:
    with pytest.raises(PylockError, match=why):
        read_pylock(one(body))


@pytest.mark.parametrize(("old", "new"), [('"1.0"', '"2.0"'), ('name = "rich"', 'name = "Rich"'), ("14.0.0", "x")])
def test_a_value_that_is_none(old: str, new: str) -> None:
    with pytest.raises(PylockError):
        read_pylock(one(f'wheels = [{{ url = "{WHEEL}" }}]').replace(old, new, 1))
