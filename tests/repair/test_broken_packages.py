"""Packages that an installer cannot take out, and RECORDs that say what they must not."""

from pathlib import Path

import pytest

from cudafit.repair.distributions import remove_broken


def package(env: Path, name: str, version: str, record: str | None, files: tuple[str, ...] = ()) -> Path:
    site = env / "lib/python3.12/site-packages"
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    if record is not None:
        (info / "RECORD").write_text(record)
    for path in files:
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text("x")
    return site


def left(env: Path) -> list[str]:
    return sorted(str(path.relative_to(env)) for path in env.rglob("*") if not path.is_dir())


def test_two_dist_infos(tmp_path: Path) -> None:
    site = package(tmp_path, "torch", "2.0", "torch/a.py,,\ntorch/sub/b.py,,\n../../../bin/tool,,\n", ("torch/a.py",))
    package(tmp_path, "torch", "2.1", "torch/a.py,,\ntorch-2.0.dist-info/RECORD,,\n", ("torch/sub/b.py", "other/c.py"))
    package(tmp_path, "other", "1", "other/c.py,,\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tool").write_text("#!")
    (site / "torch/__pycache__").mkdir()
    (site / "torch/__pycache__/a.cpython-312.pyc").write_text("")
    assert remove_broken(str(tmp_path), ["torch", "other"]) == {"torch"}
    prefix = "lib/python3.12/site-packages"
    assert left(tmp_path) == [f"{prefix}/other-1.dist-info/METADATA", f"{prefix}/other-1.dist-info/RECORD",
                              f"{prefix}/other/c.py"]  # fmt: skip
    assert not (site / "torch").exists()


def test_no_record(tmp_path: Path) -> None:
    site = package(tmp_path, "my_package", "1", None, ("my_package/a.py", "mine/b.py"))
    assert remove_broken(str(tmp_path), ["my-package"]) == {"my-package"}
    assert left(tmp_path) == ["lib/python3.12/site-packages/mine/b.py"]
    assert not list(site.glob("*.dist-info"))


@pytest.mark.parametrize("listed", ["../../../../secret", "/SECRET", "link/secret", "../../../pyvenv.cfg"])
def test_nothing_outside_is_touched(tmp_path: Path, listed: str) -> None:
    env = tmp_path / "env"
    (tmp_path / "secret").write_text("s")
    env.mkdir()
    (env / "pyvenv.cfg").write_text("home = /usr/bin\n")
    record = f"{listed.replace('SECRET', str(tmp_path / 'secret'))},,\na/x.py,,\n"
    site = package(env, "a", "1", record, ("a/x.py",))
    package(env, "a", "2", record)
    (site / "link").symlink_to(tmp_path)
    assert remove_broken(str(env), ["a"]) == {"a"}
    assert (tmp_path / "secret").read_text() == "s"
    assert (env / "pyvenv.cfg").exists()
    assert not (site / "a").exists()


def test_a_link_is_taken_away_and_not_what_it_leads_to(tmp_path: Path) -> None:
    env = tmp_path / "env"
    (tmp_path / "secret").write_text("s")
    site = package(env, "a", "1", "link.py,,\n")
    package(env, "a", "2", "link.py,,\n")
    (site / "link.py").symlink_to(tmp_path / "secret")
    remove_broken(str(env), ["a"])
    assert (tmp_path / "secret").read_text() == "s"
    assert not (site / "link.py").is_symlink()


def test_a_record_that_cannot_be_read_tells_no_files(tmp_path: Path) -> None:
    """Its folder goes as that of a package without a RECORD does."""
    place = tmp_path / "lib/python3.12/site-packages"
    for name in ("a-1.dist-info", "a-2.dist-info", "a"):
        (place / name).mkdir(parents=True)
    for name in ("a-1.dist-info", "a-2.dist-info"):
        (place / name / "RECORD").write_text("a/x.py,,\n")
    (place / "a/y.py").write_text("")
    with (place / "a-2.dist-info/RECORD").open("wb") as file:
        file.truncate(1 << 30)
    assert remove_broken(str(tmp_path), ["a"]) == {"a"}
    assert not list(place.iterdir())
